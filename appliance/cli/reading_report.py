"""A printer's reading as a technician reads it: every part in words, and what asking cost."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from appliance.cli import terminal
from appliance.domain import supply_text
from appliance.domain.model import (
    Alert,
    Amount,
    Cost,
    Counter,
    InputTray,
    OutputTray,
    Reading,
    Storage,
    Supply,
)
from appliance.mib import enum_labels

HEADERS = 42  # bytes of Ethernet, IPv4 and UDP headers around each datagram's payload
LABEL = 15  # wide enough for the longest label below
COUNTERS = ("Counter", "Pages", "Source")
NUMBERS = frozenset({"#", "Pages", "Used", "Size", "Code", "Place", "Since"})

STORAGE_TYPE = {  # the last arc of hrStorageTypes, RFC 2790
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
class Section:
    """A titled table."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def show(reading: Reading, echo: str | None = None) -> None:
    """Write the whole reading; `echo` says how a Canon answered CPCA's echo."""
    _pairs(_identity(reading))
    _pairs(_details(reading))
    _pairs([("CPCA", echo)])
    for section in _sections(reading):
        terminal.say()
        if section.rows:
            terminal.say(section.title)
            terminal.show_table(section.columns, section.rows, NUMBERS, indent="  ")
        else:
            terminal.say(f"{section.title}: none")
    terminal.say()
    terminal.say(cost(reading.cost))


def on_the_wire(spent: Cost) -> int:
    """Return the bytes as the reference's manual counts them: with all headers."""
    return spent.bytes + HEADERS * spent.packets


def cost(spent: Cost) -> str:
    """Return what asking took, in one line."""
    return (
        f"Cost: {spent.packets:,} packets, {spent.bytes:,} bytes of payload, "
        f"{on_the_wire(spent):,} bytes on the wire, {spent.seconds:.2f} s"
    )


def _pairs(pairs: Sequence[tuple[str, str | None]]) -> None:
    for label, value in pairs:
        if value is not None:
            first, *others = terminal.wrapped(value, terminal.columns() - LABEL)
            terminal.say(f"{label:<{LABEL}}{first}")
            for line in others:
                terminal.say(" " * LABEL + line)


def _sections(reading: Reading) -> Iterator[Section]:
    yield Section("Page counters", COUNTERS, counters(reading.counters))
    supplies = ("#", "Supply", "Kind", "Colour", "State", "Level")
    yield Section("Supplies", supplies, [_supply(supply) for supply in reading.supplies])
    inputs = ("#", "Tray", "Kind", "Media", "Level", "Status")
    yield Section("Inputs", inputs, [_input(tray) for tray in reading.inputs])
    outputs = ("#", "Bin", "Kind", "Room", "Status")
    yield Section("Outputs", outputs, [_output(tray) for tray in reading.outputs])
    storages = ("#", "Storage", "Kind", "Used", "Size")
    yield Section("Storages", storages, [_storage(storage) for storage in reading.storages])
    alerts = ("#", "Severity", "Part", "Code", "Place", "Needs", "Text", "Since")
    yield Section("Alerts", alerts, [_alert(alert, reading.details.uptime) for alert in reading.alerts])
    if reading.notes:
        yield Section("Notes", ("Note",), [(note,) for note in reading.notes])
    if reading.failures:
        yield Section("Not read", ("Part", "Why"), [(part.part, part.reason) for part in reading.failures])


def counters(found: Sequence[Counter]) -> list[tuple[str, ...]]:
    """Each counter with its source, then what speaks against it."""
    lines: list[tuple[str, ...]] = []
    for counter in found:
        lines.append((counter.name.replace("_", " "), f"{counter.value:,}", counter.source))
        if counter.held is not None:
            lines.append(("", f"({counter.held:,})", f"held, not sent: {counter.held_reason}"))
        if counter.dispute is not None:
            lines.append(("", "", f"disputed: {counter.dispute}"))
    return lines


def _supply(supply: Supply) -> tuple[str, ...]:
    return (
        str(supply.index),
        supply.description or "-",
        enum_labels.word(enum_labels.SUPPLY_TYPE, supply.type),
        supply.color or "-",
        supply_text.state(supply),
        _level(supply.level, supply.max_capacity, supply.unit),
    )


def _input(tray: InputTray) -> tuple[str, ...]:
    return (
        str(tray.index),
        tray.name or tray.description or "-",
        enum_labels.word(enum_labels.INPUT_TYPE, tray.type),
        tray.media_name or "-",
        _level(tray.current_level, tray.max_capacity, tray.capacity_unit),
        enum_labels.sub_unit_status(tray.status),
    )


def _output(tray: OutputTray) -> tuple[str, ...]:
    return (
        str(tray.index),
        tray.name or tray.description or "-",
        enum_labels.word(enum_labels.OUTPUT_TYPE, tray.type),
        _level(tray.remaining_capacity, tray.max_capacity, tray.capacity_unit),
        enum_labels.sub_unit_status(tray.status),
    )


def _level(level: Amount | None, capacity: Amount | None, unit: int | None) -> str:
    if level is None and capacity is None:
        return "-"
    words = enum_labels.word(enum_labels.UNIT, unit)
    return f"{enum_labels.amount(level)} of {enum_labels.amount(capacity)} {words}"


def _storage(storage: Storage) -> tuple[str, ...]:
    unit = storage.allocation_units
    return (
        str(storage.index),
        storage.description or "-",
        STORAGE_TYPE.get(storage.type.rpartition(".")[2], storage.type) if storage.type else "-",
        _size(storage.used, unit),
        _size(storage.size, unit),
    )


def _size(units: int | None, unit: int | None) -> str:
    if units is None or unit is None:
        return "-"
    return enum_labels.size(units * unit)


def _alert(alert: Alert, uptime: int | None) -> tuple[str, ...]:
    since = "-"
    if alert.time is not None and uptime is not None and alert.time <= uptime:
        since = enum_labels.duration(uptime - alert.time)
    return (
        str(alert.index),
        enum_labels.word(enum_labels.SEVERITY, alert.severity_level),
        enum_labels.word(enum_labels.ALERT_GROUP, alert.group),
        "-" if alert.code is None else str(alert.code),
        "-" if alert.location is None else str(alert.location),
        enum_labels.word(enum_labels.TRAINING, alert.training_level),
        alert.description or "-",
        since,
    )


def _identity(reading: Reading) -> list[tuple[str, str | None]]:
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


def _details(reading: Reading) -> list[tuple[str, str | None]]:
    details = reading.details
    return [
        ("Name", details.name),
        ("Location", details.location),
        ("Contact", details.contact),
        ("Description", details.description),
        ("Firmware", details.firmware),
        ("Display", details.display_text),
        ("Status", enum_labels.word(enum_labels.PRINTER_STATUS, details.status)),
        ("Device status", enum_labels.word(enum_labels.DEVICE_STATUS, details.device_status)),
        ("Errors", ", ".join(map(enum_labels.error_word, details.errors)) or "none"),
        ("Up for", None if details.uptime is None else enum_labels.duration(details.uptime)),
    ]
