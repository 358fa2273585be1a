"""`printmonitor traps`: the trap receiver as a service, its switch, what it took."""

import logging
import time
from dataclasses import replace

from appliance.cli import formatting, log_setup, state_dir, terminal
from appliance.cli.json_output import record_to_json
from appliance.host import unit_status
from appliance.settings import schema
from appliance.settings.schema import PLUG_STATE_DIR, Home
from appliance.storage import traps
from appliance.storage.traps import StoredTrap
from appliance.trap_receiver import service

MAX_TRAPS_SHOWN = 50
APPLY_TIMEOUT_S = 10.0


def run_traps(home: Home, action: str | None, port: int | None, as_json: bool) -> int:
    """Do what was asked for; without anything, serve until SIGTERM."""
    match action:
        case "enable" | "disable":
            return _set_enabled(home, action == "enable")
        case "list":
            return _print_traps(home, as_json)
    log_setup.configure_logging(logging.INFO)
    return service.serve(home, port)


def _set_enabled(home: Home, enabled: bool) -> int:
    settings = schema.update_settings(
        home, lambda now: replace(now, traps=replace(now.traps, enabled=enabled))
    )
    word = "on" if enabled else "off"
    if home.folder == PLUG_STATE_DIR and unit_status.is_systemd_running():
        trouble = _apply_to_units(home)
        if trouble:
            terminal.print_message(f"printmonitor: the trap receiver is switched {word}, but {trouble}")
            return 1
    terminal.print_line(f"the trap receiver is switched {word} (UDP port {settings.traps.port})")
    return 0


def _apply_to_units(home: Home) -> str | None:
    """Have the units follow the settings; what went wrong, or None."""
    request = unit_status.submit_request(home.run, {"do": "apply"})
    deadline = time.monotonic() + APPLY_TIMEOUT_S
    while time.monotonic() < deadline:
        if answer := unit_status.read_answer(home.run, request):
            return None if answer.state == "done" else answer.text
        time.sleep(0.05)
    return "systemd does not answer: it follows with the next start"


def _print_traps(home: Home, as_json: bool) -> int:
    settings, _ = schema.load_last_good_settings(state_dir.require_existing(home))
    with state_dir.open_state_database(home) as db:
        found, dropped = traps.list_recent(db, MAX_TRAPS_SHOWN), traps.get_dropped_counts(db)
    if as_json:
        terminal.print_json({"traps": [record_to_json(each) for each in found], "dropped": dropped})
        return 0
    zone = settings.schedule.zone
    header = ("Last", "Times", "Sender", "Printer", "Kind", "Severity", "Text")
    rows = [(formatting.format_time(each.last_at, zone), *_trap_row(each)) for each in found]
    terminal.print_table(header, rows, ("Times",))
    for reason, number in sorted(dropped.items()):
        terminal.print_line(f"not kept, {reason}: {number:,}")
    return 0


def _trap_row(stored_trap: StoredTrap) -> tuple[str, ...]:
    printer = "-" if stored_trap.printer_id is None else str(stored_trap.printer_id)
    trap = stored_trap.trap
    return (f"{stored_trap.times:,}", stored_trap.sender, printer, trap.kind, trap.severity or "-", trap.text)
