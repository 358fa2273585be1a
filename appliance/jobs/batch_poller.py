"""Poll many printers at once, independently of one another, and save the readings in batches."""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Self

from appliance.collector.poll import PollError, poll_printer
from appliance.collector.scanner import ProbeResult, ScanProgress
from appliance.discovery import entries
from appliance.discovery.entries import Exclusions, NameNotResolvedError
from appliance.domain.identifiers import identifier_key
from appliance.domain.messages import Message, join, message_of
from appliance.domain.model import Identity, PollCost, Reading, Target
from appliance.snmp.transport import SnmpEndpoint
from appliance.storage import database, printers, save_reading
from appliance.storage.printers import KnownPrinter

log = logging.getLogger(__name__)

MAX_CONCURRENT_POLLS = 100  # most of them wait for the network
BATCH_INTERVAL_S = 0.2  # for which a reading waits for others
MAX_BATCH_READINGS = 100  # per transaction: it bounds how long it locks the database


@dataclass(slots=True)
class RunProgress:
    """The progress of a run, updated while it goes on."""

    scan: ScanProgress = field(default_factory=ScanProgress)
    to_read: int = 0  # printers known so far
    read: int = 0  # and saved
    failed: int = 0


@dataclass(frozen=True, slots=True)
class PrinterProblem:
    """A printer that could not be read, or only in part, and why."""

    host: str
    reason: str
    name: str | None = None
    printer_id: int | None = None  # None: not in the database yet


@dataclass(frozen=True, slots=True)
class SkippedHost:
    """A host that answered and was not polled, and why."""

    host: str
    reason: str


class _PrinterSkippedError(Exception):
    """The printer is excluded or ignored."""


class _InternalPollError(Exception):
    """The poll failed because of a defect in this software."""


class ReadingNotSavedError(Exception):
    """A reading cannot be stored; the text says why in one line."""


class BatchWriter:
    """Save readings durably: `async with BatchWriter(db, clock) as writer: await writer.save_reading(r)`."""

    def __init__(self, db: sqlite3.Connection, clock: Callable[[], datetime]) -> None:
        self.write_error: Exception | None = None  # the first one; nothing is saved after it
        self._db, self._clock = db, clock
        self._pending: list[tuple[Callable[[], int], asyncio.Future[int]]] = []
        self._has_pending = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._flush_periodically())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is pending, also when the run is interrupted."""
        self._task.cancel()
        while self._pending:
            self._flush()

    async def save_reading(self, reading: Reading) -> int:
        """Save a reading and return the printer's id.

        Raise ReadingNotSavedError or DatabaseUnavailableError.
        """
        now = self._clock()
        return await self._enqueue(lambda: save_reading.store_reading(self._db, reading, now))

    async def save_failure(self, printer_id: int, reason: str) -> None:
        now = self._clock()

        def write() -> int:
            save_reading.store_poll_failure(self._db, printer_id, reason, now)
            return printer_id

        await self._enqueue(write)

    async def _enqueue(self, write: Callable[[], int]) -> int:
        if self.write_error:
            raise self.write_error
        saved: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._pending.append((write, saved))
        self._has_pending.set()
        return await saved

    async def _flush_periodically(self) -> None:
        while True:
            await self._has_pending.wait()
            await asyncio.sleep(BATCH_INTERVAL_S)
            self._flush()
            if not self._pending:
                self._has_pending.clear()

    def _flush(self) -> None:
        batch, self._pending = self._pending[:MAX_BATCH_READINGS], self._pending[MAX_BATCH_READINGS:]
        results: list[int | Exception] = []
        try:
            with database.transaction(self._db):
                results = [self._write_one(write) for write, _ in batch]
        except Exception as error:  # such as a full disk: raised in every waiting task, and by the run
            self.write_error = self.write_error or error
            results = [error] * len(batch)
        for (_, saved), result in zip(batch, results, strict=True):
            if saved.cancelled():
                continue
            if isinstance(result, Exception):
                saved.set_exception(result)
            else:
                saved.set_result(result)

    def _write_one(self, write: Callable[[], int]) -> int | Exception:
        try:
            with database.transaction(self._db):
                return write()
        except database.DatabaseUnavailableError:
            raise
        except Exception as error:  # one odd reading must not stop the others
            log.exception("a reading cannot be kept")
            return ReadingNotSavedError(Message("reading.not_stored", reason=error))


class BatchPoller:
    """Poll the printers of one run and collect the results."""

    def __init__(
        self,
        db: sqlite3.Connection,
        clock: Callable[[], datetime],
        exclusions: Exclusions,
        known_printers: Sequence[KnownPrinter],
        *,
        progress: RunProgress,
        endpoint: SnmpEndpoint,
        writer: BatchWriter,
    ) -> None:
        self.read: dict[int, PollCost] = {}  # by printer
        self.failed: list[PrinterProblem] = []
        self.incomplete: list[PrinterProblem] = []  # read in part: other values stay
        self.skipped: list[SkippedHost] = []
        self._db, self._clock, self._exclusions, self._progress = db, clock, exclusions, progress
        self._endpoint, self._writer = endpoint, writer
        self._poll_slots = asyncio.Semaphore(MAX_CONCURRENT_POLLS)
        self._seen_addresses: set[tuple[str, int]] = set()
        self._by_address = {_address_key(printer.target): printer for printer in known_printers}
        self._by_serial = {_serial_key(printer.identity): printer for printer in known_printers}

    async def poll_known(self, printer: KnownPrinter, *, full: bool = False) -> None:
        """Poll a known printer by its address or name; `full` ignores the poll cache."""
        excluded = self._exclusions.excludes_printer(printer.target, printer.identity, printer.sys_name)
        if not printer.ignore and not excluded:
            await self._poll_and_save(printer.target, printer, _resolve_current_address, full=full)

    async def poll_discovered(self, probe_result: ProbeResult) -> None:
        """Poll a host that answered the scan, if it is a printer that is not excluded."""
        target = probe_result.target
        if _address_key(target) in self._seen_addresses:
            return  # the same printer, with another community
        printer = self._by_address.get(_address_key(target)) or self._by_serial.get(
            _serial_key(probe_result.identity)
        )
        if not probe_result.is_printer:
            self.skipped.append(
                SkippedHost(
                    target.host,
                    Message("poll.no_printer", description=probe_result.description)
                    if probe_result.description
                    else Message("poll.unknown_device"),
                )
            )
        elif self._exclusions.excludes_identity(probe_result.identity):
            self.skipped.append(SkippedHost(target.host, "excluded"))
        else:
            self._seen_addresses.add(_address_key(target))
            await self._poll_and_save(target, printer, _add_missing_name)

    def has_seen(self, target: Target) -> bool:
        return _address_key(target) in self._seen_addresses

    async def resolve_name(self, target: Target) -> Target | None:
        """Return the name of a discovery entry with its current address; None if excluded or unknown."""
        try:
            async with self._poll_slots:
                target = await entries.resolve_target(target)
        except NameNotResolvedError as error:
            self.failed.append(PrinterProblem(target.host, message_of(error), target.name))
            return None
        return None if self._exclusions.excludes(target) else target

    async def _poll_and_save(
        self,
        target: Target,
        printer: KnownPrinter | None,
        locate: Callable[[Target], Awaitable[Target]],
        *,
        full: bool = False,
    ) -> None:
        self._progress.to_read += 1
        try:
            async with self._poll_slots:
                target = await locate(target)
                reading = await self._poll(target, printer, full=full)
            printer_id = await self._writer.save_reading(reading)
        except _PrinterSkippedError as reason:
            self.skipped.append(SkippedHost(target.host, message_of(reason)))
            self._progress.to_read -= 1
        except (NameNotResolvedError, PollError, ReadingNotSavedError, _InternalPollError) as error:
            await self._record_failure(target, printer, message_of(error))
        else:
            self.read[printer_id] = reading.cost
            self._progress.read += 1
            if reading.failures:
                parts = [
                    Message("reading.part_failed", part=failure.part, reason=failure.reason)
                    for failure in reading.failures
                ]
                self.incomplete.append(PrinterProblem(target.host, join(parts), target.name, printer_id))

    async def _poll(self, target: Target, printer: KnownPrinter | None, *, full: bool) -> Reading:
        if self._exclusions.excludes(target):
            raise _PrinterSkippedError("excluded")
        plan = printers.get_poll_cache(self._db, printer.id) if printer else ""
        try:
            reading = await poll_printer(self._endpoint, target, plan, self._clock(), full=full)
        except PollError:
            raise
        except Exception as error:  # a defect must not stop the other polls
            log.exception("%s: cannot be read", target.host)
            raise _InternalPollError(Message("reading.failed", reason=type(error).__name__)) from error
        if self._exclusions.excludes_printer(reading.target, reading.identity, reading.details.name):
            raise _PrinterSkippedError("excluded")
        known = (
            self._by_serial.get(_serial_key(reading.identity)) if reading.identity.serial_number else printer
        )
        if known and known.ignore:
            raise _PrinterSkippedError("ignored")
        return reading

    async def _record_failure(self, target: Target, printer: KnownPrinter | None, reason: str) -> None:
        if printer:
            await self._writer.save_failure(printer.id, reason)
        name, printer_id = target.name, printer.id if printer else None
        self.failed.append(PrinterProblem(target.host, reason, name, printer_id))
        self._progress.failed += 1


async def _resolve_current_address(target: Target) -> Target:
    """Return the target with its current address; printers that go by name are resolved each time."""
    return await entries.resolve_target(target) if target.address_by == "name" and target.name else target


async def _add_missing_name(target: Target) -> Target:
    """Return the target with its DNS name, where it goes by name and the name is not known yet."""
    return await entries.add_dns_name(target) if target.address_by == "name" and not target.name else target


def _address_key(target: Target) -> tuple[str, int]:
    return target.host, target.port


def _serial_key(identity: Identity) -> str:
    return identifier_key(identity.serial_number)
