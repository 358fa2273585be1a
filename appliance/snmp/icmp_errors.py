"""ICMP port unreachable, for sockets that talk to many: who has nobody listening (ip(7), IP_RECVERR).

Without it a computer without SNMP looks like an empty address, which is asked again and waited for. Only
Linux has this; elsewhere nobody is ever known to have refused.
"""

import errno
import socket
import struct
import sys
from collections.abc import Iterator

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
