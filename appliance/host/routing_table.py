"""The network that the Plug stands in, from the kernel's table of routes: nothing is sent to find out."""

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

TABLE = Path("/proc/self/net/route")
WIDEST = 22  # a prefix: 1,022 addresses; in a wider network the person on site knows where the printers are


@dataclass(frozen=True, slots=True)
class _Route:
    interface: str
    network: IPv4Network
    metric: int


def own_network(table: Path = TABLE) -> IPv4Network | None:
    """The network of the interface that leads out, else the first one there is."""
    routes = sorted(_routes(table), key=lambda route: route.metric)
    outward = next((route.interface for route in routes if route.network.prefixlen == 0), None)
    local = [route for route in routes if route.network.prefixlen and not route.network.is_link_local]
    found = next((route.network for route in local if route.interface == outward), None)
    found = found or next((route.network for route in local), None)
    return found if found is not None and found.prefixlen >= WIDEST else None


def _routes(table: Path) -> Iterator[_Route]:
    try:
        lines = table.read_text("ascii").splitlines()[1:]
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        fields = line.split()
        try:
            address, mask = (socket.inet_ntoa(struct.pack("=I", int(fields[at], 16))) for at in (1, 7))
            yield _Route(fields[0], IPv4Network(f"{address}/{mask}"), int(fields[6]))
        except (IndexError, ValueError, struct.error):
            continue
