"""Read interfaces, addresses, routes and the ARP table from the kernel, without sending anything.

Netlink and /proc are read directly: the web service asks every few seconds for its addresses, and a
process of `ip` for each would cost a Plug more than all the rest of it.
"""

import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address
from pathlib import Path

MAX_INTERFACES = 16  # a Plug has two or three
MAX_LAN_ADDRESSES = 64  # of IPv4; a host with more of them runs containers, not printers
MIN_PREFIX_LENGTH = 22  # 1,022 addresses; in a wider network the person on site knows where printers are
NETLINK_TIMEOUT_S = 1.0
NETLINK_BUFFER_BYTES = 1 << 16

# /proc/net is out of sight in a sandbox with ProcSubset=pid.
ARP_TABLE_PATH = Path("/proc/self/net/arp")
ROUTE_TABLE_PATH = Path("/proc/self/net/route")
IPV6_ROUTES_PATH = Path("proc/self/net/ipv6_route")
RESOLV_CONF_PATHS = (Path("run/systemd/resolve/resolv.conf"), Path("etc/resolv.conf"))
TIMESYNC_DIR = Path("run/systemd/timesync")  # systemd-timesyncd.service(8)

# rtnetlink(7), netdevice(7), <linux/if_arp.h>
_RTM_NEWLINK, _RTM_GETLINK, _RTM_NEWADDR, _RTM_GETADDR = 16, 18, 20, 22
_IFINFOMSG_BYTES, _IFADDRMSG_BYTES = 16, 8
_NLMSG_DONE, _NLM_F_DUMP_REQUEST = 3, 0x1 | 0x300
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RT_SCOPE_UNIVERSE, _RT_SCOPE_LINK = 0, 253  # scopes; the latter: 169.254.x.x and fe80::
_IFA_F_UNUSABLE = 0x08 | 0x40  # duplicate, not checked yet
_IFF_UP, _IFF_LOOPBACK, _IFF_POINTOPOINT, _IFF_MULTICAST = 0x1, 0x8, 0x10, 0x1000
_RTF_GATEWAY = 0x2
_ATF_COM = 0x2


@dataclass(frozen=True, slots=True)
class NetworkInterface:
    name: str
    mac_address: str
    has_carrier: bool  # a cable to a device that is on, or a WLAN joined
    speed_mbit_s: int | None
    addresses: tuple[str, ...]  # with their prefixes, those that count beyond the link first
    gateways: tuple[str, ...]

    @property
    def is_wlan(self) -> bool:
        return self.name.startswith("wl")


@dataclass(frozen=True, slots=True)
class _Address:
    interface_index: int
    scope: int
    flags: int
    address: str
    prefix_length: int


@dataclass(frozen=True, slots=True)
class _Ipv4Route:
    interface: str
    network: IPv4Network
    gateway: str
    flags: int
    metric: int


def list_interfaces(root: Path = Path("/")) -> list[NetworkInterface]:
    """Return Ethernet and WLAN interfaces in the order of their names."""
    addresses, gateways = list(_read_addresses()), list(_default_gateways(root))
    return [
        NetworkInterface(
            folder.name,
            _read_text(folder / "address").upper(),
            _read_text(folder / "carrier") == "1",
            _parse_speed(_read_text(folder / "speed")),
            _addresses_with_prefix(addresses, _interface_index(folder)),
            tuple(gateway for name, gateway in gateways if name == folder.name),
        )
        for folder in sorted((root / "sys/class/net").glob("*"))[:MAX_INTERFACES]
        if folder.name.startswith(("en", "eth", "wl", "usb"))
    ]


def list_lan_addresses() -> tuple[str, ...]:
    """Return the addresses of this host in its LANs, IPv4 first.

    Loopback, tunnels and IPv6 addresses that count on one link only are left out.
    """
    lans = set(_read_lan_indexes())
    found = [each for each in _read_addresses() if each.interface_index in lans]
    ipv4 = [each for each in found if ":" not in each.address][:MAX_LAN_ADDRESSES]
    with_ipv4 = {each.interface_index for each in ipv4}
    ipv6 = [
        each
        for each in found
        if ":" in each.address
        and each.interface_index in with_ipv4
        and each.scope == _RT_SCOPE_UNIVERSE
        and not each.flags & _IFA_F_UNUSABLE
    ]
    return tuple(dict.fromkeys(each.address for each in (*ipv4, *ipv6)))


def detect_lan_network(table: Path = ROUTE_TABLE_PATH) -> IPv4Network | None:
    """Return the network of the interface with the default route, else the first one there is."""
    routes = sorted(_read_ipv4_routes(table), key=lambda route: route.metric)
    outward = next((route.interface for route in routes if route.network.prefixlen == 0), None)
    local = [route for route in routes if route.network.prefixlen and not route.network.is_link_local]
    network = next((route.network for route in local if route.interface == outward), None)
    network = network or next((route.network for route in local), None)
    return network if network is not None and network.prefixlen >= MIN_PREFIX_LENGTH else None


def lookup_mac_address(host: str, table: Path = ARP_TABLE_PATH) -> str | None:
    """Return the MAC address with which a host of the own network answered ARP; "" if it did not answer.

    None if the kernel has no entry: the host is in another network, or was not asked yet.
    """
    for line in _read_lines(table)[1:]:
        fields = line.split()
        if len(fields) >= 4 and fields[0] == host:
            return fields[3] if _parse_hexadecimal(fields[2]) & _ATF_COM else ""
    return None


def read_name_servers(root: Path = Path("/")) -> tuple[str, ...]:
    """Return the name servers behind systemd-resolved."""
    for path in RESOLV_CONF_PATHS:
        lines = [line.split() for line in _read_text(root / path).splitlines()]
        if servers := tuple(line[1] for line in lines if len(line) > 1 and line[0] == "nameserver"):
            return tuple(dict.fromkeys(servers))
    return ()


def is_clock_synchronised(root: Path = Path("/")) -> bool | None:
    """Return whether a time server has set the clock; None without systemd-timesyncd."""
    folder = root / TIMESYNC_DIR
    return (folder / "synchronized").exists() if folder.is_dir() else None


def _addresses_with_prefix(addresses: list[_Address], interface_index: int) -> tuple[str, ...]:
    own = [each for each in addresses if each.interface_index == interface_index]
    own.sort(key=lambda each: (each.scope >= _RT_SCOPE_LINK, ":" in each.address))
    return tuple(f"{each.address}/{each.prefix_length}" for each in own)


def _read_addresses() -> Iterator[_Address]:
    for kind, body in _netlink_dump(_RTM_GETADDR, _IFADDRMSG_BYTES):
        if kind != _RTM_NEWADDR:
            continue
        _, prefix_length, flags, scope, index = struct.unpack_from("=BBBBI", body)
        attributes = dict(_netlink_attributes(body[_IFADDRMSG_BYTES:]))
        # IFA_ADDRESS is the peer's on a point-to-point link (IPv4).
        own = attributes.get(_IFA_LOCAL) or attributes.get(_IFA_ADDRESS, b"")
        with suppress(ValueError):
            yield _Address(index, scope, flags, str(ip_address(own)), prefix_length)


def _read_lan_indexes() -> Iterator[int]:
    for kind, body in _netlink_dump(_RTM_GETLINK, _IFINFOMSG_BYTES):
        if kind == _RTM_NEWLINK:
            _, _, index, flags = struct.unpack_from("=BxHiI", body)
            is_multicast = flags & (_IFF_UP | _IFF_MULTICAST) == _IFF_UP | _IFF_MULTICAST
            if is_multicast and not flags & (_IFF_LOOPBACK | _IFF_POINTOPOINT):
                yield index


def _netlink_dump(request_type: int, body_bytes: int) -> list[tuple[int, bytes]]:
    """Return type and body of each message of a dump; none where the kernel refuses."""
    header = struct.pack("=IHHII", 16 + body_bytes, request_type, _NLM_F_DUMP_REQUEST, 1, 0)
    with suppress(OSError), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.settimeout(NETLINK_TIMEOUT_S)
        kernel.sendto(header + bytes(body_bytes), (0, 0))
        return list(_netlink_messages(kernel))
    return []


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
    """Yield interface and gateway of each default route."""
    for route in _read_ipv4_routes(root / ROUTE_TABLE_PATH.relative_to("/")):
        if route.network.network_address == IPv4Address(0) and route.flags & _RTF_GATEWAY:
            yield route.interface, route.gateway
    for line in _read_lines(root / IPV6_ROUTES_PATH):
        with suppress(ValueError, IndexError):
            fields = line.split()
            if fields[1] == "00" and int(fields[0], 16) == 0 and int(fields[8], 16) & _RTF_GATEWAY:
                yield fields[9], str(IPv6Address(int(fields[4], 16)))


def _read_ipv4_routes(table: Path) -> Iterator[_Ipv4Route]:
    for line in _read_lines(table)[1:]:
        fields = line.split()
        with suppress(IndexError, ValueError, struct.error):
            destination, gateway, mask = (
                socket.inet_ntoa(struct.pack("=I", int(fields[at], 16))) for at in (1, 2, 7)
            )
            network = IPv4Network(f"{destination}/{mask}")
            yield _Ipv4Route(fields[0], network, gateway, int(fields[3], 16), int(fields[6]))


def _interface_index(folder: Path) -> int:
    number = _read_text(folder / "ifindex")
    return int(number) if number.isdecimal() else 0


def _parse_speed(text: str) -> int | None:
    return int(text) if text.isdecimal() else None  # -1 or an error without a link


def _parse_hexadecimal(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError:
        return 0


def _read_lines(path: Path) -> list[str]:
    try:
        return path.read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return []


def _read_text(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace").strip()
    except OSError:
        return ""
