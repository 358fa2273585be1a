"""The service as systemd runs it: a process of its own, heard by what it tells its supervisor."""

import asyncio
import os
import resource
import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.delivery import archive, outbox
from appliance.domain import schedule
from appliance.domain.clock import utc_now
from appliance.domain.model import DiscoveryEntry
from appliance.poller import service as poller_service
from appliance.settings import schema
from appliance.settings.schema import (
    Config,
    DiscoveryConfig,
    Home,
    HttpsConfig,
    PlugConfig,
    ScheduleConfig,
    TransmissionConfig,
)
from appliance.storage import jobs, key_value, printers
from tests import children
from tests.fakes.agent import Agent
from tests.fakes.cloud import Cloud, Fault
from tests.fakes.lan import Lan
from tests.fakes.models import PRINTERS

PATIENCE = 20.0  # seconds: a slow machine is no fault of the service


class Service:
    """A running poller and what systemd hears of it."""

    def __init__(self, home: Home, *environ: str) -> None:
        self.home = home
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(str(home.folder.parent / "notify"))
        notify = f"NOTIFY_SOCKET={home.folder.parent / 'notify'}"
        command = ["env", notify, *environ, *children.printmonitor("poller", state=home.folder)]
        self.child = children.start(command, stderr=-1)

    async def says(self, text: str) -> str:
        """The next message with this text."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(PATIENCE):
            ended = asyncio.create_task(self._ended())
            while True:
                heard = asyncio.create_task(loop.sock_recv(self._socket, 4096))
                await asyncio.wait({heard, ended}, return_when=asyncio.FIRST_COMPLETED)
                if not heard.done():
                    pytest.fail(f"the service ended before it said {text}: {self.close()}")
                if text in heard.result().decode():
                    ended.cancel()
                    return heard.result().decode()

    async def logs(self, text: str, times: int = 1) -> None:
        """Its log has so many more lines with this text."""
        assert self.child.stderr
        async with asyncio.timeout(PATIENCE):
            while times:
                line = await asyncio.to_thread(self.child.stderr.readline)
                assert line, f"the log ended before it said {text}"
                times -= text in line

    async def ends(self) -> int:
        async with asyncio.timeout(PATIENCE):
            return await self._ended()

    async def _ended(self) -> int:
        watch = os.pidfd_open(self.child.pid)  # readable once the process is gone
        gone = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(watch, gone.set)
        try:
            await gone.wait()
        finally:
            loop.remove_reader(watch)
            os.close(watch)
        return self.child.wait()

    def close(self) -> str:
        """What it logged."""
        self.child.kill()
        self._socket.close()
        (self.home.folder.parent / "notify").unlink(missing_ok=True)
        _, logged = self.child.communicate()
        return logged


@contextmanager
def running(home: Home, *environ: str) -> Iterator[Service]:
    service = Service(home, *environ)
    try:
        yield service
    finally:
        service.close()


class Plug:
    """A Plug whose schedule asks for nothing: its runs are those that a test orders."""

    def __init__(self, home: Home, db: sqlite3.Connection, lan: Lan) -> None:
        self.home, self.db, self.lan = home, db, lan
        self.config = Config(
            discovery=DiscoveryConfig((DiscoveryEntry("127.16.0.1-40", port=lan.agent.port),)),
            schedule=ScheduleConfig(query_every="31d", discover_at=()),
        )
        key_value.put_time(db, "schedule.query", utc_now())
        self.save()

    def save(self) -> None:
        schema.save(self.home, self.config)

    def order(self, kind: jobs.JobKind, **arguments: object) -> int:
        job_id = jobs.enqueue(self.db, kind, utc_now(), arguments)
        jobs.wake(self.home.wake)
        return job_id

    async def done(self, job_id: int) -> jobs.Job:
        """The job, once it has ended."""
        async with asyncio.timeout(PATIENCE):
            while (job := jobs.get(self.db, job_id)) is None or job.finished_at is None:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return job

    def states(self) -> list[tuple[str, str]]:
        return [(job.kind, job.state) for job in reversed(jobs.list_recent(self.db))]

    def known(self) -> int:
        return len(printers.list_known(self.db))


@pytest.fixture
async def plug(home: Path, db: sqlite3.Connection, agent: Agent) -> Plug:
    found = Home(home)
    found.create()
    lan = Lan(agent)
    for number, key in enumerate(list(PRINTERS)[:12], 1):
        lan.put(key, f"127.16.0.{number}")
    return Plug(found, db, lan)


async def test_a_job_is_done_as_soon_as_it_is_asked_for(plug: Plug) -> None:
    with running(plug.home) as service:
        await service.says("READY=1")
        job_id = plug.order("discover")
        await service.says("STATUS=idle")
        job = jobs.get(plug.db, job_id)
        assert job
        assert (job.state, job.result["read"], plug.known()) == ("done", 12, 12)


async def test_a_new_plug_discovers_and_queries_by_itself_and_only_once(plug: Plug) -> None:
    key_value.put(plug.db, "schedule.query", None)
    plug.config = replace(plug.config, schedule=ScheduleConfig("31d", ("02:00",)))
    plug.save()
    with running(plug.home) as service:
        await service.says("STATUS=idle")
        assert plug.states() == [("discover", "done")]  # which read everybody: no query is owed
        plug.order("query")
        await service.says("STATUS=idle")
    with running(plug.home) as service:
        await service.says("READY=1")
        plug.order("query")
        await service.says("STATUS=idle")
    assert plug.states() == [("discover", "done"), ("query", "done"), ("query", "done")]


async def test_sigterm_in_the_middle_of_a_run_ends_it_in_order_and_it_is_made_up_for(plug: Plug) -> None:
    slow = list(plug.lan.agent.devices.values())[3:]
    for device in slow:
        device.delay = 1.0
    with running(plug.home) as service:
        await service.says("READY=1")
        plug.order("discover")
        await service.says("3 of 12 printers read")
        began = time.monotonic()
        service.child.send_signal(signal.SIGTERM)
        await service.says("STOPPING=1")
        assert await service.ends() == 0
        assert time.monotonic() - began < 5
    assert plug.states() == [("discover", "interrupted")]
    assert plug.known() >= 3
    for device in slow:
        device.delay = 0
    with running(plug.home) as service:
        await service.says("STATUS=idle")
    assert plug.states() == [("discover", "interrupted"), ("discover", "done")]
    assert plug.known() == 12


async def test_kill_9_in_the_middle_of_a_run_loses_nothing_that_was_told(plug: Plug) -> None:
    for device in list(plug.lan.agent.devices.values())[3:]:
        device.delay = 1.0
    with running(plug.home) as service:
        await service.says("READY=1")
        plug.order("discover")
        await service.says("3 of 12 printers read")
        service.child.kill()
        await service.ends()
    assert plug.known() >= 3
    assert plug.states() == [("discover", "running")]
    for device in plug.lan.agent.devices.values():
        device.delay = 0
    with running(plug.home) as service:
        await service.says("STATUS=idle")
    assert plug.states() == [("discover", "interrupted"), ("discover", "done")]
    assert plug.known() == 12


async def test_a_run_that_was_broken_off_twice_waits_for_its_next_time(plug: Plug) -> None:
    for _ in range(2):
        jobs.enqueue(plug.db, "discover", utc_now())
        jobs.start_next(plug.db, utc_now())
        jobs.interrupt_running(plug.db, utc_now())
    with running(plug.home) as service:
        await service.says("READY=1")
        plug.order("query")
        await service.says("STATUS=idle")
    assert [state for kind, state in plug.states() if kind == "discover"] == ["interrupted"] * 2


async def test_settings_are_loaded_anew_at_sighup(plug: Plug) -> None:
    plug.lan.put("hp_laserjet_m404", "127.16.1.1", copy=9)
    with running(plug.home) as service:
        await service.says("READY=1")
        entry = DiscoveryEntry("127.16.1.1", port=plug.lan.agent.port)
        plug.config = replace(plug.config, discovery=DiscoveryConfig((entry,)))
        plug.save()
        service.child.send_signal(signal.SIGHUP)
        plug.order("discover")
        await service.says("STATUS=idle")
    assert [known.target.host for known in printers.list_known(plug.db)] == ["127.16.1.1"]


async def test_settings_that_are_wrong_are_named_and_the_last_good_ones_hold(plug: Plug) -> None:
    plug.home.settings.write_text("[discovery]\npackets_per_second = 'many'\n")
    service = Service(plug.home)
    try:
        await service.says("READY=1")
        plug.order("discover")
        await service.says("STATUS=idle")
        assert plug.known() == 12
    finally:
        logged = service.close()
    assert "discovery.packets_per_second: must be a whole number, not text in quotes" in logged


async def test_a_run_that_fails_is_named_and_the_service_goes_on(plug: Plug) -> None:
    text = plug.home.settings.read_text().replace("127.16.0.1-40", "127.0.0.0/8")
    plug.home.settings.write_text(text)
    plug.home.last_good.write_text(text)  # both exceed the limit: only a part of the settings is used
    with running(plug.home) as service:
        await service.says("READY=1")
        job_id = plug.order("discover")
        await service.says("STATUS=idle")
        job = jobs.get(plug.db, job_id)
        assert job
        assert job.state == "failed"
        assert "raise discovery.max_addresses" in str(job.result["reason"])


async def test_a_second_poller_steps_back(plug: Plug) -> None:
    with running(plug.home) as service:
        await service.says("READY=1")
        second = await asyncio.create_subprocess_exec(
            *children.printmonitor("poller", state=plug.home.folder), stderr=-1, cwd=children.ROOT
        )
        _, said = await second.communicate()
        assert second.returncode == 1
        assert b"another poller serves" in said
        plug.order("query")
        await service.says("STATUS=idle")  # and the first one is still woken


async def test_the_watchdog_is_fed(plug: Plug) -> None:
    with running(plug.home, "WATCHDOG_USEC=400000") as service:
        for _ in range(3):
            await service.says("WATCHDOG=1")


async def test_a_clock_that_was_set_back_years_does_not_silence_the_plug(plug: Plug) -> None:
    key_value.put_time(plug.db, "schedule.query", utc_now() + timedelta(days=4000))
    every = timedelta(minutes=1)
    soon = (int(time.time()) + 8) % 60  # time enough to start, on a busy machine too
    names = (f"printmonitor-{number:06x}" for number in range(10_000))
    name = next(name for name in names if schedule.offset(name, every).total_seconds() == soon)
    plug.config = replace(plug.config, plug=PlugConfig(name), schedule=ScheduleConfig("1m", ()))
    plug.save()
    with running(plug.home) as service:
        await service.says("STATUS=idle")
    assert plug.states() == [("query", "done")]


async def test_read_now_reads_one_printer(plug: Plug) -> None:
    with running(plug.home) as service:
        await service.says("READY=1")
        plug.order("discover")
        await service.says("STATUS=idle")
        plug.lan.forget()
        wanted = printers.list_known(plug.db)[4]
        await plug.done(plug.order("query", printers=[wanted.id]))
    asked = [host for host, device in plug.lan.agent.devices.items() if device.requests.total()]
    assert asked == [wanted.target.host]


async def test_read_now_waits_for_no_run(plug: Plug) -> None:
    slow = replace(plug.config.discovery, packets_per_second=5)
    plug.config = replace(plug.config, discovery=slow)
    plug.save()
    with running(plug.home) as service:
        await service.says("READY=1")
        whole = plug.order("discover")
        await service.says("STATUS=discover")
        async with asyncio.timeout(PATIENCE):
            while not plug.known():  # noqa: ASYNC110  it is another process that finds them
                await asyncio.sleep(0.02)
        few = plug.order("query", printers=[printers.list_known(plug.db)[0].id])
        assert (await plug.done(few)).result["read"] == 1
        running_still = jobs.get(plug.db, whole)
        assert running_still
        assert running_still.state == "running"


async def test_read_now_that_was_broken_off_keeps_no_run_from_being_done_again(plug: Plug) -> None:
    whole = jobs.enqueue(plug.db, "query", utc_now())
    few = jobs.enqueue(plug.db, "query", utc_now(), {"printers": [1]})
    assert jobs.start_next(plug.db, utc_now())
    assert jobs.start_next(plug.db, utc_now(), partial=True)
    with running(plug.home) as service:
        await service.says("STATUS=idle")
    states = {job.id: job.state for job in jobs.list_recent(plug.db)}
    assert states == {whole: "interrupted", few: "interrupted", few + 1: "done"}


async def test_a_disk_that_takes_nothing_is_survived(plug: Plug) -> None:
    with running(plug.home, "prlimit", "--fsize=4096:unlimited") as service:
        await service.says("READY=1")
        job_id = plug.order("discover")
        await service.logs("printmonitor.db cannot be")
        resource.prlimit(service.child.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        jobs.wake(plug.home.wake)
        await service.says("STATUS=idle")
    job = jobs.get(plug.db, job_id)
    assert job
    assert (job.state, plug.known()) == ("done", 12)


async def test_a_parcel_that_is_sent_again_leaves_at_once(plug: Plug, cloud: Cloud) -> None:
    cloud.issue_client(plug.home.tls, plug.config.plug.name)
    https = HttpsConfig(cloud.url, str(cloud.ca_file))
    plug.config = replace(plug.config, transmission=TransmissionConfig("https", key="k", https=https))
    plug.save()
    data = archive.pack("again", b"<NewDataSet/>", "k")
    put = outbox.put(plug.db, plug.home.outbox, "again", data, utc_now())
    outbox.mark_refused(plug.db, put, "422: not now")
    with running(plug.home) as service:
        plug.order("query")
        await service.says("STATUS=idle")  # and whatever was due has been looked at
        began = time.monotonic()
        outbox.retry(plug.db, plug.home.outbox, put.id, utc_now())
        jobs.wake(plug.home.wake)
        await service.logs("parcel again: delivered")
    assert time.monotonic() - began < poller_service.TICK_SECONDS / 2


async def test_parcels_leave_by_themselves_and_a_server_that_stalls_delays_no_run(
    plug: Plug, cloud: Cloud
) -> None:
    cloud.issue_client(plug.home.tls, plug.config.plug.name)
    https = HttpsConfig(cloud.url, str(cloud.ca_file))
    plug.config = replace(plug.config, transmission=TransmissionConfig("https", key="k", https=https))
    plug.save()
    cloud.always(Fault(stall=True))
    with running(plug.home) as service:
        await service.says("READY=1")
        for kind in ("discover", "query"):
            plug.order(kind)
            await service.says("STATUS=idle")
        async with asyncio.timeout(PATIENCE):
            await cloud.stalling.wait()
        service.child.terminate()
        assert await service.ends() == 0
    cloud.always(None)
    with running(plug.home) as service:
        await service.logs(": delivered", times=2)
    assert [parcel.id for parcel in outbox.list_parcels(plug.db)] == [each.key for each in cloud.arrivals]
