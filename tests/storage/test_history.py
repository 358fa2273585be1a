"""The past: nothing written twice, nothing lost when it is folded."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.domain.model import CounterName, PartFailure, VagueAmount
from appliance.storage import database, history, key_value, save_reading
from tests.storage.readings import DAY, HOUR, MINUTE, NOW, TONER, WASTE, counter, reading

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
START = {"total": 1000, "supply:1": 60, "capacity:1": 100}


def stored(db):
    return [json.loads(row[0]) for row in db.execute("SELECT data FROM history ORDER BY printer_id, since")]


def value_at(points, moment):
    """What the points say held at a moment."""
    before = [values for at, values in points if at <= moment]
    return before[-1] if before else {}


def test_begins_with_everything_and_goes_on_with_what_changed(db):
    save_reading.store_reading(db, reading(), NOW)
    save_reading.store_reading(db, reading(), NOW + HOUR)
    save_reading.store_reading(db, reading(total=1010), NOW + 2 * HOUR)
    save_reading.store_reading(
        db, reading(total=1010, supplies=(replace(TONER, level=59), WASTE)), NOW + 3 * HOUR
    )
    assert stored(db) == [START, {"total": 1010}, {"supply:1": 59}]
    assert history.load_history(db, 1, NOW) == [
        (NOW, START),
        (NOW + 2 * HOUR, START | {"total": 1010}),
        (NOW + 3 * HOUR, START | {"total": 1010, "supply:1": 59}),
    ]


def test_one_row_for_all_readings_of_an_hour(db):
    for minute in range(0, 30, 5):
        save_reading.store_reading(db, reading(total=1000 + minute), NOW + minute * MINUTE)
    assert stored(db) == [START | {"total": 1025}]
    assert history.load_history(db, 1, LONG_AGO) == [(NOW + 25 * MINUTE, START | {"total": 1025})]


def test_starts_with_the_values_that_held_then(db):
    save_reading.store_reading(db, reading(), NOW)
    save_reading.store_reading(db, reading(total=1010), NOW + 4 * HOUR)
    since = NOW + 2 * HOUR
    assert history.load_history(db, 1, since) == [(since, START), (NOW + 4 * HOUR, START | {"total": 1010})]
    assert history.load_history(db, 1, NOW + DAY) == [(NOW + DAY, START | {"total": 1010})]


@pytest.mark.parametrize("level", [None, VagueAmount.SOME_LEFT, VagueAmount.UNKNOWN])
def test_a_level_that_is_no_longer_said_is_absent(db, level):
    save_reading.store_reading(db, reading(), NOW)
    save_reading.store_reading(db, reading(supplies=(replace(TONER, level=level),)), NOW + HOUR)
    assert history.load_history(db, 1, NOW)[-1] == (NOW + HOUR, {"total": 1000, "capacity:1": 100})


def test_a_part_that_failed_changes_nothing(db):
    save_reading.store_reading(db, reading(), NOW)
    failed = reading(
        supplies=(), counters=(), failures=(PartFailure("supplies", "?"), PartFailure("counters", "?"))
    )
    save_reading.store_reading(db, failed, NOW + HOUR)
    assert stored(db) == [START]


def test_a_clock_that_ran_back_keeps_the_order(db):
    save_reading.store_reading(db, reading(total=1), NOW)
    save_reading.store_reading(db, reading(total=2), NOW - 3 * DAY)
    save_reading.store_reading(db, reading(total=3), NOW - 2 * DAY)
    points = history.load_history(db, 1, LONG_AGO)
    assert [values["total"] for _, values in points] == [3]
    assert NOW <= points[-1][0] < NOW + MINUTE


def test_what_is_recorded_late_joins_the_newest_row(db):
    printer_id = save_reading.store_reading(db, reading(counters=(), supplies=()), NOW)
    history.record_changes(db, printer_id, {}, {"total": 5, "scan": 1}, database.to_ms(NOW))
    history.record_changes(
        db, printer_id, {"total": 5, "scan": 1}, {"total": 6, "scan": 1}, database.to_ms(NOW - DAY)
    )
    assert history.load_history(db, printer_id, LONG_AGO) == [(NOW, {"total": 6, "scan": 1})]


def test_folds_hours_into_days_and_years_into_one(db):
    hours = 24 * 40
    for hour in range(0, hours, 6):
        save_reading.store_reading(db, reading(total=1000 + hour), NOW + hour * HOUR)
    now = NOW + hours * HOUR
    full = history.load_history(db, 1, LONG_AGO)
    history.prune_history(db, now)
    folded = history.load_history(db, 1, LONG_AGO)
    young = now - timedelta(days=31)
    assert [point for point in folded if point[0] >= young] == [point for point in full if point[0] >= young]
    old_days = [at.date() for at, _ in folded if at < young - DAY]
    assert len(old_days) == len(set(old_days)) == 8
    assert all(values == value_at(full, at) for at, values in folded)

    later = now + timedelta(days=6 * 365)
    history.prune_history(db, later)  # after years without power: not before the clock has proven itself
    assert history.load_history(db, 1, LONG_AGO) == folded
    history.prune_history(db, later + DAY)
    assert history.load_history(db, 1, LONG_AGO) == [full[-1]]


def test_a_clock_that_leapt_and_came_back_folds_nothing(db):
    for hour in range(48):
        save_reading.store_reading(db, reading(total=hour), NOW + hour * HOUR)
    before = stored(db)
    for moment in (NOW, NOW + 3650 * DAY, NOW + 3650 * DAY + HOUR, NOW + DAY, NOW + 2 * DAY):
        history.prune_history(db, moment)
    assert stored(db) == before


def test_a_box_that_runs_once_a_week_prunes_all_the_same(db):
    for hour in range(48):
        save_reading.store_reading(db, reading(total=hour), NOW + hour * HOUR)
    for week in range(12):
        history.prune_history(db, NOW + week * 7 * DAY)
    assert len(stored(db)) == 3


def test_prunes_on_after_a_clock_that_was_ahead_for_days(db):
    for hour in range(48):
        save_reading.store_reading(db, reading(total=hour), NOW + hour * HOUR)
    key_value.put(db, "history.folded_until", str(database.to_ms(NOW + 3650 * DAY)))
    history.prune_history(db, NOW + 40 * DAY)
    assert len(stored(db)) == 3


steps = st.lists(
    st.tuples(
        st.integers(1, 60 * 24 * 20),  # minutes
        st.none() | st.integers(0, 50),  # level
        st.integers(0, 3),  # pages
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=30, deadline=None)
@given(steps)
def test_whatever_happens_the_newest_values_survive_every_prune(tmp_path_factory, walk):
    db = database.open_database(tmp_path_factory.mktemp("history") / "x.db")
    try:
        now, pages = NOW, 0
        for minutes, level, more in walk:
            now, pages = now + minutes * MINUTE, pages + more
            read = reading(counters=(counter(pages),), supplies=(replace(TONER, level=level),))
            save_reading.store_reading(db, read, now)
            history.prune_history(db, now)
        expected = {"total": pages, "capacity:1": 100} | ({} if level is None else {"supply:1": level})
        assert history.load_history(db, 1, LONG_AGO)[-1][1] == expected
        times = [at for at, _ in history.load_history(db, 1, LONG_AGO)]
        assert times == sorted(times)
        assert history.collect_values((counter(1, CounterName.FAX),), ()) == {"fax": 1}
    finally:
        db.close()
