"""`printmonitor outbox`: the parcels, listed, opened, or sent again; one without printers for a test."""

import asyncio
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from appliance.cli import state_dir, terminal
from appliance.cli.errors import Wrong
from appliance.cli.json_output import record
from appliance.delivery import archive, licence_policy, outbox, transmission_test
from appliance.delivery.outbox import Parcel
from appliance.delivery.spool_files import ParcelFileError
from appliance.mib import enum_labels
from appliance.settings import schema
from appliance.storage import jobs

DELIVERED_SHOWN = 10
SHORT_ID = 8  # characters: enough to tell a year's parcels apart


def run(home: schema.Home, action: str, asked: str | None, as_json: bool) -> int:
    """List the parcels, show one's XML, let refused ones wait again, or try the transmission."""
    if action == "test":
        return _test(home, asked, as_json)
    if action != "list" and asked is None:
        raise Wrong(f"outbox {action} needs a parcel's ID{', or all' if action == 'retry' else ''}")
    if action == "list" and asked is not None:
        raise Wrong("outbox list takes no parcel; to open one: outbox show ID")
    settings, _ = schema.load_last_good(state_dir.existing(home))
    with state_dir.opened(home) as db:
        parcels = outbox.list_parcels(db)
        if action == "show":
            _show(
                home,
                _find(parcels, asked or ""),
                licence_policy.apply_licence(home, settings).transmission.key,
            )
        elif action == "retry":
            return _retry(
                db, home, _undelivered(parcels) if asked == "all" else [_find(parcels, asked or "")]
            )
        else:
            _list(parcels, settings.schedule.zone, as_json)
    return 0


def _test(home: schema.Home, asked: str | None, as_json: bool) -> int:
    """Try the transmission; 3 if a parcel would not arrive, 2 if the settings say so already."""
    if asked is not None:
        raise Wrong("outbox test takes no parcel: it sends one of its own, without printers")
    steps = asyncio.run(transmission_test.run(home, schema.load(state_dir.existing(home)), datetime.now(UTC)))
    if as_json:
        terminal.document(
            {"ok": transmission_test.has_passed(steps), "steps": [record(step) for step in steps]}
        )
    for step in [] if as_json else steps:
        terminal.say(f"{'ok' if step.ok else 'FAILED':<6}  {step.name:<11}  {terminal.clean(step.text)}")
        if step.advice:
            terminal.tell(terminal.clean(step.advice))
    if transmission_test.has_passed(steps):
        return 0
    return 2 if len(steps) == 1 else 3  # the first step is the settings


def _find(parcels: Sequence[Parcel], asked: str) -> Parcel:
    """The parcel with this name, this id, or the only one whose id begins so."""
    found = [each for each in parcels if asked in (each.id, each.name)]
    found = found or [each for each in parcels if len(asked) >= 4 and each.id.startswith(asked)]
    if len(found) > 1:
        raise Wrong(f"{len(found)} parcels begin with {asked}; give more of the ID")
    if not found:
        raise Wrong(f"there is no parcel {asked}; see printmonitor outbox")
    return found[0]


def _undelivered(parcels: Sequence[Parcel]) -> list[Parcel]:
    return [each for each in parcels if each.state in ("waiting", "refused")]


def _list(parcels: Sequence[Parcel], zone: tzinfo, as_json: bool) -> None:
    if as_json:
        terminal.document([record(each) for each in parcels])
        return
    delivered = [each for each in parcels if each.state == "delivered"]
    hidden = {each.id for each in delivered[:-DELIVERED_SHOWN]}
    shown = [each for each in parcels if each.id not in hidden]
    if not shown:
        terminal.say("the outbox is empty")
        return
    titles = ("ID", "Made", "Bytes", "State", "Tries", "Next try", "Last answer")
    terminal.show_table(titles, [_row(each, zone) for each in shown], ("Bytes", "Tries"))
    if hidden:
        terminal.say(f"and {enum_labels.count(len(hidden), 'parcel')} delivered before")


def _row(each: Parcel, zone: tzinfo) -> tuple[str, ...]:
    return (
        each.id[:SHORT_ID],
        enum_labels.moment(each.created_at, zone),
        f"{each.size:,}",
        each.state,
        str(each.attempts),
        enum_labels.moment(each.next_at, zone) if each.next_at else "-",
        each.error or "-",
    )


def _show(home: schema.Home, found: Parcel, key: str) -> None:
    try:
        data = outbox.read(home.outbox, found)
        name, xml = archive.unpack(data, key)
    except (ParcelFileError, archive.ParcelKeyError, archive.InvalidParcelError) as error:
        raise Wrong(f"{found.name}: {error}") from error
    terminal.tell(f"{name}.xml: {len(xml):,} bytes, {len(data):,} packed")
    terminal.raw(xml)


def _retry(db: sqlite3.Connection, home: schema.Home, chosen: Sequence[Parcel]) -> int:
    now = datetime.now(UTC)
    failed = 0
    for each in chosen:
        try:
            outbox.retry(db, home.outbox, each.id, now)
        except outbox.ParcelRetryError as error:
            terminal.tell(terminal.clean(str(error)))
            failed += 1
    poller_runs = state_dir.poller_runs(home)
    if poller_runs:
        jobs.wake(home.wake)
    when = "within seconds" if poller_runs else "with the next run: the poller service is not running"
    if len(chosen) > failed or not chosen:
        terminal.tell(f"{enum_labels.count(len(chosen) - failed, 'parcel')} will be sent {when}")
    return 2 if failed else 0
