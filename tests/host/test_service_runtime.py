"""One process per lock, an orderly end at a signal, a watchdog that is notified."""

import asyncio
import logging
import os
import signal
import socket
from pathlib import Path

import pytest

from appliance.host import file_lock, service_runtime

log = logging.getLogger("service")


class BrokenError(Exception):
    pass


def run(lock: Path, serve) -> int:
    return service_runtime.run_exclusively(
        lock, serve, log=log, name="poller", folder=Path("/state"), errors=(BrokenError,)
    )


def test_it_ends_at_a_stop_signal_and_frees_its_lock(tmp_path: Path) -> None:
    async def serve() -> None:
        stop = asyncio.Event()
        service_runtime.on_stop_signal(stop.set)
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(5):
            await stop.wait()

    assert run(tmp_path / "lock", serve) == 0
    assert run(tmp_path / "lock", serve) == 0


def test_a_second_one_does_not_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def serve() -> None:
        raise AssertionError("it started")

    with file_lock.acquire(tmp_path / "lock"):
        assert run(tmp_path / "lock", serve) == 1
    assert caplog.messages == ["another poller serves /state"]


def test_an_expected_error_is_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def serve() -> None:
        raise BrokenError("the database is gone: 100%s")

    assert run(tmp_path / "lock", serve) == 1
    assert caplog.messages == ["the database is gone: 100%s"]


async def test_the_watchdog_is_notified_while_the_block_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        supervisor.setblocking(False)
        monkeypatch.setitem(os.environ, "NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setitem(os.environ, "WATCHDOG_USEC", "100000")
        monkeypatch.delitem(os.environ, "WATCHDOG_PID", raising=False)
        async with service_runtime.watchdog(), asyncio.timeout(5):
            loop = asyncio.get_running_loop()
            heard = [await loop.sock_recv(supervisor, 100) for _ in range(3)]
        assert heard == [b"WATCHDOG=1"] * 3
        await asyncio.sleep(0.2)
        late = [each for each in [_receive(supervisor) for _ in range(3)] if each]
        assert len(late) <= 1, "notified after the end"


def _receive(supervisor) -> bytes | None:
    try:
        return supervisor.recv(100)
    except BlockingIOError:
        return None
