"""Whoever guesses passwords has to wait, ever longer, and never for ever."""

from collections import OrderedDict
from dataclasses import dataclass

FREE = 3  # typing errors of a person
LONGEST_WAIT = 300.0  # seconds; after them there is always one more try
FORGOTTEN_AFTER = 3600.0
MOST_ADDRESSES = 1_000  # an IPv6 neighbour has more addresses than we have memory
BURST = 30  # failures that all addresses together have at once ...
REFILL = 0.5  # ... and a second: less than one guess in two seconds for the whole network


@dataclass(slots=True)
class _Address:
    failures: int = 0
    free_at: float = 0.0
    touched_at: float = 0.0


class Attempts:
    """Failed logins by address, and of everybody together. Times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._addresses: OrderedDict[str, _Address] = OrderedDict()
        self._trusted: OrderedDict[str, None] = OrderedDict()
        self._tokens = float(BURST)
        self._tokens_at = 0.0

    def wait(self, address: str, now: float) -> float:
        """Seconds until this address may try; 0: now."""
        self._refill(now)
        known = self._addresses.get(address)
        own = max(0.0, known.free_at - now) if known else 0.0
        # somebody who has logged in from here before is not kept out by strangers
        everybody = 0.0 if self._tokens >= 1 or address in self._trusted else (1 - self._tokens) / REFILL
        return max(own, everybody)

    def begin(self, address: str, now: float) -> None:
        """Count an attempt as failed before it is checked: a hundred at once are not one."""
        self._refill(now)
        self._tokens = max(0.0, self._tokens - 1)
        known = self._addresses.setdefault(address, _Address())
        if now - known.touched_at > FORGOTTEN_AFTER:
            known.failures = 0
        known.failures += 1
        known.touched_at = now
        over = known.failures - FREE
        known.free_at = now + (min(LONGEST_WAIT, 2.0 ** min(over, 20)) if over >= 0 else 0.0)
        self._addresses.move_to_end(address)
        while len(self._addresses) > MOST_ADDRESSES:
            self._addresses.popitem(last=False)

    def succeeded(self, address: str) -> None:
        """The attempt that `begin` counted was right."""
        self._addresses.pop(address, None)
        self._tokens = min(float(BURST), self._tokens + 1)
        self._trusted[address] = None
        self._trusted.move_to_end(address)
        while len(self._trusted) > MOST_ADDRESSES:
            self._trusted.popitem(last=False)

    def _refill(self, now: float) -> None:
        if self._tokens_at:
            self._tokens = min(float(BURST), self._tokens + (now - self._tokens_at) * REFILL)
        self._tokens_at = now
