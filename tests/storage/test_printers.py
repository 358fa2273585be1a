"""What the Plug knows of its printers after one reading and the next."""

import time
import tracemalloc
from dataclasses import replace
from typing import Any

import pytest

from appliance.domain.model import (
    CounterName,
    Details,
    Identity,
    InputTray,
    PartFailure,
    PollCost,
    VagueAmount,
)
from appliance.storage import address_history, database, events, history, printers
from appliance.storage.save_reading import store_poll_failure, store_reading
from tests.storage.readings import (
    COVER_OPEN,
    DAY,
    HOUR,
    LOW_PAPER,
    MINUTE,
    NOW,
    TONER,
    WASTE,
    counter,
    reading,
    stored_printer,
    target,
)

A, B, C = "127.0.0.10", "127.0.0.11", "127.0.0.12"
M1, M2 = "00267300000A", "00267300000B"


def kinds(db):
    return [event.kind for event in events.list_recent(db)]


def wal_pages(db, path):
    """How many pages the write-ahead log has grown to."""
    return (path.with_name(path.name + "-wal").stat().st_size - 32) // (4096 + 24)


def test_gives_back_what_was_read(db):
    read = reading()
    printer = stored_printer(db, store_reading(db, read, NOW))
    assert printer.target == read.target
    assert printer.identity == read.identity
    assert printer.details == read.details
    assert printer.counters == read.counters
    for part in ("supplies", "alerts", "inputs", "outputs", "storages"):
        assert tuple(kept.row for kept in getattr(printer, part)) == getattr(read, part)
    assert printer.cost == PollCost(12, 3456, 0.25)
    assert printer.plan == printers.get_poll_cache(db, printer.id) == "remembered"
    assert printer.created_at == printer.changed_at == printer.seen_at == NOW
    assert (printer.failed_at, printer.failure) == (None, None)
    assert (printer.device_group, printer.ignore) == (0, False)


def test_knows_nothing_of_a_printer_that_is_not_there(db):
    assert printers.get_printer(db, 7) is None
    assert printers.get_poll_cache(db, 7) == ""
    assert printers.list_addresses(db, 7) == []
    assert list(printers.iter_printers(db)) == []
    store_poll_failure(db, 7, "silent", NOW)
    assert printers.list_known(db) == []


class TestTimesTellTheTruth:
    def test_nothing_but_the_sighting_moves_when_nothing_changed(self, db):
        printer_id = store_reading(db, reading(), NOW)
        before = stored_printer(db, printer_id)
        again = reading(
            details=replace(reading().details, uptime=999_999), cost=PollCost(4, 500, 0.1), plan="newer"
        )
        assert store_reading(db, again, NOW + HOUR) == printer_id
        after = stored_printer(db, printer_id)
        assert after == replace(
            before,
            details=again.details,
            cost=again.cost,
            plan="newer",
            seen_at=NOW + HOUR,
        )

    @pytest.mark.parametrize(
        "change",
        [
            {"total": 1001},
            {"details": replace(reading().details, location="cellar")},
            {"identity": replace(reading().identity, model="MP C4001")},
            {"counters": (counter(1000), counter(7, CounterName.FAX))},
        ],
        ids=["a counter", "a detail", "the identity", "a counter more"],
    )
    def test_a_changed_value_moves_the_printer(self, db, change):
        printer_id = store_reading(db, reading(), NOW)
        store_reading(db, reading(**change), NOW + HOUR)
        printer = stored_printer(db, printer_id)
        assert (printer.created_at, printer.changed_at) == (NOW, NOW + HOUR)

    def test_the_source_of_a_counter_is_not_its_value(self, db):
        printer_id = store_reading(db, reading(), NOW)
        store_reading(db, reading(counters=(counter(1000, source="elsewhere"),)), NOW + HOUR)
        printer = stored_printer(db, printer_id)
        assert printer.counters[0].source == "elsewhere"
        assert printer.changed_at == NOW
        assert db.execute("SELECT changed_at FROM counters").fetchone() == (database.to_ms(NOW),)

    def test_only_the_row_that_changed_moves(self, db):
        printer_id = store_reading(db, reading(), NOW)
        first = stored_printer(db, printer_id)
        store_reading(db, reading(supplies=(replace(TONER, level=59), WASTE)), NOW + HOUR)
        printer = stored_printer(db, printer_id)
        toner, waste = printer.supplies
        assert (toner.id, toner.created_at, toner.changed_at) == (first.supplies[0].id, NOW, NOW + HOUR)
        assert waste == first.supplies[1]
        assert printer.changed_at == NOW  # a printer's own values are another matter

    def test_alerts_come_and_go_and_come_again(self, db):
        printer_id = store_reading(db, reading(), NOW)
        store_reading(db, reading(alerts=(LOW_PAPER, COVER_OPEN)), NOW + HOUR)
        first, second = stored_printer(db, printer_id).alerts
        assert (first.created_at, second.created_at) == (NOW, NOW + HOUR)
        store_reading(db, reading(alerts=(COVER_OPEN,)), NOW + 2 * HOUR)
        assert stored_printer(db, printer_id).alerts == (second,)
        store_reading(db, reading(alerts=(LOW_PAPER, COVER_OPEN)), NOW + 3 * HOUR)
        again, still = stored_printer(db, printer_id).alerts
        assert (again.row, again.created_at) == (LOW_PAPER, NOW + 3 * HOUR)
        assert again.id > second.id
        assert still == second

    def test_another_cause_at_the_same_index_is_another_alert(self, db):
        printer_id = store_reading(db, reading(), NOW)
        first = stored_printer(db, printer_id).alerts[0]
        worse = replace(LOW_PAPER, severity_level=3)
        store_reading(db, reading(alerts=(worse,)), NOW + HOUR)
        same = stored_printer(db, printer_id).alerts[0]
        assert (same.id, same.created_at, same.changed_at) == (first.id, NOW, NOW + HOUR)
        store_reading(db, reading(alerts=(replace(COVER_OPEN, index=LOW_PAPER.index),)), NOW + 2 * HOUR)
        other = stored_printer(db, printer_id).alerts[0]
        assert other.id != first.id
        assert other.created_at == NOW + 2 * HOUR

    def test_a_clock_that_ran_back_turns_no_order_around(self, db):
        printer_id = store_reading(db, reading(), NOW)
        store_reading(db, reading(total=1001, alerts=(COVER_OPEN,)), NOW - 40 * DAY)
        store_poll_failure(db, printer_id, "silent", NOW - 39 * DAY)
        printer = stored_printer(db, printer_id)
        assert printer.failed_at is not None
        assert printer.created_at < printer.changed_at <= printer.seen_at <= printer.failed_at
        assert printer.alerts[0].created_at > printer.created_at
        assert printer.changed_at - NOW < MINUTE


class TestPartsThatFailed:
    def test_keep_their_rows(self, db):
        printer_id = store_reading(db, reading(), NOW)
        before = stored_printer(db, printer_id)
        parts = ("supplies", "alerts", "inputs", "outputs", "storages", "counters")
        failed = tuple(PartFailure(part, "garbled") for part in parts)
        nothing: dict[str, Any] = dict.fromkeys(parts, ())
        store_reading(db, reading(failures=failed, **nothing), NOW + HOUR)
        assert stored_printer(db, printer_id) == replace(before, seen_at=NOW + HOUR, failures=failed)

    def test_a_part_that_was_read_is_not_spared(self, db):
        printer_id = store_reading(db, reading(), NOW)
        store_reading(db, reading(alerts=(), supplies=(), failures=(PartFailure("alerts", "?"),)), NOW + HOUR)
        printer = stored_printer(db, printer_id)
        assert [kept.row for kept in printer.alerts] == [LOW_PAPER]
        assert printer.supplies == ()

    def test_half_a_table_is_better_than_none_and_no_better_than_a_whole_one(self, db):
        half = reading(supplies=(TONER,), failures=(PartFailure("supplies", "genErr"),))
        printer_id = store_reading(db, half, NOW)
        assert [kept.row for kept in stored_printer(db, printer_id).supplies] == [TONER]
        store_reading(db, reading(), NOW + HOUR)
        store_reading(db, half, NOW + 2 * HOUR)
        assert [kept.row for kept in stored_printer(db, printer_id).supplies] == [TONER, WASTE]

    def test_counters_that_came_are_taken_and_the_others_stay(self, db):
        both = (counter(1000), counter(5, CounterName.FAX))
        printer_id = store_reading(db, reading(counters=both), NOW)
        partial = reading(counters=(counter(1001),), failures=(PartFailure("counters", "timeout"),))
        store_reading(db, partial, NOW + HOUR)
        values = {kept.name: kept.value for kept in stored_printer(db, printer_id).counters}
        assert values == {CounterName.TOTAL: 1001, CounterName.FAX: 5}

    def test_details_that_were_not_said_stay_only_when_they_failed(self, db):
        printer_id = store_reading(db, reading(), NOW)
        half = reading(details=Details(name="new name"), failures=(PartFailure("details", "timeout"),))
        store_reading(db, half, NOW + HOUR)
        printer = stored_printer(db, printer_id)
        assert (printer.details.name, printer.details.location) == ("new name", "2nd floor")
        store_reading(db, reading(details=Details(name="new name")), NOW + 2 * HOUR)
        assert stored_printer(db, printer_id).details == Details(name="new name")

    def test_who_a_printer_is_is_never_unlearned(self, db):
        printer_id = store_reading(db, reading(), NOW)
        assert store_reading(db, reading(identity=Identity()), NOW + HOUR) == printer_id
        printer = stored_printer(db, printer_id)
        assert (printer.identity, printer.changed_at) == (reading().identity, NOW)


class TestSilence:
    def test_keeps_the_last_values_with_their_age(self, db):
        printer_id = store_reading(db, reading(), NOW)
        before = stored_printer(db, printer_id)
        store_poll_failure(db, printer_id, "silent", NOW + HOUR)
        assert stored_printer(db, printer_id) == replace(before, failed_at=NOW + HOUR, failure="silent")

    def test_ends_with_an_answer(self, db):
        printer_id = store_reading(db, reading(), NOW)
        store_poll_failure(db, printer_id, "silent", NOW + HOUR)
        store_reading(db, reading(), NOW + 2 * HOUR)
        printer = stored_printer(db, printer_id)
        assert (printer.failed_at, printer.failure, printer.seen_at) == (None, None, NOW + 2 * HOUR)


class TestIdentity:
    def test_a_new_address_is_a_move_and_is_told_once(self, db):
        printer_id = store_reading(db, reading(A), NOW)
        assert store_reading(db, reading(B), NOW + HOUR) == printer_id
        assert store_reading(db, reading(B), NOW + 2 * HOUR) == printer_id
        printer = stored_printer(db, printer_id)
        assert (printer.target.host, printer.changed_at) == (B, NOW)
        assert kinds(db) == [address_history.ADDRESS_CHANGED]
        now_at, was_at = printers.list_addresses(db, printer_id)
        assert (now_at.host, now_at.first_at, now_at.last_at) == (B, NOW + HOUR, NOW + 2 * HOUR)
        assert (was_at.host, was_at.first_at, was_at.last_at) == (A, NOW, NOW)

    def test_who_was_an_address_becomes_somebody_at_the_same_id(self, db):
        nobody = store_reading(db, reading(A, None, None), NOW)
        assert store_reading(db, reading(A, None, M1), NOW + HOUR) == nobody
        assert store_reading(db, reading(A, "S1", None), NOW + 2 * HOUR) == nobody
        printer = stored_printer(db, nobody)
        assert (printer.identity.serial_number, printer.identity.mac_address) == ("S1", M1)
        assert store_reading(db, reading(C, None, M1), NOW + 3 * HOUR) == nobody

    def test_an_address_taken_over_is_not_asked_for_the_old_printer(self, db):
        old = store_reading(db, reading(A, "S1", M1), NOW)
        new = store_reading(db, reading(A, "S2", M2, total=7), NOW + HOUR)
        assert new != old
        assert [known.id for known in printers.list_known(db)] == [new]
        gone = stored_printer(db, old)
        assert (gone.counters, gone.seen_at) == ((counter(1000),), NOW)
        assert gone.failed_at == NOW + HOUR
        assert gone.failure is not None
        assert "another printer" in gone.failure
        assert store_reading(db, reading(A, None, None), NOW + 2 * HOUR) == new
        assert store_reading(db, reading(B, "S1", M1), NOW + 3 * HOUR) == old
        assert [known.id for known in printers.list_known(db)] == [old, new]
        assert stored_printer(db, old).failure is None

    def test_two_printers_that_swap_addresses_stay_themselves(self, db):
        one = store_reading(db, reading(A, "S1", M1), NOW)
        two = store_reading(db, reading(B, "S2", M2), NOW)
        assert store_reading(db, reading(A, "S2", M2), NOW + HOUR) == two
        assert store_reading(db, reading(B, "S1", M1), NOW + HOUR) == one
        assert [(known.id, known.target.host) for known in printers.list_known(db)] == [(one, B), (two, A)]

    def test_two_printers_with_one_serial_number_are_told_once_and_kept_apart(self, db):
        one = store_reading(db, reading(A, "S1", M1, total=10), NOW)
        two = store_reading(db, reading(B, "S1", M2, total=99), NOW + MINUTE)
        assert one != two
        for later in range(1, 4):
            assert store_reading(db, reading(A, "S1", M1, total=10 + later), NOW + later * HOUR) == one
            assert store_reading(db, reading(B, "S1", M2, total=99 + later), NOW + later * HOUR) == two
        assert [printer.counters[0].value for printer in printers.iter_printers(db)] == [13, 102]
        event = events.list_recent(db)[0]
        assert kinds(db) == [address_history.DUPLICATE_SERIAL]
        assert (event.subject, event.begun_at, event.ended_at) == ("S1", NOW + MINUTE, None)
        assert A in event.text
        assert B in event.text
        assert printers.find_duplicate_serials(db, NOW + 3 * HOUR) == [("s1", [one, two])]

    def test_a_double_that_went_away_is_told_once_too(self, db):
        store_reading(db, reading(A, "S1", M1), NOW)
        two = store_reading(db, reading(B, "S1", M2), NOW)
        store_poll_failure(db, two, "silent", NOW + HOUR)
        store_reading(db, reading(A, "S1", M1), NOW + HOUR)
        assert [event.ended_at for event in events.list_recent(db)] == [NOW + HOUR]
        assert printers.find_duplicate_serials(db, NOW + HOUR) == []

    def test_one_printer_at_two_addresses_is_told_and_not_doubled(self, db):
        for hour, host in enumerate([A, B, A, B, A, B]):
            assert store_reading(db, reading(host, "S1", M1), NOW + hour * HOUR) == 1
        assert kinds(db) == [address_history.MULTIPLE_ADDRESSES, address_history.ADDRESS_CHANGED]
        for hour in range(6, 40):
            store_reading(db, reading(B, "S1", M1), NOW + hour * HOUR)
        ended = events.list_recent(db)[0].ended_at
        assert ended is not None
        assert NOW + 29 * HOUR <= ended <= NOW + 31 * HOUR
        assert len(printers.list_addresses(db, 1)) == 2

    def test_back_after_a_longer_time_is_another_move(self, db):
        for day, host in enumerate([A, B, A]):
            store_reading(db, reading(host, "S1", M1), NOW + 2 * day * DAY)
            store_reading(db, reading(host, "S1", M1), NOW + (2 * day + 1) * DAY)
        assert kinds(db) == [address_history.ADDRESS_CHANGED, address_history.ADDRESS_CHANGED]

    def test_a_printer_met_before_it_said_who_it_is_does_not_stay_as_a_ghost(self, db):
        printer = store_reading(db, reading(A, "S1", M1), NOW)
        ghost = store_reading(db, reading(B, None, None), NOW + HOUR)
        assert ghost != printer
        assert store_reading(db, reading(B, "S1", M1), NOW + 2 * HOUR) == printer
        assert [known.id for known in printers.list_known(db)] == [printer]
        assert address_history.PRINTERS_MERGED in kinds(db)

    def test_a_stranger_is_no_ghost(self, db):
        stranger = store_reading(db, reading(B, None, None), NOW - HOUR)
        printer = store_reading(db, reading(A, "S1", M1), NOW)
        assert store_reading(db, reading(B, "S1", M1), NOW + HOUR) == printer
        assert stored_printer(db, stranger) is not None
        assert [known.id for known in printers.list_known(db)] == [printer]

    def test_a_name_is_an_address_that_moves(self, db):
        printer = store_reading(db, reading(A, None, None, name="copier.lan"), NOW)
        assert store_reading(db, reading(B, None, None, name="Copier.LAN"), NOW + HOUR) == printer
        assert printers.list_known(db)[0].target == target(B, "Copier.LAN")
        assert [address.host for address in printers.list_addresses(db, printer)] == [B, A]


class TestPersonsWishes:
    def test_survive_readings(self, db):
        printer_id = store_reading(db, reading(), NOW)
        printers.set_ignore(db, printer_id, True)
        printers.set_device_group(db, printer_id, 4)
        store_reading(db, reading(B, total=1001), NOW + HOUR)
        printer = stored_printer(db, printer_id)
        assert (printer.ignore, printer.device_group) == (True, 4)
        assert printers.list_known(db)[0].ignore is True

    def test_a_forgotten_printer_is_gone_with_everything_and_its_ids_are_not_given_again(self, db):
        printer_id = store_reading(db, reading(), NOW)
        old = stored_printer(db, printer_id)
        printers.delete_printer(db, printer_id)
        assert printers.get_printer(db, printer_id) is None
        assert printers.list_addresses(db, printer_id) == []
        assert history.load_history(db, printer_id, NOW - DAY) == []
        assert db.execute("SELECT count(*) FROM supplies").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM counters").fetchone() == (0,)
        again = stored_printer(db, store_reading(db, reading(), NOW + HOUR))
        assert again.id > old.id
        assert again.supplies[0].id > old.supplies[-1].id


class TestHostileReadings:
    def test_numbers_and_texts_beyond_any_database_do_no_harm(self, db):
        read = reading(
            serial="S\udc80\x00",
            details=Details(name="\ud800 \x00", uptime=2**70),
            counters=(counter(2**64), counter(-1, CounterName.FAX), counter(5, CounterName.SCAN)),
            supplies=(replace(TONER, level=2**70), replace(TONER, index=2**64), replace(TONER, index=-1)),
            plan="\udfff",
        )
        printer_id = store_reading(db, read, NOW)
        assert store_reading(db, read, NOW + HOUR) == printer_id
        store_poll_failure(db, printer_id, "bad \udc80 text", NOW)
        printer = stored_printer(db, printer_id)
        assert [kept.value for kept in printer.counters] == [5]
        assert [kept.row.level for kept in printer.supplies] == [2**70]
        assert printer.details.name == "\ud800 \x00"

    def test_a_row_that_comes_twice_is_kept_once(self, db):
        printer_id = store_reading(db, reading(supplies=(TONER, replace(TONER, level=1))), NOW)
        assert [kept.row.level for kept in stored_printer(db, printer_id).supplies] == [1]


class TestFleet:
    def test_goes_through_all_in_order_and_lets_the_caller_write_meanwhile(self, db):
        for number in range(120):
            store_reading(db, reading(f"127.0.1.{number}", f"S{number}", None), NOW)
        printers.delete_printer(db, 60)
        seen = []
        for printer in printers.iter_printers(db):
            seen.append(printer.id)
            printers.set_device_group(db, printer.id, 1)
        assert seen == [number for number in range(1, 121) if number != 60]

    def test_a_thousand_printers_are_read_quickly_and_in_little_memory(self, db):
        trays = tuple(
            InputTray(
                number,
                max_capacity=550,
                current_level=VagueAmount.SOME_LEFT,
                media_name="A4",
                name=f"Tray {number}",
            )
            for number in range(1, 27)
        )
        with database.transaction(db):
            for number in range(1000):
                host = f"127.0.{number // 250}.{number % 250}"
                store_reading(db, reading(host, f"S{number}", None, inputs=trays, plan="p" * 2000), NOW)
        started = time.process_time()
        found = sum(len(printer.inputs) for printer in printers.iter_printers(db))
        spent = time.process_time() - started
        assert found == 26_000
        assert spent < 1.0  # 0.35 s on an idle machine
        started = time.process_time()
        assert len(printers.list_known(db)) == 1000
        assert time.process_time() - started < 0.1
        tracemalloc.start()
        for _ in printers.iter_printers(db):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 5_000_000

    def test_an_unchanged_printer_costs_one_page_of_the_card(self, db, home):
        path = home / "printmonitor.db"
        for number in range(20):
            store_reading(db, reading(f"127.0.1.{number}", f"S{number}", None, plan="p" * 9000), NOW)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for number in range(20):
            store_reading(db, reading(f"127.0.1.{number}", f"S{number}", None, plan="p" * 9000), NOW + HOUR)
        assert wal_pages(db, path) <= 20


def test_what_a_reading_left_out_stands_until_the_next_one(db):
    failures, notes = (PartFailure("alerts", "stopped answering"),), ("the web page wants a password",)
    known = store_reading(db, replace(reading(), failures=failures, notes=notes), NOW)
    store_poll_failure(db, known, "silent", NOW + HOUR)
    kept = stored_printer(db, known)
    assert (kept.failures, kept.notes) == (failures, notes)

    store_reading(db, reading(), NOW + 2 * HOUR)
    kept = stored_printer(db, known)
    assert (kept.failures, kept.notes) == ((), ())


def test_remarks_have_bounds(db):
    endless = replace(reading(), notes=("x" * 100_000,) * 100)
    kept = stored_printer(db, store_reading(db, endless, NOW))
    assert sum(map(len, kept.notes)) <= 20 * 500
