"""How makers keep their page counts in tables: by number, type or name, or in rows that are to be added."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from appliance.mib import charsets
from appliance.mib.oids import Oid, parsed
from appliance.mib.printer_mib import Cells, Table
from appliance.vendors.counter_sources import COUNT_SIZE, NAME_SIZE, Found, Meter, below, count, key_of


@dataclass(frozen=True, slots=True)
class ByNumber:
    """A table whose rows are numbered by what they count."""

    table: str
    entry: str
    source: str
    value: int
    numbers: Collection[int] = ()

    def scalars(self) -> list[tuple[Oid, int]]:
        return []

    def tables(self) -> tuple[Table, ...]:
        return (
            Table(
                self.table,
                "counters",
                below(self.entry),
                {self.value: COUNT_SIZE},
                moving=(self.value,),
                start=self.value,
                by_device=False,
                likely=tuple((number,) for number in sorted(self.numbers)),
                wanted=self.wanted,
            ),
        )

    def wanted(self, _cells: Cells, row: Oid) -> Collection[int]:
        return (self.value,) if len(row) == 1 and row[0] in self.numbers else ()

    def found(self, cells: Cells, _charset: int | None) -> Found:
        said: Found = {}
        for number in self.numbers:
            value = count(cells.get((*below(self.entry), self.value, number)))
            if value is not None:
                said[str(number)] = Meter(value, f"{self.source} {number}", str(number))
        return said


@dataclass(frozen=True, slots=True)
class ByType:
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

    def tables(self) -> tuple[Table, ...]:
        sizes = {self.type: 2, self.value: 3}
        if self.unit is not None:
            sizes[self.unit] = 1
        if self.name is not None:
            sizes[self.name] = NAME_SIZE
        return (
            Table(
                self.table,
                "counters",
                below(self.entry),
                sizes,
                moving=(self.value,),
                start=self.type,
                by_device=False,
                wanted=self.wanted,
            ),
        )

    def wanted(self, cells: Cells, row: Oid) -> Collection[int]:
        """Values only of rows that count what we want; names only where the type does not tell."""
        entry = below(self.entry)
        kind = cells.get((*entry, self.type, *row))
        if kind in self.types:
            return self._of_unit(cells, entry, row)
        if self.name is None or kind in self.other_types:
            return ()
        name = cells.get((*entry, self.name, *row))
        if isinstance(name, bytes) and key_of(name) not in self.names:
            return ()
        return (self.name, self.value)

    def _of_unit(self, cells: Cells, entry: Oid, row: Oid) -> Collection[int]:
        if self.unit is None:
            return (self.value,)
        unit = cells.get((*entry, self.unit, *row))
        return (self.unit, self.value) if unit is None or unit in self.units else (self.unit,)

    def found(self, cells: Cells, _charset: int | None) -> Found:
        entry = below(self.entry)
        said: dict[str, tuple[int, Meter]] = {}
        for row in _rows(cells, entry):
            value = count(cells.get((*entry, self.value, *row)))
            rank = self._rank(cells.get((*entry, self.unit, *row))) if self.unit is not None else 0
            key = self._key(cells, entry, row)
            if value is None or rank is None or key is None:
                continue
            if key[0] in said and said[key[0]][0] <= rank:
                continue
            said[key[0]] = rank, Meter(value, f"{self.source} {key[1]}", key[1])
        return {key: meter for key, (_, meter) in said.items()}

    def _rank(self, unit: object) -> int | None:
        """How good a unit is; None for one that does not count pages."""
        if unit is None:
            return len(self.units)
        return self.units.index(unit) if unit in self.units else None

    def _key(self, cells: Cells, entry: Oid, row: Oid) -> tuple[str, str] | None:
        """The key and the words for it."""
        kind = cells.get((*entry, self.type, *row))
        if isinstance(kind, int) and kind in self.types:
            return f"{self.prefix}{kind}", f"type {kind}"
        name = cells.get((*entry, self.name, *row)) if self.name is not None else None
        if isinstance(name, bytes) and (key := self.names.get(key_of(name))) and kind not in self.other_types:
            return key, f'"{charsets.decode(name)}"'
        return None


@dataclass(frozen=True, slots=True)
class ByName:
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

    def tables(self) -> tuple[Table, ...]:
        sizes = {self.name: NAME_SIZE} | dict.fromkeys(self.values, COUNT_SIZE)
        return (
            Table(
                self.table,
                "counters",
                below(self.entry),
                dict(sorted(sizes.items())),
                moving=tuple(self.values),
                start=min(self.values),
                by_device=False,
                likely=tuple(sorted(map(parsed, self.rows))),
                wanted=self.wanted,
            ),
        )

    def wanted(self, cells: Cells, row: Oid) -> Collection[int]:
        name = cells.get((*below(self.entry), self.name, *row))
        if name is not None and key_of(name) not in self.names and ".".join(map(str, row)) not in self.rows:
            return ()
        return (self.name, *self.values)

    def found(self, cells: Cells, charset: int | None) -> Found:
        entry = below(self.entry)
        rows = _rows(cells, entry)
        names = {row: cells.get((*entry, self.name, *row)) for row in rows}
        keys = {row: self.names.get(key_of(name, charset)) for row, name in names.items()}
        if not any(keys.values()):
            keys = {row: self.rows.get(".".join(map(str, row))) for row in rows}
        said: Found = {}
        for row, key in keys.items():
            for column, suffix in self.values.items():
                value = count(cells.get((*entry, column, *row)))
                if key is not None and value is not None:
                    name = names[row]
                    called = (
                        f'"{charsets.decode(name, charset)}"'
                        if isinstance(name, bytes)
                        else f"row {'.'.join(map(str, row))}"
                    )
                    said.setdefault(
                        f"{self.prefix}{key}{suffix}", Meter(value, f"{self.source} {called}", called)
                    )
        return said


Conditions = Mapping[int, Collection[int | str]]  # column → the values that fit


@dataclass(frozen=True, slots=True)
class BySum:
    """A table whose rows tell pages apart by several columns: those that fit are added up."""

    table: str
    entry: str
    source: str
    columns: Mapping[int, int]  # those that tell, with the size of their values
    values: tuple[int, ...]
    sums: Mapping[str, Conditions]  # key → which rows
    start: int  # the column from which the rows are learned
    unit: int | None = None
    units: tuple[int, ...] = ()  # rows of the first unit that occurs count
    part: str = "counters"  # what is named where the table cannot be read

    def scalars(self) -> list[tuple[Oid, int]]:
        return []

    def tables(self) -> tuple[Table, ...]:
        sizes = {**self.columns, **dict.fromkeys(self.values, COUNT_SIZE)}
        if self.unit is not None:
            sizes[self.unit] = 1
        return (
            Table(
                self.table,
                self.part,
                below(self.entry),
                dict(sorted(sizes.items())),
                moving=self.values,
                start=self.start,
                by_device=False,
                wanted=self.wanted,
            ),
        )

    def wanted(self, cells: Cells, row: Oid) -> Collection[int]:
        entry = below(self.entry)
        known = {
            column: _plain(cells.get((*entry, column, *row)))
            for column in self.columns
            if cells.get((*entry, column, *row)) is not None
        }
        if not any(_fits(conditions, known) for conditions in self.sums.values()):
            return ()
        return {*self.columns, *self.values, *(() if self.unit is None else (self.unit,))}

    def found(self, cells: Cells, _charset: int | None) -> Found:
        entry = below(self.entry)
        rows = self._rows_of_unit(cells, entry)
        said: Found = {}
        for key, conditions in self.sums.items():
            fitting = [row for row in rows if self._belongs(cells, entry, row, conditions)]
            counts = [
                value
                for row in fitting
                for column in self.values
                if (value := count(cells.get((*entry, column, *row)))) is not None
            ]
            if counts:
                called = f"{len(fitting)} row{'' if len(fitting) == 1 else 's'} ({key})"
                said[key] = Meter(sum(counts), f"{self.source} {called}", called)
        return said

    def _rows_of_unit(self, cells: Cells, entry: Oid) -> list[Oid]:
        rows = _rows(cells, entry)
        if self.unit is None:
            return rows
        by_row = {row: cells.get((*entry, self.unit, *row)) for row in rows}
        for unit in self.units:
            if unit in by_row.values():
                return [row for row in rows if by_row[row] == unit]
        return [row for row in rows if by_row[row] is None]

    def _belongs(self, cells: Cells, entry: Oid, row: Oid, conditions: Conditions) -> bool:
        return all(
            _plain(cells.get((*entry, column, *row))) in fitting for column, fitting in conditions.items()
        )


def _rows(cells: Cells, entry: Oid) -> list[Oid]:
    length = len(entry)
    return sorted({oid[length + 1 :] for oid in cells if oid[:length] == entry and len(oid) > length + 1})


def _plain(value: object) -> object:
    return key_of(value) if isinstance(value, bytes) else value


def _fits(conditions: Conditions, known: Mapping[int, object]) -> bool:
    """Whether a row of which so much is known may fit."""
    return all(column not in known or known[column] in fitting for column, fitting in conditions.items())
