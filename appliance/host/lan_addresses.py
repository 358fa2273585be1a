"""Under which addresses this computer stands in a LAN, as the kernel says: nothing is sent to find out."""

import array
import fcntl
import ipaddress
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

TABLE_V6 = Path("/proc/self/net/if_inet6")
MOST = 64  # interfaces; whoever has more runs containers, not printers
_SIOCGIFCONF, _SIOCGIFFLAGS = 0x8912, 0x8913  # netdevice(7)
_UP, _LOOPBACK, _TUNNEL, _MULTICAST = 0x1, 0x8, 0x10, 0x1000
_GLOBAL, _NOT_USABLE = 0x00, 0x08 | 0x40  # a scope; doubled elsewhere, not checked yet


def own_addresses() -> tuple[str, ...]:
    """IPv4 first; without loopback, tunnels and what counts on one link only."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            named = dict.fromkeys((name, address) for name, address in _v4(sock) if _is_lan(sock, name))
    except OSError:
        return ()
    lans = {name for name, _ in named}
    return (*dict.fromkeys(address for _, address in named), *(each for name, each in _v6() if name in lans))


def _v4(sock: socket.socket) -> Iterator[tuple[str, str]]:
    size = 40 if struct.calcsize("P") == 8 else 32
    room = array.array("B", bytes(MOST * size))
    start, length = room.buffer_info()
    told = fcntl.ioctl(sock, _SIOCGIFCONF, struct.pack("iP", length, start))
    used: int = struct.unpack("iP", told)[0]
    for at in range(0, used, size):
        record = room[at : at + size].tobytes()
        yield record[:16].split(b"\0")[0].decode("ascii", "replace"), socket.inet_ntoa(record[20:24])


def _is_lan(sock: socket.socket, name: str) -> bool:
    with suppress(OSError):
        asked = struct.pack("16sH14x", name.partition(":")[0].encode("ascii", "replace"), 0)
        flags: int = struct.unpack_from("16sH", fcntl.ioctl(sock, _SIOCGIFFLAGS, asked))[1]
        return flags & (_UP | _MULTICAST) == _UP | _MULTICAST and not flags & (_LOOPBACK | _TUNNEL)
    return False


def _v6() -> Iterator[tuple[str, str]]:
    try:
        lines = TABLE_V6.read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return  # IPv6 is switched off
    for line in lines[:1_000]:
        with suppress(ValueError, IndexError):
            number, _, _, scope, flags, name = line.split()[:6]
            if int(scope, 16) == _GLOBAL and not int(flags, 16) & _NOT_USABLE:
                yield name, str(ipaddress.IPv6Address(int(number, 16)))
