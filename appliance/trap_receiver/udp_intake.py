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
from appliance.snmp.errors import BerDecodeError
from appliance.snmp.notifications import Notification

log = logging.getLogger(__name__)

SENDER_LIMIT = (10.0, 60.0)  # a second, and at once: a printer that starts may have fifty things to say
PRINTERS_LIMIT = (100.0, 300.0)  # together
UNKNOWN_SENDERS_LIMIT = (20.0, 100.0)  # together
MAX_SENDERS = 1_024  # remembered; forged ones are many
MAX_PENDING_NOTIFICATIONS = 512  # notifications that are not kept yet
MAX_REMEMBERED_INFORMS = 512  # informs remembered, which their senders repeat until they hear of them
RECEIVE_BUFFER_BYTES = 4 << 20  # octets, as far as the system permits
MAX_DATAGRAM_BYTES = 65_535
MAX_DATAGRAMS_PER_READ = 256  # read in one go
FLOOD_PAUSE_S = 0.02  # after a full go: 12,800 datagrams a second are enough, the kernel drops the rest

SO_MEMINFO, MEMINFO_DROPS = 55, 8  # linux/socket.h, linux/sock_diag.h

DROPPED_SENDER_LIMIT, DROPPED_UNKNOWN_SENDERS_LIMIT = "too many from one sender", "too many from strangers"
DROPPED_PRINTERS_LIMIT = "too many from printers"
DROPPED_UNDECODABLE, DROPPED_WRONG_COMMUNITY = "not understood", "another community"
DROPPED_QUEUE_FULL, DROPPED_BY_KERNEL = "too many at once", "not read in time"
FLOOD_REASONS = frozenset(
    {
        DROPPED_SENDER_LIMIT,
        DROPPED_UNKNOWN_SENDERS_LIMIT,
        DROPPED_PRINTERS_LIMIT,
        DROPPED_QUEUE_FULL,
        DROPPED_BY_KERNEL,
    }
)


class ListenError(Exception):
    """The port cannot be opened; the text is one clear line."""


@dataclass(frozen=True, slots=True)
class ReceivedNotification:
    """A notification and who sent it."""

    sender: str
    notification: Notification


@dataclass(slots=True)
class TokenBucket:
    """So many a second, and so many at once."""

    rate: float
    capacity: float
    tokens: float
    refilled_at: float

    def try_take(self, now: float) -> bool:
        self.tokens = min(self.capacity, self.tokens + (now - self.refilled_at) * self.rate)
        self.refilled_at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class UdpIntake:
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
        self.flooding_printers: set[str] = set()  # known printers of whose notifications some were dropped
        self._sockets = list(sockets)
        self._communities = frozenset(each.encode() for each in communities)
        self._is_known, self._may_answer = is_known, may_answer
        self._pending: list[ReceivedNotification] = []
        self._sender_buckets: dict[str, TokenBucket] = {}
        self._acknowledged: dict[tuple[str, int, bytes], None] = {}
        now = time.monotonic()
        self._printers_bucket = TokenBucket(*PRINTERS_LIMIT, PRINTERS_LIMIT[1], now)
        self._unknown_senders_bucket = TokenBucket(*UNKNOWN_SENDERS_LIMIT, UNKNOWN_SENDERS_LIMIT[1], now)
        self._loop = asyncio.get_running_loop()
        self._is_open = True
        self._kernel_drops = {each: _read_kernel_drops(each) for each in self._sockets}
        for each in self._sockets:
            self._loop.add_reader(each, self._on_readable, each)

    def close(self) -> None:
        """Hear nothing any more; the sockets stay as they are."""
        self._is_open = False
        for each in self._sockets:
            self._loop.remove_reader(each)

    def take_pending(self) -> list[ReceivedNotification]:
        """What has come since the last time."""
        self._arrived.clear()
        taken, self._pending = self._pending, []
        return taken

    def take_dropped(self) -> Counter[str]:
        """How many were dropped since the last time, by the kernel too."""
        for each, before in self._kernel_drops.items():
            self._kernel_drops[each] = lost = _read_kernel_drops(each)
            if lost != before:
                self.dropped[DROPPED_BY_KERNEL] += (lost - before) & 0xFFFFFFFF
        taken, self.dropped = self.dropped, Counter()
        return taken

    def _on_readable(self, sock: socket.socket) -> None:
        for _ in range(MAX_DATAGRAMS_PER_READ):
            try:
                data, source = sock.recvfrom(MAX_DATAGRAM_BYTES)
            except BlockingIOError:
                return
            except OSError:
                continue
            self._handle_datagram(sock, data, source)
        self._loop.remove_reader(sock)  # a flood: everybody else has a turn
        self._loop.call_later(FLOOD_PAUSE_S, self._resume_reading, sock)

    def _resume_reading(self, sock: socket.socket) -> None:
        if self._is_open:
            self._loop.add_reader(sock, self._on_readable, sock)

    def _handle_datagram(self, sock: socket.socket, data: bytes, source: tuple[str, int]) -> None:
        sender = _normalize_address(source[0])
        known = self._is_known(sender)
        if reason := self._check_rate_limits(sender, known=known) or self._accept_datagram(
            sock, data, source, sender
        ):
            self.dropped[reason] += 1
            if known and reason in FLOOD_REASONS:
                self.flooding_printers.add(sender)
                self._arrived.set()

    def _check_rate_limits(self, sender: str, *, known: bool) -> str | None:
        """Why nobody looks into it, or None."""
        now = time.monotonic()
        allowance = self._sender_buckets.get(sender)
        if allowance is None:
            if len(self._sender_buckets) >= MAX_SENDERS:
                del self._sender_buckets[next(iter(self._sender_buckets))]
            allowance = self._sender_buckets[sender] = TokenBucket(*SENDER_LIMIT, SENDER_LIMIT[1], now)
        if not allowance.try_take(now):
            return DROPPED_SENDER_LIMIT
        if known:
            return None if self._printers_bucket.try_take(now) else DROPPED_PRINTERS_LIMIT
        return None if self._unknown_senders_bucket.try_take(now) else DROPPED_UNKNOWN_SENDERS_LIMIT

    def _accept_datagram(
        self, sock: socket.socket, data: bytes, source: tuple[str, int], sender: str
    ) -> str | None:
        """Why it is not taken, or None."""
        try:
            said = notifications.decode_notification(data)
        except BerDecodeError:
            return DROPPED_UNDECODABLE
        if self._communities and said.community not in self._communities:
            return DROPPED_WRONG_COMMUNITY
        if len(self._pending) >= MAX_PENDING_NOTIFICATIONS:
            return DROPPED_QUEUE_FULL
        if said.inform and not self._acknowledge_inform(
            sock, data, source, ReceivedNotification(sender, said)
        ):
            return None
        self._pending.append(ReceivedNotification(sender, said))
        self._arrived.set()
        return None

    def _acknowledge_inform(
        self, sock: socket.socket, data: bytes, source: tuple[str, int], received: ReceivedNotification
    ) -> bool:
        """Acknowledge an inform; False for one that was only repeated."""
        if self._may_answer(received.sender):
            with contextlib.suppress(OSError):  # it is repeated, then
                sock.sendto(notifications.encode_inform_response(data), source)
        key = (received.sender, received.notification.request_id, data[-64:])
        if key in self._acknowledged:
            return False
        if len(self._acknowledged) >= MAX_REMEMBERED_INFORMS:
            del self._acknowledged[next(iter(self._acknowledged))]
        self._acknowledged[key] = None
        return True


def bind_sockets(port: int, address: str = "") -> list[socket.socket]:
    """Sockets for IPv4 and IPv6, or for one address. Raises CannotListen."""
    wanted = [(socket.AF_INET6, "::"), (socket.AF_INET, "0.0.0.0")]  # noqa: S104  printers are anywhere
    if address:
        wanted = [(socket.AF_INET6 if ":" in address else socket.AF_INET, address)]
    opened: list[socket.socket] = []
    try:
        for family, host in wanted:
            if family == socket.AF_INET6 and not address and not socket.has_ipv6:
                continue
            with contextlib.suppress(_AddressFamilyError):
                opened.append(
                    _bind_socket(family, host, port, needed=bool(address) or family == socket.AF_INET)
                )
    except OSError as error:
        for each in opened:
            each.close()
        why = "ports below 1024 need a privilege" if isinstance(error, PermissionError) else error.strerror
        raise ListenError(f"UDP port {port} cannot be opened: {why}") from error
    return opened


class _AddressFamilyError(Exception):
    """IPv6 is switched off here."""


def _bind_socket(family: socket.AddressFamily, host: str, port: int, *, needed: bool) -> socket.socket:
    try:
        opened = socket.socket(family, socket.SOCK_DGRAM)
    except OSError as error:
        if needed:
            raise
        raise _AddressFamilyError from error
    try:
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind((host, port))
    except OSError as error:
        opened.close()
        if needed or isinstance(error, PermissionError):
            raise
        raise _AddressFamilyError from error
    return opened


def _normalize_address(host: str) -> str:
    """The address without its interface, IPv4 in its own form."""
    host = host.partition("%")[0]
    return host.removeprefix("::ffff:") if host.startswith("::ffff:") and "." in host else host


def _read_kernel_drops(sock: socket.socket) -> int:
    """Datagrams that came and found the socket's buffer full, since it was opened."""
    try:
        told = sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 4 * (MEMINFO_DROPS + 1))
        return int(struct.unpack_from("=I", told, 4 * MEMINFO_DROPS)[0])
    except (OSError, struct.error):
        return 0
