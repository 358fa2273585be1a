"""What the poller does about a clock that somebody sets: it says so, and puts right what was stamped."""

import logging
import sqlite3
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from appliance.domain.clock import Clock
from appliance.storage import events, key_value
from appliance.storage import timestamp_repair as stored_times

log = logging.getLogger(__name__)

SETTLE_SECONDS = 600.0  # that scheduled runs wait for the clock to be set; a LAN may have no time server
SEEN_EVERY = timedelta(hours=1)  # the time is written to the memory card
STRANGE_ABSENCE = timedelta(days=35)  # switched off for longer than hourly history is kept, or a wrong clock
STEADY_AFTER = 3600.0  # seconds that the clock must have run undisturbed
STEADY_AFTER_JUMP = 86_400.0

SEEN = "clock.seen"


class ClockWatch:
    """One clock, looked after."""

    def __init__(
        self,
        db: sqlite3.Connection,
        *,
        clock: Callable[[datetime | None], Clock] = Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db, self._monotonic = db, monotonic
        self._started = monotonic()
        self._seen = key_value.get_time(db, SEEN)
        self.clock = clock(self._seen)
        self._jump = timedelta()  # that is not told yet
        absent_long = self._seen is not None and abs(self.clock() - self._seen) > STRANGE_ABSENCE
        self._steady_at = self._started + (STEADY_AFTER_JUMP if absent_long else STEADY_AFTER)

    def look(self) -> datetime:
        """The time, after whatever there was to do. Raises Unusable."""
        now = self.clock()
        self._jump += self.clock.take_jump()
        if self._jump:
            direction = "forward" if self._jump > timedelta() else "back"
            self._steady_at = self._monotonic() + STEADY_AFTER_JUMP
            by = timedelta(seconds=round(abs(self._jump).total_seconds()))
            text = f"the clock was set {direction} by {by}"
            events.note(self._db, "clock", "clock", text, now)
            log.warning("%s", text)
            self._jump = timedelta()
        if self.clock.is_set_back() and self.is_settled():
            found = stored_times.clamp_future_times(self._db, now)
            log.info("%d times were written while the clock was ahead: they count as now", found)
            self.clock.latest = now
        if self._seen is None or abs(now - self._seen) >= SEEN_EVERY:
            self.note_seen(now)
        return now

    def note_seen(self, now: datetime) -> None:
        key_value.put_time(self._db, SEEN, now)
        self._seen = now

    def is_settled(self) -> bool:
        """Whether what is scheduled may begin: nobody is about to set the clock."""
        return self.clock.settled() or self._monotonic() > self._started + SETTLE_SECONDS

    def is_steady(self) -> bool:
        """Whether old things may be thrown away: a wrong year would prune all history."""
        return self._monotonic() >= self._steady_at
