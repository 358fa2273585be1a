"""History for a chart: the values that held at evenly spaced times."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from appliance.domain.model import CounterName, Printer, Supply
from appliance.mib import enum_names
from appliance.web.json_fields import Json
from appliance.web.timestamps import stamp

Range = Literal["day", "month", "year"]
Points = Sequence[tuple[datetime, dict[str, int]]]

SPANS: dict[str, tuple[timedelta, timedelta]] = {  # how far back, and how far apart: at most 186 points
    "day": (timedelta(days=1), timedelta(minutes=15)),
    "month": (timedelta(days=31), timedelta(hours=4)),
    "year": (timedelta(days=366), timedelta(days=2)),
}


def since(span: str, now: datetime) -> datetime:
    """Where a chart begins."""
    return now - SPANS[span][0]


def history(printer: Printer, points: Points, span: str, now: datetime) -> dict[str, Json]:
    """History, as openapi.json has it. `points` are all values at each time when one changed."""
    start, step = since(span, now), SPANS[span][1]
    times = _times(start, now, step)
    held = _held(points, times)
    supplies = {f"supply:{kept.row.index}": kept.row for kept in printer.supplies}
    known = {key for values in held for key in values}
    keys = [name.value for name in CounterName if name.value in known]
    series: list[Json] = [_counter_series(key, held) for key in keys]
    series += [_supply_series(key, supply, held) for key, supply in supplies.items() if key in known]
    return {
        "range": span,
        "since": stamp(start),
        "until": stamp(now),
        "times": [int(moment.timestamp()) for moment in times],
        "series": series,
    }


def _times(start: datetime, end: datetime, step: timedelta) -> list[datetime]:
    count = int((end - start) / step)
    return [end - step * back for back in range(count, -1, -1)]


def _held(points: Points, times: Sequence[datetime]) -> list[dict[str, int]]:
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


def _counter_series(key: str, held: Sequence[dict[str, int]]) -> dict[str, Json]:
    return {
        "key": key,
        "kind": "counter",
        "label": None,
        "color": None,
        "unit": "pages",
        "max": None,
        "values": [values.get(key) for values in held],
    }


def _supply_series(key: str, supply: Supply, held: Sequence[dict[str, int]]) -> dict[str, Json]:
    capacity = supply.max_capacity
    return {
        "key": key,
        "kind": "supply",
        "label": supply.description,
        "color": supply.color,
        "unit": enum_names.name(enum_names.SUPPLY_UNIT, supply.unit),
        "max": capacity if isinstance(capacity, int) and capacity > 0 else None,
        "values": [values.get(key) for values in held],
    }
