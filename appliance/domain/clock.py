"""Keep the time of day on a device without a clock battery, which may start years in the past.

A time is trusted when systemd-timesyncd has set it, or when it is not before the latest time in the database.
Until then the clock counts on from that latest time, so that no reading is older than those already stored.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

MIN_VALID_TIME = datetime(2026, 1, 1, tzinfo=UTC)  # no Plug is older: an earlier time is wrong
TIMESYNC_DIR = Path("/run/systemd/timesync")
MIN_JUMP = timedelta(minutes=1)  # less is the usual correction of drift


def utc_now() -> datetime:
    return datetime.now(UTC)


class Clock:
    """A clock that is called for the time."""

    def __init__(
        self,
        last_known_time: datetime | None,
        *,
        wall: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        timesync: Path = TIMESYNC_DIR,
    ) -> None:
        """Start from the latest time that an earlier process knew."""
        self._wall, self._monotonic, self._timesync = wall, monotonic, timesync
        self._base_time = max(last_known_time or MIN_VALID_TIME, MIN_VALID_TIME)
        self._base_monotonic = monotonic()
        self._is_trusted = False
        self._jump = timedelta()
        self.latest = self._base_time  # latest time returned; set back after timestamps are repaired

    def __call__(self) -> datetime:
        now = self._now()
        self.latest = max(self.latest, now)
        return now

    def is_set_back(self) -> bool:
        """Return True if the clock has returned times that are still in the future."""
        return self.latest - self() >= MIN_JUMP

    def _now(self) -> datetime:
        wall, expected = self._wall(), self._expected()
        if wall < MIN_VALID_TIME or not (
            self._is_trusted or wall >= self._base_time or self._is_synchronized()
        ):
            return expected
        if self._is_trusted and abs(wall - expected) >= MIN_JUMP:
            self._jump += wall - expected
        self._base_time, self._base_monotonic, self._is_trusted = wall, self._monotonic(), True
        return wall

    def is_settled(self) -> bool:
        """Return True if the time is trusted and no synchronisation is pending."""
        self()
        return self._is_trusted and (self._is_synchronized() or not self._timesync.is_dir())

    def take_jump(self) -> timedelta:
        """Return by how much the clock was set since the last call."""
        jump, self._jump = self._jump, timedelta()
        return jump

    def _expected(self) -> datetime:
        return self._base_time + timedelta(seconds=self._monotonic() - self._base_monotonic)

    def _is_synchronized(self) -> bool:
        return (self._timesync / "synchronized").exists()
