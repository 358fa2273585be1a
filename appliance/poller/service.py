"""Run the poller service: execute scheduled and requested jobs, send parcels, watch the Plug."""

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
from appliance.domain.messages import message_of
from appliance.host import file_lock, service_runtime, systemd
from appliance.host.daemon_executor import DaemonExecutor
from appliance.jobs.runs import RunProgress, RunResult, execute_run
from appliance.poller import licence_renewal, retention, run_log, self_monitor, trap_reports
from appliance.poller.auto_update import CHECK_INTERVAL_S, AutoUpdater, UpdateEnvironment
from appliance.poller.clock_monitor import ClockMonitor
from appliance.poller.import_watcher import ImportWatcher
from appliance.poller.run_log import RunLog
from appliance.settings import schema
from appliance.settings.schema import Home
from appliance.storage import database, jobs, key_value, service_lifecycle, traps
from appliance.storage.db_outage import DatabaseOutage
from appliance.storage.jobs import Job

log = logging.getLogger(__name__)

TICK_INTERVAL_S = 15.0  # delay until a changed clock or edited settings are noticed
SELF_CHECK_INTERVAL_S = 60.0

# Errors with which a run may end; any other is a defect, and logged with its traceback.
EXPECTED_RUN_ERRORS = (database.DatabaseUnavailableError, InvalidEntryError, file_lock.LockBusyError)
LAST_RUN_KEYS = {"query": "schedule.query", "discover": "schedule.discover"}


def serve(home: Home) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code."""
    return service_runtime.run_exclusively(
        home.run / "poller.lock",
        lambda: _serve(home),
        log=log,
        name="poller",
        folder=home.folder,
        errors=(database.DatabaseUnavailableError,),
    )


async def _serve(home: Home) -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(DaemonExecutor())  # a hanging name server must not delay the end
    home.create_folders()
    db = database.open_database(home.database)
    stop = asyncio.Event()
    try:
        partial_job, parcel = asyncio.Event(), asyncio.Event()
        with jobs.listen(home.poller_socket, partial_job, parcel) as wake:
            poller = _PollerService(home, db, stop, wake, partial_job_event=partial_job, parcel_event=parcel)
            service_runtime.on_stop_signal(poller.stop)
            loop.add_signal_handler(signal.SIGHUP, poller.reload)
            async with service_runtime.watchdog(), asyncio.TaskGroup() as tasks:
                watches = (
                    poller.watch_plug(),
                    poller.watch_licence(),
                    poller.watch_import_list(),
                    poller.watch_updates(),
                    poller.watch_hawkbit(),
                )
                beside = (poller.send_parcels(), poller.run_partial_jobs(), *watches)
                helpers = [tasks.create_task(work) for work in beside]
                await poller.run()
                for helper in helpers:
                    helper.cancel()
    finally:
        db.close()


class _PollerService:
    """The running service."""

    def __init__(
        self,
        home: Home,
        db: sqlite3.Connection,
        stop: asyncio.Event,
        wake_event: asyncio.Event,
        *,
        partial_job_event: asyncio.Event,
        parcel_event: asyncio.Event,
    ) -> None:
        """Take the events that are set when there may be a job, a partial job, or a parcel to send."""
        self._home, self._db, self._stop, self._wake_event, self._partial_job_event = (
            home,
            db,
            stop,
            wake_event,
            partial_job_event,
        )
        self._parcel_event = parcel_event
        self._clock_monitor = ClockMonitor(db)
        self._clock = self._clock_monitor.clock
        self._outage = DatabaseOutage(db, "poller", self._clock)
        self._updater = AutoUpdater(db, UpdateEnvironment(home), self._clock)
        now = self._clock()
        self._run_log = RunLog()
        self._plug_rejected = False
        self._load_settings()
        self._last_runs = schedule.LastRuns(
            *(key_value.get_time(db, LAST_RUN_KEYS[kind]) for kind in ("query", "discover"))
        )
        with self._outage.tolerate():
            outbox.recover(db, home.outbox, now)
            self._requeue_interrupted_run(now)
            service_lifecycle.mark_service_started(db, "poller", now)

    def stop(self) -> None:
        if not self._stop.is_set():
            systemd.notify_stopping()
            self._stop.set()
            self._wake_event.set()

    def reload(self) -> None:
        self._must_reload = True
        self._wake_event.set()

    async def run(self) -> None:
        systemd.notify_ready()
        while not self._stop.is_set():
            self._wake_event.clear()  # before the step, so that a later event is not lost
            busy = False
            with self._outage.tolerate():
                busy = await self._step()
            if not busy:
                await _wait_for_event(self._wake_event, self._idle_timeout_s())
        with self._outage.tolerate():
            self._clock_monitor.save_last_seen(self._clock())
            service_lifecycle.mark_service_stopped(self._db, "poller")

    async def run_partial_jobs(self) -> None:
        """Poll requested printers at once, beside any run."""
        while True:
            self._partial_job_event.clear()
            with self._outage.tolerate():
                # those whose end could not be written
                jobs.interrupt_running(self._db, self._clock(), partial=True)
                while job := jobs.start_next(self._db, self._clock(), partial=True):
                    await self._run_partial_job(job)
            await _wait_for_event(self._partial_job_event, TICK_INTERVAL_S)

    async def watch_plug(self) -> None:
        """Check the Plug itself, beside any run."""
        while True:
            with self._outage.tolerate():
                self_monitor.run_checks(self._db, self._home, self._config, self._clock())
            await asyncio.sleep(SELF_CHECK_INTERVAL_S)

    async def send_parcels(self) -> None:
        """Send parcels beside any run, so that a slow server delays no poll."""
        while True:
            self._parcel_event.clear()
            with self._outage.tolerate():
                if self._config.transmission.mode != "off" and outbox.next_due(self._db, self._clock()):
                    summary = await dispatcher.deliver_due(self._db, self._home, self._config, self._clock)
                    self._run_log.log_delivery(self._db, summary)
                    self._plug_rejected = summary.plug_rejected
            await _wait_for_event(self._parcel_event, TICK_INTERVAL_S)

    async def watch_licence(self) -> None:
        """Renew the licence, beside any run and delivery."""
        while True:
            with self._outage.tolerate():
                now, rejected = self._clock(), self._plug_rejected
                settled = self._clock_monitor.is_settled()
                await licence_renewal.check_licence(
                    self._db, self._home, self._config, now, plug_rejected=rejected, clock_settled=settled
                )
            await asyncio.sleep(licence_renewal.CHECK_INTERVAL_S)

    async def watch_import_list(self) -> None:
        """Apply the import list, however slow its share is."""
        watcher = ImportWatcher(self._home, self._db)
        while True:
            with self._outage.tolerate():
                await watcher.check(self._config.import_, self._clock())
            await asyncio.sleep(TICK_INTERVAL_S)

    async def watch_updates(self) -> None:
        """Report outcomes of updates and look for new ones."""
        while True:
            with self._outage.tolerate():
                await self._updater.check(self._config)
            await asyncio.sleep(CHECK_INTERVAL_S)

    async def watch_hawkbit(self) -> None:
        """Check in with the fleet server; fetching a bundle may take long."""
        while True:
            with self._outage.tolerate():
                await self._updater.check_in_with_hawkbit(self._config)
            await asyncio.sleep(CHECK_INTERVAL_S)

    async def _step(self) -> bool:
        """Do one thing that is due; return True if there was one."""
        if self._must_reload or self._settings_fingerprint != self._home.settings_fingerprint():
            self._load_settings()
        now = self._clock_monitor.check()
        self._last_runs = schedule.clamp_future_runs(self._last_runs, now)
        if job := self._next_job(now):
            await self._run_job(job, now)
            return True
        next_run = schedule.next_run_at(self._schedule, now)
        if trap_reports.enqueue_due_report(self._db, self._home, self._config, next_run, now):
            self._parcel_event.set()
        if self._clock_monitor.is_steady():
            retention.prune(self._db, self._home, now)
        return False

    def _next_job(self, now: datetime) -> Job | None:
        if job := self._start_next_job(now):
            return job
        kind = (
            schedule.due_run(self._schedule, self._last_runs, now)
            if self._clock_monitor.is_settled()
            else None
        )
        if kind is None:
            return None
        jobs.enqueue(self._db, kind, now, {"scheduled": True})
        return self._start_next_job(now)

    def _start_next_job(self, now: datetime) -> Job | None:
        try:
            with file_lock.acquire(self._home.run_lock):
                jobs.interrupt_running(self._db, now)  # its process is gone, or it would hold the lock
                return jobs.start_next(self._db, now)
        except file_lock.LockBusyError:
            return None  # a run of the command line; try again at the next tick

    async def _run_job(self, job: Job, now: datetime) -> None:
        self._record_run_start(job.kind, now)
        try:
            result = await self._execute_job(
                job, on_progress=lambda progress: run_log.notify_progress(job.kind, progress)
            )
            if result and job.kind == "discover" and not (result.interrupted or result.not_covered):
                self._record_run_start("query", now)  # all printers were polled
        finally:
            systemd.notify_status("idle")

    async def _run_partial_job(self, job: Job) -> None:
        printer_ids = job.arguments["printers"]
        await self._execute_job(job, only=set(printer_ids) if isinstance(printer_ids, list) else set())

    async def _execute_job(
        self,
        job: Job,
        *,
        only: Collection[int] | None = None,
        on_progress: Callable[[RunProgress], None] | None = None,
    ) -> RunResult | None:
        """Execute a run and store its result in the job; return None if it failed."""
        try:
            result = await execute_run(
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
        except Exception as error:  # stored in the job: a failed run must not end the service
            log.error("%s: %s", job.kind, error, exc_info=not isinstance(error, EXPECTED_RUN_ERRORS))
            jobs.finish(self._db, job.id, "failed", {"reason": message_of(error)}, self._clock())
            return None
        self._finish_job(job, result)
        return result

    def _finish_job(self, job: Job, result: RunResult) -> None:
        state: jobs.JobEndState = "interrupted" if result.interrupted else "done"
        jobs.finish(self._db, job.id, state, result.to_job_result(), self._clock())
        if result.parcel and job.started_at:
            # the parcel contains what was read after traps until then
            traps.clear_pending_reports(self._db, job.started_at)
        self._parcel_event.set()
        self._run_log.log_run(result)

    def _record_run_start(self, kind: jobs.JobKind, now: datetime) -> None:
        key_value.put_time(self._db, LAST_RUN_KEYS[kind], now)
        self._last_runs = replace(self._last_runs, **{kind: now})

    def _requeue_interrupted_run(self, now: datetime) -> None:
        """Enqueue an interrupted run again, unless it was interrupted twice in a row."""
        with suppress(file_lock.LockBusyError), file_lock.acquire(self._home.run_lock):
            jobs.interrupt_running(self._db, now)
        jobs.interrupt_running(self._db, now, partial=True)
        whole = [job for job in jobs.list_recent(self._db) if not jobs.is_partial(job)][:2]
        states = [job.state for job in whole]
        if states[:1] == ["interrupted"] and states != ["interrupted"] * 2:
            jobs.enqueue(self._db, whole[0].kind, now, whole[0].arguments)

    def _load_settings(self) -> None:
        self._must_reload, self._settings_fingerprint = False, self._home.settings_fingerprint()
        self._config, problems = schema.load_last_good_settings(self._home)
        for problem in problems:
            log.error("%s", problem)
        self._schedule = self._config.run_schedule()

    def _idle_timeout_s(self) -> float:
        now = self._clock()
        return min(
            TICK_INTERVAL_S, max(0.0, (schedule.next_run_at(self._schedule, now) - now).total_seconds())
        )


async def _wait_for_event(event: asyncio.Event, timeout_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await event.wait()
