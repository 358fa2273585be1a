"""`printmonitor query` and `printmonitor discover`: one run, by the poller service where it is there."""

import asyncio
import logging
import signal
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime

from appliance.cli import formatting, log_setup, run_report, state_dir, terminal
from appliance.cli.errors import CommandError
from appliance.cli.run_report import RunOutcome
from appliance.delivery import licence_policy, outbox
from appliance.delivery.outbox import Parcel
from appliance.host import file_lock
from appliance.jobs import runs
from appliance.poller import service
from appliance.settings import schema
from appliance.settings.schema import Config, Home
from appliance.storage import jobs, key_value, printers

JOB_CHECK_INTERVAL_S = 0.2  # seconds
SEND_TIMEOUT_S = 120.0  # that a parcel in the service's hands is waited for; it goes on being sent afterwards


def run(home: Home, kind: jobs.JobKind, as_json: bool) -> int:
    """Do the run, show what came of it, return the exit code."""
    settings = schema.load_settings(state_dir.ensure_created(home))
    if kind == "discover" and not settings.discovery.entries:
        raise CommandError(f"there is nothing to discover: no [[discovery.entries]] in {home.settings}")
    log_setup.configure_logging(logging.WARNING)
    with state_dir.open_state_database(home) as db:
        if kind == "query" and not printers.list_known(db):
            terminal.print_message("no printers are known yet: run discover first")
        ended = _run_by_service(db, home, settings, kind) if state_dir.is_poller_running(home) else None
        ended = ended or asyncio.run(_run_in_process(db, home, settings, kind))
        run_report.print_outcome(ended, as_json)
    return ended.exit_code


async def _run_in_process(
    db: sqlite3.Connection, home: Home, settings: Config, kind: jobs.JobKind
) -> RunOutcome:
    """Do the run in this process; the first Ctrl-C ends it in order, with all that was read kept."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def interrupted() -> None:
        stop.set()
        loop.remove_signal_handler(signal.SIGINT)

    loop.add_signal_handler(signal.SIGINT, interrupted)
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    progress = terminal.ProgressLine()
    began = datetime.now(UTC)
    job_id = _start_job(db, home, kind)
    summary: Mapping[str, object] = {}
    ended: jobs.JobEndState = "failed"
    try:
        result = await runs.execute_run(
            db,
            home,
            settings,
            kind,
            job_id=job_id,
            stop=stop,
            on_progress=lambda now: progress.show(formatting.format_run_progress(asdict(now))),
        )
        summary, ended = result.to_job_result(), "interrupted" if result.interrupted else "done"
        key_value.put_time(
            db, service.LAST_RUN_KEYS[kind], began
        )  # the service need not do it again when it starts
    except file_lock.LockBusyError:
        raise CommandError("another run is going on; wait for its end") from None
    finally:
        progress.end()
        if job_id is not None:
            jobs.finish(db, job_id, ended, summary, datetime.now(UTC))
    parcel = outbox.get(db, result.parcel.id) if result.parcel else None
    trouble = result.delivery.error if result.delivery else None
    return run_report.attach_parcel(RunOutcome(kind, ended, summary), parcel, trouble)


def _start_job(db: sqlite3.Connection, home: Home, kind: jobs.JobKind) -> int | None:
    """Note the run as a job that is running, as the service would; None where other jobs stand before it."""
    now = datetime.now(UTC)
    try:
        with file_lock.acquire(home.run_lock):
            jobs.interrupt_running(db, now)  # left by a process that is gone
    except file_lock.LockBusyError:
        raise CommandError("another run is going on; wait for its end") from None
    if any(job.state == "waiting" for job in jobs.list_recent(db)):
        return None
    jobs.enqueue(db, kind, now)
    job = jobs.start_next(db, now)
    return job.id if job else None


def _run_by_service(
    db: sqlite3.Connection, home: Home, settings: Config, kind: jobs.JobKind
) -> RunOutcome | None:
    """Hand the run to the service and follow it; None if the service ends before it has begun."""
    job_id = jobs.enqueue(db, kind, datetime.now(UTC))
    jobs.wake(home.poller_socket)
    progress = terminal.ProgressLine()
    try:
        job = _follow_job(db, home, job_id, progress)
        if job is None:
            return None
        parcel_id = job.result.get("parcel")
        parcel, trouble = None, None
        if isinstance(parcel_id, str):
            progress.show("sending the parcel")
            parcel, trouble = _await_delivery(db, home, settings, parcel_id)
    except KeyboardInterrupt:
        progress.end()
        terminal.print_message("the run goes on in the poller service")
        raise
    finally:
        progress.end()
    return run_report.attach_parcel(RunOutcome(kind, job.state, job.result), parcel, trouble)


def _follow_job(
    db: sqlite3.Connection, home: Home, job_id: int, progress: terminal.ProgressLine
) -> jobs.Job | None:
    while (job := jobs.get(db, job_id)) is not None:
        if job.finished_at is not None:
            return job
        if not state_dir.is_poller_running(home):
            if job.state == "waiting":
                jobs.finish(db, job_id, "interrupted", {}, datetime.now(UTC))
                return None
            raise CommandError("the poller service ended before the run did")
        progress.show(
            formatting.format_run_progress(job.progress)
            if job.state == "running"
            else "waiting for the run before"
        )
        time.sleep(JOB_CHECK_INTERVAL_S)
    raise CommandError("the poller service has dropped the run")


def _await_delivery(
    db: sqlite3.Connection, home: Home, settings: Config, parcel_id: str
) -> tuple[Parcel | None, str | None]:
    """Wait until the service has tried to send the parcel, or one that stands before it."""
    until = time.monotonic() + SEND_TIMEOUT_S
    transmission = licence_policy.apply_licence(home, settings).transmission
    if transmission.mode == "off" or (transmission.mode == "https" and not transmission.https.url):
        return outbox.get(db, parcel_id), "the settings do not say where to send it"
    if forbidden := licence_policy.blocking_reason(home, datetime.now(UTC)):
        return outbox.get(db, parcel_id), forbidden
    while True:
        parcel, first = outbox.get(db, parcel_id), outbox.first_waiting(db)
        if parcel is None or parcel.state != "waiting" or parcel.error or time.monotonic() > until:
            return parcel, None
        if first and first.error and first.next_at and first.next_at > datetime.now(UTC):
            return parcel, first.error
        time.sleep(JOB_CHECK_INTERVAL_S)
