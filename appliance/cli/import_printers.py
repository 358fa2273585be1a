"""`printmonitor import-printers`: the discovery entries are maintained by a CSV list."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from appliance.cli import formatting, state_dir, terminal
from appliance.cli.errors import CommandError
from appliance.cli.json_output import record_to_json
from appliance.domain.model import DiscoveryEntry
from appliance.jobs import csv_import
from appliance.jobs.csv_import import ImportList, ImportResult
from appliance.settings import schema
from appliance.settings.schema import Config, Home
from appliance.storage import jobs
from appliance.storage.printer_list import PrinterSummary

EXIT_OK, EXIT_LINES_SKIPPED = 0, 1
MAX_SHOWN_CHANGES = 50  # changes of a kind


def run(home: Home, arguments: Sequence[str], *, dry_run: bool, force: bool, as_json: bool) -> int:
    """Take over a list, or show what that would change; 1 if some lines are left out."""
    path, exclusions, http = _parse_arguments(arguments)
    settings = schema.load_settings(
        state_dir.require_existing(home) if dry_run else state_dir.ensure_created(home)
    )
    now = datetime.now(UTC)
    try:
        listed = csv_import.read_list(path, exclusions)
    except csv_import.ImportRejectedError as error:
        raise CommandError(str(error)) from error
    try:
        with state_dir.open_state_database(home) as db:
            http = http or (settings.import_.http_username, settings.import_.http_password)
            result = csv_import.apply_list(
                db, home, listed, now, http_credentials=http, dry_run=dry_run, force=force
            )
    except csv_import.ImportConfirmationError as error:
        _print_problems(path, listed)
        raise CommandError(f"{path}: {error}; look with --dry-run, insist with --force") from error
    if result.applied:
        jobs.wake(home.poller_socket)
    if as_json:
        terminal.print_json(_serialize_result(path, listed, result))
    else:
        _print_result(path, listed, result, settings)
    return EXIT_LINES_SKIPPED if listed.skipped_lines else EXIT_OK


def _parse_arguments(arguments: Sequence[str]) -> tuple[Path, Path | None, tuple[str, str] | None]:
    """LIST [EXCLUSIONS] [USER PASSWORD]: how many there are tells which."""
    first, *rest = arguments
    if len(rest) > 3:
        raise CommandError("there is more than LIST, EXCLUSIONS, USER and PASSWORD")
    if len(rest) == 2 and Path(rest[0]).is_file():
        raise CommandError(f"PASSWORD is missing after LIST, EXCLUSIONS {rest[0]} and USER")
    login = (rest[-2], rest[-1]) if len(rest) >= 2 else None
    exclusions = rest[0] if len(rest) in (1, 3) else ""
    return Path(first), Path(exclusions) if exclusions else None, login


def _print_result(path: Path, import_list: ImportList, result: ImportResult, settings: Config) -> None:
    _print_problems(path, import_list)
    changes = result.changes
    _print_entries("+", changes.added)
    _print_entries("~", changes.changed)
    _print_entries("-", changes.removed)
    for line in changes.unavailable[:MAX_SHOWN_CHANGES]:
        seen = formatting.format_time(line.seen_at, settings.schedule.zone)
        terminal.print_line(f"x printer {line.id} {_printer_label(line)}, last seen {seen}")
    terminal.print_line(csv_import.format_changes(changes))
    if not result.applied:
        terminal.print_line("nothing was changed: this was a dry run")
        if changes.warning:
            terminal.print_message(f"{changes.warning}: the import will ask for --force")


def _print_problems(path: Path, import_list: ImportList) -> None:
    for problem in import_list.problems:
        terminal.print_message(f"{terminal.sanitize(path.name)}: {terminal.sanitize(problem)}")
    if import_list.skipped_lines > len(import_list.problems):
        terminal.print_message(f"and {import_list.skipped_lines - len(import_list.problems):,} more")


def _print_entries(sign: str, entries: Sequence[DiscoveryEntry]) -> None:
    for entry in entries[:MAX_SHOWN_CHANGES]:
        terminal.print_line(f"{sign} {terminal.sanitize(entry.addresses)}")
    if len(entries) > MAX_SHOWN_CHANGES:
        terminal.print_line(f"{sign} and {len(entries) - MAX_SHOWN_CHANGES:,} more")


def _printer_label(summary: PrinterSummary) -> str:
    known = (
        summary.target.host,
        summary.identity.manufacturer,
        summary.identity.model,
        summary.identity.serial_number,
    )
    return terminal.sanitize(" ".join(part for part in known if part))


def _serialize_result(path: Path, import_list: ImportList, result: ImportResult) -> dict[str, terminal.Json]:
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
                **record_to_json(line.identity),
                "seen_at": line.seen_at.isoformat(),
            }
            for line in changes.unavailable
        ],
        "doubt": changes.warning,
        "bad_lines": import_list.skipped_lines,
        "problems": list(import_list.problems),
    }
