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

from appliance.collector.request_batcher import MAX_OBJECTS_PER_REQUEST, MAX_RESPONSE_BYTES, AgentLimits
from appliance.collector.web_counters import EMPTY_EWS_STATE, EwsState
from appliance.mib import oids
from appliance.mib.oids import Oid, format_oid, parse_oid
from appliance.mib.printer_mib import MibTable, cell_oids
from appliance.mib.values import Cells, CellValue

FORMAT_VERSION = 1  # of the text; another number is not understood
FULL_POLL_INTERVAL = timedelta(hours=23, minutes=30)  # daily, by a query that comes a little early

DIGEST_PATTERN = re.compile("([0-9a-f]{32}:[0-9a-f]{32})?")

ENCODER = json.JSONEncoder(separators=(",", ":"), check_circular=False)

UPTIME_OID = (*oids.SYS_UP_TIME, 0)
CONFIG_CHANGES_LENGTH = len(oids.PRT_GENERAL_CONFIG_CHANGES) + 1

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True)
class PollCache:
    """`rows` and `failed` by the table's name; a table in neither is not known yet."""

    version: Literal["1", "2"] | None = None
    limits: AgentLimits = field(default_factory=AgentLimits)
    full_at: datetime | None = None
    rows: Mapping[str, tuple[Oid, ...]] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    incomplete: Mapping[str, str] = field(default_factory=dict)  # why a table may have more rows, by its name
    cells: Cells = field(default_factory=dict)
    get_only: frozenset[Oid] = frozenset()  # objects that GETNEXT leaves out
    ews_state: EwsState = EMPTY_EWS_STATE  # of the printer's web pages


def is_full_poll_due(cache: PollCache, now: datetime) -> bool:
    """Whether everything is to be read again."""
    return cache.full_at is None or not timedelta(0) <= now - cache.full_at < FULL_POLL_INTERVAL


def starting_limits(cache: PollCache, *, full: bool) -> AgentLimits:
    """What to expect of the agent. Twice as much is tried daily: the network may have been at fault."""
    if not full:
        return replace(cache.limits)
    return AgentLimits(
        supports_bulk=cache.limits.supports_bulk,
        max_response_bytes=min(MAX_RESPONSE_BYTES, 2 * cache.limits.max_response_bytes),
        max_objects=min(MAX_OBJECTS_PER_REQUEST, 2 * cache.limits.max_objects),
    )


def is_restarted_or_reconfigured(before_cells: Cells, after_cells: Cells) -> bool:
    """Whether the printer was restarted or configured since."""
    before, after = before_cells.get(UPTIME_OID), after_cells.get(UPTIME_OID)
    if isinstance(before, int) and isinstance(after, int) and after < before:
        return True
    return any(
        after_cells.get(oid, value) != value
        for oid, value in before_cells.items()
        if len(oid) == CONFIG_CHANGES_LENGTH and oid[:-1] == oids.PRT_GENERAL_CONFIG_CHANGES
    )


def dump(cache: PollCache, tables: Iterable[MibTable]) -> str:
    """The plan as compact JSON: a table's values by column, in the order of its rows."""
    rest = dict(cache.cells)
    take = rest.pop
    kept: dict[str, Json] = {}
    for table in tables:
        rows = cache.rows.get(table.name)
        if rows is None:
            continue
        columns: dict[str, Json] = {}
        numbers = tuple(table.columns)
        for number, oids_of_column in zip(numbers, cell_oids(table.entry, numbers, rows), strict=True):
            values = [take(oid, None) for oid in oids_of_column]
            is_empty = values.count(None) == len(values)
            columns[str(number)] = (
                None
                if is_empty
                else [
                    value if value is None or type(value) is int else _encode_value(value) for value in values
                ]
            )
        kept[table.name] = {
            "entry": format_oid(table.entry),
            "rows": [format_oid(row) for row in rows],
            "columns": columns,
        }
    everything: dict[str, Json] = {
        "form": FORMAT_VERSION,
        "snmp": cache.version,
        "bulk": cache.limits.supports_bulk,
        "size": cache.limits.max_response_bytes,
        "most": cache.limits.max_objects,
        "full": cache.full_at.isoformat() if cache.full_at else None,
        "failed": dict(cache.failed),
        "tables": kept,
        "scalars": {
            format_oid(oid): _encode_value(value) for oid, value in rest.items() if value is not None
        },
        "get_only": [format_oid(oid) for oid in sorted(cache.get_only)],
    }
    if cache.incomplete:
        everything["doubts"] = dict(cache.incomplete)
    if cache.ews_state != EMPTY_EWS_STATE:
        everything["door"] = {name: value for name, value in asdict(cache.ews_state).items() if value}
    return ENCODER.encode(everything)


def load(text: str) -> PollCache:
    """The plan that a text holds; an empty one if it holds none."""
    try:
        return _parse_cache(json.loads(text)) if text else PollCache()
    except (ValueError, KeyError, RecursionError):
        return PollCache()


def _parse_cache(data: Json) -> PollCache:
    everything = _require_dict(data)
    if everything.get("form") != FORMAT_VERSION:
        raise ValueError("another form")
    cells: dict[Oid, CellValue] = {
        _require_oid(name): _decode_value(value)
        for name, value in _require_dict(everything["scalars"]).items()
    }
    rows: dict[str, tuple[Oid, ...]] = {}
    for name, table in _require_dict(everything["tables"]).items():
        rows[name] = tuple(_require_oid(row) for row in _require_list(_require_dict(table)["rows"]))
        entry = _require_oid(_require_dict(table)["entry"])
        columns = _require_dict(_require_dict(table)["columns"])
        oids_by_column = cell_oids(entry, tuple(map(int, columns)), rows[name])
        for oids_of_column, values in zip(oids_by_column, columns.values(), strict=True):
            if values is None:
                cells.update(dict.fromkeys(oids_of_column))
            else:
                decoded = [
                    value if value is None or type(value) is int else _decode_value(value)
                    for value in _require_list(values)
                ]
                cells.update(zip(oids_of_column, decoded, strict=True))
    full = everything["full"]
    version = everything["snmp"]
    return PollCache(
        version="1" if version == "1" else "2" if version == "2" else None,
        limits=AgentLimits(
            supports_bulk=everything["bulk"] is True,
            max_response_bytes=_require_limit(everything["size"], MAX_RESPONSE_BYTES),
            max_objects=_require_limit(everything["most"], MAX_OBJECTS_PER_REQUEST),
        ),
        full_at=_parse_aware_time(full) if isinstance(full, str) else None,
        rows=rows,
        failed={name: str(reason) for name, reason in _require_dict(everything["failed"]).items()},
        incomplete={
            name: str(reason) for name, reason in _require_dict(everything.get("doubts", {})).items()
        },
        cells=cells,
        get_only=frozenset(_require_oid(name) for name in _require_list(everything["get_only"])),
        ews_state=_parse_ews_state(_require_dict(everything.get("door", {}))),
    )


def _parse_ews_state(data: dict[str, Json]) -> EwsState:
    path, refused, note = data.get("path", ""), data.get("refused", ""), data.get("note", "")
    if not (isinstance(path, str) and isinstance(refused, str) and isinstance(note, str)):
        raise ValueError("no memory of a door")
    if not DIGEST_PATTERN.fullmatch(refused):
        raise ValueError("no digest of credentials")
    scheme: Literal["http", "https"] = "https" if data.get("scheme") == "https" else "http"
    return EwsState(path, scheme, data.get("adds") is True, refused, note)


def _require_dict(data: Json) -> dict[str, Json]:
    if not isinstance(data, dict):
        raise ValueError("not a mapping")
    return data


def _require_list(data: Json) -> list[Json]:
    if not isinstance(data, list):
        raise ValueError("not a list")
    return data


def _require_limit(data: Json, maximum: int) -> int:
    if isinstance(data, bool) or not isinstance(data, int) or not 1 <= data <= maximum:
        raise ValueError("not a limit")
    return data


def _parse_aware_time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment


def _encode_value(value: CellValue) -> Json:
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return list(value)


def _decode_value(data: Json) -> CellValue:
    if data is None or (isinstance(data, int) and data is not True and data is not False):
        return data
    if isinstance(data, str):
        return data.encode("latin-1")
    arcs = tuple(arc for arc in _require_list(data) if isinstance(arc, int))
    if len(arcs) != len(_require_list(data)):
        raise ValueError("not an OID")
    return arcs


def _require_oid(data: Json) -> Oid:
    if not isinstance(data, str):
        raise ValueError("not an OID")
    return parse_oid(data)
