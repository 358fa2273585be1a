"""`printmonitor counters`: a known printer's page counters, with sources and what speaks against them."""

import sqlite3
from collections.abc import Sequence

from appliance.cli import reading_report, state_dir, terminal
from appliance.cli.errors import Wrong
from appliance.cli.json_output import record
from appliance.domain.model import Printer
from appliance.settings import schema
from appliance.storage import counters, printers


def run(home: schema.Home, asked: str, confirm: Sequence[str] | None, as_json: bool) -> int:
    """Show a printer's counters; with `confirm` believe those that are named, or all that are held."""
    with state_dir.opened(state_dir.existing(home)) as db:
        known = find(db, asked)
        if confirm is not None:
            _confirm(db, known, confirm)
            known = printers.get_printer(db, known.id) or known
    if as_json:
        terminal.document([record(counter) for counter in known.counters])
    elif known.counters:
        terminal.show_table(
            reading_report.COUNTERS, reading_report.counters(known.counters), reading_report.NUMBERS
        )
    else:
        terminal.say("no counters")
    return 0


def find(db: sqlite3.Connection, asked: str) -> Printer:
    """The printer with this number, serial number, address or name; raises Wrong for none or many."""
    found = [
        each.id
        for each in printers.list_known(db)
        if asked in (str(each.id), each.identity.serial_number, each.target.host, each.target.name)
    ]
    if len(found) > 1:
        raise Wrong(f"{len(found)} printers are {asked}; give the number: {', '.join(map(str, found))}")
    latest = printers.get_printer(db, found[0]) if found else None
    if latest is None:
        raise Wrong(f"there is no printer {asked}; give its number, serial number or address")
    return latest


def _confirm(db: sqlite3.Connection, known: Printer, names: Sequence[str]) -> None:
    plain = [name.replace("-", "_").replace(" ", "_") for name in names]
    held = [counter.name.value for counter in known.counters if counter.held is not None]
    unknown = [name for name in plain if name not in held]
    if unknown or not held:
        what = f"{', '.join(unknown)} is not held" if unknown else "nothing is held"
        raise Wrong(f"{what}; held are: {', '.join(held)}" if held else what)
    believed = [each for name in plain or held for each in counters.confirm_held(db, known.id, name)]
    terminal.tell(f"believed from now on: {', '.join(believed)}")
