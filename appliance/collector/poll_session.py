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

from collections.abc import Iterable

from appliance.collector import cell_requests
from appliance.collector import poll_cache as plans
from appliance.collector.cell_requests import CellAsk
from appliance.collector.poll_cache import Plan
from appliance.collector.printer_identity import Subject, mac_cell, model, serial_number, subject
from appliance.collector.request_batcher import Ask, Fetch, Limits, weight
from appliance.collector.table_walker import Gathering
from appliance.mib import oids
from appliance.mib.oids import Oid
from appliance.mib.printer_mib import ALERTS, STANDARD, Table
from appliance.vendors import vendors

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
DEVICE_ID_SIZE = 250
RECEPTACLE = 4  # prtMarkerSuppliesClass receptacleThatIsFilled


class Visit:
    """One printer, from the first question on; `known` is what it said so far."""

    def __init__(self, fetch: Fetch, plan: Plan) -> None:
        self.fetch = fetch
        self.plan = plan
        self.known = Gathering(fetch)
        self.scalars: list[CellAsk] = []
        self.printer: Subject = subject({})
        self.tables: tuple[Table, ...] = STANDARD
        self.full = False

    def _look(self) -> None:
        """Concludes from the cells so far whose printer it is, so which tables it has."""
        self.printer = subject(self.known.cells)
        self.tables = (*STANDARD, *vendors.tables(self.printer.builder, vague=self._vague()))

    def _vague(self) -> bool:
        """Whether a consumable tells its level in words only."""
        cells, column = self.known.cells, oids.PRT_MARKER_SUPPLIES_LEVEL
        vague = (
            oid[len(column) :]
            for oid, value in cells.items()
            if isinstance(value, int) and value < 0 and oid[: len(column)] == column
        )
        return any(cells.get((*oids.PRT_MARKER_SUPPLIES_CLASS, *row)) != RECEPTACLE for row in vague)

    def knows_itself(self) -> bool:
        """Whether it is settled who the printer is; without that, nothing can be said of the rest.

        Where the maker is not known yet, a serial number will do: it leads to the same printer the next time.
        """
        known = self.known
        if not self.scalars or not all(one.target in known.cells for one in self.scalars):
            return False
        if not all(known.complete(table) for table in self.tables if table.part == "details"):
            return False
        self._look()
        if self.printer.builder is None:
            return serial_number(self.printer) is not None
        return model(self.printer) is not None

    # A first reading

    async def everything(self) -> None:
        """Reads all there is."""
        self.full = True
        self.known = Gathering(self.fetch)
        await self.known.successors([Ask(oid, weight(oid, size), oid) for oid, size in HELLO])
        self._look()
        await self.known.shape(self.tables, self.printer.device)
        self.scalars = [*self._device_scalars(), *self._private_scalars()]
        await self.known.settle(self.tables, self.scalars)
        await self._who_else()
        await self.known.shape(self.tables, self.printer.device)  # what the answers themselves asked for
        await self.known.settle(self.tables)

    def _device_scalars(self) -> list[CellAsk]:
        """The system group where GETNEXT left it out, the printer's own rows, its character sets."""
        wanted = [((*oid, 0), size) for oid, size in SYSTEM]
        wanted += [((*column, *self.printer.device), size) for column, size in OF_DEVICE]
        for localization in (oids.PRT_GENERAL_CURRENT_LOCALIZATION, oids.PRT_GENERAL_CONSOLE_LOCALIZATION):
            current = self.known.cells.get((*localization, *self.printer.device), 1)
            if isinstance(current, int) and current > 0:
                wanted.append(((*oids.PRT_LOCALIZATION_CHARACTER_SET, *self.printer.device, current), 2))
        return [
            cell_requests.scalar(oid, size)
            for oid, size in dict(wanted).items()
            if oid not in self.known.cells
        ]

    def _private_scalars(self) -> list[CellAsk]:
        objects = vendors.scalars(self.printer.builder) if self.printer.builder else {}
        return [
            cell_requests.scalar(oid, size) for oid, size in objects.items() if oid not in self.known.cells
        ]

    async def _who_else(self) -> None:
        """Where maker or model are still unknown: the IEEE 1284 device id tells, then the maker's objects."""
        self._look()
        builder = self.printer.builder
        if builder and model(self.printer):
            return
        wanted = [vendors.object_of(builder.device_id)] if builder else vendors.DEVICE_IDS
        await self.known.settle((), [cell_requests.scalar(oid, DEVICE_ID_SIZE) for oid in wanted if oid])
        if builder is None:  # then by whose private objects it has
            await self.known.successors([Ask(oids.ENTERPRISES, DEVICE_ID_SIZE, oids.ENTERPRISES)])
        self._look()
        if builder is None and self.printer.builder is not None:
            private = vendors.tables(self.printer.builder)
            await self.known.shape(private, self.printer.device)
            await self.known.settle(private, self._private_scalars())

    # The next query

    async def again(self) -> bool:
        """Asks what may have moved; False where everything has to be read anew."""
        plan, known = self.plan, self.known
        known.cells, known.rows, known.failed = dict(plan.cells), dict(plan.rows), dict(plan.failed)
        known.doubts, known.get_only = dict(plan.doubts), set(plan.get_only)
        self._look()
        moving = list(self._moving())
        self.scalars = [asked for asked in moving if asked.table is None]
        for asked in moving:
            if asked.target is not None:
                del known.cells[asked.target]
        dirty = await known.ask(moving)
        if self._another_printer() or plans.rebuilt(plan.cells, known.cells):
            self.fetch.limits = Limits()
            return False
        for table in self.tables:
            if table.name in dirty:
                known.forget(table)
        await known.shape(self.tables, self.printer.device)
        self._drop_stale_alerts()
        await known.settle(self.tables)
        return True

    def _moving(self) -> Iterable[CellAsk]:
        for oid in self._who_it_was():
            yield cell_requests.scalar(oid, MOVING.get(oid[:-1], MAC_SIZE))
        for oid, value in self.known.cells.items():
            if value is not None and oid[:-1] in MOVING and oid[:-1] not in WHO:
                yield cell_requests.scalar(oid, MOVING[oid[:-1]])
        builder = self.printer.builder
        for oid, size in vendors.moving_scalars(builder).items() if builder else ():
            if self.known.cells.get(oid) is not None:
                yield cell_requests.scalar(oid, size)
        for table in self.tables:
            if table.name in self.known.rows:
                yield from cell_requests.moving_cells(table, self.known.rows[table.name], self.known.cells)

    def _who_it_was(self) -> list[Oid]:
        """The cells by which a printer is told from another one that has got its address."""
        cells = self.plan.cells
        own = [oid for oid, value in cells.items() if value is not None and oid[:-1] in WHO]
        mac = mac_cell(self.printer)
        return [*own, mac] if mac else own

    def _another_printer(self) -> bool:
        return any(self.known.cells.get(oid) != self.plan.cells[oid] for oid in self._who_it_was())

    def _drop_stale_alerts(self) -> None:
        """An alert that changed is another alert: the rest of its row is asked again."""
        for row in self.known.rows.get(ALERTS.name, ()):
            moved = [(*ALERTS.column(number), *row) for number in ALERTS.moving]
            if any(self.known.cells.get(oid) != self.plan.cells.get(oid) for oid in moved):
                for number in set(ALERTS.columns) - set(ALERTS.moving):
                    self.known.cells.pop((*ALERTS.column(number), *row), None)
