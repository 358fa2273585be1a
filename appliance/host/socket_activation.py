"""Sockets that systemd opened for a service (sd_listen_fds_with_names(3))."""

import os
import socket
from collections.abc import Mapping

FIRST = 3  # SD_LISTEN_FDS_START


def take(environ: Mapping[str, str], pid: int) -> list[tuple[str, socket.socket]]:
    """All of them, each with its FileDescriptorName, which several may share."""
    if environ.get("LISTEN_PID") != str(pid) or not environ.get("LISTEN_FDS", "").isdecimal():
        return []
    names = environ.get("LISTEN_FDNAMES", "").split(":")
    found = []
    for number in range(int(environ["LISTEN_FDS"])):
        os.set_inheritable(FIRST + number, False)
        opened = socket.socket(fileno=FIRST + number)
        opened.setblocking(False)
        found.append((names[number] if number < len(names) else "", opened))
    return found
