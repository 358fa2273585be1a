"""Rows and cells of tables, gathered from one printer by as few requests as it bears."""

from collections.abc import Iterable, Sequence

from appliance.collector import cell_requests
from appliance.collector.cell_requests import CellChain, CellRequest
from appliance.collector.request_batcher import (
    END_OF_MIB_VIEW,
    MAX_BULK_REPETITIONS,
    ObjectRequest,
    RequestBatcher,
)
from appliance.collector.row_discovery import MAX_ROWS, RowDiscovery
from appliance.domain.messages import Message
from appliance.mib.oids import Oid
from appliance.mib.printer_mib import CellValue, MibTable
from appliance.snmp.client import Varbind

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
        return rows is not None and not cell_requests.missing_cell_chains(table, rows, self.cells)

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
            self.incomplete[name] = Message("snmp.table_goes_back", row=row)

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
            if not shape.rows and stream and stream[0].tag < 128 and stream[0].oid <= start:
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
                for chain in cell_requests.missing_cell_chains(table, self.rows[table.name], self.cells)
            ]
            for table in tables:
                if table.name in self.newly_discovered:
                    waiting += cell_requests.column_end_requests(table, self.rows[table.name])
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
        pieces = [piece for chain in chains for piece in cell_requests.split_chain(chain, size)]
        bulky: list[list[CellChain]] = []
        single: list[CellRequest] = []
        for length, group in cell_requests.group_chains_by_length(pieces).items():
            for taken in cell_requests.pack_chains(group, size):
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
