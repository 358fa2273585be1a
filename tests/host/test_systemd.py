"""What systemd hears, on a real socket."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from appliance.host import systemd


@pytest.fixture(params=["path", "abstract"])
def supervisor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    name = str(tmp_path / "notify") if request.param == "path" else f"@printmonitor-{uuid4()}"
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as listener:
        listener.bind(name.replace("@", "\0", 1))
        listener.setblocking(False)
        yield listener, name


def test_a_supervisor_hears_what_is_said(supervisor: tuple[socket.socket, str]) -> None:
    listener, name = supervisor
    systemd.send_notification("READY=1", {"NOTIFY_SOCKET": name})
    assert listener.recv(100) == b"READY=1"


def test_a_supervisor_that_does_not_listen_stops_nobody(supervisor: tuple[socket.socket, str]) -> None:
    _, name = supervisor
    for _ in range(5000):  # more than its queue holds
        systemd.send_notification("WATCHDOG=1", {"NOTIFY_SOCKET": name})


@pytest.mark.parametrize(
    "environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "x"}, {"NOTIFY_SOCKET": "/no/such"}]
)
def test_without_a_supervisor_nothing_happens(environ: dict[str, str]) -> None:
    systemd.send_notification("READY=1", environ)


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_fed_twice_in_its_time(environ: dict[str, str], seconds: float | None) -> None:
    assert systemd.watchdog_interval_s(environ) == seconds
