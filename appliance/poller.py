"""The poller: the service that does what is due, be it scheduled or asked for by others."""

import asyncio
import logging
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta

from appliance import config, renewal, reports, schedule, watch
from appliance.clock import Clock
from appliance.config import Home
from appliance.delivery import deliver, outbox
from appliance.discovery.addresses import BadEntry
from appliance.rounds import Failed, Progress, RoundResult, Skipped, run_round
from appliance.store import database, events, jobs, lives, meta, printers, traps
from appliance.store.jobs import Job
from appliance.system import lock, notify
from appliance.system.daemon_threads import DaemonThreads
from appliance.watched_list import WatchedList

__all__ = ["Failed", "Progress", "RoundResult", "Skipped", "run_round", "serve"]

log = logging.getLogger(__name__)

TICK_SECONDS = 15.0  # how late a clock that was set, or settings that were changed by hand, may be noticed
SETTLE_SECONDS = (
    600.0  # that the first scheduled run waits for the clock to be set; a LAN may have no time server
)
WATCH_SECONDS = 60.0
SEEN_EVERY = timedelta(hours=1)  # the time is written to the memory card
PRUNE_EVERY = timedelta(days=1)
PRUNE_AFTER = 3600.0  # seconds that the clock must have run undisturbed: a wrong year would prune all history
PRUNE_AFTER_JUMP = 86_400.0
STRANGE_ABSENCE = timedelta(days=35)  # switched off for longer than hourly history is kept, or a wrong clock

EXPECTED = (database.Unusable, BadEntry, lock.Busy)  # what a run may end with; all else is a fault of ours
SEEN, PRUNED = "clock.seen", "pruned"
BEGAN = {"query": "schedule.query", "discover": "schedule.discover"}


def serve(home: Home) -> int:
    """Serve until SIGTERM or SIGINT; gives the exit code."""
    try:
        with lock.held(home.run / "poller.lock"):
            asyncio.run(_serve(home))
    except lock.Busy:
        log.error("another poller serves %s", home.folder)
        return 1
    return 0


async def _serve(home: Home) -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(DaemonThreads())  # a hanging name server must not delay the end
    home.create()
    db = database.open(home.database)
    stop = asyncio.Event()
    try:
        with jobs.listen(home.wake) as woken:
            poller = _Poller(home, db, stop, woken)
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, poller.stop)
            loop.add_signal_handler(signal.SIGHUP, poller.reload)
            async with asyncio.TaskGroup() as tasks:
                watches = (
                    poller.watch(),
                    poller.watch_licence(),
                    poller.watch_list(),
                    notify.feed_watchdog(),
                )
                beside = (poller.send_parcels(), *watches)
                helpers = [tasks.create_task(work) for work in beside]
                await poller.run()
                for helper in helpers:
                    helper.cancel()
    finally:
        db.close()


class _Poller:
    """The service while it runs."""

    def __init__(self, home: Home, db: sqlite3.Connection, stop: asyncio.Event, woken: asyncio.Event) -> None:
        self._home, self._db, self._stop, self._woken = home, db, stop, woken
        self._parcel = asyncio.Event()
        self._started = time.monotonic()
        self._seen = meta.get_time(db, SEEN)
        self._clock = Clock(self._seen)
        now = self._clock()
        absent_long = self._seen is not None and abs(now - self._seen) > STRANGE_ABSENCE
        self._prune_after = self._started + (PRUNE_AFTER_JUMP if absent_long else PRUNE_AFTER)
        self._failing: dict[int, str] = {}
        self._incomplete: dict[int, Failed] = {}
        self._trouble = ""
        self._untried: str | None = None
        self._turned_down = False
        self._load()
        self._done = schedule.Done(*(meta.get_time(db, BEGAN[kind]) for kind in ("query", "discover")))
        with self._survived():
            outbox.sweep(db, home.outbox, now)
            self._owe_interrupted(now)
            lives.begin(db, "poller", now)

    def stop(self) -> None:
        if not self._stop.is_set():
            notify.stopping()
            self._stop.set()
            self._woken.set()

    def reload(self) -> None:
        self._must_load = True
        self._woken.set()

    async def run(self) -> None:
        notify.ready()
        while not self._stop.is_set():
            self._woken.clear()  # before looking: what comes from now on is seen the next time
            busy = False
            with self._survived():
                busy = await self._step()
            if not busy:
                await _event(self._woken, self._idle_seconds())
        with self._survived():
            meta.put_time(self._db, SEEN, self._clock())
            lives.end(self._db, "poller")

    async def watch(self) -> None:
        """The Plug itself is looked after while runs go on."""
        while True:
            with self._survived():
                watch.look(self._db, self._home, self._config, self._clock())
            await asyncio.sleep(WATCH_SECONDS)

    async def send_parcels(self) -> None:
        """Parcels leave while runs go on: a slow server delays no printer."""
        while True:
            self._parcel.clear()
            with self._survived():
                if self._config.transmission.mode != "off" and outbox.due(self._db, self._clock()):
                    summary = await deliver.deliver_due(self._db, self._home, self._config, self._clock)
                    self._tell_delivery(summary)
                    self._turned_down = summary.turned_down
            await _event(self._parcel, TICK_SECONDS)

    async def watch_licence(self) -> None:
        """The licence is renewed while runs and deliveries go on."""
        while True:
            with self._survived():
                now, turned_down = self._clock(), self._turned_down
                await renewal.look(self._db, self._home, self._config, now, turned_down=turned_down)
            await asyncio.sleep(renewal.LOOK_SECONDS)

    async def watch_list(self) -> None:
        """The import list is taken over, however slow the share that it lies on."""
        watched = WatchedList(self._home, self._db)
        while True:
            with self._survived():
                await watched.look(self._config.import_, self._clock())
            await asyncio.sleep(TICK_SECONDS)

    async def _step(self) -> bool:
        """Do one thing that is due; tells whether there was one."""
        if self._must_load or self._stamp != self._home.stamp():
            self._load()
        now = self._look_at_clock()
        if job := self._next_job(now):
            await self._do(job, now)
            return True
        next_run = schedule.next_at(self._plan, now)
        if reports.hand_over(self._db, self._home, self._config, next_run, now):
            self._parcel.set()
        self._prune(now)
        return False

    def _next_job(self, now: datetime) -> Job | None:
        if job := self._take(now):
            return job
        settled = self._clock.settled() or time.monotonic() > self._started + SETTLE_SECONDS
        kind = schedule.due(self._plan, self._done, now) if settled else None
        if kind is None:
            return None
        jobs.put(self._db, kind, now, {"scheduled": True})
        return self._take(now)

    def _take(self, now: datetime) -> Job | None:
        try:
            with lock.held(self._home.lock):
                jobs.interrupt_running(self._db, now)  # whoever did it is gone, or the lock would be held
                return jobs.take(self._db, now)
        except lock.Busy:
            return None  # a run that somebody typed; the next tick looks again

    async def _do(self, job: Job, now: datetime) -> None:
        wanted = job.arguments.get("printers")
        only = {number for number in wanted if isinstance(number, int)} if isinstance(wanted, list) else None
        if only is None:
            self._began(job.kind, now)
        try:
            result = await run_round(
                self._db,
                self._home,
                self._config,
                job.kind,
                job_id=job.id,
                clock=self._clock,
                stop=self._stop,
                on_progress=lambda progress: _tell_systemd(job, progress),
                only=only,
                send=False,
            )
        except Exception as error:  # named in the job's row: a run that fails must not end the service
            log.error("%s: %s", job.kind, error, exc_info=not isinstance(error, EXPECTED))
            jobs.finish(self._db, job.id, "failed", {"reason": str(error)}, self._clock())
        else:
            self._finish(job, result)
            if job.kind == "discover" and only is None and not (result.interrupted or result.left_alone):
                self._began("query", now)  # everybody was read
        finally:
            notify.status("idle")

    def _finish(self, job: Job, result: RoundResult) -> None:
        state: jobs.End = "interrupted" if result.interrupted else "done"
        jobs.finish(self._db, job.id, state, result.summary(), self._clock())
        if result.parcel and job.started_at:
            traps.settle_reports(self._db, job.started_at)  # it holds what was read after traps until then
        self._parcel.set()
        for printer_id in result.read:
            if host := self._failing.pop(printer_id, None):
                log.info("%s: answers again", host)
        for failed in result.failed:
            host = failed.name or failed.host
            if failed.printer_id not in self._failing:
                log.warning("%s: %s", host, failed.reason)
            if failed.printer_id is not None:
                self._failing[failed.printer_id] = host
        incomplete = {each.printer_id: each for each in result.incomplete}
        for printer_id in result.read:
            self._tell_parts(printer_id, incomplete.get(printer_id))

    def _tell_parts(self, printer_id: int, now: Failed | None) -> None:
        before = self._incomplete.pop(printer_id, None)
        if now:
            self._incomplete[printer_id] = now
            if before is None or before.reason != now.reason:
                log.warning("%s: %s", now.name or now.host, now.reason)
        elif before:
            log.info("%s: all its parts are read again", before.name or before.host)

    def _tell_delivery(self, summary: deliver.Summary) -> None:
        """The outbox tells of parcels that were tried; this is what keeps it from trying."""
        first = outbox.first_waiting(self._db)
        untried = summary.error if first and summary.error != first.error else None
        if untried and untried != self._untried:
            log.warning("%d parcels wait: %s", summary.waiting, untried)
        self._untried = untried

    def _began(self, kind: jobs.Kind, now: datetime) -> None:
        meta.put_time(self._db, BEGAN[kind], now)
        self._done = replace(self._done, **{kind: now})

    def _owe_interrupted(self, now: datetime) -> None:
        """A run that was broken off is done again; one that was broken off twice waits for its next time."""
        with suppress(lock.Busy), lock.held(self._home.lock):
            jobs.interrupt_running(self._db, now)
        states = [job.state for job in jobs.recent(self._db, 2)]
        if states[:1] == ["interrupted"] and states != ["interrupted"] * 2:
            job = jobs.recent(self._db, 1)[0]
            jobs.put(self._db, job.kind, now, job.arguments)

    def _look_at_clock(self) -> datetime:
        now, jump = self._clock(), self._clock.take_jump()
        if jump:
            direction = "forward" if jump > timedelta() else "back"
            text = f"the clock was set {direction} by {abs(jump)}"
            log.warning("%s", text)
            events.note(self._db, "clock", "clock", text, now)
            self._prune_after = time.monotonic() + PRUNE_AFTER_JUMP
        self._done = schedule.after_jump(self._done, now)
        if self._seen is None or abs(now - self._seen) >= SEEN_EVERY:
            meta.put_time(self._db, SEEN, now)
            self._seen = now
        return now

    def _prune(self, now: datetime) -> None:
        pruned = meta.get_time(self._db, PRUNED)
        if time.monotonic() < self._prune_after or (pruned and abs(now - pruned) < PRUNE_EVERY):
            return
        meta.put_time(self._db, PRUNED, now)
        printers.prune(self._db, now)
        jobs.prune(self._db)
        events.prune(self._db, now)
        outbox.prune(self._db, self._home.outbox, now)

    def _load(self) -> None:
        self._must_load, self._stamp = False, self._home.stamp()
        self._config, problems = config.load_last_good(self._home)
        for problem in problems:
            log.error("%s", problem)
        when = self._config.schedule
        every = timedelta(seconds=when.query_seconds)
        offset = schedule.offset(self._config.plug.name, every)
        self._plan = schedule.Plan(every, when.discover_times, when.zone, offset)

    def _idle_seconds(self) -> float:
        now = self._clock()
        return min(TICK_SECONDS, max(0.0, (schedule.next_at(self._plan, now) - now).total_seconds()))

    @contextmanager
    def _survived(self) -> Iterator[None]:
        """A database that cannot be used now, such as on a full disk, is told of once; it may come back."""
        try:
            yield
        except database.Unusable as error:
            if str(error) != self._trouble:
                log.error("%s", error)
            self._trouble = str(error)
        else:
            self._trouble = ""


async def _event(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def _tell_systemd(job: Job, progress: Progress) -> None:
    scan = progress.scan
    asked = f"{scan.asked} of {scan.total} addresses asked, " if scan.total else ""
    notify.status(f"{job.kind}: {asked}{progress.read} of {progress.to_read} printers read")
