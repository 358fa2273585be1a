"""The cells that a printer gave, as a Reading. Pure: the same cells give the same reading."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from appliance.collector import counters
from appliance.collector.counters import Life
from appliance.collector.printer_identity import Subject, charset_of, firmware, identify, subject
from appliance.domain.model import (
    Cost,
    Counter,
    CounterName,
    Details,
    Failure,
    Reading,
    Supply,
    Target,
    Vague,
)
from appliance.mib import oids, row_parser
from appliance.mib.oids import Oid
from appliance.mib.printer_mib import (
    ALERTS,
    COLORANTS,
    CONSOLE,
    INPUTS,
    MARKERS,
    OUTPUTS,
    STORAGES,
    SUPPLIES,
    Cells,
    Table,
)
from appliance.mib.row_parser import Row
from appliance.vendors import vendors
from appliance.vendors.counter_sources import below

ERROR_BITS = (  # hrPrinterDetectedErrorState, RFC 2790; the second octet begins at inputTrayMissing
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
SHEETS = 8
PAGES = {7: "impressions", SHEETS: "sheets"}  # prtMarkerCounterUnit
PERCENT = 19  # prtMarkerSuppliesSupplyUnit
TONERS = {3, 21}  # prtMarkerSuppliesType toner, tonerCartridge
VAGUE_UNITS = {1, 2}  # other, unknown: taken for pages, as everything else counts dots, metres or hours
NO_COST = Cost()


def build(
    cells: Cells, target: Target, cost: Cost = NO_COST, plan: str = "", failures: Sequence[Failure] = ()
) -> Reading:
    """All that the cells say. A part that failed stays empty, whatever came of it."""
    printer = subject(cells)
    failed = {failure.part for failure in failures}

    def rows(table: Table) -> list[Row]:
        return [] if table.part in failed else rows_of_printer(printer, table, printer.charset)

    colors = colorants(printer) if "supplies" not in failed else {}
    return Reading(
        target=target,
        identity=identify(printer),
        details=details(printer),
        counters=() if "counters" in failed else counted(printer, colors.values(), failed),
        supplies=true_levels(printer, [row_parser.supply(row, colors) for row in rows(SUPPLIES)]),
        alerts=tuple(map(row_parser.alert, rows(ALERTS))),
        inputs=tuple(map(row_parser.input_tray, rows(INPUTS))),
        outputs=tuple(map(row_parser.output_tray, rows(OUTPUTS))),
        storages=tuple(map(row_parser.storage, rows(STORAGES))),
        failures=tuple(failures),
        cost=cost,
        plan=plan,
    )


def rows_of_printer(printer: Subject, table: Table, charset: int | None) -> list[Row]:
    return row_parser.table_rows(table, printer.tables.get(table.key, {}), printer.device, charset)


def details(printer: Subject) -> Details:
    uptime = printer.cells.get((*oids.SYS_UP_TIME, 0))
    name = printer.text((*oids.SYS_NAME, 0))
    if not name and printer.builder:
        name = printer.text(vendors.object_of(printer.builder.host_name)) or name
    own_row = printer.own_rows[0] if printer.own_rows else printer.device
    return Details(
        name=name,
        location=printer.text((*oids.SYS_LOCATION, 0)),
        contact=printer.text((*oids.SYS_CONTACT, 0)),
        description=printer.text((*oids.SYS_DESCR, 0)),
        firmware=firmware(printer),
        display_text=display_text(printer),
        status=_number(printer.cells, oids.HR_PRINTER_STATUS, printer.device),
        device_status=_number(printer.cells, oids.HR_DEVICE_STATUS, own_row),
        errors=detected_errors(printer),
        uptime=uptime if isinstance(uptime, int) else None,
    )


def _number(cells: Cells, column: Oid, row: Oid) -> int | None:
    value = cells.get((*column, *row))
    return value if isinstance(value, int) else None


def detected_errors(printer: Subject) -> tuple[str, ...]:
    """Bit 0 is the first octet's highest (RFC 2790); agents send none, one or two octets."""
    state = printer.cells.get((*oids.HR_PRINTER_DETECTED_ERROR_STATE, *printer.device))
    octets = state if isinstance(state, bytes) else b""
    return tuple(
        name
        for at, name in enumerate(ERROR_BITS)
        if at // 8 < len(octets) and octets[at // 8] & (0x80 >> at % 8)
    )


def display_text(printer: Subject) -> str | None:
    """The console's lines, in the console's own language; None where there is no console."""
    charset = charset_of(printer.cells, printer.device, oids.PRT_GENERAL_CONSOLE_LOCALIZATION)
    rows = rows_of_printer(printer, CONSOLE, printer.charset if charset is None else charset)
    lines = [" ".join(line.split()) for row in rows if (line := row.text(2)) is not None]
    return " ".join(filter(None, lines)) if lines else None


def counted(printer: Subject, colors: Collection[str], failed: Collection[str]) -> tuple[Counter, ...]:
    return counters.counters(printer, life_count(printer), colors, failed)


def life_count(printer: Subject) -> Life | None:
    """The pages that went through the printer, by the marker that counted most.

    A page may pass several of a printer's markers, such as one for black and one for highlights, so their sum
    may count it twice. The largest count was certainly printed.
    """
    best: Life | None = None
    for row in rows_of_printer(printer, MARKERS, None):
        unit, count = row.number(3), row.number(4)
        if count is None or count < 0 or not (unit is None or unit in PAGES or unit in VAGUE_UNITS):
            continue
        if best is None or count > best.total.value:
            kind = f" ({PAGES[unit]})" if unit in PAGES else ""
            source = f"prtMarkerLifeCount.{printer.device[0]}.{row.index}{kind}"
            best = Life(Counter(CounterName.TOTAL, count, source), unit != SHEETS)
    return best


def true_levels(printer: Subject, supplies: Iterable[Supply]) -> tuple[Supply, ...]:
    """Toners whose level the Printer-MIB tells in words, with the percentage of the maker's own table."""
    percents = percents_by_color(printer)
    return tuple(
        replace(supply, unit=PERCENT, max_capacity=100, level=percents[supply.color])
        if isinstance(supply.level, Vague) and supply.type in TONERS and supply.color in percents
        else supply
        for supply in supplies
    )


def percents_by_color(printer: Subject) -> dict[str | None, int]:
    """The maker's own levels; a colour that stands there twice tells nothing."""
    levels = printer.builder.levels if printer.builder else None
    if levels is None:
        return {}
    entry = below(levels.entry)
    found: dict[str | None, list[int]] = {}
    for oid, code in printer.cells.items():
        if oid[:-1] == (*entry, levels.color) and isinstance(code, int) and code in levels.colors:
            percent = printer.cells.get((*entry, levels.percent, oid[-1]))
            if isinstance(percent, int) and 0 <= percent <= 100:
                found.setdefault(levels.colors[code], []).append(percent)
    return {color: percents[0] for color, percents in found.items() if len(percents) == 1}


def colorants(printer: Subject) -> dict[int, str]:
    rows = rows_of_printer(printer, COLORANTS, printer.charset)
    return {row.index: color for row in rows if (color := row.text(4))}
