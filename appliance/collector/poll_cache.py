"""What is remembered of a printer, so that the next query asks only what may have moved.

A plan holds every cell of the last reading, the rows of each table, what the agent bears, then what was
learned of the web pages. The next query asks the moving columns of those rows; all other cells are taken from
the plan. A text that cannot be understood is an empty plan: the next reading is a first one.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from appliance.collector.request_batcher import LARGEST, MOST_OBJECTS, Limits
from appliance.collector.web_counters import NOTHING, Memory
from appliance.mib import oids
from appliance.mib.oids import Oid, dotted, parsed
from appliance.mib.printer_mib import Cells, Table, Value

FORM = 1  # of the text; another number is not understood
FULL_EVERY = timedelta(hours=23, minutes=30)  # daily, by a query that comes a little early

REFUSED = re.compile("([0-9a-f]{32}:[0-9a-f]{32})?")

UPTIME = (*oids.SYS_UP_TIME, 0)

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True)
class Plan:
    """`rows` and `failed` by the table's name; a table in neither is not known yet."""

    version: Literal["1", "2"] | None = None
    limits: Limits = field(default_factory=Limits)
    full_at: datetime | None = None
    rows: Mapping[str, tuple[Oid, ...]] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    doubts: Mapping[str, str] = field(default_factory=dict)  # why a table may have more rows, by its name
    cells: Cells = field(default_factory=dict)
    get_only: frozenset[Oid] = frozenset()  # objects that GETNEXT leaves out
    door: Memory = NOTHING  # of the printer's web pages


def due(plan: Plan, now: datetime) -> bool:
    """Whether everything is to be read again."""
    return plan.full_at is None or not timedelta(0) <= now - plan.full_at < FULL_EVERY


def limits(plan: Plan, *, full: bool) -> Limits:
    """What to expect of the agent. Twice as much is tried daily: the network may have been at fault."""
    if not full:
        return replace(plan.limits)
    return Limits(
        bulk=plan.limits.bulk,
        size=min(LARGEST, 2 * plan.limits.size),
        most=min(MOST_OBJECTS, 2 * plan.limits.most),
    )


def rebuilt(old: Cells, new: Cells) -> bool:
    """Whether the printer was restarted or configured since."""
    before, after = old.get(UPTIME), new.get(UPTIME)
    if isinstance(before, int) and isinstance(after, int) and after < before:
        return True
    return any(
        new.get(oid, value) != value
        for oid, value in old.items()
        if oid[:-1] == oids.PRT_GENERAL_CONFIG_CHANGES
    )


def dump(plan: Plan, tables: Iterable[Table]) -> str:
    """The plan as compact JSON: a table's values by column, in the order of its rows."""
    rest = dict(plan.cells)
    kept: dict[str, Json] = {}
    for table in tables:
        rows = plan.rows.get(table.name)
        if rows is None:
            continue
        columns: dict[str, Json] = {}
        for number in table.columns:
            column = table.column(number)
            values = [rest.pop((*column, *row), None) for row in rows]
            known = any(value is not None for value in values)
            columns[str(number)] = [_packed(value) for value in values] if known else None
        kept[table.name] = {
            "entry": dotted(table.entry),
            "rows": [dotted(row) for row in rows],
            "columns": columns,
        }
    everything: dict[str, Json] = {
        "form": FORM,
        "snmp": plan.version,
        "bulk": plan.limits.bulk,
        "size": plan.limits.size,
        "most": plan.limits.most,
        "full": plan.full_at.isoformat() if plan.full_at else None,
        "failed": dict(plan.failed),
        "tables": kept,
        "scalars": {dotted(oid): _packed(value) for oid, value in rest.items() if value is not None},
        "get_only": [dotted(oid) for oid in sorted(plan.get_only)],
    }
    if plan.doubts:
        everything["doubts"] = dict(plan.doubts)
    if plan.door != NOTHING:
        everything["door"] = {name: value for name, value in asdict(plan.door).items() if value}
    return json.dumps(everything, separators=(",", ":"))


def load(text: str) -> Plan:
    """The plan that a text holds; an empty one if it holds none."""
    try:
        return _load(json.loads(text)) if text else Plan()
    except (ValueError, KeyError, RecursionError):
        return Plan()


def _load(data: Json) -> Plan:
    everything = _dict(data)
    if everything.get("form") != FORM:
        raise ValueError("another form")
    cells: dict[Oid, Value] = {
        _oid(name): _unpacked(value) for name, value in _dict(everything["scalars"]).items()
    }
    rows: dict[str, tuple[Oid, ...]] = {}
    for name, table in _dict(everything["tables"]).items():
        rows[name] = tuple(_oid(row) for row in _list(_dict(table)["rows"]))
        entry = _oid(_dict(table)["entry"])
        for number, values in _dict(_dict(table)["columns"]).items():
            column = (*entry, int(number))
            each = [None] * len(rows[name]) if values is None else _list(values)
            for row, value in zip(rows[name], each, strict=True):
                cells[(*column, *row)] = _unpacked(value)
    full = everything["full"]
    version = everything["snmp"]
    return Plan(
        version="1" if version == "1" else "2" if version == "2" else None,
        limits=Limits(
            bulk=everything["bulk"] is True,
            size=_between(everything["size"], LARGEST),
            most=_between(everything["most"], MOST_OBJECTS),
        ),
        full_at=_aware(full) if isinstance(full, str) else None,
        rows=rows,
        failed={name: str(reason) for name, reason in _dict(everything["failed"]).items()},
        doubts={name: str(reason) for name, reason in _dict(everything.get("doubts", {})).items()},
        cells=cells,
        get_only=frozenset(_oid(name) for name in _list(everything["get_only"])),
        door=_door(_dict(everything.get("door", {}))),
    )


def _door(data: dict[str, Json]) -> Memory:
    path, refused, note = data.get("path", ""), data.get("refused", ""), data.get("note", "")
    if not (isinstance(path, str) and isinstance(refused, str) and isinstance(note, str)):
        raise ValueError("no memory of a door")
    if not REFUSED.fullmatch(refused):
        raise ValueError("no digest of credentials")
    scheme: Literal["http", "https"] = "https" if data.get("scheme") == "https" else "http"
    return Memory(path, scheme, data.get("adds") is True, refused, note)


def _dict(data: Json) -> dict[str, Json]:
    if not isinstance(data, dict):
        raise ValueError("not a mapping")
    return data


def _list(data: Json) -> list[Json]:
    if not isinstance(data, list):
        raise ValueError("not a list")
    return data


def _between(data: Json, most: int) -> int:
    if isinstance(data, bool) or not isinstance(data, int) or not 1 <= data <= most:
        raise ValueError("not a limit")
    return data


def _aware(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment


def _packed(value: Value) -> Json:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return list(value) if isinstance(value, tuple) else value


def _unpacked(data: Json) -> Value:
    if data is None or (isinstance(data, int) and not isinstance(data, bool)):
        return data
    if isinstance(data, str):
        return data.encode("latin-1")
    arcs = tuple(arc for arc in _list(data) if isinstance(arc, int))
    if len(arcs) != len(_list(data)):
        raise ValueError("not an OID")
    return arcs


def _oid(data: Json) -> Oid:
    if not isinstance(data, str):
        raise ValueError("not an OID")
    return parsed(data)
