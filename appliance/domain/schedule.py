"""Compute when the next run is due, from times alone.

A run is due because its time lies between the last run and now, however many such times there are: a clock
that leaps ten years owes one run, a clock that goes back owes none until the next time.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal

MAX_CLOCK_CORRECTION = timedelta(minutes=1)  # set back by less, the schedule waits for the time


@dataclass(frozen=True, slots=True)
class RunSchedule:
    """The times of the runs; `offset` spreads the Plugs, so that not all call on the full hour."""

    query_every: timedelta
    discover_at: tuple[time, ...]
    zone: tzinfo
    offset: timedelta = timedelta()


def build_schedule(
    name: str, query_interval_s: int, discover_at: tuple[time, ...], zone: tzinfo
) -> RunSchedule:
    """Return the schedule of the Plug with this name."""
    every = timedelta(seconds=query_interval_s)
    return RunSchedule(every, discover_at, zone, start_offset(name, every))


@dataclass(frozen=True, slots=True)
class LastRuns:
    """The time at which each kind of run last began; None: never."""

    query: datetime | None = None
    discover: datetime | None = None


def start_offset(name: str, query_every: timedelta) -> timedelta:
    """Return the Plug's offset within the interval, in whole seconds, derived from its name."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
    return timedelta(seconds=number % max(1, int(query_every.total_seconds())))


def due_run(schedule: RunSchedule, last_runs: LastRuns, now: datetime) -> Literal["query", "discover"] | None:
    """Return the run to begin now: `discover` before `query`, as it finds what a query reads."""
    if _is_due(_last_discover_time(schedule, now), last_runs.discover):
        return "discover"
    return "query" if _is_due(_last_query_time(schedule, now), last_runs.query) else None


def next_run_at(schedule: RunSchedule, now: datetime) -> datetime:
    """Return the first time after now at which a run is due, if none is overdue."""
    return min(
        [_last_query_time(schedule, now) + schedule.query_every, *_upcoming_discover_times(schedule, now)]
    )


def next_discover_at(schedule: RunSchedule, now: datetime) -> datetime | None:
    return min(_upcoming_discover_times(schedule, now), default=None)


def next_query_at(schedule: RunSchedule, now: datetime) -> datetime:
    return _last_query_time(schedule, now) + schedule.query_every


def clamp_future_runs(last_runs: LastRuns, now: datetime) -> LastRuns:
    """Move future times to now: after a clock was set back, the schedule must not wait for them."""
    return LastRuns(*(_clamp_future_time(moment, now) for moment in (last_runs.query, last_runs.discover)))


def _clamp_future_time(moment: datetime | None, now: datetime) -> datetime | None:
    return now if moment and moment > now + MAX_CLOCK_CORRECTION else moment


def _is_due(scheduled_at: datetime | None, last_run_at: datetime | None) -> bool:
    return scheduled_at is not None and (last_run_at is None or last_run_at < scheduled_at)


def _last_query_time(schedule: RunSchedule, now: datetime) -> datetime:
    """Return the last multiple of the interval since 1970, plus the offset; restarts do not move it."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC) + schedule.offset
    return epoch + (now - epoch) // schedule.query_every * schedule.query_every


def _last_discover_time(schedule: RunSchedule, now: datetime) -> datetime | None:
    return max((moment for moment in _nearby_discover_times(schedule, now) if moment <= now), default=None)


def _upcoming_discover_times(schedule: RunSchedule, now: datetime) -> list[datetime]:
    return [moment for moment in _nearby_discover_times(schedule, now) if moment > now]


def _nearby_discover_times(schedule: RunSchedule, now: datetime) -> Iterable[datetime]:
    today = now.astimezone(schedule.zone).date()
    days = (today + timedelta(days=days) for days in range(-2, 3))  # a zone may skip a whole day
    return [_local_time_to_utc(day, at, schedule.zone) for day in days for at in schedule.discover_at]


def _local_time_to_utc(day: date, at: time, zone: tzinfo) -> datetime:
    """Return the moment of a local time (PEP 495, fold=0).

    A time that the clocks skip counts as in the hour before, one that comes twice is the first of the two.
    """
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)
