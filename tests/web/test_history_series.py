import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.web.history_series import LevelPoint, forecast_depletion

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def days(levels: list[float]) -> list[LevelPoint]:
    return [(NOW - timedelta(days=len(levels) - 1 - index), level) for index, level in enumerate(levels)]


def test_even_use_gives_a_sure_day() -> None:
    found = forecast_depletion(days([100.0 - 2 * day for day in range(26)]), NOW)
    assert found
    assert found.day == (NOW + timedelta(days=25)).date()
    assert found.latest
    assert (found.latest - found.earliest).days <= 4
    assert found.percent_per_day == pytest.approx(2)


def test_uneven_use_gives_a_wide_span() -> None:
    uneven = forecast_depletion(days([100, 100, 100, 85, 85, 85, 85, 70, 70, 70, 70, 55, 55, 55, 50]), NOW)
    assert uneven
    assert uneven.latest is None or (uneven.latest - uneven.earliest).days > 5


@pytest.mark.parametrize(
    "levels",
    [
        [],
        [80],
        [80, 79, 78],  # too few
        [80, 80, 80, 80, 80, 80, 80],  # nothing used
        [80, 80, 80, 79, 79, 79, 79, 78],  # too little used
        [10, 8, 6, 4, 100, 99, 98],  # too new after a change
    ],
)
def test_thin_data_gives_no_day(levels: list[float]) -> None:
    assert forecast_depletion(days(levels), NOW) is None


def test_only_the_present_cartridge_counts() -> None:
    old = [40.0, 30, 20, 10]
    new = [100.0 - day for day in range(21)]
    found = forecast_depletion(days([*old, *new]), NOW)
    assert found
    assert found.percent_per_day == pytest.approx(1, abs=0.05)
    assert found.readings == len(new)


def test_nobody_is_told_of_a_day_in_ten_years() -> None:
    assert (
        forecast_depletion(
            [(NOW - timedelta(days=days), 97 + days / 60) for days in range(180, -1, -30)], NOW
        )
        is None
    )


def test_the_true_day_lies_in_the_span() -> None:
    chance = random.Random(7)
    inside = 0
    for _ in range(200):
        level, levels = 100.0, []
        while level > 0:
            levels.append(level)
            level -= chance.choice([0, 0, 1, 2, 3, 4])
        seen = len(levels) // 2
        found = forecast_depletion(days([float(round(each)) for each in levels[:seen]]), NOW)
        if found:
            truth = (NOW + timedelta(days=len(levels) - seen)).date()
            inside += found.earliest <= truth <= (found.latest or truth)
    assert inside >= 180  # 19 of 20 are meant


@given(st.lists(st.tuples(st.integers(0, 400), st.floats(0, 100)), max_size=40))
def test_nothing_makes_it_fail(points: list[tuple[int, float]]) -> None:
    ordered = sorted((NOW - timedelta(hours=6 * back), level) for back, level in points)
    found = forecast_depletion(ordered, NOW)
    if found:
        assert found.earliest <= found.day <= (found.latest or found.day)
        assert found.earliest >= NOW.date()
