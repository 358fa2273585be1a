"""When runs are due, whatever the clock and the seasons do."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.domain.schedule import (
    LastRuns,
    RunSchedule,
    clamp_future_runs,
    due_run,
    next_discover_at,
    next_query_at,
    next_run_at,
    start_offset,
)

ZURICH = ZoneInfo("Europe/Zurich")
HOUR = timedelta(hours=1)
HOURLY = RunSchedule(HOUR, (), UTC)


def nightly(*times: time, zone: ZoneInfo = ZURICH) -> RunSchedule:
    return RunSchedule(timedelta(days=3650), times or (time(2),), zone)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def runs(plan: RunSchedule, times: list[datetime], done: LastRuns) -> list[tuple[str, datetime]]:
    """What a Plug that looks at these times, one after the other, begins."""
    begun: list[tuple[str, datetime]] = []
    for now in times:
        done = clamp_future_runs(done, now)
        while kind := due_run(plan, done, now):
            begun.append((kind, now))
            done = LastRuns(
                query=now if kind == "query" else done.query,
                discover=now if kind == "discover" else done.discover,
            )
            assert len(begun) < 1000
    return begun


def every(step: timedelta, since: datetime, until: datetime) -> list[datetime]:
    return [since + number * step for number in range((until - since) // step + 1)]


def discoveries(plan: RunSchedule, since: str, until: str) -> list[str]:
    """The local times of what is begun between two UTC times, after an earlier run."""
    times = every(timedelta(minutes=5), utc(since), utc(until))
    done = LastRuns(query=times[-1], discover=utc(since))
    begun = [now for kind, now in runs(plan, times, done) if kind == "discover"]
    return [now.astimezone(plan.zone).strftime("%d. %H:%M") for now in begun]


def test_a_new_plug_discovers_at_once_and_then_queries() -> None:
    now = utc("2026-11-22 10:17")
    assert [kind for kind, _ in runs(RunSchedule(HOUR, (time(2),), ZURICH), [now], LastRuns())] == [
        "discover",
        "query",
    ]


def test_queries_come_at_the_same_minute_however_often_the_plug_restarts() -> None:
    plan = RunSchedule(HOUR, (), UTC, offset=timedelta(minutes=20))
    times = every(timedelta(minutes=1), utc("2026-11-22 10:00"), utc("2026-11-22 13:59"))
    begun = runs(plan, times, LastRuns(query=utc("2026-11-22 09:30")))
    assert [now.strftime("%H:%M") for _, now in begun] == ["10:20", "11:20", "12:20", "13:20"]


def test_a_restart_after_a_run_begins_no_other() -> None:
    assert due_run(HOURLY, LastRuns(query=utc("2026-11-22 10:00")), utc("2026-11-22 10:59")) is None
    assert due_run(HOURLY, LastRuns(query=utc("2026-11-22 09:59")), utc("2026-11-22 10:00")) == "query"


def test_every_plug_has_a_minute_of_its_own() -> None:
    offsets = {start_offset(f"printmonitor-{number:06x}", HOUR) for number in range(100)}
    assert len(offsets) > 90
    assert all(timedelta() <= each < HOUR for each in offsets)
    assert start_offset("printmonitor-4f2a91", HOUR) == start_offset("printmonitor-4f2a91", HOUR)


def test_discovery_goes_by_local_time() -> None:
    assert discoveries(nightly(), "2026-01-10 12:00", "2026-01-12 12:00") == ["11. 02:00", "12. 02:00"]
    assert discoveries(nightly(), "2026-07-10 12:00", "2026-07-12 12:00") == ["11. 02:00", "12. 02:00"]


def test_several_times_a_day() -> None:
    plan = nightly(time(2), time(12, 30))
    assert discoveries(plan, "2026-01-10 12:00", "2026-01-11 12:00") == ["11. 02:00", "11. 12:30"]


def test_a_time_that_the_clocks_skip_is_run_once_all_the_same() -> None:
    plan = nightly(time(2, 30))  # on 2026-03-29, 02:00 is followed by 03:00
    assert discoveries(plan, "2026-03-28 00:00", "2026-03-30 12:00") == [
        "28. 02:30",
        "29. 03:30",
        "30. 02:30",
    ]


def test_a_time_that_comes_twice_is_run_once() -> None:
    plan = nightly(time(2, 30))  # on 2026-10-25, 03:00 is followed by 02:00
    assert discoveries(plan, "2026-10-24 00:00", "2026-10-26 12:00") == [
        "24. 02:30",
        "25. 02:30",
        "26. 02:30",
    ]


def test_a_day_that_a_zone_skips_has_its_run_on_the_next() -> None:
    plan = nightly(zone=ZoneInfo("Pacific/Apia"))  # there was no 2011-12-30
    assert discoveries(plan, "2011-12-29 00:00", "2012-01-01 00:00") == [
        "29. 02:00",
        "31. 02:00",
        "01. 02:00",
    ]


def test_never_is_never() -> None:
    assert due_run(HOURLY, LastRuns(query=utc("2036-01-01")), utc("2026-11-22")) is None
    assert next_discover_at(HOURLY, utc("2026-11-22")) is None


def test_a_run_missed_while_switched_off_is_made_up_for_once() -> None:
    begun = runs(
        nightly(),
        [utc("2026-11-22 08:00"), utc("2026-11-22 09:00")],
        LastRuns(utc("2026-11-22"), utc("2026-11-12")),
    )
    assert begun == [("discover", utc("2026-11-22 08:00"))]


def test_a_clock_that_leaps_years_owes_one_run_of_each_kind() -> None:
    plan = RunSchedule(HOUR, (time(2), time(14)), ZURICH)
    start = utc("2026-01-01 10:00")
    times = [start, start + timedelta(minutes=1), utc("2036-11-22 10:00"), utc("2036-11-22 10:01")]
    begun = runs(plan, times, LastRuns(start, start))
    assert begun == [("discover", times[2]), ("query", times[2])]


def test_a_clock_that_goes_back_years_does_not_silence_the_plug() -> None:
    plan = RunSchedule(HOUR, (time(2),), ZURICH)
    wrong, right = utc("2036-11-22 10:00"), utc("2026-11-22 10:17")
    times = every(timedelta(minutes=1), right, right + timedelta(days=1))
    begun = runs(plan, [wrong, *times], LastRuns(wrong, wrong))
    assert [kind for kind, _ in begun].count("discover") == 1
    assert [kind for kind, _ in begun].count("query") == 24
    assert begun[0] == ("query", utc("2026-11-22 11:00"))


def test_an_ordinary_correction_repeats_no_run() -> None:
    times = [utc("2026-11-22 10:00:01"), utc("2026-11-22 09:59:58"), utc("2026-11-22 10:00:02")]
    assert len(runs(HOURLY, times, LastRuns(utc("2026-11-22 09:30")))) == 1


def test_the_next_times_are_told() -> None:
    plan = RunSchedule(HOUR, (time(2),), ZURICH, offset=timedelta(minutes=5))
    now = utc("2026-11-22 10:17")
    assert next_query_at(plan, now) == utc("2026-11-22 11:05")
    assert next_discover_at(plan, now) == utc("2026-11-23 01:00")
    assert next_run_at(plan, now) == utc("2026-11-22 11:05")
    assert next_run_at(plan, utc("2026-11-23 00:30")) == utc("2026-11-23 01:00")


moments = st.datetimes(datetime(2026, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(
    st.lists(moments, min_size=1, max_size=30),
    st.sampled_from([timedelta(minutes=1), HOUR, timedelta(minutes=7), timedelta(days=31)]),
    st.lists(st.times().map(lambda at: at.replace(second=0, microsecond=0)), max_size=3),
    st.sampled_from(["Europe/Zurich", "America/Sao_Paulo", "Australia/Lord_Howe", "UTC"]),
)
@settings(max_examples=150, deadline=None)
def test_however_the_clock_jumps_each_look_begins_at_most_one_run_of_a_kind(
    looks: list[datetime], query_every: timedelta, at: list[time], zone: str
) -> None:
    plan = RunSchedule(query_every, tuple(at), ZoneInfo(zone))
    begun = runs(plan, looks, LastRuns())
    assert len(begun) <= 2 * len(looks)
    for now in looks:
        assert next_run_at(plan, now) > now
    # and whatever came before, a Plug that goes on for a month runs each of its times
    after = every(timedelta(hours=6), looks[-1], looks[-1] + timedelta(days=32))
    later = runs(plan, after, clamp_future_runs(LastRuns(max(looks), max(looks)), looks[-1]))
    assert ("query" in dict(later)) is True
    assert ("discover" in dict(later)) is bool(at)
