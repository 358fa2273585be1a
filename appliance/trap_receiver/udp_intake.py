"""Notifications from the network, as many as a small box can take: the rest is counted.

Anybody may send, from any forged address. So there is a limit for each sender, one for all known printers
together, one for all strangers together: strangers cannot crowd out the printers. What is over a limit is
not even decoded. Nothing is ever sent from here but the acknowledgement of an inform, which is as large as
the inform, and only to a sender that the Plug would ask anyway.
"""

import asyncio
import contextlib
import logging
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from appliance.snmp import notifications
from appliance.snmp.ber import BerDecodeError
from appliance.snmp.notifications import Notification

log = logging.getLogger(__name__)

OF_ONE = (10.0, 60.0)  # a second, and at once: a printer that starts may have fifty things to say
OF_PRINTERS = (100.0, 300.0)  # together
OF_STRANGERS = (20.0, 100.0)  # together
MOST_SENDERS = 1_024  # remembered; forged ones are many
MOST_WAITING = 512  # notifications that are not kept yet
MOST_ACKNOWLEDGED = 512  # informs remembered, which their senders repeat until they hear of them
RECEIVE_BUFFER = 4 << 20  # octets, as far as the system permits
LARGEST_DATAGRAM = 65_535
MOST_DATAGRAMS = 256  # read in one go
PAUSE_SECONDS = 0.02  # after a full go: 12,800 datagrams a second are enough, the kernel drops the rest

SO_MEMINFO, MEMINFO_DROPS = 55, 8  # linux/socket.h, linux/sock_diag.h

TOO_MANY, TOO_MANY_STRANGERS = "too many from one sender", "too many from strangers"
TOO_MANY_PRINTERS = "too many from printers"
NOT_UNDERSTOOD, WRONG_COMMUNITY = "not understood", "another community"
NO_ROOM, NOT_READ = "too many at once", "not read in time"
FLOOD = frozenset({TOO_MANY, TOO_MANY_STRANGERS, TOO_MANY_PRINTERS, NO_ROOM, NOT_READ})


class CannotListen(Exception):
    """The port cannot be opened; the text is one clear line."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A notification and who sent it."""

    sender: str
    notification: Notification


@dataclass(slots=True)
class Allowance:
    """So many a second, and so many at once."""

    rate: float
    most: float
    left: float
    at: float

    def take(self, now: float) -> bool:
        self.left = min(self.most, self.left + (now - self.at) * self.rate)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Intake:
    """What is heard on some sockets of the running loop."""

    def __init__(
        self,
        sockets: Iterable[socket.socket],
        arrived: asyncio.Event,
        *,
        communities: Collection[str],
        is_known: Callable[[str], bool],
        may_answer: Callable[[str], bool],
    ) -> None:
        """`arrived` is set when there is something to take; the questions are asked about addresses."""
        self._arrived = arrived
        self.dropped: Counter[str] = Counter()  # by reason; whoever looks takes it away
        self.missed: set[str] = set()  # known printers of whose notifications some were dropped
        self._sockets = list(sockets)
        self._communities = frozenset(each.encode() for each in communities)
        self._is_known, self._may_answer = is_known, may_answer
        self._waiting: list[Heard] = []
        self._senders: dict[str, Allowance] = {}
        self._acknowledged: dict[tuple[str, int, bytes], None] = {}
        now = time.monotonic()
        self._printers = Allowance(*OF_PRINTERS, OF_PRINTERS[1], now)
        self._strangers = Allowance(*OF_STRANGERS, OF_STRANGERS[1], now)
        self._loop = asyncio.get_running_loop()
        self._open = True
        self._lost = {each: _lost(each) for each in self._sockets}
        for each in self._sockets:
            self._loop.add_reader(each, self._readable, each)

    def close(self) -> None:
        """Hear nothing any more; the sockets stay as they are."""
        self._open = False
        for each in self._sockets:
            self._loop.remove_reader(each)

    def take(self) -> list[Heard]:
        """What has come since the last time."""
        self._arrived.clear()
        taken, self._waiting = self._waiting, []
        return taken

    def take_dropped(self) -> Counter[str]:
        """How many were dropped since the last time, by the kernel too."""
        for each, before in self._lost.items():
            self._lost[each] = lost = _lost(each)
            if lost != before:
                self.dropped[NOT_READ] += (lost - before) & 0xFFFFFFFF
        taken, self.dropped = self.dropped, Counter()
        return taken

    def _readable(self, ear: socket.socket) -> None:
        for _ in range(MOST_DATAGRAMS):
            try:
                data, source = ear.recvfrom(LARGEST_DATAGRAM)
            except BlockingIOError:
                return
            except OSError:
                continue
            self._received(ear, data, source)
        self._loop.remove_reader(ear)  # a flood: everybody else has a turn
        self._loop.call_later(PAUSE_SECONDS, self._listen_again, ear)

    def _listen_again(self, ear: socket.socket) -> None:
        if self._open:
            self._loop.add_reader(ear, self._readable, ear)

    def _received(self, ear: socket.socket, data: bytes, source: tuple[str, int]) -> None:
        sender = _plain(source[0])
        known = self._is_known(sender)
        if reason := self._refused(sender, known=known) or self._taken(ear, data, source, sender):
            self.dropped[reason] += 1
            if known and reason in FLOOD:
                self.missed.add(sender)
                self._arrived.set()

    def _refused(self, sender: str, *, known: bool) -> str | None:
        """Why nobody looks into it, or None."""
        now = time.monotonic()
        allowance = self._senders.get(sender)
        if allowance is None:
            if len(self._senders) >= MOST_SENDERS:
                del self._senders[next(iter(self._senders))]
            allowance = self._senders[sender] = Allowance(*OF_ONE, OF_ONE[1], now)
        if not allowance.take(now):
            return TOO_MANY
        if known:
            return None if self._printers.take(now) else TOO_MANY_PRINTERS
        return None if self._strangers.take(now) else TOO_MANY_STRANGERS

    def _taken(self, ear: socket.socket, data: bytes, source: tuple[str, int], sender: str) -> str | None:
        """Why it is not taken, or None."""
        try:
            said = notifications.decode_notification(data)
        except BerDecodeError:
            return NOT_UNDERSTOOD
        if self._communities and said.community not in self._communities:
            return WRONG_COMMUNITY
        if len(self._waiting) >= MOST_WAITING:
            return NO_ROOM
        if said.inform and not self._is_new(ear, data, source, Heard(sender, said)):
            return None
        self._waiting.append(Heard(sender, said))
        self._arrived.set()
        return None

    def _is_new(self, ear: socket.socket, data: bytes, source: tuple[str, int], heard: Heard) -> bool:
        """Acknowledge an inform; False for one that was only repeated."""
        if self._may_answer(heard.sender):
            with contextlib.suppress(OSError):  # it is repeated, then
                ear.sendto(notifications.encode_inform_response(data), source)
        key = (heard.sender, heard.notification.request_id, data[-64:])
        if key in self._acknowledged:
            return False
        if len(self._acknowledged) >= MOST_ACKNOWLEDGED:
            del self._acknowledged[next(iter(self._acknowledged))]
        self._acknowledged[key] = None
        return True


def bind(port: int, address: str = "") -> list[socket.socket]:
    """Sockets for IPv4 and IPv6, or for one address. Raises CannotListen."""
    wanted = [(socket.AF_INET6, "::"), (socket.AF_INET, "0.0.0.0")]  # noqa: S104  printers are anywhere
    if address:
        wanted = [(socket.AF_INET6 if ":" in address else socket.AF_INET, address)]
    opened: list[socket.socket] = []
    try:
        for family, host in wanted:
            if family == socket.AF_INET6 and not address and not socket.has_ipv6:
                continue
            with contextlib.suppress(_NoSuchFamily):
                opened.append(_bound(family, host, port, needed=bool(address) or family == socket.AF_INET))
    except OSError as error:
        for each in opened:
            each.close()
        why = "ports below 1024 need a privilege" if isinstance(error, PermissionError) else error.strerror
        raise CannotListen(f"UDP port {port} cannot be opened: {why}") from error
    return opened


class _NoSuchFamily(Exception):
    """IPv6 is switched off here."""


def _bound(family: socket.AddressFamily, host: str, port: int, *, needed: bool) -> socket.socket:
    try:
        opened = socket.socket(family, socket.SOCK_DGRAM)
    except OSError as error:
        if needed:
            raise
        raise _NoSuchFamily from error
    try:
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind((host, port))
    except OSError as error:
        opened.close()
        if needed or isinstance(error, PermissionError):
            raise
        raise _NoSuchFamily from error
    return opened


def _plain(host: str) -> str:
    """The address without its interface, IPv4 in its own form."""
    host = host.partition("%")[0]
    return host.removeprefix("::ffff:") if host.startswith("::ffff:") and "." in host else host


def _lost(ear: socket.socket) -> int:
    """Datagrams that came and found the socket's buffer full, since it was opened."""
    try:
        told = ear.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 4 * (MEMINFO_DROPS + 1))
        return int(struct.unpack_from("=I", told, 4 * MEMINFO_DROPS)[0])
    except (OSError, struct.error):
        return 0
