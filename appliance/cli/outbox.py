"""`printmonitor outbox`: the parcels, listed, opened, or sent again; one without printers for a test."""

import asyncio
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from appliance.cli import formatting, state_dir, terminal
from appliance.cli.errors import CommandError
from appliance.cli.json_output import record_to_json
from appliance.delivery import archive, licence_policy, outbox, transmission_test
from appliance.delivery.outbox import Parcel
from appliance.delivery.spool_files import ParcelFileError
from appliance.settings import schema
from appliance.storage import jobs

MAX_DELIVERED_SHOWN = 10
SHORT_ID_CHARS = 8  # characters: enough to tell a year's parcels apart


def run(home: schema.Home, action: str, selector: str | None, as_json: bool) -> int:
    """List the parcels, show one's XML, let refused ones wait again, or try the transmission."""
    if action == "test":
        return _test_transmission(home, selector, as_json)
    if action != "list" and selector is None:
        raise CommandError(f"outbox {action} needs a parcel's ID{', or all' if action == 'retry' else ''}")
    if action == "list" and selector is not None:
        raise CommandError("outbox list takes no parcel; to open one: outbox show ID")
    settings, _ = schema.load_last_good_settings(state_dir.require_existing(home))
    with state_dir.open_state_database(home) as db:
        parcels = outbox.list_parcels(db)
        if action == "show":
            _print_parcel_xml(
                home,
                _find_parcel(parcels, selector or ""),
                licence_policy.apply_licence(home, settings).transmission.key,
            )
        elif action == "retry":
            return _retry_parcels(
                db,
                home,
                _undelivered_parcels(parcels)
                if selector == "all"
                else [_find_parcel(parcels, selector or "")],
            )
        else:
            _print_parcels(parcels, settings.schedule.zone, as_json)
    return 0


def _test_transmission(home: schema.Home, selector: str | None, as_json: bool) -> int:
    """Try the transmission; 3 if a parcel would not arrive, 2 if the settings say so already."""
    if selector is not None:
        raise CommandError("outbox test takes no parcel: it sends one of its own, without printers")
    steps = asyncio.run(
        transmission_test.run(home, schema.load_settings(state_dir.require_existing(home)), datetime.now(UTC))
    )
    if as_json:
        terminal.print_json(
            {"ok": transmission_test.has_passed(steps), "steps": [record_to_json(step) for step in steps]}
        )
    for step in [] if as_json else steps:
        terminal.print_line(
            f"{'ok' if step.ok else 'FAILED':<6}  {step.name:<11}  {terminal.sanitize(step.text)}"
        )
        if step.advice:
            terminal.print_message(terminal.sanitize(step.advice))
    if transmission_test.has_passed(steps):
        return 0
    return 2 if len(steps) == 1 else 3  # the first step is the settings


def _find_parcel(parcels: Sequence[Parcel], selector: str) -> Parcel:
    """The parcel with this name, this id, or the only one whose id begins so."""
    found = [each for each in parcels if selector in (each.id, each.name)]
    found = found or [each for each in parcels if len(selector) >= 4 and each.id.startswith(selector)]
    if len(found) > 1:
        raise CommandError(f"{len(found)} parcels begin with {selector}; give more of the ID")
    if not found:
        raise CommandError(f"there is no parcel {selector}; see printmonitor outbox")
    return found[0]


def _undelivered_parcels(parcels: Sequence[Parcel]) -> list[Parcel]:
    return [each for each in parcels if each.state in ("waiting", "refused")]


def _print_parcels(parcels: Sequence[Parcel], zone: tzinfo, as_json: bool) -> None:
    if as_json:
        terminal.print_json([record_to_json(each) for each in parcels])
        return
    delivered = [each for each in parcels if each.state == "delivered"]
    hidden = {each.id for each in delivered[:-MAX_DELIVERED_SHOWN]}
    shown = [each for each in parcels if each.id not in hidden]
    if not shown:
        terminal.print_line("the outbox is empty")
        return
    titles = ("ID", "Made", "Bytes", "State", "Tries", "Next try", "Last answer")
    terminal.print_table(titles, [_parcel_row(each, zone) for each in shown], ("Bytes", "Tries"))
    if hidden:
        terminal.print_line(f"and {formatting.format_count(len(hidden), 'parcel')} delivered before")


def _parcel_row(parcel: Parcel, zone: tzinfo) -> tuple[str, ...]:
    return (
        parcel.id[:SHORT_ID_CHARS],
        formatting.format_time(parcel.created_at, zone),
        f"{parcel.size:,}",
        parcel.state,
        str(parcel.attempts),
        formatting.format_time(parcel.next_at, zone) if parcel.next_at else "-",
        parcel.error or "-",
    )


def _print_parcel_xml(home: schema.Home, parcel: Parcel, key: str) -> None:
    try:
        data = outbox.read(home.outbox, parcel)
        name, xml = archive.unpack(data, key)
    except (ParcelFileError, archive.ParcelKeyError, archive.InvalidParcelError) as error:
        raise CommandError(f"{parcel.name}: {error}") from error
    terminal.print_message(f"{name}.xml: {len(xml):,} bytes, {len(data):,} packed")
    terminal.print_bytes(xml)


def _retry_parcels(db: sqlite3.Connection, home: schema.Home, parcels: Sequence[Parcel]) -> int:
    now = datetime.now(UTC)
    failed = 0
    for each in parcels:
        try:
            outbox.retry(db, home.outbox, each.id, now)
        except outbox.ParcelRetryError as error:
            terminal.print_message(terminal.sanitize(str(error)))
            failed += 1
    poller_runs = state_dir.is_poller_running(home)
    if poller_runs:
        jobs.wake(home.poller_socket)
    when = "within seconds" if poller_runs else "with the next run: the poller service is not running"
    if len(parcels) > failed or not parcels:
        terminal.print_message(
            f"{formatting.format_count(len(parcels) - failed, 'parcel')} will be sent {when}"
        )
    return 2 if failed else 0
