"""An SNMP agent that plays many printers with the faults of real ones, each at its own loopback address.

Other addresses are taken only from a network that a test has made for itself.
"""

import asyncio
import random
import socket
import sys
from collections import Counter
from collections.abc import Collection, MutableMapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Literal, Self

from tests.fakes import ber
from tests.fakes.answers import Rules, answer
from tests.fakes.mib import Cell, Mib

PORTS = range(10_000, 32_000)  # below the range from which the kernel takes ports for clients
GUARD = "127.255.255.254"  # an agent holds its port here, so that two agents never choose the same one
MOST_DATAGRAMS = 64  # one socket's share before the others have their turn
NAMES = {ber.GET: "get", ber.GET_NEXT: "get_next", ber.GET_BULK: "get_bulk", ber.SET: "set"}


Peer = tuple[str, int]


@dataclass(eq=False)
class Device:
    """One printer: what it knows, how it misbehaves, and what it was asked."""

    mib: MutableMapping[str, Cell]  # any mapping; becomes a Mib

    delay: float = 0.0  # seconds before each answer
    loss: float = 0.0  # share of the requests that are never answered, spread evenly: 0.25 loses every fourth
    lose_first: int = 0  # a printer that only wakes up at the first requests
    asleep: bool = False
    versions: Collection[str] = frozenset({"1", "2"})
    community: str = "public"
    one_at_a_time: bool = False  # what arrives while an answer is on its way is dropped
    max_request: int = 65_507  # bytes; larger requests are dropped
    max_varbinds: int = 65_535  # requests with more varbinds are dropped
    max_response: int = 65_507  # bytes; GETBULK is cut there, anything else gets tooBig
    oversize: Literal["tooBig", "silent"] = "tooBig"
    bulk: Literal["ok", "broken", "ignored", "one"] = "ok"  # broken: genErr; one: a single repetition
    increasing: bool = True  # False: the successor of a column's last row is its first row
    stuck: Collection[str] = ()  # the successor of each of these is itself
    endless: str | None = None  # below this OID, every column goes on for ever
    gen_err: Collection[str] = ()  # genErr for everything below these OIDs
    no_get: Collection[str] = ()  # below these OIDs GETNEXT answers, GET does not
    request_id: Literal["right", "wrong", "both"] = "right"  # both: the wrong one first
    truncate: bool = False  # the second half of every answer is missing
    empty: bool = False  # every answer is an empty datagram
    garbage: int = 0  # so many undecodable datagrams before every answer

    requests: Counter[str] = field(default_factory=Counter)  # by PDU type; .total() is their number
    refused: int = 0  # of these: wrong community, wrong version, too large, dropped, asleep
    undecodable: int = 0
    responses: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    largest_request: int = 0
    largest_response: int = 0
    most_at_once: int = 0  # requests that were waiting for their answers at the same time

    def __post_init__(self) -> None:
        self.busy = 0
        self._lost = 0.0
        self.objects()

    def objects(self) -> Mib:
        """What it knows, in the order of a walk; also after a test has given it another mapping."""
        if not isinstance(self.mib, Mib):
            self.mib = Mib(self.mib)
        return self.mib

    def forget(self) -> None:
        """All counts back to nothing."""
        self.requests.clear()
        self.refused = self.undecodable = self.responses = self.bytes_in = self.bytes_out = 0
        self.largest_request = self.largest_response = self.most_at_once = 0

    def answers(self, data: bytes) -> list[bytes]:
        """The datagrams that go back for one that came in."""
        self.bytes_in += len(data)
        try:
            request = ber.decode(data)
        except ber.Broken:
            self.undecodable += 1
            return []
        self.requests[NAMES.get(request.pdu, "other")] += 1
        self.largest_request = max(self.largest_request, len(data))
        if not self._heeds(data, request):
            self.refused += 1
            return []
        request_id = request.request_id if self.request_id != "wrong" else request.request_id ^ 0x5A5A
        reply = answer(self.objects(), request, self._rules(), request_id)
        if reply is None:
            self.refused += 1
            return []
        replies = [self._spoiled(reply)]
        if self.request_id == "both":
            stray = answer(self.objects(), request, self._rules(), request.request_id ^ 0x5A5A)
            replies = [stray or b"", *replies]
        return [random.randbytes(40) for _ in range(self.garbage)] + replies

    def _heeds(self, data: bytes, request: ber.Request) -> bool:
        if self.asleep or (self.one_at_a_time and self.busy):
            return False
        if {0: "1", 1: "2"}.get(request.version) not in self.versions:
            return False
        if request.community != self.community.encode() or request.pdu not in NAMES:
            return False
        if len(data) > self.max_request or len(request.oids) > self.max_varbinds:
            return False
        return not self._loses()

    def _loses(self) -> bool:
        if self.requests.total() <= self.lose_first:
            return True
        self._lost += self.loss
        if self._lost < 0.999_999:
            return False
        self._lost -= 1.0
        return True

    def _rules(self) -> Rules:
        return Rules(
            max_response=self.max_response,
            oversize=self.oversize,
            bulk=self.bulk,
            increasing=self.increasing,
            stuck=frozenset(map(ber.parse_oid, self.stuck)),
            endless=ber.parse_oid(self.endless) if self.endless else None,
            gen_err=tuple(map(ber.parse_oid, self.gen_err)),
            no_get=tuple(map(ber.parse_oid, self.no_get)),
        )

    def _spoiled(self, reply: bytes) -> bytes:
        if self.empty:
            return b""
        return reply[: len(reply) // 2] if self.truncate else reply

    def sent(self, reply: bytes) -> None:
        self.responses += 1
        self.bytes_out += len(reply)
        self.largest_response = max(self.largest_response, len(reply))


class Agent:
    """`async with Agent() as agent: agent.add("127.0.0.10", Device(...))`; all devices share `agent.port`."""

    def __init__(self, port: int = 0, *, network: str = "127.0.0.0/8") -> None:
        self.port = port
        self._network = ip_network(network)
        self.devices: dict[str, Device] = {}
        self._sockets: dict[str, socket.socket] = {}

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._guard = _bound(GUARD, self.port) if self.port else _bound_anywhere(GUARD)
        self.port = self._guard.getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        for address in list(self.devices):
            self.remove(address)
        self._guard.close()

    def add(self, address: str, device: Device) -> Device:
        if ip_address(address) not in self._network:
            raise ValueError(
                f"{address} is not a loopback address, nor in another network of the test: {self._network}"
            )
        endpoint = self._guard if address == GUARD else _bound(address, self.port)
        self._loop.add_reader(endpoint, self._readable, endpoint, device)
        self._sockets[address] = endpoint
        self.devices[address] = device
        return device

    def remove(self, address: str) -> None:
        """The printer is unplugged: its address falls silent."""
        del self.devices[address]
        endpoint = self._sockets.pop(address)
        self._loop.remove_reader(endpoint)
        endpoint.close()

    def move(self, old: str, new: str) -> None:
        """The printer gets another address."""
        device = self.devices[old]
        self.remove(old)
        self.add(new, device)

    def _readable(self, endpoint: socket.socket, device: Device) -> None:
        for _ in range(MOST_DATAGRAMS):
            try:
                data, peer = endpoint.recvfrom(65_535)
            except OSError:  # nothing more to read, or an ICMP error of an earlier answer
                return
            replies = device.answers(data)
            if not replies:
                continue
            if device.delay <= 0:
                device.most_at_once = max(device.most_at_once, 1)
                self._send(endpoint, device, peer, replies)
            else:
                device.busy += 1
                device.most_at_once = max(device.most_at_once, device.busy)
                self._loop.call_later(device.delay, self._send_later, endpoint, device, peer, replies)

    def _send_later(self, endpoint: socket.socket, device: Device, peer: Peer, replies: list[bytes]) -> None:
        device.busy -= 1
        self._send(endpoint, device, peer, replies)

    def _send(self, endpoint: socket.socket, device: Device, peer: Peer, replies: list[bytes]) -> None:
        for reply in replies:
            try:
                endpoint.sendto(reply, peer)
            except OSError:  # unplugged meanwhile, or nobody listens any more
                return
            device.sent(reply)


def _bound(address: str, port: int) -> socket.socket:
    endpoint = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    endpoint.setblocking(False)
    try:
        endpoint.bind((address, port))
    except OSError as error:
        endpoint.close()
        raise OSError(error.errno, f"cannot listen at {address}:{port}: {error.strerror}") from error
    return endpoint


def _bound_anywhere(address: str) -> socket.socket:
    for port in random.sample(PORTS, 100):
        try:
            return _bound(address, port)
        except OSError:
            continue
    raise OSError(f"no free port at {address}")


if __name__ == "__main__":
    from tests.fakes import lan

    sys.exit(lan.main())
