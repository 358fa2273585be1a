"""Format counts, times, sizes and states as the command line shows them."""

from collections.abc import Mapping
from datetime import datetime, tzinfo

from appliance.domain.model import Printer
from appliance.mib import enums
from appliance.mib.enums import split_camel_case


def format_count(number: int, noun: str) -> str:
    """Return "1 parcel", "2 parcels"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def format_time(time: datetime, zone: tzinfo) -> str:
    """Return a time as people of the place write it."""
    return f"{time.astimezone(zone):%Y-%m-%d %H:%M}"


def format_duration(hundredths: int) -> str:
    """Return a time span, given as SNMP does in hundredths of a second, in its two largest units."""
    seconds = hundredths // 100
    for unit, smaller, length in (("d", "h", 86_400), ("h", "min", 3_600), ("min", "s", 60)):
        if seconds >= length:
            part = {"h": 3_600, "min": 60, "s": 1}[smaller]
            return f"{seconds // length} {unit} {seconds % length // part} {smaller}"
    return f"{seconds} s"


def format_bytes(byte_count: int) -> str:
    """Return an amount of bytes in the unit that a person would use."""
    value = float(byte_count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if abs(value) < 1_024:
            return f"{byte_count:,} bytes" if unit == "bytes" else f"{value:,.1f} {unit}"
        value /= 1_024
    return f"{value:,.1f} TB"


def format_run_progress(job_progress: Mapping[str, object]) -> str:
    """Return how far a run is, from the progress in the row of its job."""
    scan = job_progress.get("scan")
    scanned = scan if isinstance(scan, Mapping) else {}
    asked = f"{scanned['asked']:,} of {scanned['total']:,} addresses asked, " if scanned.get("total") else ""
    read, to_read, failed = (job_progress.get(name, 0) for name in ("read", "to_read", "failed"))
    return f"{asked}{read:,} of {to_read:,} printers read, {failed:,} failed"


def format_printer_state(printer: Printer) -> str:
    """Return what a printer is doing, or since when it says nothing."""
    if printer.failure is not None:
        return printer.failure
    if printer.details.errors:
        return ", ".join(split_camel_case(error) for error in printer.details.errors)
    return enums.PRINTER_STATUS.label(printer.details.status)
