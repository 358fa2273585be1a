"""The time of day, on a box without a clock battery that may start years in the past.

A time is believed when systemd-timesyncd has set it, or when it is not before the latest time that the Plug
is known to have seen. Until then the Plug counts on from that latest time: no reading is stamped before those
that it already has.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

MIN_VALID_TIME = datetime(
    2026, 1, 1, tzinfo=UTC
)  # before this there was no Plug: a clock that says so is wrong
TIMESYNC_DIR = Path("/run/systemd/timesync")
MIN_JUMP = timedelta(minutes=1)  # less is the ordinary correction of a clock that runs a little wrong


def utc_now() -> datetime:
    return datetime.now(UTC)


class Clock:
    """Call it for the time."""

    def __init__(
        self,
        last_known_time: datetime | None,
        *,
        wall: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        timesync: Path = TIMESYNC_DIR,
    ) -> None:
        """`seen` is the latest time that was known in an earlier life."""
        self._wall, self._monotonic, self._timesync = wall, monotonic, timesync
        self._base_time = max(last_known_time or MIN_VALID_TIME, MIN_VALID_TIME)
        self._base_monotonic = monotonic()
        self._is_trusted = False
        self._jump = timedelta()
        self.latest = (
            self._base_time
        )  # that it has given; for whoever puts right what was stamped to set back

    def __call__(self) -> datetime:
        now = self._now()
        self.latest = max(self.latest, now)
        return now

    def is_set_back(self) -> bool:
        """Whether it has given times that have not come yet."""
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
        """Whether the time will not leap soon: it is believed, and nobody is about to set it."""
        self()
        return self._is_trusted and (self._is_synchronized() or not self._timesync.is_dir())

    def take_jump(self) -> timedelta:
        """How far somebody has set the clock since this was last asked."""
        jump, self._jump = self._jump, timedelta()
        return jump

    def _expected(self) -> datetime:
        return self._base_time + timedelta(seconds=self._monotonic() - self._base_monotonic)

    def _is_synchronized(self) -> bool:
        return (self._timesync / "synchronized").exists()
