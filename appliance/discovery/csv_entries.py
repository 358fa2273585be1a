"""The import list: lines `IP / Hostname; Communityname read; Communityname write` become discovery entries.

Pure: bytes in, what would change out. A bad line is named and the rest still works. What the manual leaves
open, and what typing its examples as it prints them asks for, is decided here:

- A line has one address or one DNS name, as printed; ranges are for entries that a person makes.
- Columns after the third are not looked at. How lines are told apart is said in importlines.py.
- Blanks inside an address or a name are dropped: the manual prints `192. 168. 1. 15` and `Pri nter1`. In a
  community they count, as SNMP allows them, the manual's own `publ i c` aside.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from appliance.discovery import address_ranges, csv_reader, entries
from appliance.discovery.address_ranges import InvalidEntryError, quote_for_message
from appliance.discovery.csv_reader import CsvField, remove_blanks
from appliance.discovery.entries import Coverage, Exclusions
from appliance.domain.messages import Message, message_of
from appliance.domain.model import DiscoveryEntry, Target

MAX_REPORTED_PROBLEMS = 100  # problems; a file that is no list has one in each line
UNAVAILABLE_AFTER = timedelta(hours=48)  # the manual's

MAX_COMMUNITY_CHARS = 255  # characters, as in the settings
DEFAULT_COMMUNITY_READ, DEFAULT_COMMUNITY_WRITE = (
    "public",
    "private",
)  # the manual's "standard community names"
_MANUAL_COMMUNITIES = frozenset(("public", "private", "SnmpRead", "SnmpWrite"))


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One usable line."""

    line: int
    host: str  # an address, or a name
    community_read: str = DEFAULT_COMMUNITY_READ
    community_write: str = DEFAULT_COMMUNITY_WRITE


@dataclass(frozen=True, slots=True)
class LineProblem:
    """One line that is left out."""

    line: int
    text: str

    def __str__(self) -> str:
        return str(self.message)

    @property
    def message(self) -> Message:
        """The line's number and what is wrong with it."""
        return Message("import.line_problem", line=self.line, problem=self.text)


@dataclass(frozen=True, slots=True)
class ParsedList:
    """A list."""

    rows: tuple[ImportRow, ...]
    problems: tuple[LineProblem, ...]  # the first hundred
    skipped_lines: int  # lines that are left out, all of them


class ListedPrinter(Protocol):
    """As much of a known printer as the list needs."""

    @property
    def id(self) -> int: ...
    @property
    def target(self) -> Target: ...
    @property
    def seen_at(self) -> datetime: ...


PrinterT = TypeVar("PrinterT", bound=ListedPrinter)


@dataclass(frozen=True, slots=True)
class ImportChanges(Generic[PrinterT]):
    """What a list makes of the discovery entries and of the known printers."""

    entries: tuple[DiscoveryEntry, ...]  # all of them, afterwards
    added: tuple[DiscoveryEntry, ...]
    changed: tuple[DiscoveryEntry, ...]  # as they will be
    removed: tuple[DiscoveryEntry, ...]
    unchanged: int
    excluded: tuple[str, ...]  # hosts of the list that the exclusion list names
    unavailable: tuple[PrinterT, ...]  # printers that are not in the list and have been silent for 48 hours
    warning: str | None  # why a person should have a look first

    @property
    def has_changes(self) -> bool:
        return bool(self.added or self.changed or self.removed or self.unavailable)


def parse_list(data: bytes) -> ParsedList:
    """The rows of an import list. Raises NotAList."""
    found = _RowCollector()
    for line in csv_reader.iter_lines(data):
        number = line.number
        if line.problem:
            found.add_problem(number, line.problem)
            continue
        try:
            found.add(_parse_row(number, line.fields))
        except InvalidEntryError as error:
            found.add_problem(number, message_of(error))
    return ParsedList(tuple(found.rows.values()), tuple(found.problems), found.skipped_lines)


def parse_exclusions(data: bytes) -> tuple[Exclusions, ParsedList]:
    """An exclusion list: addresses and names in a column, or in a row. Raises NotAList."""
    found = _RowCollector()
    texts = []
    for line in csv_reader.iter_lines(data):
        if line.problem:
            found.add_problem(line.number, line.problem)
        for text in filter(None, (remove_blanks(field.text) for field in line.fields)):
            if problem := entries.exclusion_problem(text):
                found.add_problem(line.number, problem)
            else:
                texts.append(text)
    return Exclusions(texts), ParsedList((), tuple(found.problems), found.skipped_lines)


def plan_import(
    old: Iterable[DiscoveryEntry],
    rows: Iterable[ImportRow],
    exclusions: Exclusions,
    printers: Iterable[PrinterT],
    now: datetime,
    *,
    http_username: str = "",
    http_password: str = "",
) -> ImportChanges[PrinterT]:
    """What the list changes; entries that a person made stay as they are."""
    old = tuple(old)
    manual = [entry for entry in old if entry.source == "manual"]
    before = {_host_key(entry.addresses): entry for entry in old if entry.source == "import"}
    after: dict[str, DiscoveryEntry] = {}
    excluded = []
    for row in rows:
        if exclusions.excludes_name(row.host):
            excluded.append(row.host)
        else:
            key = _host_key(row.host)
            after[key] = _build_entry(row, before.get(key), http_username, http_password)
    removed = tuple(entry for key, entry in before.items() if key not in after)
    changed = tuple(entry for key, entry in after.items() if key in before and entry != before[key])
    added = tuple(entry for key, entry in after.items() if key not in before)
    return ImportChanges(
        entries=(*manual, *after.values()),
        added=added,
        changed=changed,
        removed=removed,
        unchanged=len(after) - len(added) - len(changed),
        excluded=tuple(excluded),
        unavailable=find_unavailable(after.values(), printers, now),
        warning=_import_warning(len(before), len(removed), len(after)),
    )


def find_unavailable(
    imported: Iterable[DiscoveryEntry], printers: Iterable[PrinterT], now: datetime
) -> tuple[PrinterT, ...]:
    """Printers that are not in the list and were not available for 48 hours."""
    listed = Coverage(imported)
    return tuple(
        printer
        for printer in printers
        if now - printer.seen_at >= UNAVAILABLE_AFTER and printer.target not in listed
    )


def _import_warning(before: int, removed: int, after: int) -> str | None:
    if not after:
        return Message("import.no_line")
    if 2 * removed > before:
        return Message("import.entries_missing", removed=removed, before=before)
    return None


def _build_entry(row: ImportRow, old: DiscoveryEntry | None, username: str, password: str) -> DiscoveryEntry:
    """A new entry, or an old one with what the list says: of ports and versions it says nothing."""
    is_name = address_ranges.parse_ip(row.host) is None
    pattern = old or DiscoveryEntry(row.host, address_by="name" if is_name else "ip", source="import")
    return replace(
        pattern,
        community_read=row.community_read,
        community_write=row.community_write,
        http_username=username,
        http_password=password,
    )


def _host_key(host: str) -> str:
    number = address_ranges.parse_ip(host)
    return str(number) if number else host.casefold()


class _RowCollector:
    """What was found so far."""

    def __init__(self) -> None:
        self.rows: dict[str, ImportRow] = {}
        self.problems: list[LineProblem] = []
        self.skipped_lines = 0

    def add(self, row: ImportRow) -> None:
        """Raises BadEntry."""
        first = self.rows.setdefault(_host_key(row.host), row)
        if replace(first, line=row.line, host=row.host) != row:
            raise InvalidEntryError(
                Message("import.duplicate", host=quote_for_message(row.host), line=first.line)
            )

    def add_problem(self, line: int, text: str) -> None:
        self.skipped_lines += 1
        if len(self.problems) < MAX_REPORTED_PROBLEMS:
            self.problems.append(LineProblem(line, text))


def _parse_row(number: int, fields: Sequence[CsvField]) -> ImportRow:
    """Raises BadEntry."""
    host, read, write = [*fields[:3], CsvField(""), CsvField("")][:3]
    if any(field.text.startswith('"') and not field.quoted for field in (host, read, write)):
        raise InvalidEntryError(Message("import.quote"))
    return ImportRow(
        number,
        _parse_host(remove_blanks(host.text)),
        _parse_community(read, DEFAULT_COMMUNITY_READ),
        _parse_community(write, DEFAULT_COMMUNITY_WRITE),
    )


def _parse_host(text: str) -> str:
    """An address, or a name in the list's spelling. Raises BadEntry."""
    if not text:
        raise InvalidEntryError(Message("import.no_address"))
    _check_printable(text)
    if re.search("[/,;]", text) or _is_range(text):
        raise InvalidEntryError(Message("import.several_addresses", text=quote_for_message(text)))
    (part,) = address_ranges.parse_addresses(text)
    return part if isinstance(part, str) else next(part.hosts())


def _is_range(text: str) -> bool:
    first, dash, _ = address_ranges.normalize_notation(text).partition("-")
    return bool(dash) and address_ranges.parse_ip(first) is not None


def _parse_community(field: CsvField, default: str) -> str:
    """Raises BadEntry."""
    text = field.text
    if not field.quoted and remove_blanks(text) in _MANUAL_COMMUNITIES:
        text = remove_blanks(text)
    if not text:
        return default
    _check_printable(text)
    if len(text) > MAX_COMMUNITY_CHARS:
        raise InvalidEntryError(Message("import.community_too_long", count=MAX_COMMUNITY_CHARS))
    if address_ranges.parse_ip(text) is not None:
        raise InvalidEntryError(Message("import.address_as_community", text=quote_for_message(text)))
    return text


def _check_printable(text: str) -> None:
    if not text.isprintable():
        raise InvalidEntryError(Message("import.unprintable", text=quote_for_message(text)))
