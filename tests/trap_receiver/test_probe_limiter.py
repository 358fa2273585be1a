"""How often addresses are asked because of strangers' traps."""

from appliance.trap_receiver.probe_limiter import (
    MAX_ADDRESSES,
    MAX_BURST_PROBES,
    MIN_REPEAT_INTERVAL_S,
    PROBE_INTERVAL_S,
    ProbeLimiter,
)


def test_an_address_is_asked_once_in_a_while() -> None:
    visits = ProbeLimiter()
    assert visits.try_acquire("a", 1000.0)
    assert not any(
        visits.try_acquire("a", 1000.0 + second) for second in range(1, int(MIN_REPEAT_INTERVAL_S))
    )
    assert visits.try_acquire("a", 1000.0 + MIN_REPEAT_INTERVAL_S)


def test_many_forged_addresses_are_asked_slowly() -> None:
    visits = ProbeLimiter()
    made = [number for number in range(10_000) if visits.try_acquire(f"{number}", 5000.0 + number / 100)]
    assert len(made) == MAX_BURST_PROBES + 100 / PROBE_INTERVAL_S - 1
    assert made[:MAX_BURST_PROBES] == list(range(MAX_BURST_PROBES))


def test_what_is_remembered_is_bounded() -> None:
    visits = ProbeLimiter()
    for number in range(2 * MAX_ADDRESSES):
        visits.try_acquire(f"{number}", number * PROBE_INTERVAL_S)
    assert len(visits._last_probes) <= MAX_ADDRESSES
