"""How often an address is asked because a stranger's trap came from there: a sender is easily forged."""

AGAIN = 600.0  # seconds, for one address
AT_ONCE = 5  # addresses
EVERY = 10.0  # seconds for each further one
MOST = 1_024  # addresses remembered


class Visits:
    """Times are those of one steady clock."""

    def __init__(self) -> None:
        self._made: dict[str, float] = {}  # the oldest first
        self._left, self._at = float(AT_ONCE), 0.0

    def take(self, host: str, now: float) -> bool:
        """Whether somebody may go there now; that is one visit."""
        made = self._made.get(host)
        self._left = min(AT_ONCE, self._left + (now - self._at) / EVERY)
        self._at = now
        if self._left < 1 or (made is not None and now - made < AGAIN):
            return False
        self._left -= 1
        self._made.pop(host, None)
        if len(self._made) >= MOST:
            del self._made[next(iter(self._made))]
        self._made[host] = now
        return True
