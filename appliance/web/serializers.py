"""Records of the store in the shapes that openapi.json describes."""

from collections.abc import Iterable, Mapping

from appliance.domain.model import Alert, Counter, InputTray, Kept, OutputTray, Printer, Storage
from appliance.domain.supply_state import Judged, PrinterState, judge, lowest, percent, printer_state
from appliance.mib import enum_names
from appliance.storage.printer_list import Held, Line
from appliance.storage.printers import Address
from appliance.web.forecast import Forecast
from appliance.web.json_fields import Json, Object
from appliance.web.timestamps import maybe_stamp, stamp

STATES: tuple[PrinterState, ...] = ("ok", "warning", "error", "silent", "ignored")


def row(line: Line) -> dict[str, Json]:
    """PrinterRow."""
    judged = [judge(supply) for supply in line.supplies]
    return {
        "id": line.id,
        "state": printer_state(line.details, judged, silent=line.failure is not None, ignore=line.ignore),
        "status": _status(line.details.status),
        "errors": list(line.details.errors),
        "address": line.target.host,
        "name": line.details.name,
        "dns_name": line.target.name,
        "location": line.details.location,
        "manufacturer": line.identity.manufacturer,
        "model": line.identity.model,
        "serial_number": line.identity.serial_number,
        "mac_address": line.identity.mac_address,
        "pages": line.pages,
        "lowest_supply": _lowest(judged),
        "alerts": line.alerts,
        "seen_at": stamp(line.seen_at),
        "failed_at": maybe_stamp(line.failed_at),
        "failure": line.failure,
        "device_group": line.device_group,
        "ignore": line.ignore,
    }


def counts(rows: Iterable[Object]) -> dict[str, Json]:
    """How many printers are in each state."""
    found: dict[str, int] = dict.fromkeys(STATES, 0)
    for each in rows:
        found[str(each["state"])] += 1
    return dict(found)


def printer(
    known: Printer,
    held: Mapping[str, Held],
    forecasts: Mapping[int, Forecast | None],
    addresses: Iterable[Address],
) -> dict[str, Json]:
    """Printer; forecasts by the index of the supply."""
    judged = [judge(kept.row) for kept in known.supplies]
    details, who, target = known.details, known.identity, known.target
    return {
        "id": known.id,
        "state": printer_state(details, judged, silent=known.failure is not None, ignore=known.ignore),
        "status": _status(details.status),
        "errors": list(details.errors),
        "address": target.host,
        "port": target.port,
        "snmp_version": target.snmp_version,
        "address_by": target.address_by,
        "dns_name": target.name,
        "name": details.name,
        "location": details.location,
        "contact": details.contact,
        "description": details.description,
        "firmware": details.firmware,
        "display_text": details.display_text,
        "manufacturer": who.manufacturer,
        "model": who.model,
        "serial_number": who.serial_number,
        "mac_address": who.mac_address,
        "object_id": who.object_id,
        "uptime_seconds": None if details.uptime is None else details.uptime / 100,
        "counters": [_counter(counter, held.get(counter.name.value)) for counter in known.counters],
        "supplies": [
            _supply(kept.id, each, forecasts.get(kept.row.index), stamp(kept.changed_at))
            for kept, each in zip(known.supplies, judged, strict=True)
        ],
        "trays": [_tray(kept) for kept in known.inputs],
        "outputs": [_output(kept) for kept in known.outputs],
        "storages": [_storage(kept) for kept in known.storages],
        "alerts": [_alert(kept) for kept in known.alerts],
        "cost": {"packets": known.cost.packets, "bytes": known.cost.bytes, "seconds": known.cost.seconds},
        "addresses": [
            {"address": each.host, "first_seen": stamp(each.first_at), "last_seen": stamp(each.last_at)}
            for each in addresses
        ],
        "created_at": stamp(known.created_at),
        "changed_at": stamp(known.changed_at),
        "seen_at": stamp(known.seen_at),
        "failed_at": maybe_stamp(known.failed_at),
        "failure": known.failure,
        "incomplete": [{"part": each.part, "reason": each.reason} for each in known.failures],
        "notes": list(known.notes),
        "device_group": known.device_group,
        "ignore": known.ignore,
    }


def _status(number: int | None) -> str | None:
    return None if number is None else enum_names.PRINTER_STATUS.get(number, "unknown")


def _lowest(judged: Iterable[Judged]) -> dict[str, Json] | None:
    found = lowest(judged)
    if found is None or found.left is None:
        return None
    return {
        "percent": found.left,
        "color": found.supply.color,
        "description": found.supply.description,
        "kind": found.kind,
        "state": found.state,
    }


def _counter(counter: Counter, held: Held | None) -> dict[str, Json]:
    doubted: Json = None
    if held:
        doubted = {"value": held.value, "reason": held.reason, "since": stamp(held.since)}
    return {
        "name": counter.name.value,
        "value": counter.value,
        "source": counter.source,
        "dispute": counter.dispute,
        "held": doubted,
    }


def _supply(row_id: int, judged: Judged, expected: Forecast | None, changed_at: str) -> dict[str, Json]:
    supply = judged.supply
    return {
        "id": row_id,
        "index": supply.index,
        "kind": judged.kind,
        "type": enum_names.name(enum_names.SUPPLY_TYPE, supply.type),
        "color": supply.color,
        "description": supply.description,
        "unit": enum_names.name(enum_names.SUPPLY_UNIT, supply.unit),
        "max_capacity": enum_names.amount(supply.max_capacity),
        "level": enum_names.amount(supply.level),
        "percent": judged.percent,
        "state": judged.state,
        "forecast": _forecast(expected),
        "changed_at": changed_at,
    }


def _forecast(expected: Forecast | None) -> dict[str, Json] | None:
    if expected is None:
        return None
    return {
        "day": expected.day.isoformat(),
        "earliest": expected.earliest.isoformat(),
        "latest": expected.latest.isoformat() if expected.latest else None,
        "percent_per_day": expected.percent_per_day,
        "readings": expected.readings,
    }


def _tray(kept: Kept[InputTray]) -> dict[str, Json]:
    tray = kept.row
    return {
        "id": kept.id,
        "index": tray.index,
        "name": tray.name,
        "description": tray.description,
        "type": enum_names.name(enum_names.INPUT_TYPE, tray.type),
        "media_name": tray.media_name,
        "media_type": tray.media_type,
        "media_color": tray.media_color,
        "width_mm": enum_names.millimetres(tray.media_dim_xfeed_dir_chosen, tray.dim_unit),
        "length_mm": enum_names.millimetres(tray.media_dim_feed_dir_chosen, tray.dim_unit),
        "capacity_unit": enum_names.name(enum_names.CAPACITY_UNIT, tray.capacity_unit),
        "max_capacity": enum_names.amount(tray.max_capacity),
        "level": enum_names.amount(tray.current_level),
        "percent": percent(tray.current_level, tray.max_capacity),
        "status": _plain(enum_names.status(tray.status)),
        "changed_at": stamp(kept.changed_at),
    }


def _output(kept: Kept[OutputTray]) -> dict[str, Json]:
    tray = kept.row
    return {
        "id": kept.id,
        "index": tray.index,
        "name": tray.name,
        "description": tray.description,
        "type": enum_names.name(enum_names.OUTPUT_TYPE, tray.type),
        "capacity_unit": enum_names.name(enum_names.CAPACITY_UNIT, tray.capacity_unit),
        "max_capacity": enum_names.amount(tray.max_capacity),
        "remaining_capacity": enum_names.amount(tray.remaining_capacity),
        "status": _plain(enum_names.status(tray.status)),
        "changed_at": stamp(kept.changed_at),
    }


def _storage(kept: Kept[Storage]) -> dict[str, Json]:
    storage = kept.row
    unit = storage.allocation_units or 0
    return {
        "id": kept.id,
        "index": storage.index,
        "type": enum_names.STORAGE_TYPE.get(storage.type, storage.type) if storage.type else None,
        "description": storage.description,
        "size_bytes": None if storage.size is None or not unit else storage.size * unit,
        "used_bytes": None if storage.used is None or not unit else storage.used * unit,
        "percent": percent(storage.used, storage.size),
        "allocation_failures": storage.allocation_failures,
        "changed_at": stamp(kept.changed_at),
    }


def _alert(kept: Kept[Alert]) -> dict[str, Json]:
    alert = kept.row
    return {
        "id": kept.id,
        "index": alert.index,
        "severity": enum_names.name(enum_names.SEVERITY, alert.severity_level),
        "training": enum_names.name(enum_names.TRAINING, alert.training_level),
        "group": enum_names.name(enum_names.ALERT_GROUP, alert.group),
        "code": alert.code,
        "description": alert.description,
        "since": stamp(kept.created_at),
    }


def _plain(found: Mapping[str, str | bool] | None) -> dict[str, Json] | None:
    return None if found is None else dict(found)
