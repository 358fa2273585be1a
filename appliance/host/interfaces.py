"""The Plug's network interfaces as the kernel shows them: nothing is sent to find out."""

import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from pathlib import Path

MAX_INTERFACES = 16  # interfaces; a Plug has two or three
NETLINK_BUFFER_BYTES = 1 << 16
IPV4_ROUTES_PATH, IPV6_ROUTES_PATH = Path("proc/self/net/route"), Path("proc/self/net/ipv6_route")
RESOLV_CONF_PATHS = (Path("run/systemd/resolve/resolv.conf"), Path("etc/resolv.conf"))
TIMESYNC_DIR = Path("run/systemd/timesync")  # systemd-timesyncd.service(8)
# Numbers of rtnetlink(7).
_RTM_NEWADDR, _RTM_GETADDR, _NLMSG_DONE, _NLM_F_DUMP_REQUEST = 20, 22, 3, 0x1 | 0x300
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RT_SCOPE_LINK = 253  # a scope: 169.254.x.x and fe80::
_RTF_GATEWAY = 0x2  # a flag of a route


@dataclass(frozen=True, slots=True)
class NetworkInterface:
    name: str
    mac_address: str
    has_carrier: bool  # whether there is a cable with somebody at its end, or a WLAN joined
    speed_mbit_s: int | None  # Mbit/s
    addresses: tuple[str, ...]  # with their prefixes, those that count beyond the link first
    gateways: tuple[str, ...]

    @property
    def is_wlan(self) -> bool:
        return self.name.startswith("wl")


def list_interfaces(root: Path = Path("/")) -> list[NetworkInterface]:
    """Ethernet and WLAN, in the order of their names."""
    found, gateways = _addresses_by_index(), list(_default_gateways(root))
    return [
        NetworkInterface(
            folder.name,
            _read_text(folder / "address").upper(),
            _read_text(folder / "carrier") == "1",
            _parse_speed(_read_text(folder / "speed")),
            tuple(found.get(_interface_index(folder), ())),
            tuple(gateway for name, gateway in gateways if name == folder.name),
        )
        for folder in sorted((root / "sys/class/net").glob("*"))[:MAX_INTERFACES]
        if folder.name.startswith(("en", "eth", "wl", "usb"))
    ]


def read_name_servers(root: Path = Path("/")) -> tuple[str, ...]:
    """Those that are asked, behind systemd-resolved."""
    for path in RESOLV_CONF_PATHS:
        lines = [line.split() for line in _read_text(root / path).splitlines()]
        if found := tuple(line[1] for line in lines if len(line) > 1 and line[0] == "nameserver"):
            return tuple(dict.fromkeys(found))
    return ()


def is_clock_synchronised(root: Path = Path("/")) -> bool | None:
    """Whether a time server has set the clock; None where nobody here knows."""
    folder = root / TIMESYNC_DIR
    return (folder / "synchronized").exists() if folder.is_dir() else None


def _addresses_by_index() -> Mapping[int, list[str]]:
    """By the interface's number."""
    found: dict[int, list[tuple[int, str]]] = {}
    with suppress(OSError), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.settimeout(1.0)
        kernel.sendto(
            struct.pack("=IHHIIBBBBi", 24, _RTM_GETADDR, _NLM_F_DUMP_REQUEST, 1, 0, 0, 0, 0, 0, 0), (0, 0)
        )
        for kind, body in _netlink_messages(kernel):
            if kind == _RTM_NEWADDR:
                _, prefix, _, scope, index = struct.unpack_from("=BBBBI", body)
                attributes = dict(_netlink_attributes(body[8:]))
                # Of a link between two, IFA_ADDRESS is the other end's (IPv4).
                own = attributes.get(_IFA_LOCAL) or attributes.get(_IFA_ADDRESS, b"")
                found.setdefault(index, []).append((scope, f"{ip_address(own)}/{prefix}"))
    return {index: [text for _, text in sorted(each, key=_address_sort_key)] for index, each in found.items()}


def _address_sort_key(found: tuple[int, str]) -> tuple[bool, bool]:
    return found[0] >= _RT_SCOPE_LINK, ":" in found[1]


def _netlink_messages(kernel: socket.socket) -> Iterator[tuple[int, bytes]]:
    while True:
        data = kernel.recv(NETLINK_BUFFER_BYTES)
        while len(data) >= 16:
            length, kind = struct.unpack_from("=IH", data)
            if kind == _NLMSG_DONE or not 16 <= length <= len(data):
                return
            yield kind, data[16:length]
            data = data[(length + 3) & ~3 :]


def _netlink_attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        if not 4 <= length <= len(data):
            return
        yield kind, data[4:length]
        data = data[(length + 3) & ~3 :]


def _default_gateways(root: Path) -> Iterator[tuple[str, str]]:
    """Interface and gateway of each route to everywhere."""
    for line in _read_text(root / IPV4_ROUTES_PATH).splitlines()[1:]:
        with suppress(ValueError, IndexError, struct.error, OSError):
            name, destination, gateway, flags = line.split()[:4]
            if int(destination, 16) == 0 and int(flags, 16) & _RTF_GATEWAY:
                yield name, socket.inet_ntoa(struct.pack("=I", int(gateway, 16)))
    for line in _read_text(root / IPV6_ROUTES_PATH).splitlines():
        with suppress(ValueError, IndexError):
            fields = line.split()
            if fields[1] == "00" and int(fields[0], 16) == 0 and int(fields[8], 16) & _RTF_GATEWAY:
                yield fields[9], str(IPv6Address(int(fields[4], 16)))


def _interface_index(folder: Path) -> int:
    number = _read_text(folder / "ifindex")
    return int(number) if number.isdecimal() else 0


def _parse_speed(text: str) -> int | None:
    return int(text) if text.isdecimal() else None  # -1, or an error: nobody knows


def _read_text(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace").strip()
    except OSError:
        return ""
