"""Page counters: what cannot be is held until it is confirmed; what is sent is what is believed."""

import pytest

from appliance.domain.model import CounterName, PartFailure
from appliance.storage import counters, database, events, history, save_reading
from tests.storage.readings import DAY, HOUR, MINUTE, NOW, counter, reading, stored_printer

TOTAL = CounterName.TOTAL


@pytest.fixture
def known(db):
    """A printer that has printed 100,000 pages."""
    return save_reading.store_reading(db, reading(total=100_000), NOW)


def total(db, printer_id):
    """Value, held value, reason."""
    one = next(each for each in stored_printer(db, printer_id).counters if each.name is TOTAL)
    return one.value, one.held, one.held_reason


def past(db, printer_id):
    return [values["total"] for _, values in history.load_history(db, printer_id, NOW)]


@pytest.mark.parametrize("step", [0, 1, 500, 12_000])
def test_what_a_printer_can_print_is_believed(db, known, step):
    save_reading.store_reading(db, reading(total=100_000 + step), NOW + HOUR)

    assert total(db, known) == (100_000 + step, None, None)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (99_999, "counts backwards, from 100000 to 99999"),
        (0, "counts backwards, from 100000 to 0"),
        (120_000, "leaps by 20000 pages in 60 minutes"),
        (2**31, "leaps by 2147383648 pages in 60 minutes"),
    ],
)
def test_what_it_cannot_is_held_and_shown(db, known, value, reason):
    save_reading.store_reading(db, reading(total=value), NOW + HOUR)

    assert total(db, known) == (100_000, value, reason)
    assert past(db, known) == [100_000]
    assert [event.text for event in events.list_ongoing(db)] == [
        f"printer {known}: total {reason}; held until it is confirmed"
    ]


@pytest.mark.parametrize("value", [12, 250_000])
def test_a_second_reading_that_goes_on_confirms(db, known, value):
    save_reading.store_reading(db, reading(total=value), NOW + HOUR)
    save_reading.store_reading(db, reading(total=value + 30), NOW + 2 * HOUR)

    assert total(db, known) == (value + 30, None, None)
    assert past(db, known) == [100_000, value + 30]
    assert events.list_ongoing(db) == []


@pytest.mark.parametrize("value", [0, 250_000])
def test_a_reading_a_moment_later_confirms_nothing(db, known, value):
    """A printer that starts up tells nonsense for a while, and a trap has it read again at once."""
    save_reading.store_reading(db, reading(total=value), NOW + HOUR)
    save_reading.store_reading(db, reading(total=value), NOW + HOUR + MINUTE)
    assert total(db, known)[:2] == (100_000, value)

    save_reading.store_reading(db, reading(total=value), NOW + HOUR + 6 * MINUTE)
    assert total(db, known) == (value, None, None)


@pytest.mark.parametrize("value", [0, 250_000])
def test_a_reading_on_the_old_line_drops_what_was_held(db, known, value):
    save_reading.store_reading(db, reading(total=value), NOW + HOUR)
    save_reading.store_reading(db, reading(total=100_040), NOW + 2 * HOUR)

    assert total(db, known) == (100_040, None, None)
    assert past(db, known) == [100_000, 100_040]


def test_nonsense_after_nonsense_is_held_anew(db, known):
    for hour, value in enumerate((5_000_000, 7, 9_000_000), 1):
        save_reading.store_reading(db, reading(total=value), NOW + hour * HOUR)
        assert total(db, known)[:2] == (100_000, value)
    assert len(events.list_recent(db)) == 1


def test_a_person_confirms(db, known):
    save_reading.store_reading(db, reading(counters=(counter(12), counter(900, CounterName.FAX))), NOW + HOUR)
    save_reading.store_reading(
        db, reading(counters=(counter(12), counter(3, CounterName.FAX))), NOW + HOUR + MINUTE
    )

    assert counters.confirm_held(db, known, "total") == ["total"]
    assert total(db, known) == (12, None, None)
    assert past(db, known)[-1] == 12
    assert counters.confirm_held(db, known) == ["fax"]
    assert counters.confirm_held(db, known) == []
    assert events.list_ongoing(db) == []


def test_a_counter32_that_begins_anew_goes_on(db):
    printer_id = save_reading.store_reading(db, reading(total=2**32 - 50), NOW)
    save_reading.store_reading(db, reading(total=100), NOW + HOUR)

    assert total(db, printer_id) == (100, None, None)


def test_a_long_gap_allows_much(db, known):
    save_reading.store_reading(db, reading(total=400_000), NOW + 30 * DAY)

    assert total(db, known) == (400_000, None, None)


def test_the_printers_clock_counts_where_ours_stood_still(db, known):
    before = reading().details.uptime
    assert before is not None
    details = stored_printer(db, known).details
    later = 60 * 60 * 24 * 100

    save_reading.store_reading(
        db, reading(total=200_000, details=replaced(details, before + later)), NOW + MINUTE
    )

    assert total(db, known) == (200_000, None, None)


def replaced(details, uptime):
    return type(details)(name=details.name, uptime=uptime)


def test_a_counter_that_is_no_longer_told_stays_a_week(db, known):
    save_reading.store_reading(db, reading(counters=()), NOW + HOUR)
    assert total(db, known) == (100_000, None, None)
    changed = stored_printer(db, known).changed_at

    save_reading.store_reading(db, reading(counters=()), NOW + 7 * DAY)
    assert (total(db, known)[0], stored_printer(db, known).changed_at) == (100_000, changed)

    save_reading.store_reading(db, reading(counters=()), NOW + 7 * DAY + 2 * HOUR)
    assert stored_printer(db, known).counters == ()
    assert stored_printer(db, known).changed_at == NOW + 7 * DAY + 2 * HOUR


def test_a_counter_that_is_told_again_goes_on(db, known):
    save_reading.store_reading(db, reading(counters=()), NOW + HOUR)
    save_reading.store_reading(db, reading(total=140_000), NOW + DAY)

    assert total(db, known) == (140_000, None, None)
    assert db.execute("SELECT missing_since FROM counters").fetchone() == (None,)


def test_a_table_that_failed_loses_no_counter(db, known):
    failure = PartFailure("counters", "timed out")
    for day in range(1, 30):
        save_reading.store_reading(db, reading(counters=(), failures=(failure,)), NOW + day * DAY)

    assert total(db, known) == (100_000, None, None)


def test_a_dispute_comes_and_goes(db, known):
    disputed = counter(100_001)
    disputed = type(disputed)(TOTAL, 100_001, disputed.source, dispute="100001 by a, but 3 by b")
    save_reading.store_reading(db, reading(counters=(disputed,)), NOW + HOUR)
    assert stored_printer(db, known).counters[0].dispute == "100001 by a, but 3 by b"

    save_reading.store_reading(db, reading(total=100_001), NOW + 2 * HOUR)
    assert stored_printer(db, known).counters[0].dispute is None


def test_an_older_database_gets_the_new_columns(home):
    path = home / "printmonitor.db"
    with database.transaction(db := database.open_database(path)):
        db.execute("SELECT dispute, missing_since FROM counters")
    assert db.execute("PRAGMA user_version").fetchone()[0] == len(database.MIGRATION_SCRIPTS)
    db.close()


@pytest.mark.parametrize(
    ("before", "after", "minutes", "believed"),
    [
        (10, 10, 0, True),
        (10, 1_010, 0, True),
        (10, 1_011, 0, False),
        (10, 1_210, 1, True),
        (10, 9, 60, False),
        (2**32 - 1, 5, 1, True),
        (2**32 - 1, 50_000, 1, False),
        (2**31 - 1, 5, 1, False),
    ],
)
def test_steps(before, after, minutes, believed):
    assert (counters.implausible_reason(before, after, minutes * counters.MS_PER_MINUTE) is None) is believed
