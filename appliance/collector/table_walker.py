"""Rows and cells of tables, gathered from one printer by as few requests as it bears."""

from collections.abc import Iterable, Sequence

from appliance.collector import cell_requests
from appliance.collector.cell_requests import CellAsk, Chain
from appliance.collector.request_batcher import END_OF_MIB_VIEW, MOST_REPETITIONS, Ask, Fetch
from appliance.collector.row_discovery import MOST_ROWS, Shape
from appliance.mib.oids import Oid
from appliance.mib.printer_mib import Table, Value
from appliance.snmp.client import Varbind

MOST_ROUNDS = 4  # of rows that turn up while cells are read: an agent may make up rows for ever
MOST_GUESSES = 12  # rows per table in one request,
FEW_GUESSES = 5  # as long as none is known: perhaps the table is not there
UNREADABLE = 3  # times that a table cannot be followed before it is given up
SHAPE_WEIGHT = 25  # bytes of a varbind with a small number
BEYOND: Oid = (1 << 32,)  # after every name


class Gathering:
    """What was learned so far: a cell that is None is not there, a cell that is missing is not known."""

    def __init__(self, fetch: Fetch) -> None:
        self.fetch = fetch
        self.cells: dict[Oid, Value] = {}
        self.rows: dict[str, tuple[Oid, ...]] = {}  # by the table's name
        self.failed: dict[str, str] = {}  # tables that could not be read, and why
        self.get_only: set[Oid] = set()  # objects that GETNEXT leaves out
        self.gaps: list[tuple[Oid, Oid]] = []  # between these names there is nothing
        self.fresh: set[str] = set()  # tables whose rows are known by one column only
        self.doubts: dict[str, str] = {}  # tables that may have more rows, and why

    def complete(self, table: Table) -> bool:
        """Whether a table's rows are known and each of their cells was settled."""
        rows = self.rows.get(table.name)
        return rows is not None and not cell_requests.missing_cells(table, rows, self.cells)

    def forget(self, table: Table) -> None:
        length = len(table.entry)
        self.rows.pop(table.name, None)
        self.doubts.pop(table.name, None)
        self.cells = {oid: value for oid, value in self.cells.items() if oid[:length] != table.entry}

    async def successors(self, wanted: Sequence[Ask]) -> None:
        """Takes whatever comes after each object; what lies between is not there."""
        for start, varbind in (await self.fetch.successors(wanted)).items():
            self.gaps.append((start, varbind.oid if varbind else BEYOND))
            if varbind is not None:
                self.cells[varbind.oid] = varbind.value

    # Rows

    async def shape(self, tables: Iterable[Table], device: Oid) -> None:
        """Learns the rows of tables whose rows are not known; `device` is the index that most begin with."""
        shapes = [Shape(table) for table in tables if self._unknown(table)]
        while pending := [shape for shape in shapes if not shape.ended]:
            if self.fetch.bulk:
                await self._shape_by_bulk(pending)
            else:
                await self._shape_by_next(pending, device)
            for shape in pending:
                if shape.ended:
                    self._shaped(shape)

    def _unknown(self, table: Table) -> bool:
        """Whether a table's rows are to be asked; a table that the printer does not have, has none."""
        if table.name in self.rows or table.name in self.failed:
            return False
        behind = (*table.entry[:-1], table.entry[-1] + 1)
        if any(start < table.entry and end >= behind for start, end in self.gaps):
            self.rows[table.name] = ()
        return table.name not in self.rows

    def _shaped(self, shape: Shape) -> None:
        name = shape.table.name
        if shape.failure:
            self.failed[name] = shape.failure
        else:
            self.rows[name] = tuple(sorted(shape.rows))
            self.fresh.add(name)
        if shape.repeats:
            row = ".".join(map(str, shape.repeats))
            self.doubts[name] = f"the printer goes back behind row {row} of a table"

    async def _shape_by_bulk(self, pending: list[Shape]) -> None:
        most = self.fetch.room(2 * SHAPE_WEIGHT)
        some = pending[:most]
        repetitions = max(1, min(MOST_REPETITIONS, self.fetch.limits.size // (SHAPE_WEIGHT * len(some))))
        streams = await self.fetch.streams([shape.position for shape in some], repetitions)
        if streams is None:
            return
        if not any(streams):
            self.fetch.limits.bulk = False
        for shape, stream in zip(some, streams, strict=True):
            start = shape.position
            for varbind in stream:
                if not self._step(shape, varbind):
                    break
            if not shape.rows and stream and stream[0].tag < 128 and stream[0].oid <= start:
                self.fetch.limits.bulk = shape.ended = False  # it lies; GETNEXT may not

    async def _shape_by_next(self, pending: list[Shape], device: Oid) -> None:
        most = max(1, min(MOST_GUESSES, self.fetch.room(SHAPE_WEIGHT) // len(pending)))
        guesses = {
            id(shape): shape.starts(device, most if shape.rows else min(most, FEW_GUESSES))
            for shape in pending
        }
        found = await self.fetch.successors(
            [Ask(oid, SHAPE_WEIGHT, oid) for shape in pending for oid in guesses[id(shape)]]
        )
        for shape in pending:
            before = shape.position
            if shape.rows and before in self.fetch.backward:
                shape.went_back(self.fetch.backward[before])
            chained = before in found  # then a guess is proof only where the chain arrives at it
            for start in guesses[id(shape)]:
                if start not in found or start < shape.position or (chained and start != shape.position):
                    continue
                if not self._step(shape, found[start]):
                    break
            if shape.position == before and not shape.ended:
                shape.stumble(most, UNREADABLE * most)

    def _step(self, shape: Shape, varbind: Varbind | None) -> bool:
        further = shape.follow(varbind)
        if further and varbind is not None and shape.column[-1] in shape.table.columns:
            self.cells[varbind.oid] = varbind.value
        return further

    # Cells

    async def settle(self, tables: Iterable[Table], scalars: Sequence[CellAsk] = ()) -> None:
        """Asks every cell that is not settled, details first; a row that turns up joins its table."""
        tables = sorted(tables, key=lambda table: table.part != "details")
        waiting = list(scalars)
        for _ in range(MOST_ROUNDS):
            chains = [
                chain
                for table in tables
                if table.name in self.rows
                for chain in cell_requests.missing_cells(table, self.rows[table.name], self.cells)
            ]
            for table in tables:
                if table.name in self.fresh:
                    waiting += cell_requests.last_look(table, self.rows[table.name])
            self.fresh.clear()
            if not chains and not waiting:
                return
            bulky, single = self._sorted_out(chains)
            waiting += single
            await self.ask(waiting)
            await self._by_get(waiting)
            left = [asked for group in bulky for asked in await self._one_bulk(group)]
            await self.ask(left)
            await self._by_get(left)
            waiting = []

    def _sorted_out(self, chains: Sequence[Chain]) -> tuple[list[list[Chain]], list[CellAsk]]:
        """Columns of the same length that fill a GETBULK together, then the cells to be asked one by one."""
        size = self.fetch.limits.size
        pieces = [piece for chain in chains for piece in cell_requests.split(chain, size)]
        bulky: list[list[Chain]] = []
        single: list[CellAsk] = []
        for length, group in cell_requests.by_length(pieces).items():
            for taken in cell_requests.filled(group, size):
                if self.fetch.bulk and length > 1 and sum(chain.weight for chain in taken) > size // 2:
                    bulky.append(taken)
                else:
                    single += [asked for chain in taken for asked in chain.asks]
        return bulky, single

    async def _one_bulk(self, chains: Sequence[Chain]) -> list[CellAsk]:
        """Asks columns at once; what remains unknown comes back."""
        if self.fetch.bulk:
            starts = [chain.start for chain in chains]
            streams = await self.fetch.streams(starts, len(chains[0].asks)) or ()
            for chain, stream in zip(chains, streams, strict=False):
                self._take_column(chain, stream)
        return [asked for chain in chains for asked in chain.asks if asked.target not in self.cells]

    def _take_column(self, chain: Chain, stream: Sequence[Varbind]) -> None:
        came, reached = _forward(chain.start, stream)
        for asked in chain.asks:
            target = asked.target
            if target is not None and (target in came or target < reached):
                self.cells[target] = came.get(target)
        column, table = chain.asks[0].ask.column, chain.asks[0].table
        for oid in came:
            if table and oid not in self.cells and oid[: len(column)] == column:
                self._join(table, oid)

    def _join(self, table: Table, oid: Oid) -> None:
        """A cell of a row that nobody knew of yet."""
        row = oid[len(table.entry) + 1 :]
        if row and len(self.rows[table.name]) < MOST_ROWS:
            self.rows[table.name] = tuple(sorted({*self.rows[table.name], row}))

    async def ask(self, asked: Sequence[CellAsk]) -> set[str]:
        """GETNEXT of each predecessor. The names of tables come back whose rows are not what they were."""
        dirty: set[str] = set()
        by_get = [one for one in asked if one.target in self.get_only]
        by_next = [one for one in asked if one.target not in self.get_only]
        found = await self.fetch.successors(list({one.ask.oid: one.ask for one in by_next}.values()))
        for one in by_next:
            if one.ask.oid in found and not self._answered(one, found[one.ask.oid]) and one.table:
                dirty.add(one.table.name)
        await self._by_get(by_get)
        return dirty

    def _answered(self, asked: CellAsk, varbind: Varbind | None) -> bool:
        """Takes an answer; False where it shows that the table's rows have changed."""
        target, table = asked.target, asked.table
        if target is None:
            if varbind is None or varbind.oid[: len(asked.ask.column)] != asked.ask.column:
                return True
            if table is not None and len(varbind.oid) > len(table.entry) + 1:
                self._join(table, varbind.oid)
                self.fresh.add(table.name)
            return False
        if varbind is not None and varbind.oid == target:
            self.cells[target] = varbind.value
            return True
        if varbind is None or varbind.oid > target:
            self.cells[target] = None
        elif table is not None:
            self._join(table, varbind.oid)
        return False

    async def _by_get(self, asked: Sequence[CellAsk]) -> None:
        """What GETNEXT left out, once more by GET: some agents leave objects out of the order."""
        left = [one for one in asked if one.target is not None and self._worth_a_get(one)]
        if not left:
            return
        wanted = [one._replace(ask=one.ask._replace(oid=one.target)) for one in left if one.target]
        found = await self.fetch.values([one.ask for one in wanted])
        for one in wanted:
            varbind = found.get(one.ask.oid)
            self.cells[one.ask.oid] = varbind.value if varbind else None
            if varbind and one.table is None:
                self.get_only.add(one.ask.oid)

    def _worth_a_get(self, asked: CellAsk) -> bool:
        """Unknown cells; in v2c, where one missing object does not spoil the others, also scalars."""
        if asked.target not in self.cells:
            return True
        return self.cells[asked.target] is None and asked.table is None and self.fetch.session.version == "2"


def _forward(start: Oid, stream: Sequence[Varbind]) -> tuple[dict[Oid, Value], Oid]:
    """What a stream gives as long as it increases, then how far that proves that there is nothing else."""
    came: dict[Oid, Value] = {}
    for varbind in stream:
        if varbind.tag == END_OF_MIB_VIEW:
            return came, BEYOND
        if varbind.oid <= start:
            break
        start = varbind.oid
        came[start] = varbind.value
    return came, start
