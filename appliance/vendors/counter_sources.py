"""How makers keep their page counts: single objects, and records of bytes; tables are in meter_tables.py.

Each kind says which objects to ask, then what the cells that came say: a value for each of its keys. The keys
are what the table of makers calls them in its rules. Nothing here knows a maker.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from appliance.mib import charsets
from appliance.mib.oids import ENTERPRISES, Oid, parse_oid
from appliance.mib.printer_mib import Cells, MibTable

COUNT_BYTES = 4  # bytes of a count
COUNTER_NAME_BYTES = 24  # of the name of a count
PACKED_RECORDS_BYTES = 90  # of counts packed into one text: Brother's
INVALID_COUNTS = {2**32 - 1, 2**31 - 1}  # what agents answer instead of a count that they do not keep
END_OF_RECORDS = 0xFF  # of Brother's records


class RawCounter(NamedTuple):
    """What one key of a maker's counts, and which object says so; `short` names it beside its sisters."""

    value: int
    source: str
    short_source: str


RawCountersByKey = dict[str, RawCounter]


@lru_cache(maxsize=4096)
def enterprise_oid(dotted: str) -> Oid:
    """An object below the enterprises' arc."""
    return (*ENTERPRISES, *parse_oid(dotted))


def parse_count(value: object) -> int | None:
    """The value as a count, if it is one."""
    return value if isinstance(value, int) and value >= 0 and value not in INVALID_COUNTS else None


def normalize_name(name: object, charset: int | None = None) -> str:
    """A row's name as rules know it: lower case without blanks.

    Names in English are ASCII in every character set of printers, but for zeros between the letters.
    """
    if not isinstance(name, bytes):
        return ""
    plain = name.replace(b"\0", b"")
    return "".join(
        (charsets.decode_text(plain) if plain.isascii() else charsets.decode_text(name, charset))
        .lower()
        .split()
    )


@dataclass(frozen=True, slots=True)
class ScalarCounters:
    """Single objects, by the rest of their names behind one of the roots: the first that has it tells."""

    roots: tuple[str, ...]
    keys: tuple[str, ...] = ()
    prefix: str = ""  # of the keys in the rules

    def scalars(self) -> list[tuple[Oid, int]]:
        return [(enterprise_oid(root + key), COUNT_BYTES) for root in self.roots for key in self.keys]

    def tables(self) -> tuple[MibTable, ...]:
        return ()

    def extract(self, cells: Cells, _charset: int | None) -> RawCountersByKey:
        said: RawCountersByKey = {}
        for root in reversed(self.roots):
            for key in self.keys:
                value = parse_count(cells.get(enterprise_oid(root + key)))
                if value is not None:
                    said[self.prefix + key] = RawCounter(value, f"enterprises.{root}{key}", key)
        return said


@dataclass(frozen=True, slots=True)
class PackedRecords:
    """Counts in one text: code, 01, length, then the value in so many bytes, until FF."""

    instance: str
    prefix: str

    def scalars(self) -> list[tuple[Oid, int]]:
        return [(enterprise_oid(self.instance), PACKED_RECORDS_BYTES)]

    def tables(self) -> tuple[MibTable, ...]:
        return ()

    def extract(self, cells: Cells, _charset: int | None) -> RawCountersByKey:
        said: RawCountersByKey = {}
        blob = cells.get(enterprise_oid(self.instance))
        for code, value in parse_records(blob) if isinstance(blob, bytes) else ():
            called = f"code {code:02x}"
            meter = RawCounter(value, f"enterprises.{self.instance} {called}", called)
            said.setdefault(f"{self.prefix}{code:02x}", meter)
        return said


def parse_records(blob: bytes) -> Iterator[tuple[int, int]]:
    """Code and value of each record, up to where one is cut off or the bytes are no record."""
    at = 0
    while at + 3 <= len(blob) and blob[at] != END_OF_RECORDS and blob[at + 1] == 1:
        length = blob[at + 2]
        value = blob[at + 3 : at + 3 + length]
        if not 1 <= length <= 8 or len(value) < length:  # longer ones are no numbers
            return
        yield blob[at], int.from_bytes(value, "big")
        at += 3 + length
