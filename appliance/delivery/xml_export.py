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
from operator import attrgetter
from typing import Generic, Literal, TypeVar

from appliance.domain.model import CounterName, Printer, StoredRow, VagueAmount
from appliance.mib.printer_mib import ALERTS, INPUTS, OUTPUTS, STORAGES, SUPPLIES, RecordTable

ElementNames = Literal["printed", "mib"]
ElementValue = str | int | VagueAmount | datetime | None

T = TypeVar("T")

XML_HEAD = b'<?xml version="1.0" encoding="utf-8"?>\n<NewDataSet>\n'
XML_FOOT = b"</NewDataSet>\n"


@dataclass(frozen=True, slots=True)
class XmlElement(Generic[T]):
    """One element: its name as the reference prints it, its value, the Printer-MIB's name if another."""

    printed: str
    value: Callable[[T], ElementValue]
    mib: str | None = None

    def name(self, names: ElementNames) -> str:
        return self.mib if names == "mib" and self.mib else self.printed


@dataclass(frozen=True, slots=True)
class XmlSection(Generic[T]):
    """A table of a printer: every row is one element that opens with its own id and the printer's."""

    name: str
    id: str
    rows: Callable[[Printer], tuple[StoredRow[T], ...]]
    elements: tuple[XmlElement[T], ...]


def render(printers: Iterable[Printer], zone: tzinfo, names: ElementNames = "printed") -> bytes:
    """The whole document, UTF-8; the same printers give the same bytes. Times are shown in `zone`."""
    write_printer = _printer_writer(zone, names)
    document = BytesIO()
    document.write(XML_HEAD)
    for printer in printers:
        document.write("".join(write_printer(printer)).encode())
    document.write(XML_FOOT)
    return document.getvalue()


def _printer_writer(zone: tzinfo, names: ElementNames) -> Callable[[Printer], Iterator[str]]:
    details = _elements_writer(_PRINTER_ELEMENTS, names, zone, "    ")
    alerts = _section_writer(_ALERT_SECTION, names, zone)
    supplies = _section_writer(_SUPPLY_SECTION, names, zone)
    inputs = _section_writer(_INPUT_SECTION, names, zone)
    outputs = _section_writer(_OUTPUT_SECTION, names, zone)
    storages = _section_writer(_STORAGE_SECTION, names, zone)

    def write(printer: Printer) -> Iterator[str]:
        yield "  <Printers>\n"
        yield from details(printer)
        for table in (alerts, supplies, inputs, outputs, storages):
            yield from table(printer)
        yield "  </Printers>\n"

    return write


def _section_writer(
    section: XmlSection[T], names: ElementNames, zone: tzinfo
) -> Callable[[Printer], Iterator[str]]:
    fields = _elements_writer(section.elements, names, zone, "      ")
    begin, end = f"    <{section.name}>\n", f"    </{section.name}>\n"

    def write(printer: Printer) -> Iterator[str]:
        for kept in section.rows(printer):
            yield f"{begin}      <{section.id}>{kept.id}</{section.id}>\n"
            yield f"      <PrinterID>{printer.id}</PrinterID>\n"
            yield from fields(kept.row)
            yield f"      <CreatedAt>{_format_time(kept.created_at, zone)}</CreatedAt>\n"
            yield f"      <ChangedAt>{_format_time(kept.changed_at, zone)}</ChangedAt>\n{end}"

    return write


def _elements_writer(
    elements: tuple[XmlElement[T], ...], names: ElementNames, zone: tzinfo, indent: str
) -> Callable[[T], Iterator[str]]:
    named = [(element.name(names), element.value) for element in elements]
    tags = [(f"{indent}<{name}>", f"</{name}>\n", f"{indent}<{name}/>\n", value) for name, value in named]

    def write(record: T) -> Iterator[str]:
        for begin, end, empty, value_of in tags:
            value = value_of(record)
            if value is not None:
                text = _serialize_value(value, zone)
                yield begin + text + end if text else empty

    return write


def _serialize_value(value: str | int | VagueAmount | datetime, zone: tzinfo) -> str:
    match value:
        case str():
            return _UNSAFE_CHARS.sub(_escape_char, value)
        case bool():
            return "true" if value else "false"
        case VagueAmount():
            return str(value.value)
        case datetime():
            return _format_time(value, zone)
    return str(value)


def _format_time(time: datetime, zone: tzinfo) -> str:
    return time.astimezone(zone).isoformat(timespec="milliseconds")


# All but the characters of XML 1.0 (section 2.2) that may stand in an element as they are.
_UNSAFE_CHARS = re.compile("[^\t\n\x20-\x25\x27-\x3b\x3d\x3f-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}  # a bare CR would be read back as LF


def _escape_char(character: re.Match[str]) -> str:
    return _ESCAPES.get(character[0], "")  # XML 1.0 cannot hold the others in any form


def _counter_value(name: CounterName) -> Callable[[Printer], int | None]:
    return lambda printer: next((each.value for each in printer.counters if each.name == name), None)


def _column_elements(table: RecordTable[T], *omitted: str) -> tuple[XmlElement[T], ...]:
    """Return an element for each declared column, in the order of the declaration."""
    return tuple(
        XmlElement(column.xml_name or column.camel_case_name, attrgetter(column.field), column.xml_mib_name)
        for column in table.declared
        if column.field not in omitted
    )


# SmpVersion is the version's number as people write it: 1 for SNMPv1, 2 for SNMPv2c.
_SNMP_VERSION_NUMBERS = {"1": 1, "2": 2}
_NO_SNMPV3 = 0  # SmpAuthenticationProtocol, SmpEncryptionAlgorithm: none

_PRINTER_ELEMENTS: tuple[XmlElement[Printer], ...] = (
    XmlElement("PrinterID", lambda printer: printer.id),
    XmlElement("DnsName", lambda printer: printer.target.name or ""),
    XmlElement("IpAddress", lambda printer: printer.target.host),
    XmlElement("Manufacturer", lambda printer: printer.identity.manufacturer),
    XmlElement("Models", lambda printer: printer.identity.model),
    XmlElement("Devicename", lambda printer: printer.details.name),
    XmlElement("Serialnumber", lambda printer: printer.identity.serial_number),
    XmlElement("MacAddress", lambda printer: printer.identity.mac_address),
    XmlElement("Location", lambda printer: printer.details.location),
    XmlElement("Contact", lambda printer: printer.details.contact),
    XmlElement("DisplayText", lambda printer: printer.details.display_text),
    XmlElement("StatusPrinter", lambda printer: printer.details.status),
    XmlElement("Description", lambda printer: printer.details.description),
    XmlElement("Firmware", lambda printer: printer.details.firmware),
    XmlElement("CreatedAt", lambda printer: printer.created_at),
    XmlElement("ChangedAt", lambda printer: printer.changed_at),
    XmlElement("CounterTotalDevices", _counter_value(CounterName.TOTAL)),
    XmlElement("CounterTotalLarge", _counter_value(CounterName.LARGE)),
    XmlElement("CounterTotalDuplex", _counter_value(CounterName.DUPLEX)),
    XmlElement("CounterPrintTotalBlack", _counter_value(CounterName.PRINT_BLACK)),
    XmlElement("CounterPrintTotalSingleColor", _counter_value(CounterName.PRINT_SINGLE_COLOR)),
    XmlElement("CounterPrintTotalFullColor", _counter_value(CounterName.PRINT_FULL_COLOR)),
    XmlElement("CounterCopyTotalBlack", _counter_value(CounterName.COPY_BLACK)),
    XmlElement("CounterCopyTotalSingleColor", _counter_value(CounterName.COPY_SINGLE_COLOR)),
    XmlElement("CounterCopyTotalFullColor", _counter_value(CounterName.COPY_FULL_COLOR)),
    XmlElement("CounterFaxTotal", _counter_value(CounterName.FAX)),
    XmlElement(
        "SmpVersion", lambda printer: _SNMP_VERSION_NUMBERS.get(printer.target.snmp_version), "SnmpVersion"
    ),
    XmlElement("SmpCommunityRead", lambda printer: printer.target.community_read, "SnmpCommunityRead"),
    XmlElement("SmpCommunityWrite", lambda printer: printer.target.community_write, "SnmpCommunityWrite"),
    XmlElement("SmpAuthenticationProtocol", lambda _: _NO_SNMPV3, "SnmpAuthenticationProtocol"),
    XmlElement("SmpEncryptionAlgorithm", lambda _: _NO_SNMPV3, "SnmpEncryptionAlgorithm"),
    XmlElement("SmpPort", lambda printer: printer.target.port, "SnmpPort"),
    XmlElement("DeviceGroupID", lambda printer: printer.device_group),
    XmlElement("Ignore", lambda printer: printer.ignore),
)

_ALERT_SECTION = XmlSection(
    "PrinterAlerts", "AlertID", lambda printer: printer.alerts, _column_elements(ALERTS, "index")
)
_SUPPLY_SECTION = XmlSection(
    "PrinterSupplies", "SupplyID", lambda printer: printer.supplies, _column_elements(SUPPLIES, "index")
)
_INPUT_SECTION = XmlSection(
    "PrinterInputs", "InputID", lambda printer: printer.inputs, _column_elements(INPUTS)
)
_OUTPUT_SECTION = XmlSection(
    "PrinterOutputs", "OutputID", lambda printer: printer.outputs, _column_elements(OUTPUTS)
)
_STORAGE_SECTION = XmlSection(
    "PrinterStorages", "StorageID", lambda printer: printer.storages, _column_elements(STORAGES)
)
