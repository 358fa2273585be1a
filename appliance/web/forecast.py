"""When a supply runs out, and how sure that is: consumption as a random walk with drift."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from statistics import variance

SHORTEST = 4.0  # days: less tells nothing of a week
FEWEST = 4  # readings with a change between them
LEAST_USED = 3.0  # percent: less may be one step of a coarse gauge
REFILL = 5.0  # percent that a level jumps when somebody has changed the cartridge
FARTHEST = 730.0  # days: nobody plans beyond
SIGMAS = 2.0

Point = tuple[datetime, float]  # when, percent left


@dataclass(frozen=True, slots=True)
class Forecast:
    """The likely day, and the two between which it lies 19 times out of 20."""

    day: date
    earliest: date
    latest: date | None  # None: may last for years
    percent_per_day: float
    readings: int


def forecast(points: Sequence[Point], now: datetime) -> Forecast | None:
    """The day on which nothing is left; None where `points`, in order of time, say too little."""
    used = _since_refill(points)
    if len(used) < FEWEST:
        return None
    days = _days(used[0][0], max(now, used[-1][0]))  # levels stand still between the points
    drop = used[0][1] - used[-1][1]
    if days < SHORTEST or drop < LEAST_USED:
        return None
    per_day = drop / days
    spread = _variance_per_day(used)
    left = used[-1][1]
    middle = left / per_day
    # of the drift itself, with the gauge's own step at both ends, and of what will be used from now on
    step = _step(used)
    drift_error = math.sqrt(spread / days + (step / days) ** 2 / 6)
    ahead = math.sqrt(spread * middle) / per_day
    fast, slow = per_day + SIGMAS * drift_error, per_day - SIGMAS * drift_error
    earliest = max(0.0, left / fast - SIGMAS * ahead)
    latest = left / slow + SIGMAS * ahead if slow > 0 else math.inf
    if middle > FARTHEST:
        return None
    return Forecast(
        _day(now, middle),
        _day(now, earliest),
        _day(now, latest) if latest <= 2 * FARTHEST else None,
        round(per_day, 3),
        len(used),
    )


def _since_refill(points: Sequence[Point]) -> list[Point]:
    start = 0
    for index in range(1, len(points)):
        if points[index][1] - points[index - 1][1] >= REFILL:
            start = index
    return list(points[start:])


def _variance_per_day(used: Sequence[Point]) -> float:
    """How uneven consumption is, from the drops of whole days."""
    by_day: dict[int, float] = {}
    for moment, level in used:
        by_day[int(moment.timestamp() // 86400)] = level
    first, last = min(by_day), max(by_day)
    levels, held = [], by_day[first]
    for day in range(first, last + 1):
        held = by_day.get(day, held)
        levels.append(held)
    drops = [before - after for before, after in pairwise(levels)]
    return variance(drops) if len(drops) > 1 else 0.0


def _step(used: Sequence[Point]) -> float:
    """The smallest step that the gauge has shown."""
    steps = [abs(after[1] - before[1]) for before, after in pairwise(used)]
    return min((step for step in steps if step > 0), default=0.0)


def _days(start: datetime, end: datetime) -> float:
    return (end - start) / timedelta(days=1)


def _day(now: datetime, days: float) -> date:
    return (now.astimezone(UTC) + timedelta(days=days)).date()
