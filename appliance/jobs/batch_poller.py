"""Many printers are asked at once, each by itself: one that is silent, slow or strange delays nobody."""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from appliance.collector.errors import PollError
from appliance.collector.poll import poll_printer
from appliance.collector.scanner import ProbeResult, ScanProgress
from appliance.discovery import entries
from appliance.discovery.entries import Exclusions, NameNotResolvedError
from appliance.domain.model import Identity, PollCost, Reading, Target
from appliance.jobs.batch_writer import BatchWriter, ReadingNotSavedError
from appliance.snmp.transport import SnmpEndpoint
from appliance.storage import printers
from appliance.storage.printers import KnownPrinter

log = logging.getLogger(__name__)

MAX_CONCURRENT_POLLS = 100  # printers: each waits for its network most of the time


@dataclass(slots=True)
class RunProgress:
    """How far a run has come, updated while it runs."""

    scan: ScanProgress = field(default_factory=ScanProgress)
    to_read: int = 0  # printers, as far as they are known by now
    read: int = 0  # and kept
    failed: int = 0


@dataclass(frozen=True, slots=True)
class PrinterProblem:
    """A printer that could not be read, or a part of it, and why."""

    host: str
    reason: str
    name: str | None = None
    printer_id: int | None = None  # None: it is not known yet


@dataclass(frozen=True, slots=True)
class SkippedHost:
    """Who is there and was not taken, and why."""

    host: str
    reason: str


class _PrinterSkippedError(Exception):
    """A printer that nobody may take; the text says why."""


class _InternalPollError(Exception):
    """Reading it met a fault of the Plug's own."""


class BatchPoller:
    """What is asked during one run, and what came of it."""

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
        self.incomplete: list[PrinterProblem] = []  # read, but not in all parts: their last values stay
        self.skipped: list[SkippedHost] = []
        self._db, self._clock, self._exclusions, self._progress = db, clock, exclusions, progress
        self._endpoint, self._writer = endpoint, writer
        self._poll_slots = asyncio.Semaphore(MAX_CONCURRENT_POLLS)
        self._seen_addresses: set[tuple[str, int]] = set()
        self._by_address = {_address_key(printer.target): printer for printer in known_printers}
        self._by_serial = {_serial_key(printer.identity): printer for printer in known_printers}

    async def poll_known(self, printer: KnownPrinter, *, full: bool = False) -> None:
        """A known printer, at its address or by its name; `full`: whatever was remembered of it."""
        excluded = self._exclusions.excludes_printer(printer.target, printer.identity, printer.sys_name)
        if not printer.ignore and not excluded:
            await self._poll_and_save(printer.target, printer, _resolve_current_address, full=full)

    async def poll_discovered(self, probe_result: ProbeResult) -> None:
        """Somebody who answered the scan."""
        target = probe_result.target
        if _address_key(target) in self._seen_addresses:
            return  # the same printer, with another community
        printer = self._by_address.get(_address_key(target)) or self._by_serial.get(
            _serial_key(probe_result.identity)
        )
        if not probe_result.is_printer:
            self.skipped.append(
                SkippedHost(target.host, f"no printer: {probe_result.description or 'no description'}")
            )
        elif self._exclusions.excludes_identity(probe_result.identity):
            self.skipped.append(SkippedHost(target.host, "excluded"))
        else:
            self._seen_addresses.add(_address_key(target))
            await self._poll_and_save(target, printer, _add_missing_name)

    def has_seen(self, target: Target) -> bool:
        return _address_key(target) in self._seen_addresses

    async def resolve_name(self, target: Target) -> Target | None:
        """A discovery entry's name as the address that it has now."""
        try:
            async with self._poll_slots:
                target = await entries.resolve_target(target)
        except NameNotResolvedError as error:
            self.failed.append(PrinterProblem(target.host, str(error), target.name))
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
        except _PrinterSkippedError as why:
            self.skipped.append(SkippedHost(target.host, str(why)))
            self._progress.to_read -= 1
        except (NameNotResolvedError, PollError, ReadingNotSavedError, _InternalPollError) as error:
            await self._record_failure(target, printer, str(error))
        else:
            self.read[printer_id] = reading.cost
            self._progress.read += 1
            if reading.failures:
                parts = [f"{failure.part} not read: {failure.reason}" for failure in reading.failures]
                self.incomplete.append(PrinterProblem(target.host, "; ".join(parts), target.name, printer_id))

    async def _poll(self, target: Target, printer: KnownPrinter | None, *, full: bool) -> Reading:
        if self._exclusions.excludes(target):
            raise _PrinterSkippedError("excluded")
        plan = printers.get_poll_cache(self._db, printer.id) if printer else ""
        try:
            reading = await poll_printer(self._endpoint, target, plan, self._clock(), full=full)
        except PollError:
            raise
        except Exception as error:  # a fault of ours in reading one printer must not cost the others
            log.exception("%s: cannot be read", target.host)
            raise _InternalPollError(f"cannot be read: {type(error).__name__}") from error
        if self._exclusions.excludes_printer(reading.target, reading.identity, reading.details.name):
            raise _PrinterSkippedError("excluded")
        here = (
            self._by_serial.get(_serial_key(reading.identity)) if reading.identity.serial_number else printer
        )
        if here and here.ignore:
            raise _PrinterSkippedError("ignored")
        return reading

    async def _record_failure(self, target: Target, printer: KnownPrinter | None, reason: str) -> None:
        if printer:
            await self._writer.save_failure(printer.id, reason)
        name, printer_id = target.name, printer.id if printer else None
        self.failed.append(PrinterProblem(target.host, reason, name, printer_id))
        self._progress.failed += 1


async def _resolve_current_address(target: Target) -> Target:
    """Where a known printer is: printers that go by name are looked up anew each time."""
    return await entries.resolve_target(target) if target.address_by == "name" and target.name else target


async def _add_missing_name(target: Target) -> Target:
    """What a printer is called that was met at its address and is to go by its name from now on."""
    return await entries.add_dns_name(target) if target.address_by == "name" and not target.name else target


def _address_key(target: Target) -> tuple[str, int]:
    return target.host, target.port


def _serial_key(identity: Identity) -> str:
    return entries.normalize_serial(identity.serial_number or "")
