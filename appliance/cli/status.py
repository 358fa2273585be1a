"""Run `printmonitor status`: print the state of the Plug and of its printers, and what needs attention."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from appliance.cli import state_dir, terminal
from appliance.cli.json_output import record_to_json
from appliance.delivery import licence_policy
from appliance.domain import schedule
from appliance.domain.attention import AttentionReason, list_reasons, printer_reason
from appliance.domain.printer_status import PrinterState
from appliance.domain.sending import SendingObstacle
from appliance.jobs import plug_facts
from appliance.licensing import status as standing
from appliance.mib import enum_labels
from appliance.settings import schema
from appliance.storage import events, jobs, printers, traps
from appliance.storage.printers import PrinterSummary

MAX_EVENTS_SHOWN = 5
MAX_PRINTERS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class PrinterAttention:
    """A printer that needs attention, and why."""

    id: int
    host: str
    model: str | None
    serial_number: str | None
    state: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class StatusReport:
    """All that the command prints."""

    plug: str
    site: str
    service_running: bool
    printers: int
    silent: int
    with_errors: int
    with_warnings: int
    ignored: int
    needs: tuple[PrinterAttention, ...]
    attention: tuple[AttentionReason, ...]  # about the Plug itself
    running: jobs.Job | None
    last_run: jobs.Job | None
    next_query: datetime | None
    next_discover: datetime | None
    licence: str
    transmission: str
    traps: str
    parcels_waiting: int
    parcels_refused: int
    events_going_on: tuple[events.Event, ...]
    events: tuple[events.Event, ...]
    settings_problems: tuple[str, ...]


def run(home: schema.Home, as_json: bool) -> int:
    """Print the status; return the exit code."""
    settings, problems = schema.load_last_good_settings(state_dir.require_existing(home))
    with state_dir.open_state_database(home) as db:
        report = _build_report(db, home, settings, problems, datetime.now(UTC))
    if as_json:
        terminal.print_json(record_to_json(report))
    else:
        for line in _format_report(report, settings.schedule.zone):
            terminal.print_line(line)
        _print_tables(report, settings.schedule.zone)
    return 0


def _build_report(
    db: sqlite3.Connection, home: schema.Home, settings: schema.Config, problems: list[str], now: datetime
) -> StatusReport:
    states: Counter[PrinterState] = Counter()
    needs: list[PrinterAttention] = []
    for summary in printers.iter_summaries(db):
        assessed = printers.assess(summary)
        states[assessed.state] += 1
        if reason := printer_reason(assessed):
            needs.append(_printer_row(summary, reason))
    recent = jobs.list_recent(db)
    running = state_dir.is_poller_running(home)
    plan = settings.run_schedule()
    facts = plug_facts.collect(db, home, settings, now, settings_problems=problems, poller_running=running)
    return StatusReport(
        plug=settings.plug.name,
        site=settings.plug.site,
        service_running=running,
        printers=states.total(),
        silent=states["silent"],
        with_errors=states["error"],
        with_warnings=states["warning"],
        ignored=states["ignored"],
        needs=tuple(needs),
        attention=tuple(list_reasons(facts)),
        running=next((job for job in recent if job.state == "running"), None),
        last_run=next((job for job in recent if job.finished_at is not None), None),
        next_query=schedule.next_query_at(plan, now) if running else None,
        next_discover=schedule.next_discover_at(plan, now) if running else None,
        licence=_format_licence(home, states.total() - states["ignored"], now),
        transmission=_format_transmission(
            licence_policy.apply_licence(home, settings).transmission, facts.sending_obstacle
        ),
        traps=_format_traps(db, settings, now),
        parcels_waiting=facts.parcels.waiting,
        parcels_refused=facts.parcels.refused,
        events_going_on=tuple(events.list_ongoing(db)),
        events=tuple(events.list_recent(db, MAX_EVENTS_SHOWN)),
        settings_problems=tuple(problems),
    )


def _printer_row(summary: PrinterSummary, reason: AttentionReason) -> PrinterAttention:
    errors = ", ".join(enum_labels.format_detected_error(error) for error in summary.details.errors)
    return PrinterAttention(
        summary.id,
        summary.target.host,
        summary.identity.model,
        summary.identity.serial_number,
        summary.failure or (errors if reason.code == "printer-error" and errors else reason.text),
        summary.seen_at,
    )


def _format_licence(home: schema.Home, printer_count: int, now: datetime) -> str:
    found = standing.get_status(home.folder, now)
    most = found.licence.printers if found.licence else None
    if most is None or printer_count <= most:
        return found.text
    covers = f"it covers {most:,} printers, and there are {printer_count:,}"
    return f"{found.text}; {covers}: all are read and reported"


def _format_transmission(transmission: schema.TransmissionConfig, obstacle: SendingObstacle | None) -> str:
    if obstacle and obstacle.code == "transmission-off":
        return "off: nothing is sent"
    if obstacle and obstacle.code == "licence":
        return f"{transmission.mode}, but nothing is sent: see the licence"
    if obstacle:
        return f"{transmission.mode}. {obstacle.text}"
    if transmission.mode == "https":
        return f"https to {transmission.https.url}"
    return f"mail to {transmission.mail.recipient}"


def _format_traps(db: sqlite3.Connection, settings: schema.Config, now: datetime) -> str:
    lately = traps.count_since(db, now - timedelta(days=1))
    if not settings.traps.enabled:
        return "off"
    dropped = sum(traps.get_dropped_counts(db).values())
    return (
        f"on, UDP port {settings.traps.port}: {lately:,} in the last day, {dropped:,} ever dropped or refused"
    )


def _format_report(report: StatusReport, zone: tzinfo) -> Iterator[str]:
    yield f"Plug          {report.plug}{f' ({terminal.sanitize(report.site)})' if report.site else ''}"
    yield f"Service       {'running' if report.service_running else 'not running'}"
    yield (
        f"Printers      {report.printers:,} known: {report.silent:,} silent, {report.with_errors:,} with "
        f"errors, {report.with_warnings:,} with warnings, {report.ignored:,} ignored"
    )
    if report.running:
        progress = enum_labels.format_run_progress(report.running.progress)
        yield f"Now           {report.running.kind}: {progress}"
    yield f"Last run      {_format_last_run(report.last_run, zone)}"
    for label, due in (("Next query   ", report.next_query), ("Next discover", report.next_discover)):
        yield f"{label} {enum_labels.format_time(due, zone) if due else '-'}"
    yield f"Licence       {terminal.sanitize(report.licence)}"
    yield f"Transmission  {terminal.sanitize(report.transmission)}"
    yield f"Traps         {report.traps}"
    yield f"Parcels       {report.parcels_waiting:,} waiting, {report.parcels_refused:,} refused"
    if report.settings_problems:
        problems = enum_labels.format_count(len(report.settings_problems), "problem")
        yield f"Settings      {problems}; see printmonitor check"


def _format_last_run(job: jobs.Job | None, zone: tzinfo) -> str:
    if job is None or job.finished_at is None:
        return "never"
    return terminal.sanitize(f"{enum_labels.format_time(job.finished_at, zone)}, {job.kind}, {job.state}")


def _print_tables(report: StatusReport, zone: tzinfo) -> None:
    reasons = [reason for reason in report.attention if reason.code != "event"]  # events have their table
    if reasons:
        terminal.print_line("\nNeeds attention")
        lines = [(reason.severity, reason.text) for reason in reasons]
        terminal.print_table(("Severity", "What"), lines, indent="  ")
    if report.needs:
        terminal.print_line("\nPrinters that need attention")
        rows = [_attention_row(need, zone) for need in report.needs[:MAX_PRINTERS_SHOWN]]
        terminal.print_table(("Address", "Model", "Serial number", "State", "Last answer"), rows, indent="  ")
        if len(report.needs) > MAX_PRINTERS_SHOWN:
            terminal.print_line(f"  and {len(report.needs) - MAX_PRINTERS_SHOWN:,} more")
    past = tuple(event for event in report.events if event.ended_at is not None)
    if shown := report.events_going_on + past:
        terminal.print_line("\nEvents")
        rows = [_event_row(event, zone) for event in shown]
        terminal.print_table(("Since", "Until", "What", "Text"), rows, indent="  ")


def _attention_row(printer: PrinterAttention, zone: tzinfo) -> tuple[str, ...]:
    return (
        printer.host,
        printer.model or "-",
        printer.serial_number or "-",
        printer.state,
        enum_labels.format_time(printer.seen_at, zone),
    )


def _event_row(event: events.Event, zone: tzinfo) -> tuple[str, ...]:
    until = enum_labels.format_time(event.ended_at, zone) if event.ended_at else "goes on"
    return (enum_labels.format_time(event.begun_at, zone), until, event.kind, event.text)
