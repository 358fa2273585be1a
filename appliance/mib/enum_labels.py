"""Numbers in words: those of Printer-MIB (RFC 3805) and Host Resources (RFC 2790), times, sizes."""

from collections.abc import Mapping
from datetime import datetime, tzinfo

from appliance.domain.model import Amount, Printer, Vague

PRINTER_STATUS = {1: "other", 2: "unknown", 3: "idle", 4: "printing", 5: "warming up"}
DEVICE_STATUS = {1: "unknown", 2: "running", 3: "warning", 4: "testing", 5: "down"}
SEVERITY = {1: "other", 3: "critical", 4: "warning", 5: "binary change"}
TRAINING = {
    1: "other",
    2: "unknown",
    3: "anybody",
    4: "trained person",
    5: "technician",
    6: "management",
    7: "nobody needed",
}
ALERT_GROUP = {
    1: "other",
    3: "Host Resources storage",
    4: "Host Resources device",
    5: "printer",
    6: "cover",
    7: "language settings",
    8: "input",
    9: "output",
    10: "marker",
    11: "supplies",
    12: "colorant",
    13: "media path",
    14: "channel",
    15: "interpreter",
    16: "console",
    17: "lights",
    18: "alert table",
    30: "finisher",
    31: "finisher supply",
    32: "finisher media input",
    33: "finisher attributes",
}
SUPPLY_TYPE = {
    1: "other",
    2: "unknown",
    3: "toner",
    4: "waste toner",
    5: "ink",
    6: "ink cartridge",
    7: "ink ribbon",
    8: "waste ink",
    9: "photo conductor",
    10: "developer",
    11: "fuser oil",
    12: "solid wax",
    13: "ribbon wax",
    14: "waste wax",
    15: "fuser",
    16: "corona wire",
    17: "fuser oil wick",
    18: "cleaner unit",
    19: "fuser cleaning pad",
    20: "transfer unit",
    21: "toner cartridge",
    22: "fuser oiler",
    23: "water",
    24: "waste water",
    25: "glue",
    26: "waste paper",
    27: "binding supply",
    28: "banding supply",
    29: "stitching wire",
    30: "shrink wrap",
    31: "paper wrap",
    32: "staples",
    33: "inserts",
    34: "covers",
}
UNIT = {
    1: "of another unit",
    2: "of an unknown unit",
    3: "1/10,000 inch",
    4: "µm",
    7: "impressions",
    8: "sheets",
    11: "hours",
    12: "1/1,000 oz",
    13: "1/10 g",
    14: "1/100 fl oz",
    15: "1/10 ml",
    16: "feet",
    17: "m",
    18: "items",
    19: "%",
}
INPUT_TYPE = {
    1: "other",
    2: "unknown",
    3: "removable tray",
    4: "fixed tray",
    5: "manual feed",
    6: "continuous roll",
    7: "continuous fanfold",
}
OUTPUT_TYPE = {
    1: "other",
    2: "unknown",
    3: "removable bin",
    4: "unremovable bin",
    5: "continuous roll",
    6: "mailbox",
    7: "continuous fanfold",
}
VAGUE = {Vague.OTHER: "other", Vague.UNKNOWN: "unknown", Vague.SOME_LEFT: "some left"}
AVAILABILITY = {
    0: "available, idle",
    1: "unavailable, on request",
    2: "available, standby",
    3: "unavailable, broken",
    4: "available, active",
    5: "unknown",
    6: "available, busy",
}


def word(table: Mapping[int, str], number: int | None) -> str:
    """Return the number's word; the number itself where the MIB has none, a dash where nothing was said."""
    if number is None:
        return "-"
    return table.get(number, str(number))


def amount(value: Amount | None) -> str:
    """Return an amount, or what the printer says instead of one."""
    if value is None:
        return "-"
    return VAGUE[value] if isinstance(value, Vague) else f"{value:,}"


def sub_unit_status(status: int | None) -> str:
    """Return PrtSubUnitStatusTC in words: availability in three bits, then alerts, off-line, transition."""
    if status is None or status < 0:
        return "-"
    parts = [AVAILABILITY.get(status & 7, f"status {status & 7}")]
    marks = {8: "non-critical alert", 16: "critical alert", 32: "off-line", 64: "changing state"}
    return ", ".join(parts + [mark for bit, mark in marks.items() if status & bit])


def count(number: int, thing: str) -> str:
    """Return "1 parcel", "2 parcels"."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def moment(time: datetime, zone: tzinfo) -> str:
    """Return a time as people of the place write it."""
    return f"{time.astimezone(zone):%Y-%m-%d %H:%M}"


def duration(hundredths: int) -> str:
    """Return a time span, given as SNMP does in hundredths of a second, in its two largest units."""
    seconds = hundredths // 100
    for unit, smaller, length in (("d", "h", 86_400), ("h", "min", 3_600), ("min", "s", 60)):
        if seconds >= length:
            part = {"h": 3_600, "min": 60, "s": 1}[smaller]
            return f"{seconds // length} {unit} {seconds % length // part} {smaller}"
    return f"{seconds} s"


def size(count: int) -> str:
    """Return an amount of bytes in the unit that a person would use."""
    value = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if abs(value) < 1_024:
            return f"{count:,} bytes" if unit == "bytes" else f"{value:,.1f} {unit}"
        value /= 1_024
    return f"{value:,.1f} TB"


def progress(now: Mapping[str, object]) -> str:
    """How far a run is, from its progress as the job's row tells it."""
    scan = now.get("scan")
    scanned = scan if isinstance(scan, Mapping) else {}
    asked = f"{scanned['asked']:,} of {scanned['total']:,} addresses asked, " if scanned.get("total") else ""
    read, to_read, failed = (now.get(name, 0) for name in ("read", "to_read", "failed"))
    return f"{asked}{read:,} of {to_read:,} printers read, {failed:,} failed"


def state(printer: Printer) -> str:
    """Return what a printer is doing, or since when it says nothing."""
    if printer.failure is not None:
        return printer.failure
    if printer.details.errors:
        return ", ".join(error_word(error) for error in printer.details.errors)
    return word(PRINTER_STATUS, printer.details.status)


def error_word(name: str) -> str:
    """Return a bit of hrPrinterDetectedErrorState as words: "lowPaper" is "low paper"."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
