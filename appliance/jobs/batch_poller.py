"""Many printers are asked at once, each by itself: one that is silent, slow or strange delays nobody."""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from appliance.collector.poll import PollError, poll_printer
from appliance.collector.scanner import ProbeResult, ScanProgress
from appliance.discovery import entries
from appliance.discovery.entries import Exclusions, NameNotResolvedError
from appliance.domain.model import Cost, Identity, Reading, Target
from appliance.jobs.batch_writer import Keeper, NotKept
from appliance.snmp.transport import SnmpEndpoint
from appliance.storage import printers
from appliance.storage.printers import KnownPrinter

log = logging.getLogger(__name__)

AT_ONCE = 100  # printers: each waits for its network most of the time


@dataclass(slots=True)
class Progress:
    """How far a run has come, updated while it runs."""

    scan: ScanProgress = field(default_factory=ScanProgress)
    to_read: int = 0  # printers, as far as they are known by now
    read: int = 0  # and kept
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Failed:
    """A printer that could not be read, or a part of it, and why."""

    host: str
    reason: str
    name: str | None = None
    printer_id: int | None = None  # None: it is not known yet


@dataclass(frozen=True, slots=True)
class Skipped:
    """Who is there and was not taken, and why."""

    host: str
    reason: str


class _Unwanted(Exception):
    """A printer that nobody may take; the text says why."""


class _Fault(Exception):
    """Reading it met a fault of the Plug's own."""


class Asking:
    """What is asked during one run, and what came of it."""

    def __init__(
        self,
        db: sqlite3.Connection,
        clock: Callable[[], datetime],
        exclusions: Exclusions,
        known: Sequence[KnownPrinter],
        *,
        progress: Progress,
        endpoint: SnmpEndpoint,
        keeper: Keeper,
    ) -> None:
        self.read: dict[int, Cost] = {}  # by printer
        self.failed: list[Failed] = []
        self.incomplete: list[Failed] = []  # read, but not in all parts: their last values stay
        self.skipped: list[Skipped] = []
        self._db, self._clock, self._exclusions, self._progress = db, clock, exclusions, progress
        self._endpoint, self._keeper = endpoint, keeper
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._met: set[tuple[str, int]] = set()
        self._by_address = {_place(printer.target): printer for printer in known}
        self._by_serial = {_serial(printer.identity): printer for printer in known}

    async def known(self, printer: KnownPrinter, *, full: bool = False) -> None:
        """A known printer, at its address or by its name; `full`: whatever was remembered of it."""
        excluded = self._exclusions.excludes_printer(printer.target, printer.identity, printer.sys_name)
        if not printer.ignore and not excluded:
            await self._one(printer.target, printer, _where, full=full)

    async def met(self, answer: ProbeResult) -> None:
        """Somebody who answered the scan."""
        target = answer.target
        if _place(target) in self._met:
            return  # the same printer, with another community
        printer = self._by_address.get(_place(target)) or self._by_serial.get(_serial(answer.identity))
        if not answer.is_printer:
            self.skipped.append(Skipped(target.host, f"no printer: {answer.description or 'no description'}"))
        elif self._exclusions.excludes_identity(answer.identity):
            self.skipped.append(Skipped(target.host, "excluded"))
        else:
            self._met.add(_place(target))
            await self._one(target, printer, _called)

    def has_met(self, target: Target) -> bool:
        return _place(target) in self._met

    async def resolved(self, target: Target) -> Target | None:
        """A discovery entry's name as the address that it has now."""
        try:
            async with self._turns:
                target = await entries.resolve_target(target)
        except NameNotResolvedError as error:
            self.failed.append(Failed(target.host, str(error), target.name))
            return None
        return None if self._exclusions.excludes(target) else target

    async def _one(
        self,
        target: Target,
        printer: KnownPrinter | None,
        locate: Callable[[Target], Awaitable[Target]],
        *,
        full: bool = False,
    ) -> None:
        self._progress.to_read += 1
        try:
            async with self._turns:
                target = await locate(target)
                reading = await self._ask(target, printer, full=full)
            printer_id = await self._keeper.keep(reading)
        except _Unwanted as why:
            self.skipped.append(Skipped(target.host, str(why)))
            self._progress.to_read -= 1
        except (NameNotResolvedError, PollError, NotKept, _Fault) as error:
            await self._fail(target, printer, str(error))
        else:
            self.read[printer_id] = reading.cost
            self._progress.read += 1
            if reading.failures:
                parts = [f"{failure.part} not read: {failure.reason}" for failure in reading.failures]
                self.incomplete.append(Failed(target.host, "; ".join(parts), target.name, printer_id))

    async def _ask(self, target: Target, printer: KnownPrinter | None, *, full: bool) -> Reading:
        if self._exclusions.excludes(target):
            raise _Unwanted("excluded")
        plan = printers.get_poll_cache(self._db, printer.id) if printer else ""
        try:
            reading = await poll_printer(self._endpoint, target, plan, self._clock(), full=full)
        except PollError:
            raise
        except Exception as error:  # a fault of ours in reading one printer must not cost the others
            log.exception("%s: cannot be read", target.host)
            raise _Fault(f"cannot be read: {type(error).__name__}") from error
        if self._exclusions.excludes_printer(reading.target, reading.identity, reading.details.name):
            raise _Unwanted("excluded")
        here = self._by_serial.get(_serial(reading.identity)) if reading.identity.serial_number else printer
        if here and here.ignore:
            raise _Unwanted("ignored")
        return reading

    async def _fail(self, target: Target, printer: KnownPrinter | None, reason: str) -> None:
        if printer:
            await self._keeper.keep_failure(printer.id, reason)
        name, printer_id = target.name, printer.id if printer else None
        self.failed.append(Failed(target.host, reason, name, printer_id))
        self._progress.failed += 1


async def _where(target: Target) -> Target:
    """Where a known printer is: printers that go by name are looked up anew each time."""
    return await entries.resolve_target(target) if target.address_by == "name" and target.name else target


async def _called(target: Target) -> Target:
    """What a printer is called that was met at its address and is to go by its name from now on."""
    return await entries.add_dns_name(target) if target.address_by == "name" and not target.name else target


def _place(target: Target) -> tuple[str, int]:
    return target.host, target.port


def _serial(identity: Identity) -> str:
    return entries.normalize_serial(identity.serial_number or "")
