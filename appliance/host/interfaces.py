"""The Plug's network interfaces as the kernel shows them: nothing is sent to find out."""

import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from pathlib import Path

MOST = 16  # interfaces; a Plug has two or three
MOST_OCTETS = 1 << 16
ROUTES, ROUTES_V6 = Path("proc/self/net/route"), Path("proc/self/net/ipv6_route")
RESOLVERS = (Path("run/systemd/resolve/resolv.conf"), Path("etc/resolv.conf"))
SYNCHRONISED = Path("run/systemd/timesync")  # systemd-timesyncd.service(8)
# Numbers of rtnetlink(7).
_RTM_NEWADDR, _RTM_GETADDR, _DONE, _DUMP = 20, 22, 3, 0x1 | 0x300
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_LINK = 253  # a scope: 169.254.x.x and fe80::
_GATEWAY = 0x2  # a flag of a route


@dataclass(frozen=True, slots=True)
class Link:
    name: str
    mac_address: str
    carrier: bool  # whether there is a cable with somebody at its end, or a WLAN joined
    speed: int | None  # Mbit/s
    addresses: tuple[str, ...]  # with their prefixes, those that count beyond the link first
    gateways: tuple[str, ...]

    @property
    def is_wlan(self) -> bool:
        return self.name.startswith("wl")


def links(root: Path = Path("/")) -> list[Link]:
    """Ethernet and WLAN, in the order of their names."""
    found, gateways = _addresses(), list(_gateways(root))
    return [
        Link(
            folder.name,
            _read(folder / "address").upper(),
            _read(folder / "carrier") == "1",
            _speed(_read(folder / "speed")),
            tuple(found.get(_index(folder), ())),
            tuple(gateway for name, gateway in gateways if name == folder.name),
        )
        for folder in sorted((root / "sys/class/net").glob("*"))[:MOST]
        if folder.name.startswith(("en", "eth", "wl", "usb"))
    ]


def name_servers(root: Path = Path("/")) -> tuple[str, ...]:
    """Those that are asked, behind systemd-resolved."""
    for path in RESOLVERS:
        lines = [line.split() for line in _read(root / path).splitlines()]
        if found := tuple(line[1] for line in lines if len(line) > 1 and line[0] == "nameserver"):
            return tuple(dict.fromkeys(found))
    return ()


def is_synchronised(root: Path = Path("/")) -> bool | None:
    """Whether a time server has set the clock; None where nobody here knows."""
    folder = root / SYNCHRONISED
    return (folder / "synchronized").exists() if folder.is_dir() else None


def _addresses() -> Mapping[int, list[str]]:
    """By the interface's number."""
    found: dict[int, list[tuple[int, str]]] = {}
    with suppress(OSError), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.settimeout(1.0)
        kernel.sendto(struct.pack("=IHHIIBBBBi", 24, _RTM_GETADDR, _DUMP, 1, 0, 0, 0, 0, 0, 0), (0, 0))
        for kind, body in _messages(kernel):
            if kind == _RTM_NEWADDR:
                _, prefix, _, scope, index = struct.unpack_from("=BBBBI", body)
                attributes = dict(_attributes(body[8:]))
                # Of a link between two, IFA_ADDRESS is the other end's (IPv4).
                own = attributes.get(_IFA_LOCAL) or attributes.get(_IFA_ADDRESS, b"")
                found.setdefault(index, []).append((scope, f"{ip_address(own)}/{prefix}"))
    return {index: [text for _, text in sorted(each, key=_first)] for index, each in found.items()}


def _first(found: tuple[int, str]) -> tuple[bool, bool]:
    return found[0] >= _LINK, ":" in found[1]


def _messages(kernel: socket.socket) -> Iterator[tuple[int, bytes]]:
    while True:
        data = kernel.recv(MOST_OCTETS)
        while len(data) >= 16:
            length, kind = struct.unpack_from("=IH", data)
            if kind == _DONE or not 16 <= length <= len(data):
                return
            yield kind, data[16:length]
            data = data[(length + 3) & ~3 :]


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        if not 4 <= length <= len(data):
            return
        yield kind, data[4:length]
        data = data[(length + 3) & ~3 :]


def _gateways(root: Path) -> Iterator[tuple[str, str]]:
    """Interface and gateway of each route to everywhere."""
    for line in _read(root / ROUTES).splitlines()[1:]:
        with suppress(ValueError, IndexError, struct.error, OSError):
            name, destination, gateway, flags = line.split()[:4]
            if int(destination, 16) == 0 and int(flags, 16) & _GATEWAY:
                yield name, socket.inet_ntoa(struct.pack("=I", int(gateway, 16)))
    for line in _read(root / ROUTES_V6).splitlines():
        with suppress(ValueError, IndexError):
            fields = line.split()
            if fields[1] == "00" and int(fields[0], 16) == 0 and int(fields[8], 16) & _GATEWAY:
                yield fields[9], str(IPv6Address(int(fields[4], 16)))


def _index(folder: Path) -> int:
    number = _read(folder / "ifindex")
    return int(number) if number.isdecimal() else 0


def _speed(text: str) -> int | None:
    return int(text) if text.isdecimal() else None  # -1, or an error: nobody knows


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace").strip()
    except OSError:
        return ""
