"""Rows and cells of tables, gathered from one printer by as few requests as it bears."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from appliance.collector.request_batcher import (
    MAX_BULK_REPETITIONS,
    ObjectRequest,
    RequestBatcher,
    estimate_varbind_bytes,
)
from appliance.mib.oids import Oid
from appliance.mib.printer_mib import MibTable, cell_oids
from appliance.mib.values import Cells, CellValue
from appliance.snmp.ber import Varbind
from appliance.snmp.constants import END_OF_MIB_VIEW, FIRST_EXCEPTION_TAG


class CellRequest(NamedTuple):
    """A cell to learn. Without a target, it is asked whether a column ends where it did."""

    request: ObjectRequest
    target: Oid | None
    table: MibTable | None


class CellChain(NamedTuple):
    """Cells of one column that follow each other: GETBULK gives them in one go."""

    requests: tuple[CellRequest, ...]

    @property
    def start(self) -> Oid:
        return self.requests[0].request.oid

    @property
    def size_bytes(self) -> int:
        return sum(asked.request.size_bytes for asked in self.requests)


def scalar_request(oid: Oid, value_bytes: int) -> CellRequest:
    """An object that stands alone, or a cell of a row whose neighbours nobody knows."""
    last = oid[-1]
    start = (*oid[:-1], last - 1) if last else oid[:-1]
    return CellRequest(ObjectRequest(start, estimate_varbind_bytes(oid, value_bytes), oid), oid, None)


def columns_to_request(table: MibTable, cells: Cells, row: Oid) -> Iterable[int]:
    return table.columns if table.select_columns is None else table.select_columns(cells, row)


def missing_cell_chains(table: MibTable, rows: Sequence[Oid], cells: Cells) -> list[CellChain]:
    """What is still to be asked of a table, unbroken columns together."""
    has_cell = cells.__contains__
    columns = cell_oids(table.entry, tuple(table.columns), tuple(rows))
    if all(all(map(has_cell, column)) for column in columns):
        return []
    wanted = [set(columns_to_request(table, cells, row)) for row in rows]
    chains: list[CellChain] = []
    for number, size in table.columns.items():
        column = table.column(number)
        run: list[CellRequest] = []
        for at, row in enumerate(rows):
            target = (*column, *row)
            if number in wanted[at] and target not in cells:
                run.append(_predecessor_request(table, column, rows, at, size))
            elif run:
                chains.append(CellChain(tuple(run)))
                run = []
        if run:
            chains.append(CellChain(tuple(run)))
    return chains


def volatile_cell_requests(table: MibTable, rows: Sequence[Oid], cells: Cells) -> Iterator[CellRequest]:
    """The cells of a known table that may have moved, with a look behind its last row."""
    ended = table.select_columns is not None  # such a table's rows belong to the configuration
    for number in table.volatile:
        column = table.column(number)
        for request, row in zip(_column_requests(table, number, tuple(rows)), rows, strict=True):
            if cells.get(request.target or ()) is not None and (
                table.select_columns is None or number in table.select_columns(cells, row)
            ):
                yield request
        if rows and not ended and cells.get((*column, *rows[-1])) is not None:
            ended = True
            end = (*column, *rows[-1])
            yield CellRequest(
                ObjectRequest(end, estimate_varbind_bytes(end, table.columns[number]), column), None, table
            )
    if table.volatile and not rows:
        column = table.column(table.discovery_column)
        yield CellRequest(ObjectRequest(column, estimate_varbind_bytes(column, 4), table.entry), None, table)


def column_end_requests(table: MibTable, rows: Sequence[Oid]) -> Iterator[CellRequest]:
    """Whether another column ends where the first one did: an agent may leave cells out of that one."""
    if rows and table.volatile and table.select_columns is None:
        column = table.column(table.volatile[0])
        end = (*column, *rows[-1])
        yield CellRequest(
            ObjectRequest(end, estimate_varbind_bytes(end, table.columns[table.volatile[0]]), column),
            None,
            table,
        )


@lru_cache(maxsize=1_024)  # printers of one model have the same rows
def _column_requests(table: MibTable, number: int, rows: tuple[Oid, ...]) -> tuple[CellRequest, ...]:
    """Return the requests for all cells of a column."""
    column, size = table.column(number), table.columns[number]
    return tuple(_predecessor_request(table, column, rows, at, size) for at in range(len(rows)))


def _predecessor_request(
    table: MibTable, column: Oid, rows: Sequence[Oid], position: int, value_bytes: int
) -> CellRequest:
    start = (*column, *rows[position - 1]) if position else column
    target = (*column, *rows[position])
    return CellRequest(
        ObjectRequest(start, estimate_varbind_bytes(target, value_bytes), column), target, table
    )


def split_chain(chain: CellChain, max_bytes: int) -> Iterator[CellChain]:
    """Chains that each fit into one response."""
    most = max(1, max_bytes // max(asked.request.size_bytes for asked in chain.requests))
    for at in range(0, len(chain.requests), most):
        yield CellChain(chain.requests[at : at + most])


def group_chains_by_length(chains: Iterable[CellChain]) -> Mapping[int, list[CellChain]]:
    groups: dict[int, list[CellChain]] = {}
    for chain in chains:
        groups.setdefault(len(chain.requests), []).append(chain)
    return groups


def pack_chains(chains: Sequence[CellChain], max_bytes: int) -> Iterator[list[CellChain]]:
    """Chains in the fewest groups of which each fits into one response, in their order."""
    group: list[CellChain] = []
    room = max_bytes
    for chain in chains:
        if group and chain.size_bytes > room:
            yield group
            group, room = [], max_bytes
        group.append(chain)
        room -= chain.size_bytes
    if group:
        yield group


MAX_ROWS = 200  # a printer's tables have tens; a broken agent never ends


class RowDiscovery:
    """One table, as far as its rows are known: `position` is the last cell that was found."""

    def __init__(self, table: MibTable) -> None:
        self.table = table
        self.column = table.column(table.discovery_column)
        self.position = self.column
        self.rows: list[Oid] = []
        self.ended = False
        self.failure: str | None = None
        self.looped_after: Oid | None = (
            None  # the agent goes back behind this row: others may be hidden there
        )
        self._failed_steps = 0

    def accept(self, varbind: Varbind | None) -> bool:
        """Takes what comes after the position: a further row, or else the table's end. True for a row."""
        row = self._row_index(varbind.oid) if varbind and varbind.tag < FIRST_EXCEPTION_TAG else None
        if row is None or varbind is None or varbind.oid <= self.position:
            self.ended = not (
                varbind and row and self._skip_to_expected_row()
            )  # whoever follows it back never ends
            if self.ended and varbind and varbind.tag < FIRST_EXCEPTION_TAG:
                self.record_loop(varbind.oid)
            return False
        if len(self.rows) >= MAX_ROWS:
            self.ended, self.failure = True, f"more than {MAX_ROWS} rows"
            return False
        self.rows.append(row)
        self.position = varbind.oid
        return True

    def record_loop(self, oid: Oid) -> None:
        """Behind the position comes what has been. Where a column begins anew, each of its rows was seen."""
        row = self._row_index(oid)
        is_round = len(self.rows) > 1 and row == self.rows[0]
        if row in self.rows and not is_round:
            self.looped_after = self.rows[-1]

    def _skip_to_expected_row(self) -> bool:
        """Where an agent begins anew, rows that are likely may still lie further on."""
        for row in self.table.expected_rows:
            place = (*self.column, *row[:-1], row[-1] - 1)
            if place > self.position:
                self.position = place
                return True
        return False

    def record_failed_step(self, steps: int, max_steps: int) -> None:
        """Nothing could be learned from the position; the next guesses are further on, up to `most` steps."""
        self._failed_steps += steps
        if self._failed_steps >= max_steps:
            self.ended = True
            self.failure = None if self.rows else "cannot be asked"

    def start_oids(self, device: Oid, count: int) -> list[Oid]:
        """The position, then guesses at the rows that may come after it."""
        if self.table.expected_rows and not self._failed_steps:
            ahead = [row for row in self.table.expected_rows if not self.rows or row > self.rows[-1]]
            return [self.position, *((*self.column, *row) for row in ahead[: count - 1])]
        if self.rows:
            before, last = self.position[:-1], self.position[-1]
        else:
            before, last = ((*self.column, *device) if self.table.is_indexed_by_device else self.column), 0
        first = last + 1 + self._failed_steps
        return [self.position, *((*before, first + at) for at in range(count - 1))]

    def _row_index(self, oid: Oid) -> Oid | None:
        length = len(self.table.entry)
        if oid[:length] != self.table.entry or len(oid) < length + 2:
            return None
        if not self.rows:  # an agent without the column that was asked answers with the next one it has
            self.column = oid[: length + 1]
        return oid[length + 1 :] if oid[: length + 1] == self.column else None


MAX_READ_PASSES = 4  # of rows that turn up while cells are read: an agent may make up rows for ever
MAX_GUESSES_PER_TABLE = 12  # rows per table in one request,
MAX_GUESSES_UNKNOWN_TABLE = 5  # as long as none is known: perhaps the table is not there
MAX_FAILED_STEPS = 3  # times that a table cannot be followed before it is given up
INDEX_VARBIND_BYTES = 25  # bytes of a varbind with a small number
END_OF_OIDS: Oid = (1 << 32,)  # after every name


class TableWalker:
    """What was learned so far: a cell that is None is not there, a cell that is missing is not known."""

    def __init__(self, batcher: RequestBatcher) -> None:
        self.batcher = batcher
        self.cells: dict[Oid, CellValue] = {}
        self.rows: dict[str, tuple[Oid, ...]] = {}  # by the table's name
        self.failed: dict[str, str] = {}  # tables that could not be read, and why
        self.get_only: set[Oid] = set()  # objects that GETNEXT leaves out
        self.empty_ranges: list[tuple[Oid, Oid]] = []  # between these names there is nothing
        self.newly_discovered: set[str] = set()  # tables whose rows are known by one column only
        self.incomplete: dict[str, str] = {}  # tables that may have more rows, and why

    def is_complete(self, table: MibTable) -> bool:
        """Whether a table's rows are known and each of their cells was settled."""
        rows = self.rows.get(table.name)
        return rows is not None and not missing_cell_chains(table, rows, self.cells)

    def forget_table(self, table: MibTable) -> None:
        length = len(table.entry)
        self.rows.pop(table.name, None)
        self.incomplete.pop(table.name, None)
        self.cells = {oid: value for oid, value in self.cells.items() if oid[:length] != table.entry}

    async def read_successors(self, requests: Sequence[ObjectRequest]) -> None:
        """Takes whatever comes after each object; what lies between is not there."""
        for start, varbind in (await self.batcher.fetch_successors(requests)).items():
            self.empty_ranges.append((start, varbind.oid if varbind else END_OF_OIDS))
            if varbind is not None:
                self.cells[varbind.oid] = varbind.value

    # Rows

    async def discover_rows(self, tables: Iterable[MibTable], device: Oid) -> None:
        """Learns the rows of tables whose rows are not known; `device` is the index that most begin with."""
        shapes = [RowDiscovery(table) for table in tables if self._needs_discovery(table)]
        while pending := [shape for shape in shapes if not shape.ended]:
            if self.batcher.uses_bulk:
                await self._discover_by_bulk(pending)
            else:
                await self._discover_by_next(pending, device)
            for shape in pending:
                if shape.ended:
                    self._store_discovered_rows(shape)

    def _needs_discovery(self, table: MibTable) -> bool:
        """Whether a table's rows are to be asked; a table that the printer does not have, has none."""
        if table.name in self.rows or table.name in self.failed:
            return False
        behind = (*table.entry[:-1], table.entry[-1] + 1)
        if any(start < table.entry and end >= behind for start, end in self.empty_ranges):
            self.rows[table.name] = ()
        return table.name not in self.rows

    def _store_discovered_rows(self, discovery: RowDiscovery) -> None:
        name = discovery.table.name
        if discovery.failure:
            self.failed[name] = discovery.failure
        else:
            self.rows[name] = tuple(sorted(discovery.rows))
            self.newly_discovered.add(name)
        if discovery.looped_after:
            row = ".".join(map(str, discovery.looped_after))
            self.incomplete[name] = f"the printer goes back behind row {row} of a table"

    async def _discover_by_bulk(self, pending: list[RowDiscovery]) -> None:
        most = self.batcher.objects_per_request(2 * INDEX_VARBIND_BYTES)
        some = pending[:most]
        repetitions = max(
            1,
            min(
                MAX_BULK_REPETITIONS,
                self.batcher.limits.max_response_bytes // (INDEX_VARBIND_BYTES * len(some)),
            ),
        )
        streams = await self.batcher.fetch_bulk([shape.position for shape in some], repetitions)
        if streams is None:
            return
        if not any(streams):
            self.batcher.limits.supports_bulk = False
        for shape, stream in zip(some, streams, strict=True):
            start = shape.position
            for varbind in stream:
                if not self._advance(shape, varbind):
                    break
            if not shape.rows and stream and stream[0].tag < FIRST_EXCEPTION_TAG and stream[0].oid <= start:
                self.batcher.limits.supports_bulk = shape.ended = False  # it lies; GETNEXT may not

    async def _discover_by_next(self, pending: list[RowDiscovery], device: Oid) -> None:
        most = max(
            1,
            min(MAX_GUESSES_PER_TABLE, self.batcher.objects_per_request(INDEX_VARBIND_BYTES) // len(pending)),
        )
        guesses = {
            id(shape): shape.start_oids(device, most if shape.rows else min(most, MAX_GUESSES_UNKNOWN_TABLE))
            for shape in pending
        }
        found = await self.batcher.fetch_successors(
            [ObjectRequest(oid, INDEX_VARBIND_BYTES, oid) for shape in pending for oid in guesses[id(shape)]]
        )
        for shape in pending:
            before = shape.position
            if shape.rows and before in self.batcher.backward_successors:
                shape.record_loop(self.batcher.backward_successors[before])
            chained = before in found  # then a guess is proof only where the chain arrives at it
            for start in guesses[id(shape)]:
                if start not in found or start < shape.position or (chained and start != shape.position):
                    continue
                if not self._advance(shape, found[start]):
                    break
            if shape.position == before and not shape.ended:
                shape.record_failed_step(most, MAX_FAILED_STEPS * most)

    def _advance(self, discovery: RowDiscovery, varbind: Varbind | None) -> bool:
        further = discovery.accept(varbind)
        if further and varbind is not None and discovery.column[-1] in discovery.table.columns:
            self.cells[varbind.oid] = varbind.value
        return further

    # Cells

    async def read_cells(self, tables: Iterable[MibTable], scalars: Sequence[CellRequest] = ()) -> None:
        """Asks every cell that is not settled, details first; a row that turns up joins its table."""
        tables = sorted(tables, key=lambda table: table.part != "details")
        waiting = list(scalars)
        for _ in range(MAX_READ_PASSES):
            chains = [
                chain
                for table in tables
                if table.name in self.rows
                for chain in missing_cell_chains(table, self.rows[table.name], self.cells)
            ]
            for table in tables:
                if table.name in self.newly_discovered:
                    waiting += column_end_requests(table, self.rows[table.name])
            self.newly_discovered.clear()
            if not chains and not waiting:
                return
            bulky, single = self._group_for_bulk(chains)
            waiting += single
            await self.request_cells(waiting)
            await self._retry_by_get(waiting)
            left = [asked for group in bulky for asked in await self._read_bulk(group)]
            await self.request_cells(left)
            await self._retry_by_get(left)
            waiting = []

    def _group_for_bulk(self, chains: Sequence[CellChain]) -> tuple[list[list[CellChain]], list[CellRequest]]:
        """Columns of the same length that fill a GETBULK together, then the cells to be asked one by one."""
        size = self.batcher.limits.max_response_bytes
        pieces = [piece for chain in chains for piece in split_chain(chain, size)]
        bulky: list[list[CellChain]] = []
        single: list[CellRequest] = []
        for length, group in group_chains_by_length(pieces).items():
            for taken in pack_chains(group, size):
                if (
                    self.batcher.uses_bulk
                    and length > 1
                    and sum(chain.size_bytes for chain in taken) > size // 2
                ):
                    bulky.append(taken)
                else:
                    single += [asked for chain in taken for asked in chain.requests]
        return bulky, single

    async def _read_bulk(self, chains: Sequence[CellChain]) -> list[CellRequest]:
        """Asks columns at once; what remains unknown comes back."""
        if self.batcher.uses_bulk:
            starts = [chain.start for chain in chains]
            streams = await self.batcher.fetch_bulk(starts, len(chains[0].requests)) or ()
            for chain, stream in zip(chains, streams, strict=False):
                self._store_column(chain, stream)
        return [asked for chain in chains for asked in chain.requests if asked.target not in self.cells]

    def _store_column(self, chain: CellChain, stream: Sequence[Varbind]) -> None:
        came, reached = _increasing_varbinds(chain.start, stream)
        for asked in chain.requests:
            target = asked.target
            if target is not None and (target in came or target < reached):
                self.cells[target] = came.get(target)
        column, table = chain.requests[0].request.column, chain.requests[0].table
        for oid in came:
            if table and oid not in self.cells and oid[: len(column)] == column:
                self._add_row(table, oid)

    def _add_row(self, table: MibTable, oid: Oid) -> None:
        """A cell of a row that nobody knew of yet."""
        row = oid[len(table.entry) + 1 :]
        if row and len(self.rows[table.name]) < MAX_ROWS:
            self.rows[table.name] = tuple(sorted({*self.rows[table.name], row}))

    async def request_cells(self, requests: Sequence[CellRequest]) -> set[str]:
        """GETNEXT of each predecessor. The names of tables come back whose rows are not what they were."""
        dirty: set[str] = set()
        by_get = [one for one in requests if one.target in self.get_only]
        by_next = [one for one in requests if one.target not in self.get_only]
        found = await self.batcher.fetch_successors(
            list({one.request.oid: one.request for one in by_next}.values())
        )
        for one in by_next:
            if (
                one.request.oid in found
                and not self._store_response(one, found[one.request.oid])
                and one.table
            ):
                dirty.add(one.table.name)
        await self._retry_by_get(by_get)
        return dirty

    def _store_response(self, request: CellRequest, varbind: Varbind | None) -> bool:
        """Takes an answer; False where it shows that the table's rows have changed."""
        target, table = request.target, request.table
        if target is None:
            if varbind is None or varbind.oid[: len(request.request.column)] != request.request.column:
                return True
            if table is not None and len(varbind.oid) > len(table.entry) + 1:
                self._add_row(table, varbind.oid)
                self.newly_discovered.add(table.name)
            return False
        if varbind is not None and varbind.oid == target:
            self.cells[target] = varbind.value
            return True
        if varbind is None or varbind.oid > target:
            self.cells[target] = None
        elif table is not None:
            self._add_row(table, varbind.oid)
        return False

    async def _retry_by_get(self, requests: Sequence[CellRequest]) -> None:
        """What GETNEXT left out, once more by GET: some agents leave objects out of the order."""
        left = [one for one in requests if one.target is not None and self._needs_get(one)]
        if not left:
            return
        wanted = [one._replace(request=one.request._replace(oid=one.target)) for one in left if one.target]
        found = await self.batcher.fetch_values([one.request for one in wanted])
        for one in wanted:
            varbind = found.get(one.request.oid)
            self.cells[one.request.oid] = varbind.value if varbind else None
            if varbind and one.table is None:
                self.get_only.add(one.request.oid)

    def _needs_get(self, request: CellRequest) -> bool:
        """Unknown cells; in v2c, where one missing object does not spoil the others, also scalars."""
        if request.target not in self.cells:
            return True
        return (
            self.cells[request.target] is None
            and request.table is None
            and self.batcher.session.version == "2"
        )


def _increasing_varbinds(start: Oid, stream: Sequence[Varbind]) -> tuple[dict[Oid, CellValue], Oid]:
    """What a stream gives as long as it increases, then how far that proves that there is nothing else."""
    came: dict[Oid, CellValue] = {}
    for varbind in stream:
        if varbind.tag == END_OF_MIB_VIEW:
            return came, END_OF_OIDS
        if varbind.oid <= start:
            break
        start = varbind.oid
        came[start] = varbind.value
    return came, start
