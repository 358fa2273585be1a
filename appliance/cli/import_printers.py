"""`printmonitor import-printers`: the discovery entries are maintained by a CSV list."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from appliance.cli import state_dir, terminal
from appliance.cli.errors import Wrong
from appliance.cli.json_output import record
from appliance.domain.model import DiscoveryEntry
from appliance.jobs import csv_import
from appliance.jobs.csv_import import ImportList, Result
from appliance.mib import enum_labels
from appliance.settings import schema
from appliance.settings.schema import Config, Home
from appliance.storage import jobs
from appliance.storage.printer_list import PrinterSummary

DONE, SOME_BAD = 0, 1
MOST_SHOWN = 50  # changes of a kind


def run(home: Home, typed: Sequence[str], *, dry_run: bool, force: bool, as_json: bool) -> int:
    """Take over a list, or show what that would change; 1 if some lines are left out."""
    path, exclusions, http = _understood(typed)
    settings = schema.load(state_dir.existing(home) if dry_run else state_dir.made(home))
    now = datetime.now(UTC)
    try:
        listed = csv_import.read(path, exclusions)
    except csv_import.Refused as error:
        raise Wrong(str(error)) from error
    try:
        with state_dir.opened(home) as db:
            http = http or (settings.import_.http_username, settings.import_.http_password)
            result = csv_import.run(db, home, listed, now, http=http, dry_run=dry_run, force=force)
    except csv_import.Doubtful as error:
        _tell_problems(path, listed)
        raise Wrong(f"{path}: {error}; look with --dry-run, insist with --force") from error
    if result.applied:
        jobs.wake(home.wake)
    if as_json:
        terminal.document(_document(path, listed, result))
    else:
        _show(path, listed, result, settings)
    return SOME_BAD if listed.bad else DONE


def _understood(typed: Sequence[str]) -> tuple[Path, Path | None, tuple[str, str] | None]:
    """LIST [EXCLUSIONS] [USER PASSWORD]: how many there are tells which."""
    first, *rest = typed
    if len(rest) > 3:
        raise Wrong("there is more than LIST, EXCLUSIONS, USER and PASSWORD")
    if len(rest) == 2 and Path(rest[0]).is_file():
        raise Wrong(f"PASSWORD is missing after LIST, EXCLUSIONS {rest[0]} and USER")
    login = (rest[-2], rest[-1]) if len(rest) >= 2 else None
    exclusions = rest[0] if len(rest) in (1, 3) else ""
    return Path(first), Path(exclusions) if exclusions else None, login


def _show(path: Path, listed: ImportList, result: Result, settings: Config) -> None:
    _tell_problems(path, listed)
    changes = result.changes
    _list("+", changes.added)
    _list("~", changes.changed)
    _list("-", changes.removed)
    for line in changes.unavailable[:MOST_SHOWN]:
        seen = enum_labels.moment(line.seen_at, settings.schedule.zone)
        terminal.say(f"x printer {line.id} {_who(line)}, last seen {seen}")
    terminal.say(csv_import.told(changes))
    if not result.applied:
        terminal.say("nothing was changed: this was a dry run")
        if changes.warning:
            terminal.tell(f"{changes.warning}: the import will ask for --force")


def _tell_problems(path: Path, listed: ImportList) -> None:
    for problem in listed.problems:
        terminal.tell(f"{terminal.clean(path.name)}: {terminal.clean(problem)}")
    if listed.bad > len(listed.problems):
        terminal.tell(f"and {listed.bad - len(listed.problems):,} more")


def _list(sign: str, entries: Sequence[DiscoveryEntry]) -> None:
    for entry in entries[:MOST_SHOWN]:
        terminal.say(f"{sign} {terminal.clean(entry.addresses)}")
    if len(entries) > MOST_SHOWN:
        terminal.say(f"{sign} and {len(entries) - MOST_SHOWN:,} more")


def _who(line: PrinterSummary) -> str:
    known = (line.target.host, line.identity.manufacturer, line.identity.model, line.identity.serial_number)
    return terminal.clean(" ".join(part for part in known if part))


def _document(path: Path, listed: ImportList, result: Result) -> dict[str, terminal.Json]:
    changes = result.changes
    return {
        "list": str(path),
        "applied": result.applied,
        "added": [entry.addresses for entry in changes.added],
        "changed": [entry.addresses for entry in changes.changed],
        "removed": [entry.addresses for entry in changes.removed],
        "unchanged": changes.unchanged,
        "excluded": list(changes.excluded),
        "dropped_printers": [
            {
                "id": line.id,
                "host": line.target.host,
                **record(line.identity),
                "seen_at": line.seen_at.isoformat(),
            }
            for line in changes.unavailable
        ],
        "doubt": changes.warning,
        "bad_lines": listed.bad,
        "problems": list(listed.problems),
    }
