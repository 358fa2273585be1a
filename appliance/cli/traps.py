"""`printmonitor traps`: the trap receiver as a service, its switch, what it took."""

import logging
import time
from dataclasses import replace

from appliance.cli import log_setup, state_dir, terminal
from appliance.cli.json_output import record
from appliance.host import unit_status
from appliance.mib import enum_labels
from appliance.settings import schema
from appliance.settings.schema import INSTALLED, Home
from appliance.storage import traps
from appliance.storage.traps import StoredTrap
from appliance.trap_receiver import service

SHOWN = 50
ANSWER_SECONDS = 10.0


def run(home: Home, action: str | None, port: int | None, as_json: bool) -> int:
    """Do what was asked for; without anything, serve until SIGTERM."""
    match action:
        case "enable" | "disable":
            return _switch(home, action == "enable")
        case "list":
            return _list(home, as_json)
    log_setup.set_up(logging.INFO)
    return service.serve(home, port)


def _switch(home: Home, enabled: bool) -> int:
    settings = schema.change(home, lambda now: replace(now, traps=replace(now.traps, enabled=enabled)))
    word = "on" if enabled else "off"
    if home.folder == INSTALLED and unit_status.is_booted():
        trouble = _tell_systemd(home)
        if trouble:
            terminal.tell(f"printmonitor: the trap receiver is switched {word}, but {trouble}")
            return 1
    terminal.say(f"the trap receiver is switched {word} (UDP port {settings.traps.port})")
    return 0


def _tell_systemd(home: Home) -> str | None:
    """Have the units follow the settings; what went wrong, or None."""
    request = unit_status.request(home.run, {"do": "apply"})
    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline:
        if answer := unit_status.answer(home.run, request):
            return None if answer.state == "done" else answer.text
        time.sleep(0.05)
    return "systemd does not answer: it follows with the next start"


def _list(home: Home, as_json: bool) -> int:
    settings, _ = schema.load_last_good(state_dir.existing(home))
    with state_dir.opened(home) as db:
        found, dropped = traps.list_recent(db, SHOWN), traps.get_dropped_counts(db)
    if as_json:
        terminal.document({"traps": [record(each) for each in found], "dropped": dropped})
        return 0
    zone = settings.schedule.zone
    header = ("Last", "Times", "Sender", "Printer", "Kind", "Severity", "Text")
    rows = [(enum_labels.moment(each.last_at, zone), *_row(each)) for each in found]
    terminal.show_table(header, rows, ("Times",))
    for reason, number in sorted(dropped.items()):
        terminal.say(f"not kept, {reason}: {number:,}")
    return 0


def _row(each: StoredTrap) -> tuple[str, ...]:
    printer = "-" if each.printer_id is None else str(each.printer_id)
    trap = each.trap
    return (f"{each.times:,}", each.sender, printer, trap.kind, trap.severity or "-", trap.text)
