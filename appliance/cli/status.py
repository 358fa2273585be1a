"""`printmonitor status`: the Plug at a glance."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from appliance.cli import state_dir, terminal
from appliance.cli.json_output import record
from appliance.delivery import licence_policy, outbox
from appliance.domain import schedule
from appliance.domain.model import Printer
from appliance.licensing import status as standing
from appliance.mib import enum_labels
from appliance.settings import schema
from appliance.storage import events, jobs, printers, traps

EVENTS_SHOWN = 5
PRINTERS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Need:
    """A printer that somebody should look at."""

    id: int
    host: str
    model: str | None
    serial_number: str | None
    state: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """What there is to say."""

    plug: str
    site: str
    service_running: bool
    printers: int
    silent: int
    with_errors: int
    ignored: int
    needs: tuple[Need, ...]
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
    settings, problems = schema.load_last_good(state_dir.existing(home))
    with state_dir.opened(home) as db:
        report = _gather(db, home, settings, problems, datetime.now(UTC))
    if as_json:
        terminal.document(record(report))
    else:
        for line in _lines(report, settings.schedule.zone):
            terminal.say(line)
        _show_tables(report, settings.schedule.zone)
    return 0


def _gather(
    db: sqlite3.Connection, home: schema.Home, settings: schema.Config, problems: list[str], now: datetime
) -> Report:
    fleet = [_Seen.of(printer) for printer in printers.iter_printers(db)]
    recent = jobs.list_recent(db)
    running = state_dir.poller_runs(home)
    plan = _plan(settings)
    return Report(
        plug=settings.plug.name,
        site=settings.plug.site,
        service_running=running,
        printers=len(fleet),
        silent=sum(seen.silent for seen in fleet),
        with_errors=sum(seen.errors for seen in fleet),
        ignored=sum(seen.ignored for seen in fleet),
        needs=tuple(seen.need for seen in fleet if (seen.silent or seen.errors) and not seen.ignored),
        running=next((job for job in recent if job.state == "running"), None),
        last_run=next((job for job in recent if job.finished_at is not None), None),
        next_query=schedule.next_query(plan, now) if running else None,
        next_discover=schedule.next_discover(plan, now) if running else None,
        licence=_licence(home, len(fleet) - sum(seen.ignored for seen in fleet), now),
        transmission=_transmission(
            licence_policy.apply_licence(home, settings), licence_policy.blocking_reason(home, now)
        ),
        traps=_traps(db, settings, now),
        parcels_waiting=outbox.count_by_state(db, "waiting"),
        parcels_refused=outbox.count_by_state(db, "refused"),
        events_going_on=tuple(events.list_ongoing(db)),
        events=tuple(events.list_recent(db, EVENTS_SHOWN)),
        settings_problems=tuple(problems),
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """As much of a printer as the report needs: a thousand whole ones would be much memory."""

    silent: bool
    errors: bool
    ignored: bool
    need: Need

    @classmethod
    def of(cls, printer: Printer) -> "_Seen":
        identity = printer.identity
        return cls(
            silent=printer.failed_at is not None,
            errors=printer.failed_at is None and bool(printer.details.errors),
            ignored=printer.ignore,
            need=Need(
                printer.id,
                printer.target.host,
                identity.model,
                identity.serial_number,
                enum_labels.state(printer),
                printer.seen_at,
            ),
        )


def _plan(settings: schema.Config) -> schedule.Plan:
    when = settings.schedule
    return schedule.plan(settings.plug.name, when.query_seconds, when.discover_times, when.zone)


def _licence(home: schema.Home, fleet: int, now: datetime) -> str:
    found = standing.get_status(home.folder, now)
    most = found.licence.printers if found.licence else None
    if most is None or fleet <= most:
        return found.text
    return f"{found.text}; it covers {most:,} printers, and there are {fleet:,}: all are read and reported"


def _transmission(settings: schema.Config, forbidden: str | None) -> str:
    transmission = settings.transmission
    if transmission.mode == "off":
        return "off: nothing is sent"
    if forbidden:
        return f"{transmission.mode}, but nothing is sent: see the licence"
    if not transmission.key:
        return f"{transmission.mode}, but there is no key: nothing is sent"
    if transmission.mode == "https":
        return (
            f"https to {transmission.https.url}" if transmission.https.url else "https, but there is no URL"
        )
    return f"mail to {transmission.mail.recipient}"


def _traps(db: sqlite3.Connection, settings: schema.Config, now: datetime) -> str:
    lately = traps.count_since(db, now - timedelta(days=1))
    if not settings.traps.enabled:
        return "off"
    dropped = sum(traps.get_dropped_counts(db).values())
    return (
        f"on, UDP port {settings.traps.port}: {lately:,} in the last day, {dropped:,} ever dropped or refused"
    )


def _lines(report: Report, zone: tzinfo) -> Iterator[str]:
    yield f"Plug          {report.plug}{f' ({terminal.clean(report.site)})' if report.site else ''}"
    yield f"Service       {'running' if report.service_running else 'not running'}"
    yield (
        f"Printers      {report.printers:,} known: {report.silent:,} silent, {report.with_errors:,} with "
        f"errors, {report.ignored:,} ignored"
    )
    if report.running:
        yield f"Now           {report.running.kind}: {enum_labels.progress(report.running.progress)}"
    yield f"Last run      {_run(report.last_run, zone)}"
    yield f"Next query    {enum_labels.moment(report.next_query, zone) if report.next_query else '-'}"
    yield f"Next discover {enum_labels.moment(report.next_discover, zone) if report.next_discover else '-'}"
    yield f"Licence       {terminal.clean(report.licence)}"
    yield f"Transmission  {terminal.clean(report.transmission)}"
    yield f"Traps         {report.traps}"
    yield f"Parcels       {report.parcels_waiting:,} waiting, {report.parcels_refused:,} refused"
    if report.settings_problems:
        problems = enum_labels.count(len(report.settings_problems), "problem")
        yield f"Settings      {problems}; see printmonitor check"


def _run(job: jobs.Job | None, zone: tzinfo) -> str:
    if job is None or job.finished_at is None:
        return "never"
    return terminal.clean(f"{enum_labels.moment(job.finished_at, zone)}, {job.kind}, {job.state}")


def _show_tables(report: Report, zone: tzinfo) -> None:
    if report.needs:
        terminal.say("\nPrinters that need somebody")
        rows = [_need(need, zone) for need in report.needs[:PRINTERS_SHOWN]]
        terminal.show_table(("Address", "Model", "Serial number", "State", "Last answer"), rows, indent="  ")
        if len(report.needs) > PRINTERS_SHOWN:
            terminal.say(f"  and {len(report.needs) - PRINTERS_SHOWN:,} more")
    happened = report.events_going_on + tuple(each for each in report.events if each.ended_at is not None)
    if happened:
        terminal.say("\nEvents")
        rows = [_event(event, zone) for event in happened]
        terminal.show_table(("Since", "Until", "What", "Text"), rows, indent="  ")


def _need(need: Need, zone: tzinfo) -> tuple[str, ...]:
    return (
        need.host,
        need.model or "-",
        need.serial_number or "-",
        need.state,
        enum_labels.moment(need.seen_at, zone),
    )


def _event(event: events.Event, zone: tzinfo) -> tuple[str, ...]:
    until = enum_labels.moment(event.ended_at, zone) if event.ended_at else "goes on"
    return (enum_labels.moment(event.begun_at, zone), until, event.kind, event.text)
