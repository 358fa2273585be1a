"""How often an address is asked because a stranger's trap came from there: a sender is easily forged."""

from appliance.net.rate_limit import TokenBucket

MIN_REPEAT_INTERVAL_S = 600.0  # seconds, for one address
MAX_BURST_PROBES = 5  # addresses
PROBE_INTERVAL_S = 10.0  # seconds for each further one
MAX_ADDRESSES = 1_024  # addresses remembered


class ProbeLimiter:
    """Times are those of one steady clock."""

    def __init__(self) -> None:
        self._last_probes: dict[str, float] = {}  # the oldest first
        self._bucket = TokenBucket.full(MAX_BURST_PROBES, 1 / PROBE_INTERVAL_S, 0.0)

    def try_acquire(self, host: str, now: float) -> bool:
        """Whether somebody may go there now; that is one visit."""
        made = self._last_probes.get(host)
        if made is not None and now - made < MIN_REPEAT_INTERVAL_S:
            return False
        if not self._bucket.try_take(now):
            return False
        self._last_probes.pop(host, None)
        if len(self._last_probes) >= MAX_ADDRESSES:
            del self._last_probes[next(iter(self._last_probes))]
        self._last_probes[host] = now
        return True
