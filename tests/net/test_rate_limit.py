"""A token bucket allows a burst, then a rate."""

from appliance.net.rate_limit import TokenBucket


def test_a_burst_then_a_rate() -> None:
    bucket = TokenBucket.full(3, 0.5, 100.0)
    assert [bucket.try_take(100.0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.try_take(101.9)
    assert bucket.try_take(102.0)
    assert not bucket.try_take(102.0)


def test_a_long_rest_fills_it_to_the_brim_only() -> None:
    bucket = TokenBucket.full(3, 0.5, 0.0)
    bucket.try_take(0.0)
    assert not bucket.is_full
    bucket.refill(2.0)
    assert bucket.is_full
    assert sum(bucket.try_take(1_000_000.0) for _ in range(10)) == 3


def test_a_refused_event_costs_nothing() -> None:
    bucket = TokenBucket.full(1, 1.0, 0.0)
    assert bucket.try_take(0.0)
    assert not any(bucket.try_take(tenth / 10) for tenth in range(1, 10))
    assert bucket.try_take(1.0)


def test_when_the_next_token_is_there() -> None:
    bucket = TokenBucket.full(2, 0.25, 10.0)
    assert bucket.available_at == 10.0
    bucket.try_take(10.0)
    bucket.try_take(10.0)
    assert bucket.available_at == 14.0
    bucket.refill(12.0)
    assert bucket.available_at == 14.0
    assert bucket.try_take(bucket.available_at)


def test_an_event_that_cannot_be_refused_empties_it_at_most() -> None:
    bucket = TokenBucket.full(2, 1.0, 0.0)
    for _ in range(10):
        bucket.drain(0.0)
    assert not bucket.has_token(0.9)
    assert bucket.has_token(1.0)


def test_a_token_that_is_given_back() -> None:
    bucket = TokenBucket.full(1, 1.0, 0.0)
    bucket.try_take(0.0)
    bucket.give_back()
    bucket.give_back()
    assert bucket.tokens == 1
    assert bucket.try_take(0.0)
