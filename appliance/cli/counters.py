"""Run `printmonitor counters`: print a known printer's counters with sources and disputes."""

import sqlite3
from collections.abc import Sequence

from appliance.cli import reading_report, state_dir, terminal
from appliance.cli.errors import CommandError
from appliance.cli.json_output import record_to_json
from appliance.domain.model import Printer
from appliance.settings import schema
from appliance.storage import counters, printers


def run(home: schema.Home, selector: str, confirm: Sequence[str] | None, as_json: bool) -> int:
    """Print a printer's counters; with `confirm`, accept the named held values, or all of them."""
    with state_dir.open_state_database(state_dir.require_existing(home)) as db:
        known = find_printer(db, selector)
        if confirm is not None:
            _confirm_held(db, known, confirm)
            known = printers.get_printer(db, known.id) or known
    if as_json:
        terminal.print_json([record_to_json(counter) for counter in known.counters])
    elif known.counters:
        terminal.print_table(
            reading_report.COUNTER_COLUMNS,
            reading_report.counter_rows(known.counters),
            reading_report.NUMERIC_COLUMNS,
        )
    else:
        terminal.print_line("no counters")
    return 0


def find_printer(db: sqlite3.Connection, selector: str) -> Printer:
    """Return the printer with this number, serial number, address or name. Raise CommandError."""
    ids = [
        printer.id
        for printer in printers.list_known(db)
        if selector
        in (str(printer.id), printer.identity.serial_number, printer.target.host, printer.target.name)
    ]
    if len(ids) > 1:
        raise CommandError(f"{len(ids)} printers are {selector}; give the number: {', '.join(map(str, ids))}")
    latest = printers.get_printer(db, ids[0]) if ids else None
    if latest is None:
        raise CommandError(f"there is no printer {selector}; give its number, serial number or address")
    return latest


def _confirm_held(db: sqlite3.Connection, printer: Printer, names: Sequence[str]) -> None:
    plain = [name.replace("-", "_").replace(" ", "_") for name in names]
    held = [counter.name.value for counter in printer.counters if counter.held is not None]
    unknown = [name for name in plain if name not in held]
    if unknown or not held:
        what = f"{', '.join(unknown)} is not held" if unknown else "nothing is held"
        raise CommandError(f"{what}; held are: {', '.join(held)}" if held else what)
    accepted = [counter for name in plain or held for counter in counters.confirm_held(db, printer.id, name)]
    terminal.print_message(f"believed from now on: {', '.join(accepted)}")
