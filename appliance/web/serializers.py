"""Records of the store in the shapes that openapi.json describes."""

from collections.abc import Iterable, Mapping

from appliance.domain.model import Alert, Counter, InputTray, OutputTray, Printer, Storage, StoredRow
from appliance.domain.supply_state import (
    AssessedSupply,
    PrinterState,
    assess_supply,
    lowest_supply,
    percent_of_capacity,
    printer_state,
)
from appliance.mib import enums
from appliance.storage.printer_list import HeldCounter, PrinterSummary
from appliance.storage.printers import PrinterAddress
from appliance.web.forecast import SupplyForecast
from appliance.web.json_fields import Json, JsonMapping
from appliance.web.timestamps import format_optional_timestamp, format_timestamp

PRINTER_STATES: tuple[PrinterState, ...] = ("ok", "warning", "error", "silent", "ignored")


def serialize_printer_row(line: PrinterSummary) -> dict[str, Json]:
    """PrinterRow."""
    judged = [assess_supply(supply) for supply in line.supplies]
    return {
        "id": line.id,
        "state": printer_state(line.details, judged, silent=line.failure is not None, ignore=line.ignore),
        "status": _printer_status_name(line.details.status),
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
        "lowest_supply": _serialize_lowest_supply(judged),
        "alerts": line.alerts,
        "seen_at": format_timestamp(line.seen_at),
        "failed_at": format_optional_timestamp(line.failed_at),
        "failure": line.failure,
        "device_group": line.device_group,
        "ignore": line.ignore,
    }


def count_by_state(rows: Iterable[JsonMapping]) -> dict[str, Json]:
    """How many printers are in each state."""
    found: dict[str, int] = dict.fromkeys(PRINTER_STATES, 0)
    for each in rows:
        found[str(each["state"])] += 1
    return dict(found)


def serialize_printer(
    printer: Printer,
    held_counters: Mapping[str, HeldCounter],
    forecasts: Mapping[int, SupplyForecast | None],
    addresses: Iterable[PrinterAddress],
) -> dict[str, Json]:
    """Printer; forecasts by the index of the supply."""
    judged = [assess_supply(kept.row) for kept in printer.supplies]
    details, who, target = printer.details, printer.identity, printer.target
    return {
        "id": printer.id,
        "state": printer_state(details, judged, silent=printer.failure is not None, ignore=printer.ignore),
        "status": _printer_status_name(details.status),
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
        "counters": [
            _serialize_counter(counter, held_counters.get(counter.name.value)) for counter in printer.counters
        ],
        "supplies": [
            _serialize_supply(kept.id, each, forecasts.get(kept.row.index), format_timestamp(kept.changed_at))
            for kept, each in zip(printer.supplies, judged, strict=True)
        ],
        "trays": [_serialize_input_tray(kept) for kept in printer.inputs],
        "outputs": [_serialize_output_tray(kept) for kept in printer.outputs],
        "storages": [_serialize_storage(kept) for kept in printer.storages],
        "alerts": [_serialize_alert(kept) for kept in printer.alerts],
        "cost": {
            "packets": printer.cost.packets,
            "bytes": printer.cost.bytes,
            "seconds": printer.cost.seconds,
        },
        "addresses": [
            {
                "address": each.host,
                "first_seen": format_timestamp(each.first_at),
                "last_seen": format_timestamp(each.last_at),
            }
            for each in addresses
        ],
        "created_at": format_timestamp(printer.created_at),
        "changed_at": format_timestamp(printer.changed_at),
        "seen_at": format_timestamp(printer.seen_at),
        "failed_at": format_optional_timestamp(printer.failed_at),
        "failure": printer.failure,
        "incomplete": [{"part": each.part, "reason": each.reason} for each in printer.failures],
        "notes": list(printer.notes),
        "device_group": printer.device_group,
        "ignore": printer.ignore,
    }


def _printer_status_name(number: int | None) -> str | None:
    return None if number is None else enums.PRINTER_STATUS.names.get(number, "unknown")


def _serialize_lowest_supply(assessed_supplies: Iterable[AssessedSupply]) -> dict[str, Json] | None:
    found = lowest_supply(assessed_supplies)
    if found is None or found.percent_left is None:
        return None
    return {
        "percent": found.percent_left,
        "color": found.supply.color,
        "description": found.supply.description,
        "kind": found.kind,
        "state": found.state,
    }


def _serialize_counter(counter: Counter, held: HeldCounter | None) -> dict[str, Json]:
    doubted: Json = None
    if held:
        doubted = {"value": held.value, "reason": held.reason, "since": format_timestamp(held.since)}
    return {
        "name": counter.name.value,
        "value": counter.value,
        "source": counter.source,
        "dispute": counter.dispute,
        "held": doubted,
    }


def _serialize_supply(
    row_id: int, assessed: AssessedSupply, forecast: SupplyForecast | None, changed_at: str
) -> dict[str, Json]:
    supply = assessed.supply
    return {
        "id": row_id,
        "index": supply.index,
        "kind": assessed.kind,
        "type": enums.SUPPLY_TYPE.name(supply.type),
        "color": supply.color,
        "description": supply.description,
        "unit": enums.SUPPLY_UNIT.name(supply.unit),
        "max_capacity": enums.amount_or_keyword(supply.max_capacity),
        "level": enums.amount_or_keyword(supply.level),
        "percent": assessed.percent,
        "state": assessed.state,
        "forecast": _serialize_forecast(forecast),
        "changed_at": changed_at,
    }


def _serialize_forecast(forecast: SupplyForecast | None) -> dict[str, Json] | None:
    if forecast is None:
        return None
    return {
        "day": forecast.day.isoformat(),
        "earliest": forecast.earliest.isoformat(),
        "latest": forecast.latest.isoformat() if forecast.latest else None,
        "percent_per_day": forecast.percent_per_day,
        "readings": forecast.readings,
    }


def _serialize_input_tray(kept: StoredRow[InputTray]) -> dict[str, Json]:
    tray = kept.row
    return {
        "id": kept.id,
        "index": tray.index,
        "name": tray.name,
        "description": tray.description,
        "type": enums.INPUT_TYPE.name(tray.type),
        "media_name": tray.media_name,
        "media_type": tray.media_type,
        "media_color": tray.media_color,
        "width_mm": enums.to_millimetres(tray.media_dim_xfeed_dir_chosen, tray.dim_unit),
        "length_mm": enums.to_millimetres(tray.media_dim_feed_dir_chosen, tray.dim_unit),
        "capacity_unit": enums.CAPACITY_UNIT.name(tray.capacity_unit),
        "max_capacity": enums.amount_or_keyword(tray.max_capacity),
        "level": enums.amount_or_keyword(tray.current_level),
        "percent": percent_of_capacity(tray.current_level, tray.max_capacity),
        "status": _dict_or_none(enums.decode_subunit_status(tray.status)),
        "changed_at": format_timestamp(kept.changed_at),
    }


def _serialize_output_tray(kept: StoredRow[OutputTray]) -> dict[str, Json]:
    tray = kept.row
    return {
        "id": kept.id,
        "index": tray.index,
        "name": tray.name,
        "description": tray.description,
        "type": enums.OUTPUT_TYPE.name(tray.type),
        "capacity_unit": enums.CAPACITY_UNIT.name(tray.capacity_unit),
        "max_capacity": enums.amount_or_keyword(tray.max_capacity),
        "remaining_capacity": enums.amount_or_keyword(tray.remaining_capacity),
        "status": _dict_or_none(enums.decode_subunit_status(tray.status)),
        "changed_at": format_timestamp(kept.changed_at),
    }


def _serialize_storage(kept: StoredRow[Storage]) -> dict[str, Json]:
    storage = kept.row
    unit = storage.allocation_units or 0
    return {
        "id": kept.id,
        "index": storage.index,
        "type": enums.storage_type_name(storage.type),
        "description": storage.description,
        "size_bytes": None if storage.size is None or not unit else storage.size * unit,
        "used_bytes": None if storage.used is None or not unit else storage.used * unit,
        "percent": percent_of_capacity(storage.used, storage.size),
        "allocation_failures": storage.allocation_failures,
        "changed_at": format_timestamp(kept.changed_at),
    }


def _serialize_alert(kept: StoredRow[Alert]) -> dict[str, Json]:
    alert = kept.row
    return {
        "id": kept.id,
        "index": alert.index,
        "severity": enums.SEVERITY.name(alert.severity_level),
        "training": enums.TRAINING.name(alert.training_level),
        "group": enums.ALERT_GROUP.name(alert.group),
        "code": alert.code,
        "description": alert.description,
        "since": format_timestamp(kept.created_at),
    }


def _dict_or_none(values: Mapping[str, str | bool] | None) -> dict[str, Json] | None:
    return None if values is None else dict(values)
