"""History for a chart: the values that held at evenly spaced times."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from appliance.domain.model import CounterName, Printer, Supply
from appliance.mib import enums
from appliance.web.json_fields import Json
from appliance.web.timestamps import format_timestamp

HistoryRange = Literal["day", "month", "year"]
HistoryPoints = Sequence[tuple[datetime, dict[str, int]]]

HISTORY_RANGES: dict[
    str, tuple[timedelta, timedelta]
] = {  # how far back, and how far apart: at most 186 points
    "day": (timedelta(days=1), timedelta(minutes=15)),
    "month": (timedelta(days=31), timedelta(hours=4)),
    "year": (timedelta(days=366), timedelta(days=2)),
}


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
    capacity = supply.max_capacity
    return {
        "key": key,
        "kind": "supply",
        "label": supply.description,
        "color": supply.color,
        "unit": enums.SUPPLY_UNIT.name(supply.unit),
        "max": capacity if isinstance(capacity, int) and capacity > 0 else None,
        "values": [values.get(key) for values in samples],
    }
