"""The UDP sockets that all conversations share: each datagram finds who waits for it.

Strict about who is heard: a datagram counts only if it comes from an address and port that were asked, with
the request id that was asked there. Version and community of an answer may differ from the question's, as
some agents answer with a fixed text; they would prove nothing, since whoever can forge the address has seen
them.
"""

import asyncio
import contextlib
import errno
import ipaddress
import socket
import struct
import sys
from collections.abc import Iterator
from typing import NamedTuple, Protocol, Self

from appliance.snmp import ber
from appliance.snmp.constants import RESPONSE_PDU
from appliance.snmp.errors import BerDecodeError

RECEIVE_BUFFER_BYTES = (
    4 << 20
)  # octets, as far as the system permits; Linux's usual 208 KiB hold 100 full answers
MAX_DATAGRAM_BYTES = 65_535
MAX_DATAGRAMS_PER_READ = 256  # read in one go, some 25 ms of work, before everybody else has a turn
MAX_STALE_ERRORS = 3
ICMP_ERRNOS = {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EPROTO, errno.EMSGSIZE}

Peer = tuple[str, int]


class AgentAddress(NamedTuple):
    """Where an agent listens: `peer` is how its datagrams are told from others'."""

    peer: Peer
    family: socket.AddressFamily
    sockaddr: tuple[str, int] | tuple[str, int, int, int]


class ResponseListener(Protocol):
    """Who waits for an answer; none of the calls may raise."""

    def on_response(self, message: ber.DecodedMessage, size: int) -> None:
        """The answer, once; the listener is forgotten already."""

    def on_invalid_datagram(self, size: int, *, matches_request: bool) -> None:
        """Something else from that address: `mine` if it bears the request id but cannot be decoded."""

    def on_port_unreachable(self) -> None:
        """The address exists, but nobody listens at that port."""


def parse_agent_address(host: str, port: int) -> AgentAddress:
    """The address of an agent at an IPv4 or IPv6 address, which may have a %scope; raises ValueError."""
    ip = ipaddress.ip_address(host)
    if isinstance(ip, ipaddress.IPv4Address):
        return AgentAddress((str(ip), port), socket.AF_INET, (str(ip), port))
    scope = 0
    if ip.scope_id:
        with contextlib.suppress(OSError):
            scope = int(ip.scope_id) if ip.scope_id.isdecimal() else socket.if_nametoindex(ip.scope_id)
    plain = str(ip).partition("%")[0]
    return AgentAddress((plain, port), socket.AF_INET6, (plain, port, 0, scope))


class SnmpEndpoint:
    """`async with Endpoint() as endpoint`: one socket each for IPv4 and IPv6, opened when needed."""

    def __init__(self) -> None:
        self._sockets: dict[socket.AddressFamily, socket.socket] = {}
        self._listeners: dict[Peer, dict[int, ResponseListener]] = {}
        self._buffer = memoryview(bytearray(MAX_DATAGRAM_BYTES))

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        return self

    async def __aexit__(self, *_: object) -> None:
        for open_socket in self._sockets.values():
            self._loop.remove_reader(open_socket)
            open_socket.close()
        self._sockets.clear()

    def add_listener(self, peer: Peer, request_id: int, listener: ResponseListener) -> None:
        self._listeners.setdefault(peer, {})[request_id] = listener

    def remove_listener(self, peer: Peer, request_id: int) -> None:
        listeners = self._listeners.get(peer, {})
        listeners.pop(request_id, None)
        if not listeners:
            self._listeners.pop(peer, None)

    def send(self, data: bytes, to: AgentAddress) -> None:
        """Sends at once or raises OSError; BlockingIOError where the system's buffer is full."""
        sender = self._sockets.get(to.family) or self._open_socket(to.family)
        for _ in range(MAX_STALE_ERRORS):
            try:
                sender.sendto(data, to.sockaddr)
            except BlockingIOError:
                raise
            except OSError as error:
                if error.errno not in ICMP_ERRNOS:
                    raise
                self._dispatch_icmp_errors(
                    sender
                )  # the kernel tells whoever comes next; it is somebody else's
            else:
                return
        sender.sendto(data, to.sockaddr)

    def _open_socket(self, family: socket.AddressFamily) -> socket.socket:
        opened = socket.socket(family, socket.SOCK_DGRAM)
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        enable_icmp_errors(opened)
        self._loop.add_reader(opened, self._read_datagrams, opened)
        self._sockets[family] = opened
        return opened

    def _read_datagrams(self, opened: socket.socket) -> None:
        for _ in range(MAX_DATAGRAMS_PER_READ):
            try:
                size, source = opened.recvfrom_into(self._buffer)
            except BlockingIOError:
                break
            except OSError:  # an error that an earlier datagram came back with
                continue
            self._dispatch_datagram(bytes(self._buffer[:size]), (source[0].partition("%")[0], source[1]))
        self._dispatch_icmp_errors(opened)

    def _dispatch_icmp_errors(self, opened: socket.socket) -> None:
        for peer in read_unreachable_peers(opened):
            for each in list(self._listeners.get(peer, {}).values()):
                each.on_port_unreachable()

    def _dispatch_datagram(self, data: bytes, peer: Peer) -> None:
        listeners = self._listeners.get(peer)
        if not listeners:
            return
        try:
            request_id = ber.decode_request_id(data)
        except BerDecodeError:
            request_id = -1  # nobody's
        listener = listeners.get(request_id)
        if listener is None:
            for each in list(listeners.values()):
                each.on_invalid_datagram(len(data), matches_request=False)
            return
        try:
            message = ber.decode_message(data)
        except BerDecodeError:
            listener.on_invalid_datagram(len(data), matches_request=True)
            return
        if message.pdu != RESPONSE_PDU:  # our own request, sent back by an echo service
            listener.on_invalid_datagram(len(data), matches_request=False)
            return
        self.remove_listener(peer, request_id)
        listener.on_response(message, len(data))


IP_RECVERR = 11  # linux/in.h
IPV6_RECVERR = 25  # linux/in6.h
SOCK_EXTENDED_ERR = struct.Struct("=IBBBBII")  # struct sock_extended_err of linux/errqueue.h
MAX_ICMP_ERRORS_PER_READ = 256  # read in one go
ANCILLARY_BUFFER_BYTES = 512  # octets, for the error with the address of who sent it


def enable_icmp_errors(opened: socket.socket) -> None:
    if sys.platform == "linux":
        if opened.family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        else:
            opened.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)


def read_unreachable_peers(opened: socket.socket) -> Iterator[tuple[str, int]]:
    """Addresses and ports that refused since the last call; empties the socket's queue of errors."""
    if sys.platform != "linux":
        return
    for _ in range(MAX_ICMP_ERRORS_PER_READ):
        try:
            _, ancillary, _, asked = opened.recvmsg(0, ANCILLARY_BUFFER_BYTES, socket.MSG_ERRQUEUE)
        except OSError:  # nothing more
            return
        if asked and any(_is_connection_refused(data) for _, _, data in ancillary):
            yield asked[0].partition("%")[0], asked[1]


def _is_connection_refused(data: bytes) -> bool:
    if len(data) < SOCK_EXTENDED_ERR.size:
        return False
    code: int = SOCK_EXTENDED_ERR.unpack_from(data)[0]
    return code == errno.ECONNREFUSED
