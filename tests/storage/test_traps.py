"""The ring of traps: bounded, whoever sends however much."""

import sqlite3
from datetime import UTC, datetime, timedelta

from appliance.domain.model import Trap
from appliance.storage import printers, save_reading, traps
from appliance.storage.traps import ReceivedTrap
from tests.storage.readings import reading

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
JAM = Trap("printerV2Alert", oid="1.3.6.1.2.1.43.18.2.0.1", uptime=1, text="jam", objects=("a = 1", "b = 2"))


def came(sender: str, text: str = "jam", printer_id: int | None = None, minutes: float = 0) -> ReceivedTrap:
    return ReceivedTrap(sender, printer_id, Trap("x", text=text), NOW + timedelta(minutes=minutes))


def test_a_trap_comes_back_as_it_was_but_for_the_uptime(db: sqlite3.Connection) -> None:
    traps.save_traps(db, [ReceivedTrap("10.0.0.1", None, JAM, NOW)])
    (kept,) = traps.list_recent(db)
    assert (kept.sender, kept.printer_id, kept.times, kept.last_at) == ("10.0.0.1", None, 1, NOW)
    assert (kept.trap.kind, kept.trap.objects, kept.trap.uptime) == (JAM.kind, JAM.objects, None)


def test_what_repeats_itself_is_counted(db: sqlite3.Connection) -> None:
    traps.save_traps(db, [came("10.0.0.1"), came("10.0.0.1", minutes=1)])
    traps.save_traps(db, [came("10.0.0.1", minutes=2), came("10.0.0.2", minutes=2)])
    assert [(each.sender, each.times) for each in traps.list_recent(db)] == [("10.0.0.2", 1), ("10.0.0.1", 3)]
    traps.save_traps(db, [came("10.0.0.1", minutes=60)])
    assert traps.list_recent(db)[0].times == 1  # long after it is news again
    assert traps.count_since(db, NOW) == 5


def test_one_sender_cannot_fill_the_ring(db: sqlite3.Connection) -> None:
    traps.save_traps(db, [came("10.0.0.2")])
    for number in range(0, 250, 50):
        traps.save_traps(db, [came("10.0.0.1", str(each)) for each in range(number, number + 50)])
    kept = traps.list_recent(db, 10_000)
    assert sum(each.sender == "10.0.0.1" for each in kept) == traps.MAX_TRAPS_PER_SENDER
    assert "10.0.0.2" in {each.sender for each in kept}
    assert kept[0].trap.text == "249"


def test_strangers_cannot_push_out_what_the_printers_said(db: sqlite3.Connection) -> None:
    printer_id = save_reading.store_reading(db, reading(), NOW)
    traps.save_traps(db, [came("10.0.0.1", printer_id=printer_id)])
    traps.save_traps(
        db, [came(f"10.1.{number // 250}.{number % 250}", str(number)) for number in range(2_000)]
    )
    assert len(traps.list_recent(db, 10_000)) == traps.MAX_TRAPS_UNKNOWN_SENDERS + 1
    assert len(traps.list_recent(db, printer_id=printer_id)) == 1


def test_a_forgotten_printers_traps_are_a_strangers(db: sqlite3.Connection) -> None:
    printer_id = save_reading.store_reading(db, reading(), NOW)
    traps.save_traps(db, [came("10.0.0.1", printer_id=printer_id)])
    printers.delete_printer(db, printer_id)
    assert traps.list_recent(db)[0].printer_id is None
    traps.save_traps(
        db, [came("10.0.0.1", "later", printer_id=printer_id)]
    )  # it was forgotten on the way here


def test_drops_are_counted(db: sqlite3.Connection) -> None:
    traps.add_dropped(db, {"not understood": 2})
    traps.add_dropped(db, {"not understood": 3, "too many": 1})
    assert traps.get_dropped_counts(db) == {"not understood": 5, "too many": 1}


def test_what_is_owed_is_settled_up_to_a_moment(db: sqlite3.Connection) -> None:
    printer_id = save_reading.store_reading(db, reading(), NOW)
    traps.mark_reports_pending(db, [printer_id, 4711], NOW)
    assert traps.list_pending_reports(db) == [printer_id]
    traps.mark_reports_pending(
        db, [printer_id], NOW + timedelta(seconds=10)
    )  # read again while a parcel was made
    traps.clear_pending_reports(db, NOW + timedelta(seconds=5))
    assert traps.list_pending_reports(db) == [printer_id]
    traps.clear_pending_reports(db, NOW + timedelta(seconds=10))
    assert traps.list_pending_reports(db) == []
