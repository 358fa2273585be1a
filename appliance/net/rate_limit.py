"""Limit a rate by a token bucket. Times are seconds of one monotonic clock."""

from dataclasses import dataclass


@dataclass(slots=True)
class TokenBucket:
    """Allow `capacity` events at once, and `refill_per_s` more in each second."""

    capacity: float
    refill_per_s: float
    tokens: float
    updated_at: float

    @classmethod
    def full(cls, capacity: float, refill_per_s: float, now: float) -> "TokenBucket":
        return cls(capacity, refill_per_s, capacity, now)

    def refill(self, now: float) -> None:
        """Add the tokens of the time that has passed."""
        self.tokens = min(self.capacity, self.tokens + (now - self.updated_at) * self.refill_per_s)
        self.updated_at = now

    def has_token(self, now: float) -> bool:
        self.refill(now)
        return self.tokens >= 1

    def try_take(self, now: float) -> bool:
        """Take a token; return False if there is none."""
        self.refill(now)
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    def drain(self, now: float) -> None:
        """Take a token for an event that cannot be refused; the bucket is never less than empty."""
        self.refill(now)
        self.tokens = max(0.0, self.tokens - 1)

    @property
    def is_full(self) -> bool:
        return self.tokens >= self.capacity

    def give_back(self) -> None:
        """Return the token of an event that is not to be counted."""
        self.tokens = min(self.capacity, self.tokens + 1)

    @property
    def available_at(self) -> float:
        """When there is a token, if none is taken before."""
        return self.updated_at + max(0.0, 1 - self.tokens) / self.refill_per_s
