"""Under which addresses this computer stands in a LAN, as the kernel says: nothing is sent to find out."""

import array
import fcntl
import ipaddress
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

IPV6_ADDRESSES_PATH = Path("/proc/self/net/if_inet6")
MAX_IFCONF_ENTRIES = 64  # interfaces; whoever has more runs containers, not printers
_SIOCGIFCONF, _SIOCGIFFLAGS = 0x8912, 0x8913  # netdevice(7)
_IFF_UP, _IFF_LOOPBACK, _IFF_POINTOPOINT, _IFF_MULTICAST = 0x1, 0x8, 0x10, 0x1000
_RT_SCOPE_GLOBAL, _IFA_F_UNUSABLE = 0x00, 0x08 | 0x40  # a scope; doubled elsewhere, not checked yet


def list_lan_addresses() -> tuple[str, ...]:
    """IPv4 first; without loopback, tunnels and what counts on one link only."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            named = dict.fromkeys(
                (name, address) for name, address in _ipv4_addresses(sock) if _is_lan_interface(sock, name)
            )
    except OSError:
        return ()
    lans = {name for name, _ in named}
    return (
        *dict.fromkeys(address for _, address in named),
        *(each for name, each in _ipv6_addresses() if name in lans),
    )


def _ipv4_addresses(sock: socket.socket) -> Iterator[tuple[str, str]]:
    size = 40 if struct.calcsize("P") == 8 else 32
    room = array.array("B", bytes(MAX_IFCONF_ENTRIES * size))
    start, length = room.buffer_info()
    told = fcntl.ioctl(sock, _SIOCGIFCONF, struct.pack("iP", length, start))
    used: int = struct.unpack("iP", told)[0]
    for at in range(0, used, size):
        record = room[at : at + size].tobytes()
        yield record[:16].split(b"\0")[0].decode("ascii", "replace"), socket.inet_ntoa(record[20:24])


def _is_lan_interface(sock: socket.socket, name: str) -> bool:
    with suppress(OSError):
        asked = struct.pack("16sH14x", name.partition(":")[0].encode("ascii", "replace"), 0)
        flags: int = struct.unpack_from("16sH", fcntl.ioctl(sock, _SIOCGIFFLAGS, asked))[1]
        return flags & (_IFF_UP | _IFF_MULTICAST) == _IFF_UP | _IFF_MULTICAST and not flags & (
            _IFF_LOOPBACK | _IFF_POINTOPOINT
        )
    return False


def _ipv6_addresses() -> Iterator[tuple[str, str]]:
    try:
        lines = IPV6_ADDRESSES_PATH.read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return  # IPv6 is switched off
    for line in lines[:1_000]:
        with suppress(ValueError, IndexError):
            number, _, _, scope, flags, name = line.split()[:6]
            if int(scope, 16) == _RT_SCOPE_GLOBAL and not int(flags, 16) & _IFA_F_UNUSABLE:
                yield name, str(ipaddress.IPv6Address(int(number, 16)))
