"""One conversation with a printer, from the first question to all of its cells.

A first reading asks in this order:
1. who it is: one small GETNEXT, which tells the maker and the printer's index;
2. the shape: which rows each table has. GETBULK over one integer column of each table (v2c), or GETNEXT of
   the column with guesses at its rows in the same request (v1): successors chain up to the rows, the chain
   proves that nothing lies between them;
3. the cells, packed by their estimated size: GETBULK for columns of many rows, else GETNEXT of each cell's
   predecessor;
4. the few that are left: what GETNEXT leaves out is tried by GET, once.

The next query asks the moving cells alone, by their predecessors, with a look behind each table's last row.
Where that shows another row, the table is read anew; where it shows another printer or a restarted one,
everything is.
"""

from collections.abc import Iterable, Sequence

from appliance.reading import asks, makers
from appliance.reading import plan as plans
from appliance.reading.asks import CellAsk, Chain
from appliance.reading.fetch import END_OF_MIB_VIEW, MOST_REPETITIONS, Ask, Fetch, Limits, weight
from appliance.reading.identity import Subject, mac_cell, model, subject
from appliance.reading.plan import Plan
from appliance.reading.shape import Shape
from appliance.reading.snmp import oids
from appliance.reading.snmp.oids import Oid
from appliance.reading.snmp.session import Varbind
from appliance.reading.tables import ALERTS, STANDARD, Table, Value

MOST_ROUNDS = 4  # of rows that turn up while cells are read: an agent may make up rows for ever
MOST_GUESSES = 12  # rows per table in one request,
FEW_GUESSES = 5  # as long as none is known: perhaps the table is not there
UNREADABLE = 3  # times that a table cannot be followed before it is given up
SHAPE_WEIGHT = 25  # bytes of a varbind with a small number

SYSTEM = (  # with the size of what they hold
    (oids.SYS_DESCR, 100),
    (oids.SYS_OBJECT_ID, 12),
    (oids.SYS_UP_TIME, 4),
    (oids.SYS_CONTACT, 20),
    (oids.SYS_NAME, 16),
    (oids.SYS_LOCATION, 20),
)
HELLO = (
    *SYSTEM,
    (oids.HR_PRINTER_STATUS, 1),
    (oids.PRT_GENERAL_CONFIG_CHANGES, 2),
    (oids.PRT_GENERAL_CURRENT_LOCALIZATION, 1),
    (oids.PRT_GENERAL_CONSOLE_LOCALIZATION, 1),
    (oids.PRT_GENERAL_SERIAL_NUMBER, 14),
)
OF_DEVICE = (  # cells of the printer's own row
    (oids.HR_PRINTER_STATUS, 1),
    (oids.HR_PRINTER_DETECTED_ERROR_STATE, 2),
    (oids.PRT_GENERAL_CONFIG_CHANGES, 2),
    (oids.PRT_GENERAL_CURRENT_LOCALIZATION, 1),
    (oids.PRT_GENERAL_CONSOLE_LOCALIZATION, 1),
    (oids.PRT_GENERAL_PRINTER_NAME, 20),
    (oids.PRT_GENERAL_SERIAL_NUMBER, 14),
)
MOVING = {  # columns and scalars, without their instances
    oids.SYS_OBJECT_ID: 12,
    oids.SYS_UP_TIME: 4,
    oids.HR_PRINTER_STATUS: 1,
    oids.HR_PRINTER_DETECTED_ERROR_STATE: 2,
    oids.PRT_GENERAL_CONFIG_CHANGES: 2,
    oids.PRT_GENERAL_SERIAL_NUMBER: 14,
}
WHO = {oids.SYS_OBJECT_ID, oids.PRT_GENERAL_SERIAL_NUMBER}
MAC_SIZE = 6
PRIVATE_SIZE = 16  # of a maker's scalar: a number, a version, a serial number
DEVICE_ID_SIZE = 250
BEYOND: Oid = (1 << 32,)  # after every name


class Visit:
    """What is known of one printer in the course of a reading."""

    def __init__(self, fetch: Fetch, plan: Plan) -> None:
        self.fetch = fetch
        self.plan = plan
        self.cells: dict[Oid, Value] = {}
        self.rows: dict[str, tuple[Oid, ...]] = {}
        self.failed: dict[str, str] = {}
        self.get_only: set[Oid] = set()
        self.scalars: list[CellAsk] = []
        self.gaps: list[tuple[Oid, Oid]] = []  # between these names there is nothing
        self.printer: Subject = subject(self.cells)
        self.tables: tuple[Table, ...] = STANDARD
        self.full = False

    def _look(self) -> None:
        """Concludes from the cells so far whose printer it is, so which tables it has."""
        self.printer = subject(self.cells)
        self.tables = (*STANDARD, *makers.tables(self.printer.builder))

    def complete(self, table: Table) -> bool:
        """Whether a table's rows are known and each of their cells was settled."""
        rows = self.rows.get(table.name)
        return rows is not None and not asks.missing_cells(table, rows, self.cells)

    def knows_itself(self) -> bool:
        """Whether it is settled who the printer is; without that, nothing can be said of the rest."""
        settled = bool(self.scalars) and all(one.target in self.cells for one in self.scalars)
        if not settled or not all(self.complete(table) for table in self.tables if table.part == "details"):
            return False
        self._look()
        return self.printer.builder is not None and model(self.printer) is not None

    # A first reading

    async def everything(self) -> None:
        """Reads all there is."""
        self.full = True
        self.cells, self.rows, self.failed, self.get_only, self.gaps = {}, {}, {}, set(), []
        await self._hello()
        await self._shape(self.tables)
        self.scalars = [*self._device_scalars(), *self._private_scalars()]
        await self._cells(self.tables, self.scalars)
        await self._who_else()

    async def _hello(self) -> None:
        found = await self.fetch.successors([Ask(oid, weight(oid, size), oid) for oid, size in HELLO])
        for start, varbind in found.items():
            self.gaps.append((start, varbind.oid if varbind else BEYOND))
            if varbind is not None:
                self.cells[varbind.oid] = varbind.value
        self._look()

    def _device_scalars(self) -> list[CellAsk]:
        """The system group where GETNEXT left it out, the printer's own rows, its character sets."""
        wanted = [((*oid, 0), size) for oid, size in SYSTEM]
        wanted += [((*column, *self.printer.device), size) for column, size in OF_DEVICE]
        for localization in (oids.PRT_GENERAL_CURRENT_LOCALIZATION, oids.PRT_GENERAL_CONSOLE_LOCALIZATION):
            current = self.cells.get((*localization, *self.printer.device), 1)
            if isinstance(current, int) and current > 0:
                wanted.append(((*oids.PRT_LOCALIZATION_CHARACTER_SET, *self.printer.device, current), 2))
        return [asks.scalar(oid, size) for oid, size in dict(wanted).items() if oid not in self.cells]

    def _private_scalars(self) -> list[CellAsk]:
        objects = makers.scalars(self.printer.builder) if self.printer.builder else []
        return [asks.scalar(oid, PRIVATE_SIZE) for oid in objects if oid not in self.cells]

    async def _who_else(self) -> None:
        """Where maker or model are still unknown: the IEEE 1284 device id tells, then the maker's objects."""
        self._look()
        builder = self.printer.builder
        if builder and model(self.printer):
            return
        wanted = [makers.object_of(builder.device_id)] if builder else makers.DEVICE_IDS
        await self._cells((), [asks.scalar(oid, DEVICE_ID_SIZE) for oid in wanted if oid])
        self._look()
        if builder is None and self.printer.builder is not None:
            private = makers.tables(self.printer.builder)
            await self._shape(private)
            await self._cells(private, self._private_scalars())

    # The next query

    async def again(self) -> bool:
        """Asks what may have moved; False where everything has to be read anew."""
        plan = self.plan
        self.cells, self.rows, self.failed = dict(plan.cells), dict(plan.rows), dict(plan.failed)
        self.get_only = set(plan.get_only)
        self._look()
        moving = list(self._moving())
        self.scalars = [asked for asked in moving if asked.table is None]
        for asked in moving:
            if asked.target is not None:
                del self.cells[asked.target]
        dirty = await self._ask(moving)
        if self._another_printer() or plans.rebuilt(plan.cells, self.cells):
            self.fetch.limits = Limits()
            return False
        tables = self.tables
        unknown = [table for table in tables if table.name not in self.rows and table.name not in self.failed]
        await self._anew([*unknown, *(table for table in tables if table.name in dirty)])
        self._drop_stale_alerts()
        await self._cells(self.tables, [])
        return True

    def _moving(self) -> Iterable[CellAsk]:
        for oid in self._who_it_was():
            yield asks.scalar(oid, MOVING.get(oid[:-1], MAC_SIZE))
        for oid, value in self.cells.items():
            if value is not None and oid[:-1] in MOVING and oid[:-1] not in WHO:
                yield asks.scalar(oid, MOVING[oid[:-1]])
        builder = self.printer.builder
        for oid in makers.moving_scalars(builder) if builder else ():
            if self.cells.get(oid) is not None:
                yield asks.scalar(oid, PRIVATE_SIZE)
        for table in self.tables:
            if table.name in self.rows:
                yield from asks.moving_cells(table, self.rows[table.name], self.cells)

    def _who_it_was(self) -> list[Oid]:
        """The cells by which a printer is told from another one that has got its address."""
        cells = self.plan.cells
        own = [oid for oid, value in cells.items() if value is not None and oid[:-1] in WHO]
        mac = mac_cell(self.printer)
        return [*own, mac] if mac else own

    def _another_printer(self) -> bool:
        return any(self.cells.get(oid) != self.plan.cells[oid] for oid in self._who_it_was())

    async def _anew(self, tables: Sequence[Table]) -> None:
        """Forgets what was known of these tables, then learns their rows."""
        for table in tables:
            length = len(table.entry)
            self.rows.pop(table.name, None)
            self.cells = {oid: value for oid, value in self.cells.items() if oid[:length] != table.entry}
        await self._shape(tables)

    def _drop_stale_alerts(self) -> None:
        """An alert that changed is another alert: the rest of its row is asked again."""
        for row in self.rows.get(ALERTS.name, ()):
            moved = [(*ALERTS.column(number), *row) for number in ALERTS.moving]
            if any(self.cells.get(oid) != self.plan.cells.get(oid) for oid in moved):
                for number in set(ALERTS.columns) - set(ALERTS.moving):
                    self.cells.pop((*ALERTS.column(number), *row), None)

    # Rows

    async def _shape(self, tables: Iterable[Table]) -> None:
        shapes = [Shape(table) for table in tables if table.name not in self.rows and not self._absent(table)]
        while pending := [shape for shape in shapes if not shape.ended]:
            if self.fetch.bulk:
                await self._shape_by_bulk(pending)
            else:
                await self._shape_by_next(pending)
            for shape in pending:
                if shape.ended:
                    self._shaped(shape)

    def _absent(self, table: Table) -> bool:
        """Whether the printer is known not to have this table at all."""
        behind = (*table.entry[:-1], table.entry[-1] + 1)
        absent = any(start < table.entry and end >= behind for start, end in self.gaps)
        if absent:
            self.rows[table.name] = ()
        return absent

    def _shaped(self, shape: Shape) -> None:
        name = shape.table.name
        self.failed.pop(name, None)
        if shape.failure:
            self.failed[name] = shape.failure
        else:
            self.rows[name] = tuple(sorted(shape.rows))

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

    async def _shape_by_next(self, pending: list[Shape]) -> None:
        most = max(1, min(MOST_GUESSES, self.fetch.room(SHAPE_WEIGHT) // len(pending)))
        guesses = {
            id(shape): shape.starts(self.printer.device, most if shape.rows else min(most, FEW_GUESSES))
            for shape in pending
        }
        found = await self.fetch.successors(
            [Ask(oid, SHAPE_WEIGHT, oid) for shape in pending for oid in guesses[id(shape)]]
        )
        for shape in pending:
            before = shape.position
            for start in guesses[id(shape)]:
                if start in found and start >= shape.position and not self._step(shape, found[start]):
                    break
            if shape.position == before and not shape.ended:
                shape.stumble(most, UNREADABLE * most)

    def _step(self, shape: Shape, varbind: Varbind | None) -> bool:
        further = shape.follow(varbind)
        if further and varbind is not None and shape.column[-1] in shape.table.columns:
            self.cells[varbind.oid] = varbind.value
        return further

    # Cells

    async def _cells(self, tables: Iterable[Table], scalars: Sequence[CellAsk]) -> None:
        """Asks every cell that is not settled, details first; a row that turns up joins its table."""
        tables = sorted(tables, key=lambda table: table.part != "details")
        waiting = list(scalars)
        for _ in range(MOST_ROUNDS):
            chains = [
                chain
                for table in tables
                if table.name in self.rows
                for chain in asks.missing_cells(table, self.rows[table.name], self.cells)
            ]
            if not chains and not waiting:
                return
            bulky, single = self._sorted_out(chains)
            waiting += single
            await self._ask(waiting)
            await self._by_get(waiting)
            left = [asked for group in bulky for asked in await self._one_bulk(group)]
            await self._ask(left)
            await self._by_get(left)
            waiting = []

    def _sorted_out(self, chains: Sequence[Chain]) -> tuple[list[list[Chain]], list[CellAsk]]:
        """Columns of the same length that fill a GETBULK together, then the cells to be asked one by one."""
        size = self.fetch.limits.size
        pieces = [piece for chain in chains for piece in asks.split(chain, size)]
        bulky: list[list[Chain]] = []
        single: list[CellAsk] = []
        for length, group in asks.by_length(pieces).items():
            for taken in asks.filled(group, size):
                if self.fetch.bulk and length > 1 and sum(chain.weight for chain in taken) > size // 2:
                    bulky.append(taken)
                else:
                    single += [asked for chain in taken for asked in chain.asks]
        return bulky, single

    async def _one_bulk(self, chains: Sequence[Chain]) -> list[CellAsk]:
        """Asks columns at once; what remains unknown comes back."""
        repetitions = len(chains[0].asks)
        streams = (
            await self.fetch.streams([chain.start for chain in chains], repetitions)
            if self.fetch.bulk
            else None
        )
        for chain, stream in zip(chains, streams or (), strict=False):
            came, reached = _forward(chain.start, stream)
            for asked in chain.asks:
                target = asked.target
                if target is not None and (target in came or target < reached):
                    self.cells[target] = came.get(target)
        return [asked for chain in chains for asked in chain.asks if asked.target not in self.cells]

    async def _ask(self, asked: Sequence[CellAsk]) -> set[str]:
        """GETNEXT of each predecessor. The names of tables come back whose rows are not what they were."""
        dirty: set[str] = set()
        by_get = [one for one in asked if one.target in self.get_only]
        by_next = [one for one in asked if one.target not in self.get_only]
        found = await self.fetch.successors(list({one.ask.oid: one.ask for one in by_next}.values()))
        for one in by_next:
            if one.ask.oid in found and not self._settle(one, found[one.ask.oid]) and one.table:
                dirty.add(one.table.name)
        await self._by_get(by_get)
        return dirty

    def _settle(self, asked: CellAsk, varbind: Varbind | None) -> bool:
        """Takes an answer; False where it shows that the table's rows have changed."""
        target, table = asked.target, asked.table
        if target is None:
            return varbind is None or varbind.oid[: len(asked.ask.column)] != asked.ask.column
        if varbind is not None and varbind.oid == target:
            self.cells[target] = varbind.value
            return True
        if varbind is None or varbind.oid > target:
            self.cells[target] = None
        elif table is not None:
            row = varbind.oid[len(table.entry) + 1 :]
            self.rows[table.name] = tuple(sorted({*self.rows[table.name], row}))
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
