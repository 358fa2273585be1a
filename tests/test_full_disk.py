"""Trap receiver and poller on a disk that is really full: a small one of memory, in a mount namespace."""

import asyncio
import ctypes
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from appliance.settings import schema
from appliance.settings.schema import Home, ScheduleConfig
from appliance.storage import database, db_outage, events, jobs, printers, traps
from tests import children
from tests.fakes import traps as wire
from tests.fakes.agent import Agent
from tests.fakes.lan import Lan
from tests.fakes.models import PRINTERS
from tests.trap_receiver.test_service import SERVE, Plug, free_port

SIZE = 4 << 20
POLL = "import logging, pathlib; from appliance.poller import service; "
POLL += "from appliance.settings.paths import Home; "
POLL += "logging.basicConfig(level=logging.INFO); service.serve(Home(pathlib.Path({state!r})))"
_libc = ctypes.CDLL(None, use_errno=True)
_NEW_MOUNTS = 0x00020000  # CLONE_NEWNS, sched.h
_OWN_FOLDER = 0x00000200  # CLONE_FS

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")


class Disk:
    """A file system of a few megabytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """To the last byte."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (65_536, 512, 1):
                try:
                    while file.write(b"x" * size):
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        self._ballast.unlink()


@contextmanager
def mounts_of_its_own() -> Iterator[None]:
    """This thread, and whatever it starts, mounts what nobody else sees."""
    here, before = Path.cwd(), os.open("/proc/thread-self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _libc.unshare(_NEW_MOUNTS) != 0:
            pytest.skip(f"no mount namespace can be made here: {os.strerror(ctypes.get_errno())}")
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
        yield
    finally:
        _libc.unshare(_OWN_FOLDER)  # setns(2) refuses a thread that shares it with one that it started
        assert _libc.setns(before, _NEW_MOUNTS) == 0, os.strerror(ctypes.get_errno())
        os.close(before)
        os.chdir(here)  # setns(2) leads to the root


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    with mounts_of_its_own():
        command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "tmpfs", str(folder)]
        mounted = subprocess.run(command, capture_output=True, text=True, check=False)
        if mounted.returncode:
            pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
        yield Disk(folder)


@pytest.fixture
def db(disk: Disk) -> Iterator[sqlite3.Connection]:
    with closing(database.open_database(disk.folder / "printmonitor.db")) as found:
        yield found


@pytest.fixture
async def plug(disk: Disk, db: sqlite3.Connection, agent: Agent) -> Plug:
    home = Home(disk.folder)
    home.create()
    lan = Lan(agent)
    for number, key in enumerate(list(PRINTERS)[:3], 1):
        lan.put(key, f"127.16.0.{number}")
    plug = Plug(home, db, lan, free_port())
    await plug.discover()
    return plug


@contextmanager
def serving(disk: Disk, code: str, log: Path) -> Iterator["psutil.Popen"]:
    command = [sys.executable, "-c", code.format(state=str(disk.folder))]
    with log.open("w") as said, children.running(command, stderr=said) as child:
        yield child
        assert child.poll() is None, log.read_text()


def told(db: sqlite3.Connection) -> list[str]:
    """The services that met it."""
    return [each.subject for each in events.list_recent(db) if each.kind == db_outage.DATABASE_UNAVAILABLE]


async def test_the_receiver_outlives_a_full_disk_and_loses_nothing(
    plug: Plug, disk: Disk, tmp_path: Path
) -> None:
    log = tmp_path / "traps.log"
    with serving(disk, SERVE, log) as child:
        await plug.until(lambda: "traps are taken" in log.read_text())
        plug.send(wire.version_2(wire.COLD_START))
        await plug.until(lambda: plug.kinds() == ["coldStart"])
        before = child.pid and psutil.Process(child.pid).memory_info().rss
        disk.fill()
        for number in range(1, 60):
            plug.send(wire.version_2(f"1.3.6.1.4.1.99999.{number}"), "127.16.0.2")
        await plug.until(lambda: "the disk" in log.read_text())
        plug.send(wire.version_2("1.3.6.1.6.3.1.1.5.2"), "127.16.0.3")
        await plug.until(lambda: plug.asked()[2] > 0)  # it is read all the same
        assert plug.kinds() == ["coldStart"]
        disk.free()
        await plug.until(lambda: "warmStart" in plug.kinds())
        await plug.until(lambda: told(plug.db) == ["traps"])
        await plug.until(lambda: len(traps.list_pending_reports(plug.db)) == 3)  # what was read is read again
        assert psutil.Process(child.pid).memory_info().rss - before < 8e6
    assert len(plug.kinds()) == 61
    assert log.read_text().count("the disk is full") == 1


@pytest.mark.parametrize("code", [SERVE, POLL], ids=["traps", "poller"])
async def test_a_service_that_cannot_start_on_a_full_disk_says_why(
    plug: Plug, disk: Disk, tmp_path: Path, code: str
) -> None:
    plug.db.close()
    disk.fill()
    log = tmp_path / "log"
    command = [sys.executable, "-c", code.format(state=str(disk.folder))]
    with log.open("w") as said, children.running(command, stderr=said) as child:
        await asyncio.to_thread(child.wait, 20)  # systemd starts it again, for ever
    assert "printmonitor.db cannot be" in log.read_text()
    assert len(log.read_text().splitlines()) == 1


async def test_the_poller_outlives_a_full_disk_and_goes_on(plug: Plug, disk: Disk, tmp_path: Path) -> None:
    plug.config = replace(plug.config, schedule=ScheduleConfig("1h", ()))
    schema.save(plug.home, plug.config)
    log = tmp_path / "poller.log"
    seen = [printers.get_printer(plug.db, each.id).seen_at for each in printers.list_known(plug.db)]  # type: ignore[union-attr]
    with serving(disk, POLL, log):
        await plug.until(
            lambda: jobs.list_recent(plug.db)[:1] != [] and jobs.list_recent(plug.db)[0].state == "done"
        )
        number = jobs.enqueue(plug.db, "query", jobs.list_recent(plug.db)[0].put_at)
        disk.fill()
        jobs.wake(plug.home.wake)
        await plug.until(lambda: "the disk" in log.read_text())
        disk.free()
        jobs.wake(plug.home.wake)
        await plug.until(
            lambda: (jobs.get(plug.db, number) or jobs.list_recent(plug.db)[0]).state == "done", 30.0
        )
        await plug.until(lambda: told(plug.db) == ["poller"])
    now = [printers.get_printer(plug.db, each.id).seen_at for each in printers.list_known(plug.db)]  # type: ignore[union-attr]
    assert all(after > before for before, after in zip(seen, now, strict=True))
    assert "Traceback" not in log.read_text()
