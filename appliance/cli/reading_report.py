"""Print a reading for a technician: every part in words, and the cost of the poll."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from appliance.cli import terminal
from appliance.domain.model import (
    Alert,
    Amount,
    Counter,
    InputTray,
    OutputTray,
    PollCost,
    Reading,
    Storage,
)
from appliance.domain.supplies import AssessedSupply, assess_supplies, format_state
from appliance.mib import enum_labels

DATAGRAM_HEADER_BYTES = 42  # bytes of Ethernet, IPv4 and UDP headers around each datagram's payload
LABEL_WIDTH = 15  # wide enough for the longest label below
COUNTER_COLUMNS = ("Counter", "Pages", "Source")
NUMERIC_COLUMNS = frozenset({"#", "Pages", "Used", "Size", "Code", "Place", "Since"})

STORAGE_TYPE_LABELS = {  # the last arc of hrStorageTypes, RFC 2790
    "1": "other",
    "2": "RAM",
    "3": "virtual memory",
    "4": "fixed disk",
    "5": "removable disk",
    "6": "floppy disk",
    "7": "compact disc",
    "8": "RAM disk",
    "9": "flash memory",
    "10": "network disk",
}


@dataclass(frozen=True, slots=True)
class ReportSection:
    """A titled table."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def print_reading(reading: Reading, cpca_echo: str | None = None) -> None:
    """Print the whole reading; `cpca_echo` says how a Canon answered CPCA's echo."""
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
    """Return the bytes with all headers, as the reference product counts them."""
    return poll_cost.bytes + DATAGRAM_HEADER_BYTES * poll_cost.packets


def format_cost(poll_cost: PollCost) -> str:
    """Return the cost of a poll in one line."""
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
    assessed_supplies = assess_supplies(reading.supplies, reading.alerts)
    supplies = ("#", "Supply", "Kind", "Colour", "State", "Level")
    yield ReportSection("Supplies", supplies, [_supply_row(assessed) for assessed in assessed_supplies])
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


def counter_rows(counters: Sequence[Counter]) -> list[tuple[str, ...]]:
    """Return a row per counter with its source, followed by its held value and dispute."""
    lines: list[tuple[str, ...]] = []
    for counter in counters:
        lines.append((counter.name.replace("_", " "), f"{counter.value:,}", counter.source))
        if counter.held is not None:
            lines.append(("", f"({counter.held:,})", f"held, not sent: {counter.held_reason}"))
        if counter.dispute is not None:
            lines.append(("", "", f"disputed: {counter.dispute}"))
    return lines


def _supply_row(assessed: AssessedSupply) -> tuple[str, ...]:
    supply = assessed.supply
    return (
        str(supply.index),
        supply.description or "-",
        enum_labels.get_label(enum_labels.SUPPLY_TYPE_LABELS, supply.type),
        supply.color or "-",
        format_state(assessed),
        _format_level(supply.level, supply.max_capacity, supply.unit),
    )


def _input_row(tray: InputTray) -> tuple[str, ...]:
    return (
        str(tray.index),
        tray.name or tray.description or "-",
        enum_labels.get_label(enum_labels.INPUT_TYPE_LABELS, tray.type),
        tray.media_name or "-",
        _format_level(tray.current_level, tray.max_capacity, tray.capacity_unit),
        enum_labels.format_sub_unit_status(tray.status),
    )


def _output_row(tray: OutputTray) -> tuple[str, ...]:
    return (
        str(tray.index),
        tray.name or tray.description or "-",
        enum_labels.get_label(enum_labels.OUTPUT_TYPE_LABELS, tray.type),
        _format_level(tray.remaining_capacity, tray.max_capacity, tray.capacity_unit),
        enum_labels.format_sub_unit_status(tray.status),
    )


def _format_level(level: Amount | None, capacity: Amount | None, unit: int | None) -> str:
    if level is None and capacity is None:
        return "-"
    words = enum_labels.get_label(enum_labels.CAPACITY_UNIT_LABELS, unit)
    return f"{enum_labels.format_amount(level)} of {enum_labels.format_amount(capacity)} {words}"


def _storage_row(storage: Storage) -> tuple[str, ...]:
    unit = storage.allocation_units
    return (
        str(storage.index),
        storage.description or "-",
        STORAGE_TYPE_LABELS.get(storage.type.rpartition(".")[2], storage.type) if storage.type else "-",
        _format_size(storage.used, unit),
        _format_size(storage.size, unit),
    )


def _format_size(units: int | None, unit: int | None) -> str:
    if units is None or unit is None:
        return "-"
    return enum_labels.format_bytes(units * unit)


def _alert_row(alert: Alert, uptime: int | None) -> tuple[str, ...]:
    since = "-"
    if alert.time is not None and uptime is not None and alert.time <= uptime:
        since = enum_labels.format_duration(uptime - alert.time)
    return (
        str(alert.index),
        enum_labels.get_label(enum_labels.ALERT_SEVERITY_LABELS, alert.severity_level),
        enum_labels.get_label(enum_labels.ALERT_GROUP_LABELS, alert.group),
        "-" if alert.code is None else str(alert.code),
        "-" if alert.location is None else str(alert.location),
        enum_labels.get_label(enum_labels.TRAINING_LEVEL_LABELS, alert.training_level),
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
        ("Status", enum_labels.get_label(enum_labels.PRINTER_STATUS_LABELS, details.status)),
        ("Device status", enum_labels.get_label(enum_labels.DEVICE_STATUS_LABELS, details.device_status)),
        ("Errors", ", ".join(map(enum_labels.format_detected_error, details.errors)) or "none"),
        ("Up for", None if details.uptime is None else enum_labels.format_duration(details.uptime)),
    ]
