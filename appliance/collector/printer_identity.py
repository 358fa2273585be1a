"""Determine a printer's vendor, model, serial number, MAC address and firmware from its cells."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from appliance.domain.model import Identity
from appliance.mib import oids
from appliance.mib.charsets import decode_text
from appliance.mib.oids import Oid, format_oid
from appliance.mib.printer_mib import (
    DEVICES,
    HR_DEVICE_DESCR,
    HR_DEVICE_TYPE,
    IF_PHYS_ADDRESS,
    IF_TYPE,
    INTERFACES,
    group_by_table,
    row_indexes,
)
from appliance.mib.values import Cells
from appliance.vendors import vendors
from appliance.vendors.loader import Vendor

# Placeholders in place of serial numbers, in lower case without separators.
SERIAL_PLACEHOLDERS = {
    *(
        "serialnumber",
        "serialno",
        "serial",
        "sn",
        "none",
        "null",
        "nil",
        "unknown",
        "undefined",
        "empty",
        "n/a",
    ),
    *("notavailable", "notset", "default", "test", "invalid", "tbd", "12345678", "123456789", "1234567890"),
    *("0123456789", "abcdefgh"),
}
ETHERNET_IF_TYPES = {6, 7, 62, 117}  # ifType: ethernetCsmacd, iso88023Csmacd, fastEther, gigabitEthernet
WIRELESS_IF_TYPE = 71  # ieee80211
LOOPBACK_IF_TYPE = 24
INVALID_MACS = {bytes(6), b"\xff" * 6}
MAC_TEXT_PATTERN = re.compile(rb"[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}\0?")

# Descriptions of the network card or of a whole range instead of the printer.
NOT_A_MODEL_PATTERN = re.compile(
    r"print ?server|document server|printer i/f|ethernet|\bjetdirect\b|multi-environment|printing system"
    r"|okilan|\bNC-\d|printer board"
    r"|zebranet|zebra wired|epson built-in|^printer$|^linux|^unknown$|^generic",
    re.IGNORECASE,
)
# Text after the model in sysDescr: Ricoh's version and options, Lexmark's version, Canon's "/P", then
# Samsung's "OS 1.01", Xerox's and others' list of firmware parts.
MODEL_SUFFIX_PATTERN = re.compile(
    r"( (?:ver\.? ?|v)?\d+\.[\w.]*)? / .*| version .*|,? printer /p.*| /p\b.*| OS \d.*|;.*"
    r"| \((?:fax|ufrii[^)]*)\)$|, *(?:rom|ess|net|iot) .*",
    re.IGNORECASE,
)
# The firmware in sysDescr, the most specific form first.
FIRMWARE_PATTERNS = (
    # RICOH Aficio MP C4000 1.15 / RICOH Network Printer C model
    re.compile(r"^.+? (?:ver\.? ?|v)?(\d+\.[\w.]+) / ", re.IGNORECASE),
    re.compile(r" version (\S+)", re.IGNORECASE),  # Lexmark T640 version NS.NP.N219 kernel 2.6.6 All-N-1
    re.compile(r"; ?(?:SS|System) ([\d.]+)"),  # Xerox AltaLink C8045; SS 100.002.057.09608, NC ...
    re.compile(r"Attached to \S+ Rev\.([A-Z]?[\d.]+\d)"),  # OKI OkiLAN 9450g ... Attached to MC873 Rev.07.87
    re.compile(
        r"[;, ](?:Controller|ESS) ?([\d.]+\d)"
    ),  # Dell MFP Laser 3115cn; Net 9.26, Controller 200709110910
    re.compile(r"; (?:\w+_)?(V\d[\d.]*\d)"),  # Samsung M4080FX; V11.01.03.04_02-27-2017;Engine ...
    re.compile(r" OS (\d[\w.]*)"),  # Samsung ML-2850 Series OS 1.01.15.47 02-10-2010
    re.compile(r"; (\d+(?:\.\d+){2,})[; ]"),  # Dell 2335dn MFP; 2.70.03.02;Engine 1.10.65
)
ATTACHED_MODEL_PATTERN = re.compile(r"Attached to (.+?) Rev\.")
SERIAL_PATTERN = re.compile(r"\bS/?N[: ] *([A-Za-z0-9-]{4,})")  # HP: SN:VNC12345,..; Dell: S/N 73P2FG1
PID_PATTERN = re.compile(r"\bPID:([^,;]+)")  # HP ETHERNET MULTI-ENVIRONMENT,SN:..,PID:HP LaserJet MFP M130nw


@dataclass(frozen=True, slots=True)
class PrinterContext:
    """The printer described by cells: its index in the tables, its vendor, its character set."""

    cells: Cells
    tables: Mapping[Oid, Cells]  # the same cells by table
    device: Oid  # hrDeviceIndex of the printer
    printer_rows: tuple[Oid, ...]  # of hrDeviceTable, the best one first
    brand_text: str  # all texts that may name the brand, the printer's before the network card's
    vendor: Vendor | None  # whose private objects it has
    charset: int | None

    def text(self, oid: Oid | None) -> str | None:
        value = self.cells.get(oid) if oid else None
        return decode_text(value, self.charset) if isinstance(value, bytes) else None

    @property
    def object_id(self) -> Oid | None:
        value = self.cells.get((*oids.SYS_OBJECT_ID, 0))
        return value if isinstance(value, tuple) and len(value) > 2 else None  # 0.0 is a placeholder

    @property
    def description(self) -> str:
        return self.text((*oids.SYS_DESCR, 0)) or ""


def resolve_context(cells: Cells) -> PrinterContext:
    """Return the context of the printer that the cells describe."""
    tables = group_by_table(cells)
    device = find_device_index(tables)
    charset = find_charset(cells, device, oids.PRT_GENERAL_CURRENT_LOCALIZATION)
    printer_rows = tuple(_find_printer_rows(tables.get(DEVICES.prefix, {}), device))
    unnamed = PrinterContext(cells, tables, device, printer_rows, "", None, charset)
    fields = parse_device_id(unnamed)
    device_description = unnamed.text((*HR_DEVICE_DESCR, *printer_rows[0])) if printer_rows else None
    names = " / ".join(
        name
        for name in (device_description, fields.get("MFG"), fields.get("MDL"), unnamed.description)
        if name
    )
    vendor = vendors.find_vendor(unnamed.object_id, names) or vendors.find_vendor_by_objects(
        _vendor_objects(cells)
    )
    return replace(unnamed, brand_text=names, vendor=vendor)


def _vendor_objects(cells: Cells) -> Iterator[Oid]:
    """Return the private objects that the printer has."""
    length = len(oids.ENTERPRISES)
    return (oid for oid, value in cells.items() if oid[:length] == oids.ENTERPRISES and value is not None)


def update_cells(printer: PrinterContext, cells: Cells) -> PrinterContext:
    """Return the context of the same printer with newer cells."""
    return replace(printer, cells=cells, tables=group_by_table(cells))


def find_device_index(tables: Mapping[Oid, Cells]) -> Oid:
    """Return the printer's hrDeviceIndex as an index: usually (1,), on some (0,)."""
    for entry in (oids.PRT_GENERAL_ENTRY, oids.HR_PRINTER_ENTRY):
        indexes = [oid[len(entry) + 1 :] for oid in tables.get(entry[:9], ())]
        if indexes:
            return min(indexes)
    devices = tables.get(DEVICES.prefix, {})
    rows = [oid[-1:] for oid, value in devices.items() if value == oids.HR_DEVICE_PRINTER]
    return min(rows, default=(1,))


def find_charset(cells: Cells, device: Oid, localization: Oid) -> int | None:
    """Return prtLocalizationCharacterSet of the language in use, else the printer's only one."""
    column = oids.PRT_LOCALIZATION_CHARACTER_SET
    current = cells.get((*localization, *device))
    if isinstance(current, int):
        charset = cells.get((*column, *device, current))
        if isinstance(charset, int):
            return charset
    charsets = {
        value for oid, value in cells.items() if oid[: len(column)] == column and isinstance(value, int)
    }
    return charsets.pop() if len(charsets) == 1 else None


def _find_printer_rows(cells: Cells, device: Oid) -> list[Oid]:
    """Return the rows of hrDeviceTable that are printers, that of the Printer-MIB first."""
    types = {row: cells.get((*HR_DEVICE_TYPE, *row)) for row in row_indexes(DEVICES, cells)}
    rows = [row for row, type_ in types.items() if type_ in {oids.HR_DEVICE_PRINTER, None}]
    return sorted(rows, key=lambda row: (row != device, types[row] is None, row))


def identify_printer(printer: PrinterContext) -> Identity:
    """Return the printer's identity."""
    serial = find_serial_number(printer)
    return Identity(
        manufacturer=vendors.resolve_manufacturer(printer.object_id, printer.brand_text)
        or (printer.vendor.name if printer.vendor else None),
        model=find_model(printer, serial),
        serial_number=serial,
        mac_address=find_mac_address(printer),
        object_id=format_oid(printer.object_id) if printer.object_id else None,
    )


def parse_device_id(printer: PrinterContext) -> dict[str, str]:
    """Return the fields of the first IEEE 1284 device id by their short names: MFG, MDL, SN and others."""
    long_names = {
        "MANUFACTURE": "MFG",
        "MANUFACTURER": "MFG",
        "MODEL": "MDL",
        "SERIALNUMBER": "SN",
        "SERN": "SN",
    }
    for oid in vendors.device_id_oids():
        device_id = printer.text(oid)
        if device_id and ":" in device_id:
            pairs = (field.partition(":") for field in device_id.split(";"))
            fields = {key.strip().upper(): value.strip() for key, mark, value in pairs if mark}
            return {long_names.get(key, key): value for key, value in fields.items()}
    return {}


def find_serial_number(printer: PrinterContext) -> str | None:
    """Return the first serial number that is not a placeholder."""
    match = SERIAL_PATTERN.search(printer.description)
    vendor_objects = printer.vendor.serial_numbers if printer.vendor else ()
    for serial in (
        printer.text((*oids.PRT_GENERAL_SERIAL_NUMBER, *printer.device)),
        *(printer.text(vendors.optional_oid(dotted)) for dotted in vendor_objects),
        parse_device_id(printer).get("SN"),
        match[1] if match else None,
    ):
        if serial and not is_placeholder_serial(serial):
            return serial
    return None


def is_placeholder_serial(serial: str) -> bool:
    """Return True for known placeholders, very short texts and one repeated character."""
    plain = re.sub(r"[\s._/-]", "", serial).lower()
    return len(plain) < 3 or len(set(plain)) == 1 or plain in SERIAL_PLACEHOLDERS


def find_mac_oid(printer: PrinterContext) -> Oid | None:
    """Return the object of the identifying MAC address: wired before wireless, never of a loopback."""
    cells = printer.tables.get(INTERFACES.prefix, {})
    ranked: list[tuple[int, bool, Oid]] = []
    for row in row_indexes(INTERFACES, cells):
        mac = _parse_mac(cells.get((*IF_PHYS_ADDRESS, *row)))
        if_type = cells.get((*IF_TYPE, *row))
        if mac is None or if_type == LOOPBACK_IF_TYPE:
            continue
        rank = 0 if if_type in ETHERNET_IF_TYPES else 2 if if_type == WIRELESS_IF_TYPE else 1
        ranked.append((rank, bool(mac[0] & 2), row))  # locally administered: Wi-Fi Direct
    return (*IF_PHYS_ADDRESS, *min(ranked)[2]) if ranked else None


def find_mac_address(printer: PrinterContext) -> str | None:
    oid = find_mac_oid(printer)
    mac = _parse_mac(printer.cells.get(oid)) if oid else None
    return mac.hex().upper() if mac else None


def _parse_mac(value: object) -> bytes | None:
    if not isinstance(value, bytes):
        return None
    if MAC_TEXT_PATTERN.fullmatch(value):
        value = bytes.fromhex(value.decode("ascii").strip("\0").replace(":", "").replace("-", ""))
    return value if len(value) == 6 and value not in INVALID_MACS else None


def find_model(printer: PrinterContext, serial: str | None = None) -> str | None:
    """Return the model by the printer's own name of itself, without serial number and firmware."""
    for candidate in _model_candidates(printer):
        cleaned = _strip_serial(_drop_repeated_word(MODEL_SUFFIX_PATTERN.sub("", candidate).split()), serial)
        if cleaned and not NOT_A_MODEL_PATTERN.search(cleaned):
            return cleaned
    return None


def _model_candidates(printer: PrinterContext) -> Iterator[str]:
    """Yield texts that may be the model, the most reliable first."""
    name = printer.text((*oids.PRT_GENERAL_PRINTER_NAME, *printer.device))
    if name == printer.text((*oids.SYS_NAME, 0)):  # set by a person
        name = None
    descriptions = [printer.text((*HR_DEVICE_DESCR, *row)) for row in printer.printer_rows[:1]]
    vendor_text = printer.text(vendors.optional_oid(printer.vendor.model)) if printer.vendor else None
    yield from filter(None, (*descriptions, name, parse_device_id(printer).get("MDL"), vendor_text))
    for pattern in (ATTACHED_MODEL_PATTERN, PID_PATTERN):
        if match := pattern.search(printer.description):
            yield match[1]
    yield printer.description


def _drop_repeated_word(words: list[str]) -> str:
    """Return the text without a repeated first word: "Samsung Samsung SCX-470x" was seen."""
    return " ".join(words[1:] if words[:1] == words[1:2] else words)


def _strip_serial(text: str, serial: str | None) -> str:
    """Return the text before the serial number: Lexmark appends it and the firmware to the model."""
    words = text.split(" ")
    for index, word in enumerate(words[1:], 1):
        if serial and len(word) >= 5 and word in serial:
            return " ".join(words[:index])
    return text


def find_firmware(printer: PrinterContext) -> str | None:
    """Return the version in sysDescr, else that of the vendor's own object."""
    for pattern in FIRMWARE_PATTERNS:
        if match := pattern.search(printer.description):
            return match[1]
    return (printer.text(vendors.optional_oid(printer.vendor.firmware)) or None) if printer.vendor else None
