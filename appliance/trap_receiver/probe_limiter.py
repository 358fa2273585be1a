"""How often an address is asked because a stranger's trap came from there: a sender is easily forged."""

MIN_REPEAT_INTERVAL_S = 600.0  # seconds, for one address
MAX_BURST_PROBES = 5  # addresses
PROBE_INTERVAL_S = 10.0  # seconds for each further one
MAX_ADDRESSES = 1_024  # addresses remembered


class ProbeLimiter:
    """Times are those of one steady clock."""

    def __init__(self) -> None:
        self._last_probes: dict[str, float] = {}  # the oldest first
        self._tokens, self._refilled_at = float(MAX_BURST_PROBES), 0.0

    def try_acquire(self, host: str, now: float) -> bool:
        """Whether somebody may go there now; that is one visit."""
        made = self._last_probes.get(host)
        self._tokens = min(MAX_BURST_PROBES, self._tokens + (now - self._refilled_at) / PROBE_INTERVAL_S)
        self._refilled_at = now
        if self._tokens < 1 or (made is not None and now - made < MIN_REPEAT_INTERVAL_S):
            return False
        self._tokens -= 1
        self._last_probes.pop(host, None)
        if len(self._last_probes) >= MAX_ADDRESSES:
            del self._last_probes[next(iter(self._last_probes))]
        self._last_probes[host] = now
        return True
