"""A printer's reading as a technician reads it: every part in words, and what asking cost."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from appliance.cli import formatting, terminal
from appliance.domain import supply_text
from appliance.domain.model import (
    Alert,
    Amount,
    Counter,
    InputTray,
    OutputTray,
    PollCost,
    Reading,
    Storage,
    Supply,
)
from appliance.mib import enums

DATAGRAM_HEADER_BYTES = 42  # bytes of Ethernet, IPv4 and UDP headers around each datagram's payload
LABEL_WIDTH = 15  # wide enough for the longest label below
COUNTER_COLUMNS = ("Counter", "Pages", "Source")
NUMERIC_COLUMNS = frozenset({"#", "Pages", "Used", "Size", "Code", "Place", "Since"})


@dataclass(frozen=True, slots=True)
class ReportSection:
    """A titled table."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def print_reading(reading: Reading, cpca_echo: str | None = None) -> None:
    """Write the whole reading; `echo` says how a Canon answered CPCA's echo."""
    _print_pairs(_identity_pairs(reading))
    _print_pairs(_details_pairs(reading))
    _print_pairs([("CPCA", cpca_echo)])
    for section in _build_sections(reading):
        terminal.print_line()
        if section.rows:
            terminal.print_line(section.title)
            terminal.print_table(section.columns, section.rows, NUMERIC_COLUMNS, indent="  ")
        else:
            terminal.print_line(f"{section.title}: none")
    terminal.print_line()
    terminal.print_line(format_cost(reading.cost))


def bytes_on_wire(poll_cost: PollCost) -> int:
    """Return the bytes as the reference's manual counts them: with all headers."""
    return poll_cost.bytes + DATAGRAM_HEADER_BYTES * poll_cost.packets


def format_cost(poll_cost: PollCost) -> str:
    """Return what asking took, in one line."""
    return (
        f"Cost: {poll_cost.packets:,} packets, {poll_cost.bytes:,} bytes of payload, "
        f"{bytes_on_wire(poll_cost):,} bytes on the wire, {poll_cost.seconds:.2f} s"
    )


def _print_pairs(pairs: Sequence[tuple[str, str | None]]) -> None:
    for label, value in pairs:
        if value is not None:
            first, *others = terminal.wrap_text(value, terminal.terminal_width() - LABEL_WIDTH)
            terminal.print_line(f"{label:<{LABEL_WIDTH}}{first}")
            for line in others:
                terminal.print_line(" " * LABEL_WIDTH + line)


def _build_sections(reading: Reading) -> Iterator[ReportSection]:
    yield ReportSection("Page counters", COUNTER_COLUMNS, counter_rows(reading.counters))
    supplies = ("#", "Supply", "Kind", "Colour", "State", "Level")
    yield ReportSection("Supplies", supplies, [_supply_row(supply) for supply in reading.supplies])
    inputs = ("#", "Tray", "Kind", "Media", "Level", "Status")
    yield ReportSection("Inputs", inputs, [_input_row(tray) for tray in reading.inputs])
    outputs = ("#", "Bin", "Kind", "Room", "Status")
    yield ReportSection("Outputs", outputs, [_output_row(tray) for tray in reading.outputs])
    storages = ("#", "Storage", "Kind", "Used", "Size")
    yield ReportSection("Storages", storages, [_storage_row(storage) for storage in reading.storages])
    alerts = ("#", "Severity", "Part", "Code", "Place", "Needs", "Text", "Since")
    yield ReportSection(
        "Alerts", alerts, [_alert_row(alert, reading.details.uptime) for alert in reading.alerts]
    )
    if reading.notes:
        yield ReportSection("Notes", ("Note",), [(note,) for note in reading.notes])
    if reading.failures:
        yield ReportSection(
            "Not read", ("Part", "Why"), [(part.part, part.reason) for part in reading.failures]
        )


def counter_rows(found: Sequence[Counter]) -> list[tuple[str, ...]]:
    """Each counter with its source, then what speaks against it."""
    lines: list[tuple[str, ...]] = []
    for counter in found:
        lines.append((counter.name.replace("_", " "), f"{counter.value:,}", counter.source))
        if counter.held is not None:
            lines.append(("", f"({counter.held:,})", f"held, not sent: {counter.held_reason}"))
        if counter.dispute is not None:
            lines.append(("", "", f"disputed: {counter.dispute}"))
    return lines


def _supply_row(supply: Supply) -> tuple[str, ...]:
    return (
        str(supply.index),
        supply.description or "-",
        enums.SUPPLY_TYPE.label(supply.type),
        supply.color or "-",
        supply_text.describe_level(supply),
        _format_level(supply.level, supply.max_capacity, supply.unit),
    )


def _input_row(tray: InputTray) -> tuple[str, ...]:
    return (
        str(tray.index),
        tray.name or tray.description or "-",
        enums.INPUT_TYPE.label(tray.type),
        tray.media_name or "-",
        _format_level(tray.current_level, tray.max_capacity, tray.capacity_unit),
        enums.subunit_status_label(tray.status),
    )


def _output_row(tray: OutputTray) -> tuple[str, ...]:
    return (
        str(tray.index),
        tray.name or tray.description or "-",
        enums.OUTPUT_TYPE.label(tray.type),
        _format_level(tray.remaining_capacity, tray.max_capacity, tray.capacity_unit),
        enums.subunit_status_label(tray.status),
    )


def _format_level(level: Amount | None, capacity: Amount | None, unit: int | None) -> str:
    if level is None and capacity is None:
        return "-"
    words = enums.unit_label(unit)
    return f"{enums.amount_label(level)} of {enums.amount_label(capacity)} {words}"


def _storage_row(storage: Storage) -> tuple[str, ...]:
    unit = storage.allocation_units
    return (
        str(storage.index),
        storage.description or "-",
        enums.storage_type_label(storage.type),
        _format_size(storage.used, unit),
        _format_size(storage.size, unit),
    )


def _format_size(units: int | None, unit: int | None) -> str:
    if units is None or unit is None:
        return "-"
    return formatting.format_bytes(units * unit)


def _alert_row(alert: Alert, uptime: int | None) -> tuple[str, ...]:
    since = "-"
    if alert.time is not None and uptime is not None and alert.time <= uptime:
        since = formatting.format_duration(uptime - alert.time)
    return (
        str(alert.index),
        enums.SEVERITY.label(alert.severity_level),
        enums.ALERT_GROUP.label(alert.group),
        "-" if alert.code is None else str(alert.code),
        "-" if alert.location is None else str(alert.location),
        enums.TRAINING.label(alert.training_level),
        alert.description or "-",
        since,
    )


def _identity_pairs(reading: Reading) -> list[tuple[str, str | None]]:
    target, identity = reading.target, reading.identity
    version = {"1": "SNMPv1", "2": "SNMPv2c"}.get(target.snmp_version, target.snmp_version)
    where = target.host if target.name in (None, target.host) else f"{target.name} ({target.host})"
    return [
        ("Address", f"{where}, port {target.port}, {version}"),
        ("Manufacturer", identity.manufacturer),
        ("Model", identity.model),
        ("Serial number", identity.serial_number),
        ("MAC address", identity.mac_address),
        ("Object ID", identity.object_id),
    ]


def _details_pairs(reading: Reading) -> list[tuple[str, str | None]]:
    details = reading.details
    return [
        ("Name", details.name),
        ("Location", details.location),
        ("Contact", details.contact),
        ("Description", details.description),
        ("Firmware", details.firmware),
        ("Display", details.display_text),
        ("Status", enums.PRINTER_STATUS.label(details.status)),
        ("Device status", enums.DEVICE_STATUS.label(details.device_status)),
        ("Errors", ", ".join(map(enums.split_camel_case, details.errors)) or "none"),
        ("Up for", None if details.uptime is None else formatting.format_duration(details.uptime)),
    ]
