"""How often addresses are asked because of strangers' traps."""

from appliance.trap_receiver.probe_limiter import AGAIN, AT_ONCE, EVERY, MOST, Visits


def test_an_address_is_asked_once_in_a_while() -> None:
    visits = Visits()
    assert visits.take("a", 1000.0)
    assert not any(visits.take("a", 1000.0 + second) for second in range(1, int(AGAIN)))
    assert visits.take("a", 1000.0 + AGAIN)


def test_many_forged_addresses_are_asked_slowly() -> None:
    visits = Visits()
    made = [number for number in range(10_000) if visits.take(f"{number}", 5000.0 + number / 100)]
    assert len(made) == AT_ONCE + 100 / EVERY - 1
    assert made[:AT_ONCE] == list(range(AT_ONCE))


def test_what_is_remembered_is_bounded() -> None:
    visits = Visits()
    for number in range(2 * MOST):
        visits.take(f"{number}", number * EVERY)
    assert len(visits._made) <= MOST
