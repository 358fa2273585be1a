"""Apply an import list: entries go into the settings, printers that are gone leave the database."""

import os
import re
import sqlite3
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from appliance.discovery import csv_entries
from appliance.discovery.csv_entries import ImportChanges, ImportRow
from appliance.discovery.csv_reader import MAX_FILE_BYTES, InvalidListError
from appliance.discovery.entries import Exclusions
from appliance.domain.messages import Message
from appliance.settings import schema as configuration
from appliance.settings.schema import Config, Home
from appliance.storage import database, events, printers
from appliance.storage.printers import PrinterSummary


class ImportRejectedError(Exception):
    """The list was not applied and nothing was changed; the text says why in one line."""


class ImportFileError(ImportRejectedError):
    """A file of the list cannot be read, at least for now."""


class ImportConfirmationError(ImportRejectedError):
    """The list looks wrong; it is applied only if the user insists."""


@dataclass(frozen=True, slots=True)
class ImportList:
    """A parsed list with its exclusions."""

    rows: tuple[ImportRow, ...]
    exclusions: Exclusions
    problems: tuple[str, ...]  # at most a hundred for each of the two files
    skipped_lines: int  # lines that were left out


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The changes that an import made, or would make."""

    changes: ImportChanges[PrinterSummary]
    applied: bool


def read_list(path: Path, exclusions: Path | None = None) -> ImportList:
    """Read the lists from two files, which may be on a slow share. Raise ImportRejectedError."""
    return parse_list(_read_file(path), _read_file(exclusions) if exclusions else b"", path.name)


def parse_list(data: bytes, exclusions: bytes = b"", name: str = Message("import.list")) -> ImportList:
    """Parse the lists from bytes. Raise ImportRejectedError."""
    try:
        listed = csv_entries.parse_list(data)
    except InvalidListError as error:
        raise ImportRejectedError(Message("import.list_problem", list=name, problem=error)) from error
    try:
        left_out, excluding = csv_entries.parse_exclusions(exclusions)
    except InvalidListError as error:
        raise ImportRejectedError(Message("import.exclusion_list_problem", problem=error)) from error
    problems = [each.message for each in listed.problems]
    problems += [Message("import.exclusion_problem", problem=each.message) for each in excluding.problems]
    return ImportList(listed.rows, left_out, tuple(problems), listed.skipped_lines + excluding.skipped_lines)


def apply_list(
    db: sqlite3.Connection,
    home: Home,
    import_list: ImportList,
    now: datetime,
    *,
    http_credentials: tuple[str, str] = ("", ""),
    dry_run: bool = False,
    force: bool = False,
    may_drop: Callable[[PrinterSummary], bool] = lambda _line: True,
) -> ImportResult:
    """Take the list over, or say what that would do; `counts` leaves printers alone that may not be dropped.

    Raises Doubtful unless forced, BadSettings, lock.Busy, database.Unusable: nothing is changed then.
    """

    def planned(config: Config) -> ImportChanges[PrinterSummary]:
        return csv_entries.plan_import(
            config.discovery.entries,
            import_list.rows,
            import_list.exclusions,
            filter(may_drop, printers.iter_summaries(db)),
            now,
            http_username=http_credentials[0],
            http_password=http_credentials[1],
        )

    if dry_run:
        return ImportResult(planned(configuration.load_settings(home)), applied=False)
    with configuration.lock_settings(home):
        config = configuration.load_settings(home)
        changes = planned(config)
        if changes.warning and not force:
            raise ImportConfirmationError(changes.warning)
        _apply_changes(db, home, config, changes, now)
    return ImportResult(changes, applied=True)


def _apply_changes(
    db: sqlite3.Connection, home: Home, config: Config, changes: ImportChanges[PrinterSummary], now: datetime
) -> None:
    """Save all entries at once, then delete the printers that are gone in one transaction."""
    if changes.entries != config.discovery.entries:
        discovery = replace(config.discovery, entries=changes.entries)
        configuration.save_settings(home, replace(config, discovery=discovery))
    if not changes.has_changes:
        return
    with database.transaction(db):
        for gone in changes.unavailable:
            printers.delete_printer(db, gone.id)
        events.note(db, "import", "import list", format_changes(changes), now)


def format_changes(changes: ImportChanges[PrinterSummary]) -> str:
    """Return the changes in one line."""
    if changes.excluded:
        return Message(
            "import.summary_excluded",
            added=len(changes.added),
            changed=len(changes.changed),
            removed=len(changes.removed),
            unchanged=changes.unchanged,
            excluded=len(changes.excluded),
            dropped=len(changes.unavailable),
        )
    return Message(
        "import.summary",
        added=len(changes.added),
        changed=len(changes.changed),
        removed=len(changes.removed),
        unchanged=changes.unchanged,
        dropped=len(changes.unavailable),
    )


def format_problems(problems: Sequence[str], skipped_lines: int) -> str:
    """Return the lines that were left out, in one line."""
    return Message("import.bad_lines", count=skipped_lines, problem=problems[0])


def _read_file(path: Path) -> bytes:
    """Return at most one byte more than a list may have. Raise ImportFileError."""
    try:
        # O_NONBLOCK: opening a pipe would wait for a writer
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ImportFileError(Message("import.no_file", path=path))
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ImportFileError(_unreadable_text(path, error.strerror)) from error
    except ValueError as error:
        raise ImportFileError(Message("import.nul")) from error


def _unreadable_text(path: Path, reason: str | None) -> Message:
    """Return why a path cannot be read, with a hint for paths of Windows."""
    if re.match(r"\\\\|//|[A-Za-z]:", str(path)):
        return Message("import.share_not_mounted", path=path, reason=reason)
    return Message("import.unreadable_path", path=path, reason=reason)
