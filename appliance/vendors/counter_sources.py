"""How makers keep their page counts: single objects, and records of bytes; tables are in meter_tables.py.

Each kind says which objects to ask, then what the cells that came say: a value for each of its keys. The keys
are what the table of makers calls them in its rules. Nothing here knows a maker.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from appliance.mib import charsets
from appliance.mib.oids import ENTERPRISES, Oid, parsed
from appliance.mib.printer_mib import Cells, Table

COUNT_SIZE = 4  # bytes of a count
NAME_SIZE = 24  # of the name of a count
BLOB_SIZE = 90  # of counts packed into one text: Brother's
NO_COUNTS = {2**32 - 1, 2**31 - 1}  # what agents answer instead of a count that they do not keep
END = 0xFF  # of Brother's records


class Meter(NamedTuple):
    """What one key of a maker's counts, and which object says so; `short` names it beside its sisters."""

    value: int
    source: str
    short: str


Found = dict[str, Meter]


@lru_cache(maxsize=4096)
def below(dotted: str) -> Oid:
    """An object below the enterprises' arc."""
    return (*ENTERPRISES, *parsed(dotted))


def count(value: object) -> int | None:
    """The value as a count, if it is one."""
    return value if isinstance(value, int) and value >= 0 and value not in NO_COUNTS else None


def key_of(name: object, charset: int | None = None) -> str:
    """A row's name as rules know it: lower case without blanks.

    Names in English are ASCII in every character set of printers, but for zeros between the letters.
    """
    if not isinstance(name, bytes):
        return ""
    plain = name.replace(b"\0", b"")
    return "".join(
        (charsets.decode(plain) if plain.isascii() else charsets.decode(name, charset)).lower().split()
    )


@dataclass(frozen=True, slots=True)
class Objects:
    """Single objects, by the rest of their names behind one of the roots: the first that has it tells."""

    roots: tuple[str, ...]
    keys: tuple[str, ...] = ()
    prefix: str = ""  # of the keys in the rules

    def scalars(self) -> list[tuple[Oid, int]]:
        return [(below(root + key), COUNT_SIZE) for root in self.roots for key in self.keys]

    def tables(self) -> tuple[Table, ...]:
        return ()

    def found(self, cells: Cells, _charset: int | None) -> Found:
        said: Found = {}
        for root in reversed(self.roots):
            for key in self.keys:
                value = count(cells.get(below(root + key)))
                if value is not None:
                    said[self.prefix + key] = Meter(value, f"enterprises.{root}{key}", key)
        return said


@dataclass(frozen=True, slots=True)
class Records:
    """Counts in one text: code, 01, length, then the value in so many bytes, until FF."""

    instance: str
    prefix: str

    def scalars(self) -> list[tuple[Oid, int]]:
        return [(below(self.instance), BLOB_SIZE)]

    def tables(self) -> tuple[Table, ...]:
        return ()

    def found(self, cells: Cells, _charset: int | None) -> Found:
        said: Found = {}
        blob = cells.get(below(self.instance))
        for code, value in records(blob) if isinstance(blob, bytes) else ():
            called = f"code {code:02x}"
            meter = Meter(value, f"enterprises.{self.instance} {called}", called)
            said.setdefault(f"{self.prefix}{code:02x}", meter)
        return said


def records(blob: bytes) -> Iterator[tuple[int, int]]:
    """Code and value of each record, up to where one is cut off or the bytes are no record."""
    at = 0
    while at + 3 <= len(blob) and blob[at] != END and blob[at + 1] == 1:
        length = blob[at + 2]
        value = blob[at + 3 : at + 3 + length]
        if not 1 <= length <= 8 or len(value) < length:  # longer ones are no numbers
            return
        yield blob[at], int.from_bytes(value, "big")
        at += 3 + length
