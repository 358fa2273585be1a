"""One run: printers are found or looked up, read, kept, and handed to the transmission."""

import asyncio
import itertools
import logging
import sqlite3
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Coroutine,
    Iterable,
    Iterator,
    Sequence,
)
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Literal, TypeVar

from appliance.collector import scanner
from appliance.delivery import dispatcher, outbox
from appliance.discovery import entries
from appliance.discovery.entries import Exclusions
from appliance.domain.clock import utc_now
from appliance.domain.messages import message_of
from appliance.domain.model import PollCost, Target
from appliance.host import file_lock
from appliance.jobs.batch_poller import BatchPoller, PrinterProblem, RunProgress, SkippedHost
from appliance.jobs.batch_writer import BatchWriter
from appliance.settings.schema import Config, DiscoveryConfig, Home
from appliance.snmp.transport import SnmpEndpoint
from appliance.storage import database, jobs, printers
from appliance.storage.printers import KnownPrinter

__all__ = ["PrinterProblem", "RunProgress", "RunResult", "SkippedHost", "execute_run"]

log = logging.getLogger(__name__)

PROGRESS_INTERVAL_S = 0.25  # between two calls of on_progress
PROGRESS_CALLS_PER_JOB_UPDATE = 4  # the job's row is written to the memory card
MAX_NAMED_PRINTERS = 200  # printers in a job's row; the printers' own rows name the rest

T = TypeVar("T")
RunKind = Literal["query", "discover"]


@dataclass(frozen=True, slots=True)
class RunResult:
    """What came of a run."""

    kind: RunKind
    interrupted: bool
    read: tuple[int, ...]  # ids of printers
    failed: tuple[PrinterProblem, ...]
    incomplete: tuple[PrinterProblem, ...]  # read, but not in all their parts
    skipped: tuple[SkippedHost, ...]
    not_covered: int  # known printers that no discovery entry covers
    probed: int  # addresses by the scan
    answered: int
    cost: PollCost  # of all readings together; its seconds are the run's
    parcel: outbox.Parcel | None = None
    enqueue_error: str | None = None  # why there is no parcel, if that is a fault
    delivery: dispatcher.DeliverySummary | None = None

    def to_job_result(self) -> dict[str, object]:
        """What a job's row tells about it."""
        return {
            "read": len(self.read),
            "failed": [asdict(failed) for failed in self.failed[:MAX_NAMED_PRINTERS]],
            "failed_total": len(self.failed),
            "incomplete": [asdict(partly) for partly in self.incomplete[:MAX_NAMED_PRINTERS]],
            "incomplete_total": len(self.incomplete),
            "skipped": [asdict(skipped) for skipped in self.skipped[:MAX_NAMED_PRINTERS]],
            "skipped_total": len(self.skipped),
            "left_alone": self.not_covered,
            "asked": self.probed,
            "answered": self.answered,
            "cost": asdict(self.cost),
            "parcel": self.parcel.id if self.parcel else None,
            "not_handed_over": self.enqueue_error,
        }


async def execute_run(
    db: sqlite3.Connection,
    home: Home,
    config: Config,
    kind: RunKind,
    *,
    job_id: int | None = None,
    clock: Callable[[], datetime] = utc_now,
    stop: asyncio.Event | None = None,
    on_progress: Callable[[RunProgress], None] | None = None,
    only: Collection[int] | None = None,
    send: bool = True,
) -> RunResult:
    """Do a run, to its end or until `stop`; what was read by then is kept.

    `only` limits a query to some printers: it waits for no other run, and nothing is handed over then. With
    `send` off the parcel is left to whoever delivers. Raises lock.Busy, BadEntry, database.Unusable.
    """
    progress = RunProgress()
    with file_lock.acquire(home.run_lock) if only is None else nullcontext():
        async with (
            _report_progress(db, job_id, progress, on_progress),
            BatchWriter(db, clock) as keeper,
            SnmpEndpoint() as endpoint,
        ):
            exclusions = entries.Exclusions(config.discovery.exclusions)
            known = printers.list_known(db)
            asking = BatchPoller(
                db, clock, exclusions, known, progress=progress, endpoint=endpoint, writer=keeper
            )
            this = _ActiveRun(config.discovery, exclusions, known, asking, progress)
            work = this.discover() if kind == "discover" else this.query(only)
            finished = bool(await _run_until_stopped(stop, _await_or_raise_write_error(work, keeper)))
        result = this.build_result(kind, interrupted=not finished)
        if finished and only is None:
            result = _enqueue_parcel(result, db, home, config, now=clock())
    if finished and only is None and send:
        sending = dispatcher.deliver_due(db, home, config, clock)
        result = replace(result, delivery=await _run_until_stopped(stop, sending))
    return result


class _ActiveRun:
    """The run while it goes on."""

    def __init__(
        self,
        settings: DiscoveryConfig,
        exclusions: Exclusions,
        known_printers: Sequence[KnownPrinter],
        batch_poller: BatchPoller,
        progress: RunProgress,
    ) -> None:
        self._settings, self._exclusions, self._known_printers = settings, exclusions, known_printers
        self._batch_poller, self._progress = batch_poller, progress
        self._started_at = asyncio.get_running_loop().time()
        self._not_covered = 0

    async def query(self, only: Collection[int] | None = None) -> None:
        """The known printers, each at its address or by its name."""
        async with asyncio.TaskGroup() as tasks:
            for printer in self._known_printers:
                if only is None or printer.id in only:
                    tasks.create_task(self._batch_poller.poll_known(printer))

    async def discover(self) -> None:
        """Whoever answers within the discovery entries, then the known printers there that did not."""
        coverage = entries.Coverage(self._settings.entries)
        targets = await self._collect_targets()
        async with asyncio.TaskGroup() as tasks:
            pace = self._settings.packets_per_second
            async for answer in scanner.scan_targets(targets, pace, self._progress.scan):
                tasks.create_task(self._batch_poller.poll_discovered(answer))
        covered = [printer for printer in self._known_printers if printer.target in coverage]
        self._not_covered = len(self._known_printers) - len(covered)
        unmet = {printer.id for printer in covered if not self._batch_poller.has_seen(printer.target)}
        await self.query(unmet - set(self._batch_poller.read))

    async def _collect_targets(self) -> Iterator[Target]:
        """Names first, as they say more than the range in which their address may also lie."""
        most = self._settings.max_addresses
        listed = self._settings.entries
        names = list(entries.iter_name_targets(listed, self._exclusions, limit=most))
        found = await asyncio.gather(*map(self._batch_poller.resolve_name, names))
        self._progress.scan.total = entries.count_all_targets(listed, self._exclusions, limit=most)
        return self._deduplicate_targets(entries.expand_all(listed, self._exclusions, limit=most), found)

    def _deduplicate_targets(
        self, targets: Iterable[Target], resolved: Iterable[Target | None]
    ) -> Iterator[Target]:
        seen = set()
        for target in resolved:
            if target and (target.host, target.port, target.community_read) not in seen:
                seen.add((target.host, target.port, target.community_read))
                yield target
        for target in targets:
            if target.name is None and (target.host, target.port, target.community_read) not in seen:
                yield target

    def build_result(self, kind: RunKind, *, interrupted: bool) -> RunResult:
        costs = self._batch_poller.read.values()
        seconds = asyncio.get_running_loop().time() - self._started_at
        return RunResult(
            kind=kind,
            interrupted=interrupted,
            read=tuple(self._batch_poller.read),
            failed=tuple(self._batch_poller.failed),
            incomplete=tuple(self._batch_poller.incomplete),
            skipped=tuple(self._batch_poller.skipped),
            not_covered=self._not_covered,
            probed=self._progress.scan.asked,
            answered=self._progress.scan.answered,
            cost=PollCost(sum(cost.packets for cost in costs), sum(cost.bytes for cost in costs), seconds),
        )


async def _await_or_raise_write_error(polling: Awaitable[None], writer: BatchWriter) -> bool:
    """The trouble itself, where a group of tasks ends because nothing can be kept any more."""
    try:
        await polling
    except ExceptionGroup:
        if writer.write_error:
            raise writer.write_error from None
        raise
    return True


async def _run_until_stopped(stop: asyncio.Event | None, work: Coroutine[None, None, T]) -> T | None:
    """What the work gives, or None where it was cancelled because `stop` was set."""
    working = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait() if stop else asyncio.Event().wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait({working})
    return None if working.cancelled() else working.result()


@asynccontextmanager
async def _report_progress(
    db: sqlite3.Connection,
    job_id: int | None,
    progress: RunProgress,
    on_progress: Callable[[RunProgress], None] | None,
) -> AsyncIterator[None]:
    """Whoever wants to know how far it is hears of it while the block runs, and at its end."""

    def tell(also_job: bool) -> None:
        if on_progress:
            on_progress(progress)
        if job_id is not None and also_job:
            jobs.update_progress(db, job_id, asdict(progress))

    async def work() -> None:
        for number in itertools.count():
            tell(also_job=number % PROGRESS_CALLS_PER_JOB_UPDATE == 0)
            await asyncio.sleep(PROGRESS_INTERVAL_S)

    telling = asyncio.create_task(work())
    try:
        yield
    finally:
        telling.cancel()
        with suppress(database.DatabaseUnavailableError):  # the run's own end tells of it
            tell(also_job=True)
        await asyncio.wait({telling})
        if not telling.cancelled():
            telling.exception()


def _enqueue_parcel(
    result: RunResult, db: sqlite3.Connection, home: Home, config: Config, *, now: datetime
) -> RunResult:
    """With a parcel of all known printers, those that were silent included, with their last values."""
    wanted = entries.drop_excluded(printers.iter_printers(db), config.discovery.exclusions)
    try:
        return replace(result, parcel=dispatcher.enqueue_printers(db, home, config, wanted, now))
    except outbox.ParcelNotStoredError as error:
        log.error("%s", error)
        return replace(result, enqueue_error=message_of(error))
