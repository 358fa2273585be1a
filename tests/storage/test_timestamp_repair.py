"""A clock that was years ahead leaves no times that have not come yet."""

from dataclasses import replace

from appliance.storage import events, history, jobs, printers, save_reading, timestamp_repair
from tests.storage.readings import COVER_OPEN, DAY, HOUR, MINUTE, NOW, TONER, reading, stored_printer

AHEAD = NOW + 3650 * DAY


def test_brings_back_every_time_and_loses_no_value(db):
    printer_id = save_reading.store_reading(db, reading(total=1), NOW)
    save_reading.store_reading(db, reading("127.0.0.11", total=2, alerts=(COVER_OPEN,)), AHEAD)
    save_reading.store_reading(
        db, reading("127.0.0.11", total=3, supplies=(replace(TONER, level=5),)), AHEAD + HOUR
    )
    save_reading.store_poll_failure(db, printer_id, "silent", AHEAD + 2 * HOUR)
    jobs.enqueue(db, "query", AHEAD)
    events.begin(db, "trouble", "x", "it began", AHEAD)
    later = NOW + HOUR
    assert timestamp_repair.clamp_future_times(db, later) > 0
    printer = stored_printer(db, printer_id)
    assert printer.created_at == NOW
    assert printer.changed_at == printer.seen_at == printer.failed_at == later
    assert [kept.changed_at for kept in printer.supplies] == [later]
    assert all(at <= later for at, _ in history.load_history(db, printer_id, NOW - DAY))
    assert history.load_history(db, printer_id, NOW - DAY)[-1][1] == {
        "total": 3,
        "supply:1": 5,
        "capacity:1": 100,
    }
    assert all(address.last_at <= later for address in printers.list_addresses(db, printer_id))
    assert jobs.list_recent(db)[0].put_at == events.list_recent(db)[0].begun_at == later
    assert timestamp_repair.clamp_future_times(db, later) == 0

    save_reading.store_reading(db, reading("127.0.0.11", total=4), later + HOUR)
    assert history.load_history(db, printer_id, NOW)[-1] == (later + HOUR, {"total": 4} | _levels())
    assert stored_printer(db, printer_id).changed_at == later + HOUR


def _levels():
    return {"supply:1": 60, "capacity:1": 100}


def test_leaves_the_past_alone(db):
    printer_id = save_reading.store_reading(db, reading(), NOW)
    before = stored_printer(db, printer_id)
    assert timestamp_repair.clamp_future_times(db, NOW + MINUTE) == 0
    assert stored_printer(db, printer_id) == before
