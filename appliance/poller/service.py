"""The poller: the service that does what is due, be it scheduled or asked for by others."""

import asyncio
import logging
import signal
import sqlite3
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from appliance.delivery import dispatcher, outbox
from appliance.discovery.address_ranges import InvalidEntryError
from appliance.domain import schedule
from appliance.host import file_lock, sd_notify
from appliance.host.daemon_executor import DaemonThreads
from appliance.jobs.runs import Progress, RoundResult, run_round
from appliance.poller import licence_renewal, retention, run_log, self_monitor, trap_reports
from appliance.poller.auto_update import LOOK_SECONDS, Box, Updating
from appliance.poller.clock_monitor import ClockWatch
from appliance.poller.import_watcher import WatchedList
from appliance.poller.run_log import Teller
from appliance.settings import schema
from appliance.settings.schema import Home
from appliance.storage import database, jobs, key_value, service_lifecycle, traps
from appliance.storage.db_outage import DatabaseOutage
from appliance.storage.jobs import Job

log = logging.getLogger(__name__)

TICK_SECONDS = 15.0  # how late a clock that was set, or settings that were changed by hand, may be noticed
WATCH_SECONDS = 60.0

EXPECTED = (
    database.DatabaseUnavailableError,
    InvalidEntryError,
    file_lock.Busy,
)  # what a run may end with; all else is a fault of ours
BEGAN = {"query": "schedule.query", "discover": "schedule.discover"}


def serve(home: Home) -> int:
    """Serve until SIGTERM or SIGINT; gives the exit code."""
    try:
        with file_lock.held(home.run / "poller.lock"):
            asyncio.run(_serve(home))
    except file_lock.Busy:
        log.error("another poller serves %s", home.folder)
        return 1
    except database.DatabaseUnavailableError as error:
        log.error("%s", error)
        return 1
    return 0


async def _serve(home: Home) -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(DaemonThreads())  # a hanging name server must not delay the end
    home.create()
    db = database.open_database(home.database)
    stop = asyncio.Event()
    try:
        asked, parcel = asyncio.Event(), asyncio.Event()
        with jobs.listen(home.wake, asked, parcel) as woken:
            poller = _Poller(home, db, stop, woken, asked=asked, parcel=parcel)
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, poller.stop)
            loop.add_signal_handler(signal.SIGHUP, poller.reload)
            async with asyncio.TaskGroup() as tasks:
                watches = (
                    poller.watch(),
                    poller.watch_licence(),
                    poller.watch_list(),
                    poller.watch_updates(),
                    poller.watch_fleet(),
                    sd_notify.feed_watchdog(),
                )
                beside = (poller.send_parcels(), poller.read_few(), *watches)
                helpers = [tasks.create_task(work) for work in beside]
                await poller.run()
                for helper in helpers:
                    helper.cancel()
    finally:
        db.close()


class _Poller:
    """The service while it runs."""

    def __init__(
        self,
        home: Home,
        db: sqlite3.Connection,
        stop: asyncio.Event,
        woken: asyncio.Event,
        *,
        asked: asyncio.Event,
        parcel: asyncio.Event,
    ) -> None:
        """`woken` and `asked` are set where there may be a job, `parcel` where one may be sent."""
        self._home, self._db, self._stop, self._woken, self._asked = home, db, stop, woken, asked
        self._parcel = parcel
        self._times = ClockWatch(db)
        self._clock = self._times.clock
        self._outage = DatabaseOutage(db, "poller", self._clock)
        self._updating = Updating(db, Box(home), self._clock)
        now = self._clock()
        self._tell = Teller()
        self._turned_down = False
        self._load()
        self._done = schedule.Done(*(key_value.get_time(db, BEGAN[kind]) for kind in ("query", "discover")))
        with self._outage.tolerate():
            outbox.recover(db, home.outbox, now)
            self._owe_interrupted(now)
            service_lifecycle.mark_service_started(db, "poller", now)

    def stop(self) -> None:
        if not self._stop.is_set():
            sd_notify.stopping()
            self._stop.set()
            self._woken.set()

    def reload(self) -> None:
        self._must_load = True
        self._woken.set()

    async def run(self) -> None:
        sd_notify.ready()
        while not self._stop.is_set():
            self._woken.clear()  # before looking: what comes from now on is seen the next time
            busy = False
            with self._outage.tolerate():
                busy = await self._step()
            if not busy:
                await _event(self._woken, self._idle_seconds())
        with self._outage.tolerate():
            self._times.note_seen(self._clock())
            service_lifecycle.mark_service_stopped(self._db, "poller")

    async def read_few(self) -> None:
        """Printers that somebody waits for are read beside whatever run is on."""
        while True:
            self._asked.clear()
            with self._outage.tolerate():
                jobs.interrupt_running(
                    self._db, self._clock(), partial=True
                )  # whose end could not be written
                while job := jobs.start_next(self._db, self._clock(), partial=True):
                    await self._do_few(job)
            await _event(self._asked, TICK_SECONDS)

    async def watch(self) -> None:
        """The Plug itself is looked after while runs go on."""
        while True:
            with self._outage.tolerate():
                self_monitor.look(self._db, self._home, self._config, self._clock())
            await asyncio.sleep(WATCH_SECONDS)

    async def send_parcels(self) -> None:
        """Parcels leave while runs go on: a slow server delays no printer."""
        while True:
            self._parcel.clear()
            with self._outage.tolerate():
                if self._config.transmission.mode != "off" and outbox.next_due(self._db, self._clock()):
                    summary = await dispatcher.deliver_due(self._db, self._home, self._config, self._clock)
                    self._tell.delivery(self._db, summary)
                    self._turned_down = summary.plug_rejected
            await _event(self._parcel, TICK_SECONDS)

    async def watch_licence(self) -> None:
        """The licence is renewed while runs and deliveries go on."""
        while True:
            with self._outage.tolerate():
                now, turned_down = self._clock(), self._turned_down
                settled = self._times.is_settled()
                await licence_renewal.look(
                    self._db, self._home, self._config, now, turned_down=turned_down, settled=settled
                )
            await asyncio.sleep(licence_renewal.LOOK_SECONDS)

    async def watch_list(self) -> None:
        """The import list is taken over, however slow the share that it lies on."""
        watched = WatchedList(self._home, self._db)
        while True:
            with self._outage.tolerate():
                await watched.look(self._config.import_, self._clock())
            await asyncio.sleep(TICK_SECONDS)

    async def watch_updates(self) -> None:
        """What came of updates, and whether there are newer ones."""
        while True:
            with self._outage.tolerate():
                await self._updating.look(self._config)
            await asyncio.sleep(LOOK_SECONDS)

    async def watch_fleet(self) -> None:
        """The fleet server, beside it: fetching a bundle takes its time."""
        while True:
            with self._outage.tolerate():
                await self._updating.poll_fleet(self._config)
            await asyncio.sleep(LOOK_SECONDS)

    async def _step(self) -> bool:
        """Do one thing that is due; tells whether there was one."""
        if self._must_load or self._stamp != self._home.stamp():
            self._load()
        now = self._times.look()
        self._done = schedule.after_jump(self._done, now)
        if job := self._next_job(now):
            await self._do(job, now)
            return True
        next_run = schedule.next_at(self._plan, now)
        if trap_reports.hand_over(self._db, self._home, self._config, next_run, now):
            self._parcel.set()
        if self._times.is_steady():
            retention.prune(self._db, self._home, now)
        return False

    def _next_job(self, now: datetime) -> Job | None:
        if job := self._take(now):
            return job
        kind = schedule.due(self._plan, self._done, now) if self._times.is_settled() else None
        if kind is None:
            return None
        jobs.enqueue(self._db, kind, now, {"scheduled": True})
        return self._take(now)

    def _take(self, now: datetime) -> Job | None:
        try:
            with file_lock.held(self._home.lock):
                jobs.interrupt_running(self._db, now)  # whoever did it is gone, or the lock would be held
                return jobs.start_next(self._db, now)
        except file_lock.Busy:
            return None  # a run that somebody typed; the next tick looks again

    async def _do(self, job: Job, now: datetime) -> None:
        self._began(job.kind, now)
        try:
            result = await self._run(job, on_progress=lambda progress: run_log.to_systemd(job.kind, progress))
            if result and job.kind == "discover" and not (result.interrupted or result.left_alone):
                self._began("query", now)  # everybody was read
        finally:
            sd_notify.status("idle")

    async def _do_few(self, job: Job) -> None:
        wanted = job.arguments["printers"]
        await self._run(job, only=set(wanted) if isinstance(wanted, list) else set())

    async def _run(
        self,
        job: Job,
        *,
        only: Collection[int] | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> RoundResult | None:
        """A run to its end, which is written into the job; None for one that failed."""
        try:
            result = await run_round(
                self._db,
                self._home,
                self._config,
                job.kind,
                job_id=job.id,
                clock=self._clock,
                stop=self._stop,
                on_progress=on_progress,
                only=only,
                send=False,
            )
        except Exception as error:  # named in the job's row: a run that fails must not end the service
            log.error("%s: %s", job.kind, error, exc_info=not isinstance(error, EXPECTED))
            jobs.finish(self._db, job.id, "failed", {"reason": str(error)}, self._clock())
            return None
        self._finish(job, result)
        return result

    def _finish(self, job: Job, result: RoundResult) -> None:
        state: jobs.JobEndState = "interrupted" if result.interrupted else "done"
        jobs.finish(self._db, job.id, state, result.summary(), self._clock())
        if result.parcel and job.started_at:
            traps.clear_pending_reports(
                self._db, job.started_at
            )  # it holds what was read after traps until then
        self._parcel.set()
        self._tell.run(result)

    def _began(self, kind: jobs.JobKind, now: datetime) -> None:
        key_value.put_time(self._db, BEGAN[kind], now)
        self._done = replace(self._done, **{kind: now})

    def _owe_interrupted(self, now: datetime) -> None:
        """A run that was broken off is done again; one that was broken off twice waits for its next time."""
        with suppress(file_lock.Busy), file_lock.held(self._home.lock):
            jobs.interrupt_running(self._db, now)
        jobs.interrupt_running(self._db, now, partial=True)
        whole = [job for job in jobs.list_recent(self._db) if not jobs.is_partial(job)][:2]
        states = [job.state for job in whole]
        if states[:1] == ["interrupted"] and states != ["interrupted"] * 2:
            jobs.enqueue(self._db, whole[0].kind, now, whole[0].arguments)

    def _load(self) -> None:
        self._must_load, self._stamp = False, self._home.stamp()
        self._config, problems = schema.load_last_good(self._home)
        for problem in problems:
            log.error("%s", problem)
        when = self._config.schedule
        self._plan = schedule.plan(self._config.plug.name, when.query_seconds, when.discover_times, when.zone)

    def _idle_seconds(self) -> float:
        now = self._clock()
        return min(TICK_SECONDS, max(0.0, (schedule.next_at(self._plan, now) - now).total_seconds()))


async def _event(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
