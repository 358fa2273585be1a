"""`printmonitor status`: the Plug at a glance."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from appliance.cli import formatting, state_dir, terminal
from appliance.cli.json_output import record_to_json
from appliance.delivery import licence_policy, outbox
from appliance.domain import schedule
from appliance.domain.model import Printer
from appliance.licensing import status as standing
from appliance.settings import schema
from appliance.storage import events, jobs, printers, traps

MAX_EVENTS_SHOWN = 5
MAX_PRINTERS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class PrinterAttention:
    """A printer that somebody should look at."""

    id: int
    host: str
    model: str | None
    serial_number: str | None
    state: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class StatusReport:
    """What there is to say."""

    plug: str
    site: str
    service_running: bool
    printers: int
    silent: int
    with_errors: int
    ignored: int
    needs: tuple[PrinterAttention, ...]
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
    """Show what somebody who passes by wants to know."""
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
    fleet = [_PrinterState.from_printer(printer) for printer in printers.iter_printers(db)]
    recent = jobs.list_recent(db)
    running = state_dir.is_poller_running(home)
    plan = _build_run_schedule(settings)
    return StatusReport(
        plug=settings.plug.name,
        site=settings.plug.site,
        service_running=running,
        printers=len(fleet),
        silent=sum(seen.not_responding for seen in fleet),
        with_errors=sum(seen.has_errors for seen in fleet),
        ignored=sum(seen.is_ignored for seen in fleet),
        needs=tuple(
            seen.attention
            for seen in fleet
            if (seen.not_responding or seen.has_errors) and not seen.is_ignored
        ),
        running=next((job for job in recent if job.state == "running"), None),
        last_run=next((job for job in recent if job.finished_at is not None), None),
        next_query=schedule.next_query_at(plan, now) if running else None,
        next_discover=schedule.next_discover_at(plan, now) if running else None,
        licence=_format_licence(home, len(fleet) - sum(seen.is_ignored for seen in fleet), now),
        transmission=_format_transmission(
            licence_policy.apply_licence(home, settings), licence_policy.blocking_reason(home, now)
        ),
        traps=_format_traps(db, settings, now),
        parcels_waiting=outbox.count_by_state(db, "waiting"),
        parcels_refused=outbox.count_by_state(db, "refused"),
        events_going_on=tuple(events.list_ongoing(db)),
        events=tuple(events.list_recent(db, MAX_EVENTS_SHOWN)),
        settings_problems=tuple(problems),
    )


@dataclass(frozen=True, slots=True)
class _PrinterState:
    """As much of a printer as the report needs: a thousand whole ones would be much memory."""

    not_responding: bool
    has_errors: bool
    is_ignored: bool
    attention: PrinterAttention

    @classmethod
    def from_printer(cls, printer: Printer) -> "_PrinterState":
        identity = printer.identity
        return cls(
            not_responding=printer.failed_at is not None,
            has_errors=printer.failed_at is None and bool(printer.details.errors),
            is_ignored=printer.ignore,
            attention=PrinterAttention(
                printer.id,
                printer.target.host,
                identity.model,
                identity.serial_number,
                formatting.format_printer_state(printer),
                printer.seen_at,
            ),
        )


def _build_run_schedule(settings: schema.Config) -> schedule.RunSchedule:
    when = settings.schedule
    return schedule.build_schedule(settings.plug.name, when.query_interval_s, when.discover_times, when.zone)


def _format_licence(home: schema.Home, printer_count: int, now: datetime) -> str:
    found = standing.get_status(home.folder, now)
    most = found.licence.printers if found.licence else None
    if most is None or printer_count <= most:
        return found.text
    covers = f"it covers {most:,} printers, and there are {printer_count:,}"
    return f"{found.text}; {covers}: all are read and reported"


def _format_transmission(settings: schema.Config, obstacle: str | None) -> str:
    transmission = settings.transmission
    if transmission.mode == "off":
        return "off: nothing is sent"
    if obstacle:
        return f"{transmission.mode}, but nothing is sent: see the licence"
    if not transmission.key:
        return f"{transmission.mode}, but there is no key: nothing is sent"
    if transmission.mode == "https":
        return (
            f"https to {transmission.https.url}" if transmission.https.url else "https, but there is no URL"
        )
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
        f"errors, {report.ignored:,} ignored"
    )
    if report.running:
        progress = formatting.format_run_progress(report.running.progress)
        yield f"Now           {report.running.kind}: {progress}"
    yield f"Last run      {_format_last_run(report.last_run, zone)}"
    for label, due in (("Next query   ", report.next_query), ("Next discover", report.next_discover)):
        yield f"{label} {formatting.format_time(due, zone) if due else '-'}"
    yield f"Licence       {terminal.sanitize(report.licence)}"
    yield f"Transmission  {terminal.sanitize(report.transmission)}"
    yield f"Traps         {report.traps}"
    yield f"Parcels       {report.parcels_waiting:,} waiting, {report.parcels_refused:,} refused"
    if report.settings_problems:
        problems = formatting.format_count(len(report.settings_problems), "problem")
        yield f"Settings      {problems}; see printmonitor check"


def _format_last_run(job: jobs.Job | None, zone: tzinfo) -> str:
    if job is None or job.finished_at is None:
        return "never"
    return terminal.sanitize(f"{formatting.format_time(job.finished_at, zone)}, {job.kind}, {job.state}")


def _print_tables(report: StatusReport, zone: tzinfo) -> None:
    if report.needs:
        terminal.print_line("\nPrinters that need somebody")
        rows = [_attention_row(need, zone) for need in report.needs[:MAX_PRINTERS_SHOWN]]
        terminal.print_table(("Address", "Model", "Serial number", "State", "Last answer"), rows, indent="  ")
        if len(report.needs) > MAX_PRINTERS_SHOWN:
            terminal.print_line(f"  and {len(report.needs) - MAX_PRINTERS_SHOWN:,} more")
    happened = report.events_going_on + tuple(each for each in report.events if each.ended_at is not None)
    if happened:
        terminal.print_line("\nEvents")
        rows = [_event_row(event, zone) for event in happened]
        terminal.print_table(("Since", "Until", "What", "Text"), rows, indent="  ")


def _attention_row(printer: PrinterAttention, zone: tzinfo) -> tuple[str, ...]:
    return (
        printer.host,
        printer.model or "-",
        printer.serial_number or "-",
        printer.state,
        formatting.format_time(printer.seen_at, zone),
    )


def _event_row(event: events.Event, zone: tzinfo) -> tuple[str, ...]:
    until = formatting.format_time(event.ended_at, zone) if event.ended_at else "goes on"
    return (formatting.format_time(event.begun_at, zone), until, event.kind, event.text)
