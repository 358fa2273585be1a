"""The cells that a printer gave, as a Reading. Pure: the same cells give the same reading."""

from collections.abc import Sequence

from appliance.model import Cost, Counter, CounterName, Details, Failure, Reading, Target
from appliance.reading import makers, records
from appliance.reading.identity import Subject, charset_of, firmware, identify, subject
from appliance.reading.records import Row
from appliance.reading.snmp import oids
from appliance.reading.snmp.oids import Oid
from appliance.reading.tables import (
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
PAGES = {7: "impressions", 8: "sheets"}  # prtMarkerCounterUnit
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
        counters=() if "counters" in failed else counters(printer),
        supplies=tuple(records.supply(row, colors) for row in rows(SUPPLIES)),
        alerts=tuple(map(records.alert, rows(ALERTS))),
        inputs=tuple(map(records.input_tray, rows(INPUTS))),
        outputs=tuple(map(records.output_tray, rows(OUTPUTS))),
        storages=tuple(map(records.storage, rows(STORAGES))),
        failures=tuple(failures),
        cost=cost,
        plan=plan,
    )


def rows_of_printer(printer: Subject, table: Table, charset: int | None) -> list[Row]:
    return records.table_rows(table, printer.tables.get(table.key, {}), printer.device, charset)


def details(printer: Subject) -> Details:
    uptime = printer.cells.get((*oids.SYS_UP_TIME, 0))
    name = printer.text((*oids.SYS_NAME, 0))
    if not name and printer.builder:
        name = printer.text(makers.object_of(printer.builder.host_name)) or name
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


def counters(printer: Subject) -> tuple[Counter, ...]:
    """The maker's counters; the total of the Printer-MIB only where the maker gives none."""
    found = makers.counters(printer.builder, printer.cells)
    if any(counter.name == CounterName.TOTAL for counter in found):
        return found
    total = life_count(printer)
    return (total, *found) if total else found


def life_count(printer: Subject) -> Counter | None:
    """The pages that went through the printer, by the marker that counted most.

    A page may pass several of a printer's markers, such as one for black and one for highlights, so their sum
    may count it twice. The largest count was certainly printed.
    """
    best: Counter | None = None
    for row in rows_of_printer(printer, MARKERS, None):
        unit, count = row.number(3), row.number(4)
        if count is None or count < 0 or not (unit is None or unit in PAGES or unit in VAGUE_UNITS):
            continue
        if best is None or count > best.value:
            kind = f" ({PAGES[unit]})" if unit in PAGES else ""
            source = f"prtMarkerLifeCount.{printer.device[0]}.{row.index}{kind}"
            best = Counter(CounterName.TOTAL, count, source)
    return best


def colorants(printer: Subject) -> dict[int, str]:
    rows = rows_of_printer(printer, COLORANTS, printer.charset)
    return {row.index: color for row in rows if (color := row.text(4))}
