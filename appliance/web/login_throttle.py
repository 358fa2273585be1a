"""Whoever guesses passwords has to wait, ever longer, and never for ever."""

from collections import OrderedDict
from dataclasses import dataclass

from appliance.net.rate_limit import TokenBucket

FREE_FAILURES = 3  # typing errors of a person
MAX_WAIT_S = 300.0  # seconds; after them there is always one more try
FAILURES_RETENTION_S = 3600.0
MAX_ADDRESSES = 1_000  # an IPv6 neighbour has more addresses than we have memory
GLOBAL_BURST = 30  # failures that all addresses together have at once ...
GLOBAL_REFILL_PER_S = 0.5  # ... and a second: less than one guess in two seconds for the whole network


@dataclass(slots=True)
class _AddressState:
    failures: int = 0
    retry_at: float = 0.0
    last_failure_at: float = 0.0


class LoginThrottle:
    """Failed logins by address, and of everybody together. Times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._addresses: OrderedDict[str, _AddressState] = OrderedDict()
        self._trusted: OrderedDict[str, None] = OrderedDict()
        self._attempts = TokenBucket.full(GLOBAL_BURST, GLOBAL_REFILL_PER_S, 0.0)

    def seconds_to_wait(self, address: str, now: float) -> float:
        """Seconds until this address may try; 0: now."""
        known = self._addresses.get(address)
        own = max(0.0, known.retry_at - now) if known else 0.0
        # somebody who has logged in from here before is not kept out by strangers
        if address in self._trusted or self._attempts.has_token(now):
            return own
        return max(own, self._attempts.available_at - now)

    def record_attempt(self, address: str, now: float) -> None:
        """Count an attempt as failed before it is checked: a hundred at once are not one."""
        self._attempts.drain(now)
        known = self._addresses.setdefault(address, _AddressState())
        if now - known.last_failure_at > FAILURES_RETENTION_S:
            known.failures = 0
        known.failures += 1
        known.last_failure_at = now
        over = known.failures - FREE_FAILURES
        known.retry_at = now + (min(MAX_WAIT_S, 2.0 ** min(over, 20)) if over >= 0 else 0.0)
        self._addresses.move_to_end(address)
        while len(self._addresses) > MAX_ADDRESSES:
            self._addresses.popitem(last=False)

    def record_success(self, address: str) -> None:
        """The attempt that `begin` counted was right."""
        self._addresses.pop(address, None)
        self._attempts.give_back()
        self._trusted[address] = None
        self._trusted.move_to_end(address)
        while len(self._trusted) > MAX_ADDRESSES:
            self._trusted.popitem(last=False)
