"""A printer at an address → all that it says, or one clear reason why not."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from appliance.collector import poll_cache as plans
from appliance.collector import reading_builder, web_counters
from appliance.collector.errors import AgentLostError, CommunityRejectedError, PollError
from appliance.collector.poll_cache import PollCache
from appliance.collector.printer_identity import (
    PrinterContext,
    find_mac_oid,
    find_model,
    find_serial_number,
    resolve_context,
    update_cells,
)
from appliance.collector.request_batcher import (
    AgentLimits,
    ObjectRequest,
    RequestBatcher,
    estimate_varbind_bytes,
)
from appliance.collector.table_walker import CellRequest, TableWalker, scalar_request, volatile_cell_requests
from appliance.collector.web_counters import DEFAULT_PORTS
from appliance.domain.model import PartFailure, PollCost, Reading, Target
from appliance.ews.models import EwsPorts
from appliance.mib import oids
from appliance.mib.oids import Oid
from appliance.mib.printer_mib import ALERTS, STANDARD_TABLES, SUPPLIES, MibTable
from appliance.mib.values import Cells
from appliance.snmp.client import SnmpBudget, SnmpSession
from appliance.snmp.errors import SnmpBudgetExceededError, SnmpInvalidResponseError, SnmpNoResponseError
from appliance.snmp.transport import SnmpEndpoint
from appliance.vendors import vendors

SYSTEM_OBJECTS = (  # with the size of what they hold
    (oids.SYS_DESCR, 100),
    (oids.SYS_OBJECT_ID, 12),
    (oids.SYS_UP_TIME, 4),
    (oids.SYS_CONTACT, 20),
    (oids.SYS_NAME, 16),
    (oids.SYS_LOCATION, 20),
)
FIRST_REQUEST_OBJECTS = (
    *SYSTEM_OBJECTS,
    (oids.HR_PRINTER_STATUS, 1),
    (oids.PRT_GENERAL_CONFIG_CHANGES, 2),
    (oids.PRT_GENERAL_CURRENT_LOCALIZATION, 1),
    (oids.PRT_GENERAL_CONSOLE_LOCALIZATION, 1),
    (oids.PRT_GENERAL_SERIAL_NUMBER, 14),
)
DEVICE_OBJECTS = (  # cells of the printer's own row
    (oids.HR_PRINTER_STATUS, 1),
    (oids.HR_PRINTER_DETECTED_ERROR_STATE, 2),
    (oids.PRT_GENERAL_CONFIG_CHANGES, 2),
    (oids.PRT_GENERAL_CURRENT_LOCALIZATION, 1),
    (oids.PRT_GENERAL_CONSOLE_LOCALIZATION, 1),
    (oids.PRT_GENERAL_PRINTER_NAME, 20),
    (oids.PRT_GENERAL_SERIAL_NUMBER, 14),
)
VOLATILE_OBJECTS = {  # columns and scalars, without their instances
    oids.SYS_OBJECT_ID: 12,
    oids.SYS_UP_TIME: 4,
    oids.HR_PRINTER_STATUS: 1,
    oids.HR_PRINTER_DETECTED_ERROR_STATE: 2,
    oids.PRT_GENERAL_CONFIG_CHANGES: 2,
    oids.PRT_GENERAL_SERIAL_NUMBER: 14,
}
IDENTITY_OBJECTS = {oids.SYS_OBJECT_ID, oids.PRT_GENERAL_SERIAL_NUMBER}
VOLATILE_LENGTHS = {len(oid) + 1 for oid in VOLATILE_OBJECTS}
IDENTITY_LENGTHS = {len(oid) + 1 for oid in IDENTITY_OBJECTS}
MAC_BYTES = 6
DEVICE_ID_BYTES = 250
RECEPTACLE_CLASS = 4  # prtMarkerSuppliesClass receptacleThatIsFilled


class PollSession:
    """One printer, from the first question on; `known` is what it said so far."""

    def __init__(self, batcher: RequestBatcher, cache: PollCache) -> None:
        self.batcher = batcher
        self.cache = cache
        self.walker = TableWalker(batcher)
        self.scalar_requests: list[CellRequest] = []
        self.printer: PrinterContext = resolve_context({})
        self.tables: tuple[MibTable, ...] = STANDARD_TABLES
        self.is_full = False

    def _update_context(self) -> None:
        """Concludes from the cells so far whose printer it is, so which tables it has."""
        self.printer = resolve_context(self.walker.cells)
        self.tables = (
            *STANDARD_TABLES,
            *vendors.vendor_tables(self.printer.vendor, has_vague_levels=self._has_vague_supply_level()),
        )

    def _has_vague_supply_level(self) -> bool:
        """Return whether a consumable gives its level as a keyword, where the vendor has another one."""
        if self.printer.vendor is None or self.printer.vendor.supply_levels is None:
            return False
        cells, column = self.walker.cells, SUPPLIES.column_of("level")
        vague = (
            oid[len(column) :]
            for oid, value in cells.items()
            if isinstance(value, int) and value < 0 and oid[: len(column)] == column
        )
        return any(cells.get((*SUPPLIES.column_of("class_"), *row)) != RECEPTACLE_CLASS for row in vague)

    def is_identified(self) -> bool:
        """Whether it is settled who the printer is; without that, nothing can be said of the rest.

        Where the maker is not known yet, a serial number will do: it leads to the same printer the next time.
        """
        known = self.walker
        if not self.scalar_requests or not all(one.target in known.cells for one in self.scalar_requests):
            return False
        if not all(known.is_complete(table) for table in self.tables if table.part == "details"):
            return False
        self._update_context()
        if self.printer.vendor is None:
            return find_serial_number(self.printer) is not None
        return find_model(self.printer) is not None

    # A first reading

    async def read_full(self) -> None:
        """Reads all there is."""
        self.is_full = True
        self.walker = TableWalker(self.batcher)
        await self.walker.read_successors(
            [
                ObjectRequest(oid, estimate_varbind_bytes(oid, size), oid)
                for oid, size in FIRST_REQUEST_OBJECTS
            ]
        )
        self._update_context()
        await self.walker.discover_rows(self.tables, self.printer.device)
        self.scalar_requests = [*self._device_scalar_requests(), *self._vendor_scalar_requests()]
        await self.walker.read_cells(self.tables, self.scalar_requests)
        await self._resolve_vendor()
        await self.walker.discover_rows(
            self.tables, self.printer.device
        )  # what the answers themselves asked for
        await self.walker.read_cells(self.tables)

    def _device_scalar_requests(self) -> list[CellRequest]:
        """The system group where GETNEXT left it out, the printer's own rows, its character sets."""
        wanted = [((*oid, 0), size) for oid, size in SYSTEM_OBJECTS]
        wanted += [((*column, *self.printer.device), size) for column, size in DEVICE_OBJECTS]
        for localization in (oids.PRT_GENERAL_CURRENT_LOCALIZATION, oids.PRT_GENERAL_CONSOLE_LOCALIZATION):
            current = self.walker.cells.get((*localization, *self.printer.device), 1)
            if isinstance(current, int) and current > 0:
                wanted.append(((*oids.PRT_LOCALIZATION_CHARACTER_SET, *self.printer.device, current), 2))
        return [
            scalar_request(oid, size) for oid, size in dict(wanted).items() if oid not in self.walker.cells
        ]

    def _vendor_scalar_requests(self) -> list[CellRequest]:
        objects = vendors.vendor_scalars(self.printer.vendor) if self.printer.vendor else {}
        return [scalar_request(oid, size) for oid, size in objects.items() if oid not in self.walker.cells]

    async def _resolve_vendor(self) -> None:
        """Where maker or model are still unknown: the IEEE 1284 device id tells, then the maker's objects."""
        self._update_context()
        builder = self.printer.vendor
        if builder and find_model(self.printer):
            return
        wanted = [vendors.optional_oid(builder.device_id)] if builder else vendors.device_id_oids()
        await self.walker.read_cells((), [scalar_request(oid, DEVICE_ID_BYTES) for oid in wanted if oid])
        if builder is None:  # then by whose private objects it has
            await self.walker.read_successors(
                [ObjectRequest(oids.ENTERPRISES, DEVICE_ID_BYTES, oids.ENTERPRISES)]
            )
        self._update_context()
        if builder is None and self.printer.vendor is not None:
            private = vendors.vendor_tables(self.printer.vendor)
            await self.walker.discover_rows(private, self.printer.device)
            await self.walker.read_cells(private, self._vendor_scalar_requests())

    # The next query

    async def read_changes(self) -> bool:
        """Asks what may have moved; False where everything has to be read anew."""
        plan, known = self.cache, self.walker
        known.cells, known.rows, known.failed = dict(plan.cells), dict(plan.rows), dict(plan.failed)
        known.incomplete, known.get_only = dict(plan.incomplete), set(plan.get_only)
        self._update_context()
        moving = list(self._volatile_cell_requests())
        self.scalar_requests = [asked for asked in moving if asked.table is None]
        for asked in moving:
            if asked.target is not None:
                del known.cells[asked.target]
        dirty = await known.request_cells(moving)
        if self._is_different_printer() or plans.is_restarted_or_reconfigured(plan.cells, known.cells):
            self.batcher.limits = AgentLimits()
            return False
        for table in self.tables:
            if table.name in dirty:
                known.forget_table(table)
        await known.discover_rows(self.tables, self.printer.device)
        self._discard_changed_alerts()
        await known.read_cells(self.tables)
        # Cells that are polled say nothing about who the printer is: only rows that were read anew may.
        self.printer = resolve_context(known.cells) if dirty else update_cells(self.printer, known.cells)
        return True

    def _volatile_cell_requests(self) -> Iterable[CellRequest]:
        for oid in self._identity_cells():
            yield scalar_request(oid, VOLATILE_OBJECTS.get(oid[:-1], MAC_BYTES))
        for oid, value in self.walker.cells.items():
            if (
                value is not None
                and len(oid) in VOLATILE_LENGTHS
                and oid[:-1] in VOLATILE_OBJECTS
                and oid[:-1] not in IDENTITY_OBJECTS
            ):
                yield scalar_request(oid, VOLATILE_OBJECTS[oid[:-1]])
        builder = self.printer.vendor
        for oid, size in vendors.volatile_scalars(builder).items() if builder else ():
            if self.walker.cells.get(oid) is not None:
                yield scalar_request(oid, size)
        for table in self.tables:
            if table.name in self.walker.rows:
                yield from volatile_cell_requests(table, self.walker.rows[table.name], self.walker.cells)

    def _identity_cells(self) -> list[Oid]:
        """The cells by which a printer is told from another one that has got its address."""
        cells = self.cache.cells
        own = [
            oid
            for oid, value in cells.items()
            if len(oid) in IDENTITY_LENGTHS and value is not None and oid[:-1] in IDENTITY_OBJECTS
        ]
        mac = find_mac_oid(self.printer)
        return [*own, mac] if mac else own

    def _is_different_printer(self) -> bool:
        return any(self.walker.cells.get(oid) != self.cache.cells[oid] for oid in self._identity_cells())

    def _discard_changed_alerts(self) -> None:
        """An alert that changed is another alert: the rest of its row is asked again."""
        for row in self.walker.rows.get(ALERTS.name, ()):
            moved = [(*ALERTS.column(number), *row) for number in ALERTS.volatile]
            if any(self.walker.cells.get(oid) != self.cache.cells.get(oid) for oid in moved):
                for number in set(ALERTS.columns) - set(ALERTS.volatile):
                    self.walker.cells.pop((*ALERTS.column(number), *row), None)


TRY_TIMEOUTS_S = (1.0, 2.0, 4.0)  # seconds; a sleeping printer needs some to wake up
MAX_TRIES_PER_VERSION = 2  # of these where two versions are tried, so that silence costs no more
POLL_BUDGET = SnmpBudget(
    seconds=60.0, packets=400
)  # a slow printer with full tables takes 20 s and 60 packets


async def poll_printer(
    endpoint: SnmpEndpoint,
    target: Target,
    cache_json: str,
    now: datetime,
    *,
    full: bool = False,
    budget: SnmpBudget = POLL_BUDGET,
    tries: Sequence[float] = TRY_TIMEOUTS_S,
    ports: EwsPorts = DEFAULT_PORTS,
) -> Reading:
    """Reads a printer; its host is an address, `plan` what the last reading left. Raises NotRead."""
    known = plans.load(cache_json)
    spent = PollCost()
    reason = "silent"
    versions = _snmp_versions(target, known)
    for version in versions:
        session = SnmpSession(
            endpoint,
            target.host,
            port=target.port,
            community=target.community_read,
            version=version,
            tries=tries if len(versions) == 1 else tries[:MAX_TRIES_PER_VERSION],
            budget=budget,
        )
        try:
            reading = await _poll_with_version(
                session, replace(target, snmp_version=version), known, now, full=full, ports=ports
            )
        except (SnmpNoResponseError, SnmpInvalidResponseError) as error:  # nothing was heard in this version
            reason = str(error) if reason == "silent" else reason
            spent = _add_costs(spent, session.cost)
        except CommunityRejectedError as error:
            raise PollError("answers, but not to this community") from error
        else:
            return replace(reading, cost=_add_costs(spent, reading.cost))
    raise PollError(reason)


def _snmp_versions(target: Target, cache: PollCache) -> tuple[Literal["1", "2"], ...]:
    if target.snmp_version != "auto":
        return (target.snmp_version,)
    return ("1", "2") if cache.version == "1" else ("2", "1")


async def _poll_with_version(
    session: SnmpSession, target: Target, cache: PollCache, now: datetime, *, full: bool, ports: EwsPorts
) -> Reading:
    same = cache.version == session.version
    again = same and not full and not plans.is_full_poll_due(cache, now)
    fetch = RequestBatcher(session, plans.starting_limits(cache, full=not again) if same else AgentLimits())
    visit = PollSession(fetch, cache)
    interrupted: str | None = None
    try:
        if not again or not await visit.read_changes():
            await visit.read_full()
    except AgentLostError:
        interrupted = "stopped answering"
    except SnmpBudgetExceededError as error:
        interrupted = str(error)
    if interrupted and not visit.is_identified():
        raise PollError(interrupted)
    if all(value is None for value in visit.walker.cells.values()):
        raise PollError("answers, but says nothing")
    failures = _collect_failures(visit, interrupted)
    reading, memory = (
        reading_builder.build_reading(
            visit.walker.cells,
            target,
            session.cost,
            "",
            failures,
            printer=None if visit.is_full or interrupted else visit.printer,
        ),
        cache.ews_state,
    )
    if not interrupted:
        reading, memory = await web_counters.add_ews_values(reading, memory, full=visit.is_full, ports=ports)
    plan = _build_cache(visit, cache, session.version, now, memory, interrupted=interrupted is not None)
    return replace(reading, plan=plan, notes=(*reading.notes, *_incomplete_table_notes(visit)))


def _collect_failures(poll_session: PollSession, interrupted: str | None) -> tuple[PartFailure, ...]:
    """The parts whose tables could not be read, each with the first reason."""
    reasons: dict[str, str] = {}
    for table in poll_session.tables:
        if table.name in poll_session.walker.failed:
            reasons.setdefault(table.part, poll_session.walker.failed[table.name])
        elif interrupted and not poll_session.walker.is_complete(table):
            reasons.setdefault(table.part, interrupted)
    if (
        interrupted and poll_session.printer.vendor is None
    ):  # whose own counters could not be asked, if it has any
        reasons.setdefault("counters", interrupted)
    return tuple(PartFailure(part, reason) for part, reason in reasons.items())


def _incomplete_table_notes(poll_session: PollSession) -> list[str]:
    """The parts whose tables may have more rows than were seen."""
    doubts = poll_session.walker.incomplete
    told = {table.part: doubts[table.name] for table in poll_session.tables if table.name in doubts}
    return [f"{part} may not be complete: {why}" for part, why in told.items()]


def _build_cache(
    poll_session: PollSession,
    previous: PollCache,
    version: Literal["1", "2"],
    now: datetime,
    ews_state: web_counters.EwsState,
    *,
    interrupted: bool,
) -> str:
    """What to remember; after an interruption the next reading is a full one."""
    tables = poll_session.tables
    failed = [table.entry for table in tables if table.name in poll_session.walker.failed]
    plan = PollCache(
        version=version,
        limits=poll_session.batcher.limits,
        full_at=None if interrupted else now if poll_session.is_full else previous.full_at,
        rows={} if interrupted else poll_session.walker.rows,
        failed={} if interrupted else poll_session.walker.failed,
        incomplete={} if interrupted else poll_session.walker.incomplete,
        cells={} if interrupted else _cells_outside(poll_session.walker.cells, failed),
        get_only=frozenset() if interrupted else frozenset(poll_session.walker.get_only),
        ews_state=ews_state,
    )
    return plans.dump(plan, tables)


def _cells_outside(cells: Cells, entries: Sequence[Oid]) -> Cells:
    """Return the cells that belong to none of the tables."""
    if not entries:
        return cells
    return {
        oid: value for oid, value in cells.items() if not any(oid[: len(entry)] == entry for entry in entries)
    }


def _add_costs(first: PollCost, second: PollCost) -> PollCost:
    return PollCost(
        first.packets + second.packets, first.bytes + second.bytes, first.seconds + second.seconds
    )
