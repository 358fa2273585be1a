"""What the poller does about a clock that somebody sets: it says so, and puts right what was stamped."""

import logging
import sqlite3
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from appliance.domain.clock import Clock
from appliance.domain.messages import Message
from appliance.storage import events, key_value
from appliance.storage import timestamp_repair as stored_times

log = logging.getLogger(__name__)

CLOCK_SETTLE_TIMEOUT_S = (
    600.0  # that scheduled runs wait for the clock to be set; a LAN may have no time server
)
LAST_SEEN_INTERVAL = timedelta(hours=1)  # the time is written to the memory card
MAX_PLAUSIBLE_ABSENCE = timedelta(
    days=35
)  # switched off for longer than hourly history is kept, or a wrong clock
STEADY_AFTER_S = 3600.0  # seconds that the clock must have run undisturbed
STEADY_AFTER_JUMP_S = 86_400.0

CLOCK_SEEN_KEY = "clock.seen"


class ClockMonitor:
    """One clock, looked after."""

    def __init__(
        self,
        db: sqlite3.Connection,
        *,
        clock: Callable[[datetime | None], Clock] = Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db, self._monotonic = db, monotonic
        self._started_at = monotonic()
        self._last_seen = key_value.get_time(db, CLOCK_SEEN_KEY)
        self.clock = clock(self._last_seen)
        self._unreported_jump = timedelta()  # that is not told yet
        absent_long = (
            self._last_seen is not None and abs(self.clock() - self._last_seen) > MAX_PLAUSIBLE_ABSENCE
        )
        self._steady_at = self._started_at + (STEADY_AFTER_JUMP_S if absent_long else STEADY_AFTER_S)

    def check(self) -> datetime:
        """The time, after whatever there was to do. Raises Unusable."""
        now = self.clock()
        self._unreported_jump += self.clock.take_jump()
        if self._unreported_jump:
            self._steady_at = self._monotonic() + STEADY_AFTER_JUMP_S
            by = timedelta(seconds=round(abs(self._unreported_jump).total_seconds()))
            text = (
                Message("clock.set_forward", by=by)
                if self._unreported_jump > timedelta()
                else Message("clock.set_back", by=by)
            )
            events.note(self._db, "clock", "clock", text, now)
            log.warning("%s", text)
            self._unreported_jump = timedelta()
        if self.clock.is_set_back() and self.is_settled():
            found = stored_times.clamp_future_times(self._db, now)
            log.info("%d times were written while the clock was ahead: they count as now", found)
            self.clock.latest = now
        if self._last_seen is None or abs(now - self._last_seen) >= LAST_SEEN_INTERVAL:
            self.save_last_seen(now)
        return now

    def save_last_seen(self, now: datetime) -> None:
        key_value.put_time(self._db, CLOCK_SEEN_KEY, now)
        self._last_seen = now

    def is_settled(self) -> bool:
        """Whether what is scheduled may begin: nobody is about to set the clock."""
        return self.clock.is_settled() or self._monotonic() > self._started_at + CLOCK_SETTLE_TIMEOUT_S

    def is_steady(self) -> bool:
        """Whether old things may be thrown away: a wrong year would prune all history."""
        return self._monotonic() >= self._steady_at
