"""Extract raw page counts from the SNMP objects and tables in which vendors keep them.

Each source names the objects to request and converts the cells that arrive to one value per key. Keys are the
names that the rules of a vendor file use. Nothing in this module is specific to a vendor.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

from appliance.mib import charsets
from appliance.mib.oids import ENTERPRISES, Oid, parse_oid
from appliance.mib.printer_mib import MibTable
from appliance.mib.values import Cells

COUNT_BYTES = 4
COUNTER_NAME_BYTES = 24
PACKED_RECORDS_BYTES = 90  # Brother packs its counts into one octet string
INVALID_COUNTS = {2**32 - 1, 2**31 - 1}  # agents answer these for a counter that they do not keep
END_OF_RECORDS = 0xFF
OBJECT_KEY_PATTERN = re.compile(r"\d[\d.]*")


class RawCounter(NamedTuple):
    """The value of one key, the object that holds it, and a short name for use beside others in a sum."""

    value: int
    source: str
    short_source: str


RawCountersByKey = dict[str, RawCounter]


@lru_cache(maxsize=4096)
def enterprise_oid(dotted: str) -> Oid:
    """Return the OID of an object below 1.3.6.1.4.1."""
    return (*ENTERPRISES, *parse_oid(dotted))


def parse_count(value: object) -> int | None:
    """Return the value if it is a valid count, else None."""
    return value if isinstance(value, int) and value >= 0 and value not in INVALID_COUNTS else None


def normalize_name(name: object, charset: int | None = None) -> str:
    """Return a row's name in lower case without blanks, as rules compare it.

    English names are ASCII in every character set of printers, but for zeros between the letters.
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
    """Single objects, whose keys are the rest of their OIDs behind the root."""

    root: str
    keys: tuple[str, ...] = ()

    def with_keys(self, keys: Collection[str]) -> "ScalarCounters":
        """Return this source with those of the keys that it can hold as the objects to request."""
        return replace(self, keys=tuple(sorted(key for key in keys if self.provides(key))))

    def provides(self, key: str) -> bool:
        return OBJECT_KEY_PATTERN.fullmatch(key) is not None

    def scalars(self) -> list[tuple[Oid, int]]:
        return [(self._oid(key), COUNT_BYTES) for key in self.keys]

    def tables(self) -> tuple[MibTable, ...]:
        return ()

    def extract(self, cells: Cells, _charset: int | None) -> RawCountersByKey:
        counters: RawCountersByKey = {}
        for key in self.keys:
            value = parse_count(cells.get(self._oid(key)))
            if value is not None:
                counters[key] = RawCounter(value, f"enterprises.{self.root}.{key}", key)
        return counters

    def _oid(self, key: str) -> Oid:
        return enterprise_oid(f"{self.root}.{key}")


@dataclass(frozen=True, slots=True)
class PackedRecords:
    """Counts packed into one octet string: code, 01, length, value of that length, and so on until FF."""

    instance: str
    key_prefix: str

    def with_keys(self, _keys: Collection[str]) -> "PackedRecords":
        return self

    def provides(self, key: str) -> bool:
        return re.fullmatch(re.escape(self.key_prefix) + "[0-9a-f]{2}", key) is not None

    def scalars(self) -> list[tuple[Oid, int]]:
        return [(enterprise_oid(self.instance), PACKED_RECORDS_BYTES)]

    def tables(self) -> tuple[MibTable, ...]:
        return ()

    def extract(self, cells: Cells, _charset: int | None) -> RawCountersByKey:
        counters: RawCountersByKey = {}
        blob = cells.get(enterprise_oid(self.instance))
        for code, value in parse_records(blob) if isinstance(blob, bytes) else ():
            label = f"code {code:02x}"
            counter = RawCounter(value, f"enterprises.{self.instance} {label}", label)
            counters.setdefault(f"{self.key_prefix}{code:02x}", counter)
        return counters


def parse_records(blob: bytes) -> Iterator[tuple[int, int]]:
    """Yield code and value of each record, up to the first one that is truncated or malformed."""
    offset = 0
    while offset + 3 <= len(blob) and blob[offset] != END_OF_RECORDS and blob[offset + 1] == 1:
        length = blob[offset + 2]
        value = blob[offset + 3 : offset + 3 + length]
        if not 1 <= length <= 8 or len(value) < length:  # longer values are not numbers
            return
        yield blob[offset], int.from_bytes(value, "big")
        offset += 3 + length


@dataclass(frozen=True, slots=True)
class NumberedRows:
    """A table whose row numbers say what the rows count."""

    table: str
    entry: str
    object_name: str
    value_column: int
    numbers: Collection[int] = ()

    def with_keys(self, keys: Collection[str]) -> "NumberedRows":
        return replace(self, numbers=frozenset(int(key) for key in keys if self.provides(key)))

    def provides(self, key: str) -> bool:
        return key.isdecimal()

    def scalars(self) -> list[tuple[Oid, int]]:
        return []

    def tables(self) -> tuple[MibTable, ...]:
        return (
            MibTable(
                self.table,
                "counters",
                enterprise_oid(self.entry),
                {self.value_column: COUNT_BYTES},
                volatile=(self.value_column,),
                discovery_column=self.value_column,
                is_indexed_by_device=False,
                expected_rows=tuple((number,) for number in sorted(self.numbers)),
                select_columns=self.select_columns,
            ),
        )

    def select_columns(self, _cells: Cells, row: Oid) -> Collection[int]:
        return (self.value_column,) if len(row) == 1 and row[0] in self.numbers else ()

    def extract(self, cells: Cells, _charset: int | None) -> RawCountersByKey:
        counters: RawCountersByKey = {}
        for number in self.numbers:
            value = parse_count(cells.get((*enterprise_oid(self.entry), self.value_column, number)))
            if value is not None:
                counters[str(number)] = RawCounter(value, f"{self.object_name} {number}", str(number))
        return counters


@dataclass(frozen=True, slots=True)
class TypedRows:
    """A table whose rows say what they count by a type code, or else by an English name."""

    table: str  # unique within a vendor
    entry: str
    object_name: str  # of the value, as sources of counters show it
    type_column: int
    value_column: int
    types: Collection[int] = ()
    key_prefix: str = ""
    unit_column: int | None = None
    units: tuple[int, ...] = ()  # preferred first, where a count is kept in several units
    name_column: int | None = None
    names: Mapping[str, str] = field(default_factory=dict)  # English name → key
    other_types: Collection[int] = ()  # types whose names need not be read: none of our counters

    def with_keys(self, keys: Collection[str]) -> "TypedRows":
        codes = (key.removeprefix(self.key_prefix) for key in keys if self._is_type_key(key))
        return replace(self, types=frozenset(map(int, codes)))

    def provides(self, key: str) -> bool:
        return self._is_type_key(key) or key in self.names.values()

    def _is_type_key(self, key: str) -> bool:
        return key.startswith(self.key_prefix) and key.removeprefix(self.key_prefix).isdecimal()

    def scalars(self) -> list[tuple[Oid, int]]:
        return []

    def tables(self) -> tuple[MibTable, ...]:
        sizes = {self.type_column: 2, self.value_column: 3}
        if self.unit_column is not None:
            sizes[self.unit_column] = 1
        if self.name_column is not None:
            sizes[self.name_column] = COUNTER_NAME_BYTES
        return (
            MibTable(
                self.table,
                "counters",
                enterprise_oid(self.entry),
                sizes,
                volatile=(self.value_column,),
                discovery_column=self.type_column,
                is_indexed_by_device=False,
                select_columns=self.select_columns,
            ),
        )

    def select_columns(self, cells: Cells, row: Oid) -> Collection[int]:
        """Return the columns to read: the value if the row is a counter of ours, the name if it may be."""
        entry = enterprise_oid(self.entry)
        row_type = cells.get((*entry, self.type_column, *row))
        if row_type in self.types:
            return self._columns_for_unit(cells, entry, row)
        if self.name_column is None or row_type in self.other_types:
            return ()
        name = cells.get((*entry, self.name_column, *row))
        if isinstance(name, bytes) and normalize_name(name) not in self.names:
            return ()
        return (self.name_column, self.value_column)

    def _columns_for_unit(self, cells: Cells, entry: Oid, row: Oid) -> Collection[int]:
        if self.unit_column is None:
            return (self.value_column,)
        unit = cells.get((*entry, self.unit_column, *row))
        return (
            (self.unit_column, self.value_column)
            if unit is None or unit in self.units
            else (self.unit_column,)
        )

    def extract(self, cells: Cells, _charset: int | None) -> RawCountersByKey:
        entry = enterprise_oid(self.entry)
        counters: dict[str, tuple[int, RawCounter]] = {}
        for row in _row_indexes(cells, entry):
            value = parse_count(cells.get((*entry, self.value_column, *row)))
            rank = self._unit_rank(cells, entry, row)
            key = self._counter_key(cells, entry, row)
            if value is None or rank is None or key is None:
                continue
            if key[0] in counters and counters[key[0]][0] <= rank:
                continue
            counters[key[0]] = rank, RawCounter(value, f"{self.object_name} {key[1]}", key[1])
        return {key: counter for key, (_, counter) in counters.items()}

    def _unit_rank(self, cells: Cells, entry: Oid, row: Oid) -> int | None:
        """Return the preference of a row's unit, 0 for the best, or None if the unit is not one of pages."""
        if self.unit_column is None:
            return 0
        unit = cells.get((*entry, self.unit_column, *row))
        if unit is None:
            return len(self.units)
        return self.units.index(unit) if unit in self.units else None

    def _counter_key(self, cells: Cells, entry: Oid, row: Oid) -> tuple[str, str] | None:
        """Return the key of a row and its label for sources."""
        row_type = cells.get((*entry, self.type_column, *row))
        if isinstance(row_type, int) and row_type in self.types:
            return f"{self.key_prefix}{row_type}", f"type {row_type}"
        name = cells.get((*entry, self.name_column, *row)) if self.name_column is not None else None
        if (
            isinstance(name, bytes)
            and (key := self.names.get(normalize_name(name)))
            and row_type not in self.other_types
        ):
            return key, f'"{charsets.decode_text(name)}"'
        return None


@dataclass(frozen=True, slots=True)
class NamedRows:
    """A table of names and values; if none of the names is known, the row numbers identify the counters."""

    table: str
    entry: str
    object_name: str
    name_column: int
    value_columns: Mapping[int, str]  # column → suffix of the key
    names: Mapping[str, str]  # English name → key
    rows: Mapping[str, str] = field(default_factory=dict)  # row number → key

    def with_keys(self, _keys: Collection[str]) -> "NamedRows":
        return self

    def provides(self, key: str) -> bool:
        known = {*self.names.values(), *self.rows.values()}
        return any(key == name + suffix for name in known for suffix in self.value_columns.values())

    def scalars(self) -> list[tuple[Oid, int]]:
        return []

    def tables(self) -> tuple[MibTable, ...]:
        sizes = {self.name_column: COUNTER_NAME_BYTES} | dict.fromkeys(self.value_columns, COUNT_BYTES)
        return (
            MibTable(
                self.table,
                "counters",
                enterprise_oid(self.entry),
                dict(sorted(sizes.items())),
                volatile=tuple(self.value_columns),
                discovery_column=min(self.value_columns),
                is_indexed_by_device=False,
                expected_rows=tuple(sorted(map(parse_oid, self.rows))),
                select_columns=self.select_columns,
            ),
        )

    def select_columns(self, cells: Cells, row: Oid) -> Collection[int]:
        name = cells.get((*enterprise_oid(self.entry), self.name_column, *row))
        if (
            name is not None
            and normalize_name(name) not in self.names
            and ".".join(map(str, row)) not in self.rows
        ):
            return ()
        return (self.name_column, *self.value_columns)

    def extract(self, cells: Cells, charset: int | None) -> RawCountersByKey:
        entry = enterprise_oid(self.entry)
        rows = _row_indexes(cells, entry)
        names = {row: cells.get((*entry, self.name_column, *row)) for row in rows}
        keys = {row: self.names.get(normalize_name(name, charset)) for row, name in names.items()}
        if not any(keys.values()):
            keys = {row: self.rows.get(".".join(map(str, row))) for row in rows}
        counters: RawCountersByKey = {}
        for row, key in keys.items():
            for column, suffix in self.value_columns.items():
                value = parse_count(cells.get((*entry, column, *row)))
                if key is not None and value is not None:
                    name = names[row]
                    label = (
                        f'"{charsets.decode_text(name, charset)}"'
                        if isinstance(name, bytes)
                        else f"row {'.'.join(map(str, row))}"
                    )
                    counters.setdefault(
                        f"{key}{suffix}", RawCounter(value, f"{self.object_name} {label}", label)
                    )
        return counters


RowConditions = Mapping[int, Collection[int | str]]  # column → accepted values


@dataclass(frozen=True, slots=True)
class SummedRows:
    """A table whose rows split pages by several columns; each key is the sum of the matching rows."""

    table: str
    entry: str
    object_name: str
    columns: Mapping[int, int]  # columns of the conditions → bytes of their values
    value_columns: tuple[int, ...]
    sums: Mapping[str, RowConditions]  # key → rows to add up
    discovery_column: int  # walked to find the rows
    unit_column: int | None = None
    units: tuple[int, ...] = ()  # rows in the first of these units that occurs are added up
    part: str = "counters"  # of a reading that is incomplete if the table cannot be read

    def with_keys(self, _keys: Collection[str]) -> "SummedRows":
        return self

    def provides(self, key: str) -> bool:
        return key in self.sums

    def scalars(self) -> list[tuple[Oid, int]]:
        return []

    def tables(self) -> tuple[MibTable, ...]:
        sizes = {**self.columns, **dict.fromkeys(self.value_columns, COUNT_BYTES)}
        if self.unit_column is not None:
            sizes[self.unit_column] = 1
        return (
            MibTable(
                self.table,
                self.part,
                enterprise_oid(self.entry),
                dict(sorted(sizes.items())),
                volatile=self.value_columns,
                discovery_column=self.discovery_column,
                is_indexed_by_device=False,
                select_columns=self.select_columns,
            ),
        )

    def select_columns(self, cells: Cells, row: Oid) -> Collection[int]:
        entry = enterprise_oid(self.entry)
        known = {
            column: _comparable_value(cells.get((*entry, column, *row)))
            for column in self.columns
            if cells.get((*entry, column, *row)) is not None
        }
        if not any(_may_match(conditions, known) for conditions in self.sums.values()):
            return ()
        return {
            *self.columns,
            *self.value_columns,
            *(() if self.unit_column is None else (self.unit_column,)),
        }

    def extract(self, cells: Cells, _charset: int | None) -> RawCountersByKey:
        entry = enterprise_oid(self.entry)
        rows = self._rows_in_unit(cells, entry)
        counters: RawCountersByKey = {}
        for key, conditions in self.sums.items():
            matching = [row for row in rows if self._matches(cells, entry, row, conditions)]
            counts = [
                value
                for row in matching
                for column in self.value_columns
                if (value := parse_count(cells.get((*entry, column, *row)))) is not None
            ]
            if counts:
                label = f"{len(matching)} row{'' if len(matching) == 1 else 's'} ({key})"
                counters[key] = RawCounter(sum(counts), f"{self.object_name} {label}", label)
        return counters

    def _rows_in_unit(self, cells: Cells, entry: Oid) -> list[Oid]:
        rows = _row_indexes(cells, entry)
        if self.unit_column is None:
            return rows
        by_row = {row: cells.get((*entry, self.unit_column, *row)) for row in rows}
        for unit in self.units:
            if unit in by_row.values():
                return [row for row in rows if by_row[row] == unit]
        return [row for row in rows if by_row[row] is None]

    def _matches(self, cells: Cells, entry: Oid, row: Oid, conditions: RowConditions) -> bool:
        return all(
            _comparable_value(cells.get((*entry, column, *row))) in accepted
            for column, accepted in conditions.items()
        )


def _row_indexes(cells: Cells, entry: Oid) -> list[Oid]:
    length = len(entry)
    return sorted({oid[length + 1 :] for oid in cells if oid[:length] == entry and len(oid) > length + 1})


def _comparable_value(value: object) -> object:
    return normalize_name(value) if isinstance(value, bytes) else value


def _may_match(conditions: RowConditions, known: Mapping[int, object]) -> bool:
    """Return False if a cell that is already known contradicts the conditions."""
    return all(column not in known or known[column] in accepted for column, accepted in conditions.items())
