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
from appliance.discovery.address_ranges import BadEntry, shown
from appliance.discovery.csv_reader import Field, without_blanks
from appliance.discovery.entries import Coverage, Exclusions
from appliance.domain.model import DiscoveryEntry, Target

MOST_NAMED = 100  # problems; a file that is no list has one in each line
GONE_AFTER = timedelta(hours=48)  # the manual's

MOST_COMMUNITY = 255  # characters, as in the settings
READ, WRITE = "public", "private"  # the manual's "standard community names"
_PRINTED = frozenset(("public", "private", "SnmpRead", "SnmpWrite"))


@dataclass(frozen=True, slots=True)
class Row:
    """One usable line."""

    line: int
    host: str  # an address, or a name
    community_read: str = READ
    community_write: str = WRITE


@dataclass(frozen=True, slots=True)
class Problem:
    """One line that is left out."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class Parsed:
    """A list."""

    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]  # the first hundred
    bad: int  # lines that are left out, all of them


class Known(Protocol):
    """As much of a known printer as the list needs."""

    @property
    def id(self) -> int: ...
    @property
    def target(self) -> Target: ...
    @property
    def seen_at(self) -> datetime: ...


P = TypeVar("P", bound=Known)


@dataclass(frozen=True, slots=True)
class Changes(Generic[P]):
    """What a list makes of the discovery entries and of the known printers."""

    entries: tuple[DiscoveryEntry, ...]  # all of them, afterwards
    added: tuple[DiscoveryEntry, ...]
    changed: tuple[DiscoveryEntry, ...]  # as they will be
    removed: tuple[DiscoveryEntry, ...]
    unchanged: int
    excluded: tuple[str, ...]  # hosts of the list that the exclusion list names
    gone: tuple[P, ...]  # printers that are not in the list and have been silent for 48 hours
    doubt: str | None  # why a person should have a look first

    @property
    def any(self) -> bool:
        return bool(self.added or self.changed or self.removed or self.gone)


def parse(data: bytes) -> Parsed:
    """The rows of an import list. Raises NotAList."""
    found = _Findings()
    for line in csv_reader.read(data):
        number = line.number
        if line.problem:
            found.problem(number, line.problem)
            continue
        try:
            found.add(_row(number, line.fields))
        except BadEntry as error:
            found.problem(number, str(error))
    return Parsed(tuple(found.rows.values()), tuple(found.problems), found.bad)


def parse_exclusions(data: bytes) -> tuple[Exclusions, Parsed]:
    """An exclusion list: addresses and names in a column, or in a row. Raises NotAList."""
    found = _Findings()
    texts = []
    for line in csv_reader.read(data):
        if line.problem:
            found.problem(line.number, line.problem)
        for text in filter(None, (without_blanks(field.text) for field in line.fields)):
            if problem := entries.check_exclusion(text):
                found.problem(line.number, problem)
            else:
                texts.append(text)
    return Exclusions(texts), Parsed((), tuple(found.problems), found.bad)


def plan(
    old: Iterable[DiscoveryEntry],
    rows: Iterable[Row],
    exclusions: Exclusions,
    printers: Iterable[P],
    now: datetime,
    *,
    http_username: str = "",
    http_password: str = "",
) -> Changes[P]:
    """What the list changes; entries that a person made stay as they are."""
    old = tuple(old)
    manual = [entry for entry in old if entry.source == "manual"]
    before = {_key(entry.addresses): entry for entry in old if entry.source == "import"}
    after: dict[str, DiscoveryEntry] = {}
    excluded = []
    for row in rows:
        if exclusions.excludes_name(row.host):
            excluded.append(row.host)
        else:
            key = _key(row.host)
            after[key] = _entry(row, before.get(key), http_username, http_password)
    removed = tuple(entry for key, entry in before.items() if key not in after)
    changed = tuple(entry for key, entry in after.items() if key in before and entry != before[key])
    added = tuple(entry for key, entry in after.items() if key not in before)
    return Changes(
        entries=(*manual, *after.values()),
        added=added,
        changed=changed,
        removed=removed,
        unchanged=len(after) - len(added) - len(changed),
        excluded=tuple(excluded),
        gone=gone(after.values(), printers, now),
        doubt=_doubt(len(before), len(removed), len(after)),
    )


def gone(imported: Iterable[DiscoveryEntry], printers: Iterable[P], now: datetime) -> tuple[P, ...]:
    """Printers that are not in the list and were not available for 48 hours."""
    listed = Coverage(imported)
    return tuple(
        printer
        for printer in printers
        if now - printer.seen_at >= GONE_AFTER and printer.target not in listed
    )


def _doubt(before: int, removed: int, after: int) -> str | None:
    if not after:
        return "the list has no usable line"
    if 2 * removed > before:
        return f"the list lacks {removed:,} of the {before:,} entries that were imported before"
    return None


def _entry(row: Row, old: DiscoveryEntry | None, username: str, password: str) -> DiscoveryEntry:
    """A new entry, or an old one with what the list says: of ports and versions it says nothing."""
    is_name = address_ranges.address(row.host) is None
    pattern = old or DiscoveryEntry(row.host, address_by="name" if is_name else "ip", source="import")
    return replace(
        pattern,
        community_read=row.community_read,
        community_write=row.community_write,
        http_username=username,
        http_password=password,
    )


def _key(host: str) -> str:
    number = address_ranges.address(host)
    return str(number) if number else host.casefold()


class _Findings:
    """What was found so far."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.problems: list[Problem] = []
        self.bad = 0

    def add(self, row: Row) -> None:
        """Raises BadEntry."""
        first = self.rows.setdefault(_key(row.host), row)
        if replace(first, line=row.line, host=row.host) != row:
            raise BadEntry(
                f"{shown(row.host)} is in line {first.line} with other communities; that one counts"
            )

    def problem(self, line: int, text: str) -> None:
        self.bad += 1
        if len(self.problems) < MOST_NAMED:
            self.problems.append(Problem(line, text))


def _row(number: int, fields: Sequence[Field]) -> Row:
    """Raises BadEntry."""
    host, read, write = [*fields[:3], Field(""), Field("")][:3]
    if any(field.text.startswith('"') and not field.quoted for field in (host, read, write)):
        raise BadEntry("a quote is not closed in its line, or something follows it")
    return Row(number, _host(without_blanks(host.text)), _community(read, READ), _community(write, WRITE))


def _host(text: str) -> str:
    """An address, or a name in the list's spelling. Raises BadEntry."""
    if not text:
        raise BadEntry("there is no address in the first column")
    _check_printable(text)
    if re.search("[/,;]", text) or _is_range(text):
        raise BadEntry(f"{shown(text)}: a line has one address or one DNS name")
    (part,) = address_ranges.parse(text)
    return part if isinstance(part, str) else next(part.hosts())


def _is_range(text: str) -> bool:
    first, dash, _ = address_ranges.tidy(text).partition("-")
    return bool(dash) and address_ranges.address(first) is not None


def _community(field: Field, default: str) -> str:
    """Raises BadEntry."""
    text = field.text
    if not field.quoted and without_blanks(text) in _PRINTED:
        text = without_blanks(text)
    if not text:
        return default
    _check_printable(text)
    if len(text) > MOST_COMMUNITY:
        raise BadEntry(f"a community has {MOST_COMMUNITY} characters at most")
    if address_ranges.address(text) is not None:
        raise BadEntry(f"{shown(text)} is an address where a community should be; each has a line of its own")
    return text


def _check_printable(text: str) -> None:
    if not text.isprintable():
        raise BadEntry(f"{shown(text)} has a character that cannot be printed")
