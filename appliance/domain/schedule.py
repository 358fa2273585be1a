"""When the next run is due: arithmetic on times alone.

A run is due because its time lies between the last run and now, however many such times there are: a clock
that leaps ten years owes one run, a clock that goes back owes none until the next time.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal

ORDINARY_CORRECTION = timedelta(minutes=1)  # a clock that is set back by less waits until it is there again


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to run when; `offset` keeps the Plugs of the world from all calling at the full hour."""

    query_every: timedelta
    discover_at: tuple[time, ...]
    zone: tzinfo
    offset: timedelta = timedelta()


def plan(name: str, seconds: int, discover_at: tuple[time, ...], zone: tzinfo) -> Plan:
    """The plan of the Plug with this name, which queries every so many seconds."""
    every = timedelta(seconds=seconds)
    return Plan(every, discover_at, zone, offset(name, every))


@dataclass(frozen=True, slots=True)
class Done:
    """When each kind of run last began; None: never."""

    query: datetime | None = None
    discover: datetime | None = None


def offset(name: str, query_every: timedelta) -> timedelta:
    """A Plug's own share of the interval, in whole seconds: always the same for the same name."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
    return timedelta(seconds=number % max(1, int(query_every.total_seconds())))


def due(plan: Plan, done: Done, now: datetime) -> Literal["query", "discover"] | None:
    """Which run to begin now: `discover` before `query`, as it finds what the query then reads."""
    if _is_due(_last_discover(plan, now), done.discover):
        return "discover"
    return "query" if _is_due(_last_query(plan, now), done.query) else None


def next_at(plan: Plan, now: datetime) -> datetime:
    """The first time after now at which a run is due, seen from a Plug that owes none."""
    return min([_last_query(plan, now) + plan.query_every, *_upcoming(plan, now)])


def next_discover(plan: Plan, now: datetime) -> datetime | None:
    return min(_upcoming(plan, now), default=None)


def next_query(plan: Plan, now: datetime) -> datetime:
    return _last_query(plan, now) + plan.query_every


def after_jump(done: Done, now: datetime) -> Done:
    """No run was begun in the future: a clock that was set back must not keep the Plug silent until then."""
    return Done(*(_not_after(moment, now) for moment in (done.query, done.discover)))


def _not_after(moment: datetime | None, now: datetime) -> datetime | None:
    return now if moment and moment > now + ORDINARY_CORRECTION else moment


def _is_due(last_time: datetime | None, done: datetime | None) -> bool:
    return last_time is not None and (done is None or done < last_time)


def _last_query(plan: Plan, now: datetime) -> datetime:
    """Multiples of the interval since 1970, moved by the offset: a restart does not move them."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC) + plan.offset
    return epoch + (now - epoch) // plan.query_every * plan.query_every


def _last_discover(plan: Plan, now: datetime) -> datetime | None:
    return max((moment for moment in _around(plan, now) if moment <= now), default=None)


def _upcoming(plan: Plan, now: datetime) -> list[datetime]:
    return [moment for moment in _around(plan, now) if moment > now]


def _around(plan: Plan, now: datetime) -> Iterable[datetime]:
    today = now.astimezone(plan.zone).date()
    days = (today + timedelta(days=days) for days in range(-2, 3))  # a zone may skip a whole day
    return [_moment(day, at, plan.zone) for day in days for at in plan.discover_at]


def _moment(day: date, at: time, zone: tzinfo) -> datetime:
    """The one moment of a local time (PEP 495, fold=0).

    A time that the clocks skip counts as in the hour before, one that comes twice is the first of the two.
    """
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)
