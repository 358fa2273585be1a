"""Printers become the reference's XML: the only module that knows an element's name.

A value that the printer did not give is left out, an empty one is `<Name/>`; amounts that Printer-MIB cannot
put into a number keep its -1, -2 and -3. A printer that is to be ignored stays in the XML with its last known
values: the `Ignore` element exists to tell the receiver so.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from io import BytesIO
from typing import Generic, Literal, TypeVar

from appliance.domain.model import (
    Alert,
    CounterName,
    InputTray,
    Kept,
    OutputTray,
    Printer,
    Storage,
    Supply,
    Vague,
)

Names = Literal["printed", "mib"]
Value = str | int | Vague | datetime | None

T = TypeVar("T")

HEAD = b'<?xml version="1.0" encoding="utf-8"?>\n<NewDataSet>\n'
FOOT = b"</NewDataSet>\n"


@dataclass(frozen=True, slots=True)
class Element(Generic[T]):
    """One element: its name as the reference prints it, its value, the Printer-MIB's name if another."""

    printed: str
    value: Callable[[T], Value]
    mib: str | None = None

    def name(self, names: Names) -> str:
        return self.mib if names == "mib" and self.mib else self.printed


@dataclass(frozen=True, slots=True)
class Section(Generic[T]):
    """A table of a printer: every row is one element that opens with its own id and the printer's."""

    name: str
    id: str
    rows: Callable[[Printer], tuple[Kept[T], ...]]
    elements: tuple[Element[T], ...]


def render(printers: Iterable[Printer], zone: tzinfo, names: Names = "printed") -> bytes:
    """The whole document, UTF-8; the same printers give the same bytes. Times are shown in `zone`."""
    write_printer = _writer(zone, names)
    document = BytesIO()
    document.write(HEAD)
    for printer in printers:
        document.write("".join(write_printer(printer)).encode())
    document.write(FOOT)
    return document.getvalue()


def _writer(zone: tzinfo, names: Names) -> Callable[[Printer], Iterator[str]]:
    details = _fields(_PRINTER, names, zone, "    ")
    alerts = _table(_ALERTS, names, zone)
    supplies = _table(_SUPPLIES, names, zone)
    inputs = _table(_INPUTS, names, zone)
    outputs = _table(_OUTPUTS, names, zone)
    storages = _table(_STORAGES, names, zone)

    def write(printer: Printer) -> Iterator[str]:
        yield "  <Printers>\n"
        yield from details(printer)
        for table in (alerts, supplies, inputs, outputs, storages):
            yield from table(printer)
        yield "  </Printers>\n"

    return write


def _table(section: Section[T], names: Names, zone: tzinfo) -> Callable[[Printer], Iterator[str]]:
    fields = _fields(section.elements, names, zone, "      ")
    begin, end = f"    <{section.name}>\n", f"    </{section.name}>\n"

    def write(printer: Printer) -> Iterator[str]:
        for kept in section.rows(printer):
            yield f"{begin}      <{section.id}>{kept.id}</{section.id}>\n"
            yield f"      <PrinterID>{printer.id}</PrinterID>\n"
            yield from fields(kept.row)
            yield f"      <CreatedAt>{_local(kept.created_at, zone)}</CreatedAt>\n"
            yield f"      <ChangedAt>{_local(kept.changed_at, zone)}</ChangedAt>\n{end}"

    return write


def _fields(
    elements: tuple[Element[T], ...], names: Names, zone: tzinfo, indent: str
) -> Callable[[T], Iterator[str]]:
    named = [(element.name(names), element.value) for element in elements]
    tags = [(f"{indent}<{name}>", f"</{name}>\n", f"{indent}<{name}/>\n", value) for name, value in named]

    def write(record: T) -> Iterator[str]:
        for begin, end, empty, value_of in tags:
            value = value_of(record)
            if value is not None:
                text = _text(value, zone)
                yield begin + text + end if text else empty

    return write


def _text(value: str | int | Vague | datetime, zone: tzinfo) -> str:
    match value:
        case str():
            return _UNSAFE.sub(_safe, value)
        case bool():
            return "true" if value else "false"
        case Vague():
            return str(value.value)
        case datetime():
            return _local(value, zone)
    return str(value)


def _local(time: datetime, zone: tzinfo) -> str:
    return time.astimezone(zone).isoformat(timespec="milliseconds")


# All but the characters of XML 1.0 (section 2.2) that may stand in an element as they are.
_UNSAFE = re.compile("[^\t\n\x20-\x25\x27-\x3b\x3d\x3f-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}  # a bare CR would be read back as LF


def _safe(character: re.Match[str]) -> str:
    return _ESCAPES.get(character[0], "")  # XML 1.0 cannot hold the others in any form


def _counter(name: CounterName) -> Callable[[Printer], int | None]:
    return lambda printer: next((each.value for each in printer.counters if each.name == name), None)


# SmpVersion is the version's number as people write it: 1 for SNMPv1, 2 for SNMPv2c.
_VERSIONS = {"1": 1, "2": 2}
_NO_SNMPV3 = 0  # SmpAuthenticationProtocol, SmpEncryptionAlgorithm: none

_PRINTER: tuple[Element[Printer], ...] = (
    Element("PrinterID", lambda printer: printer.id),
    Element("DnsName", lambda printer: printer.target.name or ""),
    Element("IpAddress", lambda printer: printer.target.host),
    Element("Manufacturer", lambda printer: printer.identity.manufacturer),
    Element("Models", lambda printer: printer.identity.model),
    Element("Devicename", lambda printer: printer.details.name),
    Element("Serialnumber", lambda printer: printer.identity.serial_number),
    Element("MacAddress", lambda printer: printer.identity.mac_address),
    Element("Location", lambda printer: printer.details.location),
    Element("Contact", lambda printer: printer.details.contact),
    Element("DisplayText", lambda printer: printer.details.display_text),
    Element("StatusPrinter", lambda printer: printer.details.status),
    Element("Description", lambda printer: printer.details.description),
    Element("Firmware", lambda printer: printer.details.firmware),
    Element("CreatedAt", lambda printer: printer.created_at),
    Element("ChangedAt", lambda printer: printer.changed_at),
    Element("CounterTotalDevices", _counter(CounterName.TOTAL)),
    Element("CounterTotalLarge", _counter(CounterName.LARGE)),
    Element("CounterTotalDuplex", _counter(CounterName.DUPLEX)),
    Element("CounterPrintTotalBlack", _counter(CounterName.PRINT_BLACK)),
    Element("CounterPrintTotalSingleColor", _counter(CounterName.PRINT_SINGLE_COLOR)),
    Element("CounterPrintTotalFullColor", _counter(CounterName.PRINT_FULL_COLOR)),
    Element("CounterCopyTotalBlack", _counter(CounterName.COPY_BLACK)),
    Element("CounterCopyTotalSingleColor", _counter(CounterName.COPY_SINGLE_COLOR)),
    Element("CounterCopyTotalFullColor", _counter(CounterName.COPY_FULL_COLOR)),
    Element("CounterFaxTotal", _counter(CounterName.FAX)),
    Element("SmpVersion", lambda printer: _VERSIONS.get(printer.target.snmp_version), "SnmpVersion"),
    Element("SmpCommunityRead", lambda printer: printer.target.community_read, "SnmpCommunityRead"),
    Element("SmpCommunityWrite", lambda printer: printer.target.community_write, "SnmpCommunityWrite"),
    Element("SmpAuthenticationProtocol", lambda _: _NO_SNMPV3, "SnmpAuthenticationProtocol"),
    Element("SmpEncryptionAlgorithm", lambda _: _NO_SNMPV3, "SnmpEncryptionAlgorithm"),
    Element("SmpPort", lambda printer: printer.target.port, "SnmpPort"),
    Element("DeviceGroupID", lambda printer: printer.device_group),
    Element("Ignore", lambda printer: printer.ignore),
)

_ALERTS: Section[Alert] = Section(
    "PrinterAlerts",
    "AlertID",
    lambda printer: printer.alerts,
    (
        Element("Code", lambda alert: alert.code),
        Element("SeverityLevel", lambda alert: alert.severity_level),
        Element("TrainingLevel", lambda alert: alert.training_level),
        Element("Group", lambda alert: alert.group),
        Element("GroupIndex", lambda alert: alert.group_index),
        Element("Location", lambda alert: alert.location),
        Element("Description", lambda alert: alert.description),
        Element("Time", lambda alert: alert.time),
    ),
)

_SUPPLIES: Section[Supply] = Section(
    "PrinterSupplies",
    "SupplyID",
    lambda printer: printer.supplies,
    (
        Element("Type", lambda supply: supply.type),
        Element("Color", lambda supply: supply.color),
        Element("Class", lambda supply: supply.class_),
        Element("Description", lambda supply: supply.description),
        Element("Unit", lambda supply: supply.unit),
        Element("Capacity", lambda supply: supply.max_capacity),
        Element("Level", lambda supply: supply.level),
    ),
)

_INPUTS: Section[InputTray] = Section(
    "PrinterInputs",
    "InputID",
    lambda printer: printer.inputs,
    (
        Element("Index", lambda tray: tray.index),
        Element("Type", lambda tray: tray.type),
        Element("DimUnit", lambda tray: tray.dim_unit),
        Element("MediaDimFeedDirDeclared", lambda tray: tray.media_dim_feed_dir_declared),
        Element(
            "MediaDimFeedDirDeclared",
            lambda tray: tray.media_dim_xfeed_dir_declared,
            "MediaDimXFeedDirDeclared",
        ),
        Element("MediaDimFeedDirChosen", lambda tray: tray.media_dim_feed_dir_chosen),
        Element(
            "MediaDimFeedDirChosen", lambda tray: tray.media_dim_xfeed_dir_chosen, "MediaDimXFeedDirChosen"
        ),
        Element("CapacityUnit", lambda tray: tray.capacity_unit),
        Element("MaxCapacity", lambda tray: tray.max_capacity),
        Element("CurrentLevel", lambda tray: tray.current_level),
        Element("Status", lambda tray: tray.status),
        Element("MediaName", lambda tray: tray.media_name),
        Element("Names", lambda tray: tray.name),
        Element("VendorName", lambda tray: tray.vendor_name),
        Element("Model", lambda tray: tray.model),
        Element("Version", lambda tray: tray.version),
        Element("Serialnumber", lambda tray: tray.serial_number),
        Element("Description", lambda tray: tray.description),
        Element("Security", lambda tray: tray.security),
        Element("MediaWeights", lambda tray: tray.media_weight),
        Element("MediaType", lambda tray: tray.media_type),
        Element("MediaColor", lambda tray: tray.media_color),
        Element("MediaFormParts", lambda tray: tray.media_form_parts),
        Element("MediaLoadTimeout", lambda tray: tray.media_load_timeout),
        Element("NextIndex", lambda tray: tray.next_index),
    ),
)

_OUTPUTS: Section[OutputTray] = Section(
    "PrinterOutputs",
    "OutputID",
    lambda printer: printer.outputs,
    (
        Element("Index", lambda tray: tray.index),
        Element("Type", lambda tray: tray.type),
        Element("CapacityUnit", lambda tray: tray.capacity_unit),
        Element("MaxCapacity", lambda tray: tray.max_capacity),
        Element("RemainingCapacity", lambda tray: tray.remaining_capacity),
        Element("Status", lambda tray: tray.status),
        Element("Name", lambda tray: tray.name),
        Element("VendorName", lambda tray: tray.vendor_name),
        Element("Model", lambda tray: tray.model),
        Element("Version", lambda tray: tray.version),
        Element("Serialnumber", lambda tray: tray.serial_number),
        Element("Description", lambda tray: tray.description),
        Element("Security", lambda tray: tray.security),
        Element("DimUnit", lambda tray: tray.dim_unit),
        Element("MaxDimFeedDir", lambda tray: tray.max_dim_feed_dir),
        Element("MaxDimFeedDir", lambda tray: tray.max_dim_xfeed_dir, "MaxDimXFeedDir"),
        Element("MinDimFeedDir", lambda tray: tray.min_dim_feed_dir),
        Element("MinDimFeedDir", lambda tray: tray.min_dim_xfeed_dir, "MinDimXFeedDir"),
        Element("StackingOrder", lambda tray: tray.stacking_order),
        Element("PageDeliveryOrientation", lambda tray: tray.page_delivery_orientation),
        Element("Bursting", lambda tray: tray.bursting),
        Element("Decollating", lambda tray: tray.decollating),
        Element("PageCollated", lambda tray: tray.page_collated),
        Element("OffsetStacking", lambda tray: tray.offset_stacking),
    ),
)

_STORAGES: Section[Storage] = Section(
    "PrinterStorages",
    "StorageID",
    lambda printer: printer.storages,
    (
        Element("Index", lambda storage: storage.index),
        Element("Type", lambda storage: storage.type),
        Element("Description", lambda storage: storage.description),
        Element("AllocationUnits", lambda storage: storage.allocation_units),
        Element("Size", lambda storage: storage.size),
        Element("Used", lambda storage: storage.used),
        Element("AllocationFailures", lambda storage: storage.allocation_failures),
    ),
)
