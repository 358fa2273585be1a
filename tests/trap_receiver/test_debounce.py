"""When printers are read after traps: simulated to the tenth of a second."""

import pytest

from appliance.trap_receiver.debounce import Bundles


def readings(moments: list[float]) -> list[float]:
    """When a printer is read that sends a trap at each of these seconds."""
    bundles, read, now = Bundles(), [], 0.0
    waiting = sorted(moments)
    while waiting or bundles.next_at() is not None:
        at = bundles.next_at()
        if waiting and (at is None or waiting[0] <= at):
            now = waiting.pop(0)
            bundles.trap(7, now)
        elif at is not None:
            now = max(now, at)
            read += [now] * len(bundles.take(now))
    return read


def test_one_trap_is_one_reading_at_once() -> None:
    assert readings([10.0]) == [pytest.approx(10.3)]


@pytest.mark.parametrize("spread", [0.001, 0.1, 0.5, 1.2])
def test_fifty_traps_in_a_minute_are_two_readings_at_most(spread: float) -> None:
    moments = [number * spread for number in range(50)]
    read = readings(moments)
    assert 1 <= len(read) <= 2
    assert read[0] < 1
    assert read[-1] > moments[-1]  # the last state is right


def test_a_second_trap_after_a_while_is_read_soon_too() -> None:
    assert readings([0.0, 10.0]) == [pytest.approx(0.3), pytest.approx(11.4)]


def test_a_printer_that_never_stops_is_read_each_minute_and_last() -> None:
    moments = [number / 10 for number in range(6_000)]  # ten a second for ten minutes
    read = readings(moments)
    assert 10 <= len(read) <= 13
    assert moments[-1] < read[-1] < moments[-1] + 61


def test_full_is_not_forgotten() -> None:
    bundles = Bundles()
    bundles.trap(1, 0.0, full=True)
    bundles.trap(1, 0.1)
    bundles.trap(2, 0.1)
    assert sorted(bundles.take(1.0)) == [(1, True), (2, False)]
    bundles.trap(1, 2.0)
    assert bundles.take(100.0) == [(1, False)]


def test_what_is_remembered_is_bounded() -> None:
    bundles = Bundles()
    for number in range(25_000):
        bundles.trap(number, number * 1.0)
        if number % 100 == 99:
            bundles.take(number * 1.0 + 0.5)
    assert len(bundles._bundles) <= 10_000
