"""The cells that a printer gave, as a Reading. Pure: the same cells give the same reading."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from appliance.collector import counters
from appliance.collector.counters import LifeCount
from appliance.collector.printer_identity import (
    PrinterContext,
    find_charset,
    find_firmware,
    identify_printer,
    resolve_context,
)
from appliance.domain.model import (
    Counter,
    CounterName,
    Details,
    PartFailure,
    PollCost,
    Reading,
    Supply,
    Target,
    VagueAmount,
)
from appliance.mib import oids
from appliance.mib.oids import Oid
from appliance.mib.printer_mib import (
    ALERTS,
    COLORANTS,
    CONSOLE,
    HR_DEVICE_STATUS,
    INPUTS,
    MARKERS,
    OUTPUTS,
    STORAGES,
    SUPPLIES,
    RecordTable,
)
from appliance.mib.row_parser import NO_COLORANTS, parse_rows
from appliance.mib.values import Cells
from appliance.vendors import vendors
from appliance.vendors.counter_sources import enterprise_oid

T = TypeVar("T")

DETECTED_ERROR_NAMES = (  # hrPrinterDetectedErrorState, RFC 2790; the second octet begins at inputTrayMissing
    "lowPaper",
    "noPaper",
    "lowToner",
    "noToner",
    "doorOpen",
    "jammed",
    "offline",
    "serviceRequested",
    "inputTrayMissing",
    "outputTrayMissing",
    "markerSupplyMissing",
    "outputNearFull",
    "outputFull",
    "inputTrayEmpty",
    "overduePreventMaint",
)
SHEETS_UNIT = 8
PAGE_UNITS = {7: "impressions", SHEETS_UNIT: "sheets"}  # prtMarkerCounterUnit
PERCENT_UNIT = 19  # prtMarkerSuppliesSupplyUnit
TONER_TYPES = {3, 21}  # prtMarkerSuppliesType toner, tonerCartridge
UNKNOWN_UNITS = {1, 2}  # other, unknown: taken for pages, as everything else counts dots, metres or hours
ZERO_COST = PollCost()


def build_reading(
    cells: Cells,
    target: Target,
    cost: PollCost = ZERO_COST,
    plan: str = "",
    failures: Sequence[PartFailure] = (),
    *,
    printer: PrinterContext | None = None,
) -> Reading:
    """Return all that the cells say; a part that failed stays empty. `printer` is their context if known."""
    printer = printer or resolve_context(cells)
    failed = {failure.part for failure in failures}

    def rows(table: RecordTable[T], colorants: Mapping[int, str] = NO_COLORANTS) -> list[T]:
        if table.part in failed:
            return []
        return printer_table_rows(printer, table, printer.charset, colorants)

    colors = colorant_names(printer) if "supplies" not in failed else {}
    return Reading(
        target=target,
        identity=identify_printer(printer),
        details=build_details(printer),
        counters=() if "counters" in failed else build_counters(printer, colors.values(), failed),
        supplies=refine_toner_levels(printer, rows(SUPPLIES, colors)),
        alerts=tuple(rows(ALERTS)),
        inputs=tuple(rows(INPUTS)),
        outputs=tuple(rows(OUTPUTS)),
        storages=tuple(rows(STORAGES)),
        failures=tuple(failures),
        cost=cost,
        plan=plan,
    )


def printer_table_rows(
    printer: PrinterContext,
    table: RecordTable[T],
    charset: int | None,
    colorants: Mapping[int, str] = NO_COLORANTS,
) -> list[T]:
    return parse_rows(table, printer.tables.get(table.prefix, {}), printer.device, charset, colorants)


def build_details(printer: PrinterContext) -> Details:
    uptime = printer.cells.get((*oids.SYS_UP_TIME, 0))
    name = printer.text((*oids.SYS_NAME, 0))
    if not name and printer.vendor:
        name = printer.text(vendors.optional_oid(printer.vendor.host_name)) or name
    own_row = printer.printer_rows[0] if printer.printer_rows else printer.device
    return Details(
        name=name,
        location=printer.text((*oids.SYS_LOCATION, 0)),
        contact=printer.text((*oids.SYS_CONTACT, 0)),
        description=printer.text((*oids.SYS_DESCR, 0)),
        firmware=find_firmware(printer),
        display_text=read_display_text(printer),
        status=_integer_cell(printer.cells, oids.HR_PRINTER_STATUS, printer.device),
        device_status=_integer_cell(printer.cells, HR_DEVICE_STATUS, own_row),
        errors=parse_detected_errors(printer),
        uptime=uptime if isinstance(uptime, int) else None,
    )


def _integer_cell(cells: Cells, column: Oid, row: Oid) -> int | None:
    value = cells.get((*column, *row))
    return value if isinstance(value, int) else None


def parse_detected_errors(printer: PrinterContext) -> tuple[str, ...]:
    """Bit 0 is the first octet's highest (RFC 2790); agents send none, one or two octets."""
    state = printer.cells.get((*oids.HR_PRINTER_DETECTED_ERROR_STATE, *printer.device))
    octets = state if isinstance(state, bytes) else b""
    return tuple(
        name
        for at, name in enumerate(DETECTED_ERROR_NAMES)
        if at // 8 < len(octets) and octets[at // 8] & (0x80 >> at % 8)
    )


def read_display_text(printer: PrinterContext) -> str | None:
    """The console's lines, in the console's own language; None where there is no console."""
    charset = find_charset(printer.cells, printer.device, oids.PRT_GENERAL_CONSOLE_LOCALIZATION)
    rows = printer_table_rows(printer, CONSOLE, printer.charset if charset is None else charset)
    lines = [" ".join(line.split()) for row in rows if (line := row.text) is not None]
    return " ".join(filter(None, lines)) if lines else None


def build_counters(
    printer: PrinterContext, colors: Collection[str], failed: Collection[str]
) -> tuple[Counter, ...]:
    return counters.derive_counters(printer, find_life_count(printer), colors, failed)


def find_life_count(printer: PrinterContext) -> LifeCount | None:
    """The pages that went through the printer, by the marker that counted most.

    A page may pass several of a printer's markers, such as one for black and one for highlights, so their sum
    may count it twice. The largest count was certainly printed.
    """
    best: LifeCount | None = None
    for row in printer_table_rows(printer, MARKERS, None):
        unit, count = row.counter_unit, row.life_count
        if count is None or count < 0 or not (unit is None or unit in PAGE_UNITS or unit in UNKNOWN_UNITS):
            continue
        if best is None or count > best.total.value:
            kind = f" ({PAGE_UNITS[unit]})" if unit in PAGE_UNITS else ""
            source = f"prtMarkerLifeCount.{printer.device[0]}.{row.index}{kind}"
            best = LifeCount(Counter(CounterName.TOTAL, count, source), unit != SHEETS_UNIT)
    return best


def refine_toner_levels(printer: PrinterContext, supplies: Iterable[Supply]) -> tuple[Supply, ...]:
    """Toners whose level the Printer-MIB tells in words, with the percentage of the maker's own table."""
    percents = vendor_levels_by_color(printer)
    return tuple(
        replace(supply, unit=PERCENT_UNIT, max_capacity=100, level=percents[supply.color])
        if isinstance(supply.level, VagueAmount) and supply.type in TONER_TYPES and supply.color in percents
        else supply
        for supply in supplies
    )


def vendor_levels_by_color(printer: PrinterContext) -> dict[str | None, int]:
    """The maker's own levels; a colour that stands there twice tells nothing."""
    levels = printer.vendor.supply_levels if printer.vendor else None
    if levels is None:
        return {}
    entry = enterprise_oid(levels.entry)
    found: dict[str | None, list[int]] = {}
    for oid, code in printer.cells.items():
        if oid[:-1] == (*entry, levels.color_column) and isinstance(code, int) and code in levels.colors:
            percent = printer.cells.get((*entry, levels.percent_column, oid[-1]))
            if isinstance(percent, int) and 0 <= percent <= 100:
                found.setdefault(levels.colors[code], []).append(percent)
    return {color: percents[0] for color, percents in found.items() if len(percents) == 1}


def colorant_names(printer: PrinterContext) -> dict[int, str]:
    rows = printer_table_rows(printer, COLORANTS, printer.charset)
    return {row.index: color for row in rows if (color := row.value)}
