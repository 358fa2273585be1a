"""Talk to systemd: sd_notify(3), the watchdog, sockets that it passes (sd_listen_fds(3))."""

import asyncio
import os
import socket
from collections.abc import Mapping
from contextlib import suppress

FIRST_SOCKET_FD = 3  # SD_LISTEN_FDS_START


def notify_ready() -> None:
    send_notification("READY=1")


def notify_stopping() -> None:
    send_notification("STOPPING=1")


def notify_watchdog() -> None:
    send_notification("WATCHDOG=1")


def notify_status(text: str) -> None:
    """One line for `systemctl status`."""
    send_notification(f"STATUS={' '.join(text.split())}")


def send_notification(state: str, environ: Mapping[str, str] = os.environ) -> None:
    """Does nothing outside of systemd, and never waits: a deaf supervisor must not stop the service."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):  # Linux's abstract sockets begin with NUL
        address = f"\0{address[1:]}"
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
        sender.sendto(state.encode(), address)


def watchdog_interval_s(environ: Mapping[str, str] = os.environ) -> float | None:
    """How often to call `watchdog`: half of what systemd allows; None where it does not watch."""
    usec, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", str(os.getpid()))
    if not usec.isdecimal() or int(usec) == 0 or pid != str(os.getpid()):
        return None
    return int(usec) / 1_000_000 / 2


async def feed_watchdog() -> None:
    """Tell it as long as the event loop turns; ends only where nobody watches."""
    seconds = watchdog_interval_s()
    while seconds:
        notify_watchdog()
        await asyncio.sleep(seconds)


def take_sockets(environ: Mapping[str, str], pid: int) -> list[tuple[str, socket.socket]]:
    """All of them, each with its FileDescriptorName, which several may share."""
    if environ.get("LISTEN_PID") != str(pid) or not environ.get("LISTEN_FDS", "").isdecimal():
        return []
    names = environ.get("LISTEN_FDNAMES", "").split(":")
    found = []
    for number in range(int(environ["LISTEN_FDS"])):
        os.set_inheritable(FIRST_SOCKET_FD + number, False)
        opened = socket.socket(fileno=FIRST_SOCKET_FD + number)
        opened.setblocking(False)
        found.append((names[number] if number < len(names) else "", opened))
    return found
