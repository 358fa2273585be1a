"""The time of day, on a box without a clock battery that may start years in the past.

A time is believed when systemd-timesyncd has set it, or when it is not before the latest time that the Plug
is known to have seen. Until then the Plug counts on from that latest time: no reading is stamped before those
that it already has.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)  # before this there was no Plug: a clock that says so is wrong
TIMESYNC = Path("/run/systemd/timesync")
A_JUMP = timedelta(minutes=1)  # less is the ordinary correction of a clock that runs a little wrong


def utc_now() -> datetime:
    return datetime.now(UTC)


class Clock:
    """Call it for the time."""

    def __init__(
        self,
        seen: datetime | None,
        *,
        wall: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        timesync: Path = TIMESYNC,
    ) -> None:
        """`seen` is the latest time that was known in an earlier life."""
        self._wall, self._monotonic, self._timesync = wall, monotonic, timesync
        self._known = max(seen or EARLIEST, EARLIEST)
        self._since = monotonic()
        self._believed = False
        self._jump = timedelta()
        self.latest = self._known  # that it has given; for whoever puts right what was stamped to set back

    def __call__(self) -> datetime:
        now = self._now()
        self.latest = max(self.latest, now)
        return now

    def is_set_back(self) -> bool:
        """Whether it has given times that have not come yet."""
        return self.latest - self() >= A_JUMP

    def _now(self) -> datetime:
        wall, expected = self._wall(), self._expected()
        if wall < EARLIEST or not (self._believed or wall >= self._known or self._synchronized()):
            return expected
        if self._believed and abs(wall - expected) >= A_JUMP:
            self._jump += wall - expected
        self._known, self._since, self._believed = wall, self._monotonic(), True
        return wall

    def settled(self) -> bool:
        """Whether the time will not leap soon: it is believed, and nobody is about to set it."""
        self()
        return self._believed and (self._synchronized() or not self._timesync.is_dir())

    def take_jump(self) -> timedelta:
        """How far somebody has set the clock since this was last asked."""
        jump, self._jump = self._jump, timedelta()
        return jump

    def _expected(self) -> datetime:
        return self._known + timedelta(seconds=self._monotonic() - self._since)

    def _synchronized(self) -> bool:
        return (self._timesync / "synchronized").exists()
