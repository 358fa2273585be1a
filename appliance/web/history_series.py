"""Sample the history for a chart, and forecast when a supply is used up."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from statistics import variance

from appliance.domain.model import CounterName, Printer, Supply
from appliance.domain.supplies import is_receptacle
from appliance.mib import enum_names
from appliance.web.json_fields import Json, format_timestamp

HistoryPoints = Sequence[tuple[datetime, dict[str, int]]]

HISTORY_RANGES: dict[
    str, tuple[timedelta, timedelta]
] = {  # how far back, and how far apart: at most 186 points
    "day": (timedelta(days=1), timedelta(minutes=15)),
    "month": (timedelta(days=31), timedelta(hours=4)),
    "year": (timedelta(days=366), timedelta(days=2)),
}
MIN_SPAN_DAYS = 4.0  # days: less tells nothing of a week
MIN_READINGS = 4  # readings with a change between them
MIN_USED_PERCENT = 3.0  # percent: less may be one step of a coarse gauge
MIN_REFILL_PERCENT = 5.0  # percent that a level jumps when somebody has changed the cartridge
MAX_FORECAST_DAYS = 730.0  # days: nobody plans beyond
SIGMAS = 2.0

LevelPoint = tuple[datetime, float]  # when, percent left


def range_start(span: str, now: datetime) -> datetime:
    """Where a chart begins."""
    return now - HISTORY_RANGES[span][0]


def serialize_history(printer: Printer, points: HistoryPoints, span: str, now: datetime) -> dict[str, Json]:
    """History, as openapi.json has it. `points` are all values at each time when one changed."""
    start, step = range_start(span, now), HISTORY_RANGES[span][1]
    times = _sample_times(start, now, step)
    held = _values_at(points, times)
    supplies = {f"supply:{kept.row.index}": kept.row for kept in printer.supplies}
    known = {key for values in held for key in values}
    keys = [name.value for name in CounterName if name.value in known]
    series: list[Json] = [_serialize_counter_series(key, held) for key in keys]
    series += [
        _serialize_supply_series(key, supply, held) for key, supply in supplies.items() if key in known
    ]
    return {
        "range": span,
        "since": format_timestamp(start),
        "until": format_timestamp(now),
        "times": [int(moment.timestamp()) for moment in times],
        "series": series,
    }


def _sample_times(start: datetime, end: datetime, step: timedelta) -> list[datetime]:
    count = int((end - start) / step)
    return [end - step * back for back in range(count, -1, -1)]


def _values_at(points: HistoryPoints, times: Sequence[datetime]) -> list[dict[str, int]]:
    """What held at each of the times; nothing before the first reading."""
    held: list[dict[str, int]] = []
    values: dict[str, int] = {}
    index = 0
    for moment in times:
        while index < len(points) and points[index][0] <= moment:
            values = points[index][1]
            index += 1
        held.append(values)
    return held


def _serialize_counter_series(key: str, samples: Sequence[dict[str, int]]) -> dict[str, Json]:
    return {
        "key": key,
        "kind": "counter",
        "label": None,
        "color": None,
        "unit": "pages",
        "max": None,
        "values": [values.get(key) for values in samples],
    }


def _serialize_supply_series(key: str, supply: Supply, samples: Sequence[dict[str, int]]) -> dict[str, Json]:
    """Return the levels of a supply as the printer gave them; of a receptacle the fill, where it is known."""
    capacity = supply.max_capacity
    most = capacity if isinstance(capacity, int) and capacity > 0 else None
    levels = [values.get(key) for values in samples]
    if most is not None and is_receptacle(supply):
        levels = [None if level is None else max(0, most - level) for level in levels]
    return {
        "key": key,
        "kind": "supply",
        "label": supply.description,
        "color": supply.color,
        "unit": enum_names.enum_name(enum_names.SUPPLY_UNIT, supply.unit),
        "max": most,
        "values": list[Json](levels),
    }


@dataclass(frozen=True, slots=True)
class SupplyForecast:
    """The likely day, and the two between which it lies 19 times out of 20."""

    day: date
    earliest: date
    latest: date | None  # None: may last for years
    percent_per_day: float
    readings: int


def forecast_depletion(points: Sequence[LevelPoint], now: datetime) -> SupplyForecast | None:
    """The day on which nothing is left; None where `points`, in order of time, say too little."""
    used = _points_since_refill(points)
    if len(used) < MIN_READINGS:
        return None
    days = _days_between(used[0][0], max(now, used[-1][0]))  # levels stand still between the points
    drop = used[0][1] - used[-1][1]
    if days < MIN_SPAN_DAYS or drop < MIN_USED_PERCENT:
        return None
    per_day = drop / days
    spread = _variance_per_day(used)
    left = used[-1][1]
    middle = left / per_day
    # of the drift itself, with the gauge's own step at both ends, and of what will be used from now on
    step = _gauge_step(used)
    drift_error = math.sqrt(spread / days + (step / days) ** 2 / 6)
    ahead = math.sqrt(spread * middle) / per_day
    fast, slow = per_day + SIGMAS * drift_error, per_day - SIGMAS * drift_error
    earliest = max(0.0, left / fast - SIGMAS * ahead)
    latest = left / slow + SIGMAS * ahead if slow > 0 else math.inf
    if middle > MAX_FORECAST_DAYS:
        return None
    return SupplyForecast(
        _date_after(now, middle),
        _date_after(now, earliest),
        _date_after(now, latest) if latest <= 2 * MAX_FORECAST_DAYS else None,
        round(per_day, 3),
        len(used),
    )


def _points_since_refill(points: Sequence[LevelPoint]) -> list[LevelPoint]:
    start = 0
    for index in range(1, len(points)):
        if points[index][1] - points[index - 1][1] >= MIN_REFILL_PERCENT:
            start = index
    return list(points[start:])


def _variance_per_day(points: Sequence[LevelPoint]) -> float:
    """How uneven consumption is, from the drops of whole days."""
    by_day: dict[int, float] = {}
    for moment, level in points:
        by_day[int(moment.timestamp() // 86400)] = level
    first, last = min(by_day), max(by_day)
    levels, held = [], by_day[first]
    for day in range(first, last + 1):
        held = by_day.get(day, held)
        levels.append(held)
    drops = [before - after for before, after in pairwise(levels)]
    return variance(drops) if len(drops) > 1 else 0.0


def _gauge_step(points: Sequence[LevelPoint]) -> float:
    """The smallest step that the gauge has shown."""
    steps = [abs(after[1] - before[1]) for before, after in pairwise(points)]
    return min((step for step in steps if step > 0), default=0.0)


def _days_between(start: datetime, end: datetime) -> float:
    return (end - start) / timedelta(days=1)


def _date_after(now: datetime, days: float) -> date:
    return (now.astimezone(UTC) + timedelta(days=days)).date()
