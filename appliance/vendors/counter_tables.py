"""How makers keep their page counts in tables: by number, type or name, or in rows that are to be added."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from appliance.mib import charsets
from appliance.mib.oids import Oid, parse_oid
from appliance.mib.printer_mib import Cells, MibTable
from appliance.vendors.counter_sources import (
    COUNT_BYTES,
    COUNTER_NAME_BYTES,
    RawCounter,
    RawCountersByKey,
    enterprise_oid,
    normalize_name,
    parse_count,
)


@dataclass(frozen=True, slots=True)
class NumberedRows:
    """A table whose rows are numbered by what they count."""

    table: str
    entry: str
    source: str
    value: int
    numbers: Collection[int] = ()

    def scalars(self) -> list[tuple[Oid, int]]:
        return []

    def tables(self) -> tuple[MibTable, ...]:
        return (
            MibTable(
                self.table,
                "counters",
                enterprise_oid(self.entry),
                {self.value: COUNT_BYTES},
                volatile=(self.value,),
                discovery_column=self.value,
                is_indexed_by_device=False,
                expected_rows=tuple((number,) for number in sorted(self.numbers)),
                select_columns=self.select_columns,
            ),
        )

    def select_columns(self, _cells: Cells, row: Oid) -> Collection[int]:
        return (self.value,) if len(row) == 1 and row[0] in self.numbers else ()

    def extract(self, cells: Cells, _charset: int | None) -> RawCountersByKey:
        said: RawCountersByKey = {}
        for number in self.numbers:
            value = parse_count(cells.get((*enterprise_oid(self.entry), self.value, number)))
            if value is not None:
                said[str(number)] = RawCounter(value, f"{self.source} {number}", str(number))
        return said


@dataclass(frozen=True, slots=True)
class TypedRows:
    """A table whose rows say by a code what they count, or else by an English name."""

    table: str  # a name of its own
    entry: str
    source: str  # the object that gives the value
    type: int  # columns
    value: int
    types: Collection[int] = ()
    prefix: str = ""
    unit: int | None = None
    units: tuple[int, ...] = ()  # one count may stand in several units: the first of these that it has
    name: int | None = None
    names: Mapping[str, str] = field(default_factory=dict)  # English name → key
    other_types: Collection[int] = ()  # types that are known to be no counter of ours

    def scalars(self) -> list[tuple[Oid, int]]:
        return []

    def tables(self) -> tuple[MibTable, ...]:
        sizes = {self.type: 2, self.value: 3}
        if self.unit is not None:
            sizes[self.unit] = 1
        if self.name is not None:
            sizes[self.name] = COUNTER_NAME_BYTES
        return (
            MibTable(
                self.table,
                "counters",
                enterprise_oid(self.entry),
                sizes,
                volatile=(self.value,),
                discovery_column=self.type,
                is_indexed_by_device=False,
                select_columns=self.select_columns,
            ),
        )

    def select_columns(self, cells: Cells, row: Oid) -> Collection[int]:
        """Values only of rows that count what we want; names only where the type does not tell."""
        entry = enterprise_oid(self.entry)
        kind = cells.get((*entry, self.type, *row))
        if kind in self.types:
            return self._columns_for_unit(cells, entry, row)
        if self.name is None or kind in self.other_types:
            return ()
        name = cells.get((*entry, self.name, *row))
        if isinstance(name, bytes) and normalize_name(name) not in self.names:
            return ()
        return (self.name, self.value)

    def _columns_for_unit(self, cells: Cells, entry: Oid, row: Oid) -> Collection[int]:
        if self.unit is None:
            return (self.value,)
        unit = cells.get((*entry, self.unit, *row))
        return (self.unit, self.value) if unit is None or unit in self.units else (self.unit,)

    def extract(self, cells: Cells, _charset: int | None) -> RawCountersByKey:
        entry = enterprise_oid(self.entry)
        said: dict[str, tuple[int, RawCounter]] = {}
        for row in _row_indexes(cells, entry):
            value = parse_count(cells.get((*entry, self.value, *row)))
            rank = self._unit_rank(cells.get((*entry, self.unit, *row))) if self.unit is not None else 0
            key = self._counter_key(cells, entry, row)
            if value is None or rank is None or key is None:
                continue
            if key[0] in said and said[key[0]][0] <= rank:
                continue
            said[key[0]] = rank, RawCounter(value, f"{self.source} {key[1]}", key[1])
        return {key: meter for key, (_, meter) in said.items()}

    def _unit_rank(self, unit: object) -> int | None:
        """How good a unit is; None for one that does not count pages."""
        if unit is None:
            return len(self.units)
        return self.units.index(unit) if unit in self.units else None

    def _counter_key(self, cells: Cells, entry: Oid, row: Oid) -> tuple[str, str] | None:
        """The key and the words for it."""
        kind = cells.get((*entry, self.type, *row))
        if isinstance(kind, int) and kind in self.types:
            return f"{self.prefix}{kind}", f"type {kind}"
        name = cells.get((*entry, self.name, *row)) if self.name is not None else None
        if (
            isinstance(name, bytes)
            and (key := self.names.get(normalize_name(name)))
            and kind not in self.other_types
        ):
            return key, f'"{charsets.decode_text(name)}"'
        return None


@dataclass(frozen=True, slots=True)
class NamedRows:
    """A table of names and values; where none of its names is known, the numbers of its rows tell."""

    table: str
    entry: str
    source: str
    name: int
    values: Mapping[int, str]  # column → what it adds to the key
    names: Mapping[str, str]  # English name → key
    rows: Mapping[str, str] = field(default_factory=dict)  # number of the row → key
    prefix: str = ""

    def scalars(self) -> list[tuple[Oid, int]]:
        return []

    def tables(self) -> tuple[MibTable, ...]:
        sizes = {self.name: COUNTER_NAME_BYTES} | dict.fromkeys(self.values, COUNT_BYTES)
        return (
            MibTable(
                self.table,
                "counters",
                enterprise_oid(self.entry),
                dict(sorted(sizes.items())),
                volatile=tuple(self.values),
                discovery_column=min(self.values),
                is_indexed_by_device=False,
                expected_rows=tuple(sorted(map(parse_oid, self.rows))),
                select_columns=self.select_columns,
            ),
        )

    def select_columns(self, cells: Cells, row: Oid) -> Collection[int]:
        name = cells.get((*enterprise_oid(self.entry), self.name, *row))
        if (
            name is not None
            and normalize_name(name) not in self.names
            and ".".join(map(str, row)) not in self.rows
        ):
            return ()
        return (self.name, *self.values)

    def extract(self, cells: Cells, charset: int | None) -> RawCountersByKey:
        entry = enterprise_oid(self.entry)
        rows = _row_indexes(cells, entry)
        names = {row: cells.get((*entry, self.name, *row)) for row in rows}
        keys = {row: self.names.get(normalize_name(name, charset)) for row, name in names.items()}
        if not any(keys.values()):
            keys = {row: self.rows.get(".".join(map(str, row))) for row in rows}
        said: RawCountersByKey = {}
        for row, key in keys.items():
            for column, suffix in self.values.items():
                value = parse_count(cells.get((*entry, column, *row)))
                if key is not None and value is not None:
                    name = names[row]
                    called = (
                        f'"{charsets.decode_text(name, charset)}"'
                        if isinstance(name, bytes)
                        else f"row {'.'.join(map(str, row))}"
                    )
                    said.setdefault(
                        f"{self.prefix}{key}{suffix}", RawCounter(value, f"{self.source} {called}", called)
                    )
        return said


RowConditions = Mapping[int, Collection[int | str]]  # column → the values that fit


@dataclass(frozen=True, slots=True)
class SummedRows:
    """A table whose rows tell pages apart by several columns: those that fit are added up."""

    table: str
    entry: str
    source: str
    columns: Mapping[int, int]  # those that tell, with the size of their values
    values: tuple[int, ...]
    sums: Mapping[str, RowConditions]  # key → which rows
    discovery_column: int  # the column from which the rows are learned
    unit: int | None = None
    units: tuple[int, ...] = ()  # rows of the first unit that occurs count
    part: str = "counters"  # what is named where the table cannot be read

    def scalars(self) -> list[tuple[Oid, int]]:
        return []

    def tables(self) -> tuple[MibTable, ...]:
        sizes = {**self.columns, **dict.fromkeys(self.values, COUNT_BYTES)}
        if self.unit is not None:
            sizes[self.unit] = 1
        return (
            MibTable(
                self.table,
                self.part,
                enterprise_oid(self.entry),
                dict(sorted(sizes.items())),
                volatile=self.values,
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
        return {*self.columns, *self.values, *(() if self.unit is None else (self.unit,))}

    def extract(self, cells: Cells, _charset: int | None) -> RawCountersByKey:
        entry = enterprise_oid(self.entry)
        rows = self._rows_in_unit(cells, entry)
        said: RawCountersByKey = {}
        for key, conditions in self.sums.items():
            fitting = [row for row in rows if self._matches(cells, entry, row, conditions)]
            counts = [
                value
                for row in fitting
                for column in self.values
                if (value := parse_count(cells.get((*entry, column, *row)))) is not None
            ]
            if counts:
                called = f"{len(fitting)} row{'' if len(fitting) == 1 else 's'} ({key})"
                said[key] = RawCounter(sum(counts), f"{self.source} {called}", called)
        return said

    def _rows_in_unit(self, cells: Cells, entry: Oid) -> list[Oid]:
        rows = _row_indexes(cells, entry)
        if self.unit is None:
            return rows
        by_row = {row: cells.get((*entry, self.unit, *row)) for row in rows}
        for unit in self.units:
            if unit in by_row.values():
                return [row for row in rows if by_row[row] == unit]
        return [row for row in rows if by_row[row] is None]

    def _matches(self, cells: Cells, entry: Oid, row: Oid, conditions: RowConditions) -> bool:
        return all(
            _comparable_value(cells.get((*entry, column, *row))) in fitting
            for column, fitting in conditions.items()
        )


def _row_indexes(cells: Cells, entry: Oid) -> list[Oid]:
    length = len(entry)
    return sorted({oid[length + 1 :] for oid in cells if oid[:length] == entry and len(oid) > length + 1})


def _comparable_value(value: object) -> object:
    return normalize_name(value) if isinstance(value, bytes) else value


def _may_match(conditions: RowConditions, known: Mapping[int, object]) -> bool:
    """Whether a row of which so much is known may fit."""
    return all(column not in known or known[column] in fitting for column, fitting in conditions.items())
