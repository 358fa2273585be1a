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
from appliance.domain.model import Cost, Target
from appliance.host import file_lock
from appliance.jobs.batch_poller import Asking, Failed, Progress, Skipped
from appliance.jobs.batch_writer import Keeper
from appliance.settings.schema import Config, DiscoveryConfig, Home
from appliance.snmp.transport import SnmpEndpoint
from appliance.storage import database, jobs, printers
from appliance.storage.printers import KnownPrinter

__all__ = ["Failed", "Progress", "RoundResult", "Skipped", "run_round"]

log = logging.getLogger(__name__)

TELL_SECONDS = 0.25  # between two calls of on_progress
TELLS_PER_JOB_UPDATE = 4  # the job's row is written to the memory card
MOST_NAMED = 200  # printers in a job's row; the printers' own rows name the rest

T = TypeVar("T")
Kind = Literal["query", "discover"]


@dataclass(frozen=True, slots=True)
class RoundResult:
    """What came of a run."""

    kind: Kind
    interrupted: bool
    read: tuple[int, ...]  # ids of printers
    failed: tuple[Failed, ...]
    incomplete: tuple[Failed, ...]  # read, but not in all their parts
    skipped: tuple[Skipped, ...]
    left_alone: int  # known printers that no discovery entry covers
    asked: int  # addresses by the scan
    answered: int
    cost: Cost  # of all readings together; its seconds are the run's
    parcel: outbox.Parcel | None = None
    not_handed_over: str | None = None  # why there is no parcel, if that is a fault
    delivery: dispatcher.DeliverySummary | None = None

    def summary(self) -> dict[str, object]:
        """What a job's row tells about it."""
        return {
            "read": len(self.read),
            "failed": [asdict(failed) for failed in self.failed[:MOST_NAMED]],
            "failed_total": len(self.failed),
            "incomplete": [asdict(partly) for partly in self.incomplete[:MOST_NAMED]],
            "incomplete_total": len(self.incomplete),
            "skipped": [asdict(skipped) for skipped in self.skipped[:MOST_NAMED]],
            "skipped_total": len(self.skipped),
            "left_alone": self.left_alone,
            "asked": self.asked,
            "answered": self.answered,
            "cost": asdict(self.cost),
            "parcel": self.parcel.id if self.parcel else None,
            "not_handed_over": self.not_handed_over,
        }


async def run_round(
    db: sqlite3.Connection,
    home: Home,
    config: Config,
    kind: Kind,
    *,
    job_id: int | None = None,
    clock: Callable[[], datetime] = utc_now,
    stop: asyncio.Event | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    only: Collection[int] | None = None,
    send: bool = True,
) -> RoundResult:
    """Do a run, to its end or until `stop`; what was read by then is kept.

    `only` limits a query to some printers: it waits for no other run, and nothing is handed over then. With
    `send` off the parcel is left to whoever delivers. Raises lock.Busy, BadEntry, database.Unusable.
    """
    progress = Progress()
    with file_lock.held(home.lock) if only is None else nullcontext():
        async with (
            _told(db, job_id, progress, on_progress),
            Keeper(db, clock) as keeper,
            SnmpEndpoint() as endpoint,
        ):
            exclusions = entries.Exclusions(config.discovery.exclusions)
            known = printers.list_known(db)
            asking = Asking(db, clock, exclusions, known, progress=progress, endpoint=endpoint, keeper=keeper)
            this = _Round(config.discovery, exclusions, known, asking, progress)
            work = this.discover() if kind == "discover" else this.query(only)
            finished = bool(await _until(stop, _work(work, keeper)))
        result = this.result(kind, interrupted=not finished)
        if finished and only is None:
            result = _handed_over(result, db, home, config, now=clock())
    if finished and only is None and send:
        sending = dispatcher.deliver_due(db, home, config, clock)
        result = replace(result, delivery=await _until(stop, sending))
    return result


class _Round:
    """The run while it goes on."""

    def __init__(
        self,
        settings: DiscoveryConfig,
        exclusions: Exclusions,
        known: Sequence[KnownPrinter],
        asking: Asking,
        progress: Progress,
    ) -> None:
        self._settings, self._exclusions, self._known = settings, exclusions, known
        self._asking, self._progress = asking, progress
        self._began = asyncio.get_running_loop().time()
        self._left_alone = 0

    async def query(self, only: Collection[int] | None = None) -> None:
        """The known printers, each at its address or by its name."""
        async with asyncio.TaskGroup() as tasks:
            for printer in self._known:
                if only is None or printer.id in only:
                    tasks.create_task(self._asking.known(printer))

    async def discover(self) -> None:
        """Whoever answers within the discovery entries, then the known printers there that did not."""
        coverage = entries.Coverage(self._settings.entries)
        targets = await self._targets()
        async with asyncio.TaskGroup() as tasks:
            pace = self._settings.packets_per_second
            async for answer in scanner.scan_targets(targets, pace, self._progress.scan):
                tasks.create_task(self._asking.met(answer))
        covered = [printer for printer in self._known if printer.target in coverage]
        self._left_alone = len(self._known) - len(covered)
        unmet = {printer.id for printer in covered if not self._asking.has_met(printer.target)}
        await self.query(unmet - set(self._asking.read))

    async def _targets(self) -> Iterator[Target]:
        """Names first, as they say more than the range in which their address may also lie."""
        most = self._settings.max_addresses
        listed = self._settings.entries
        names = list(entries.iter_name_targets(listed, self._exclusions, limit=most))
        found = await asyncio.gather(*map(self._asking.resolved, names))
        self._progress.scan.total = entries.count_all_targets(listed, self._exclusions, limit=most)
        return self._each_once(entries.expand_all(listed, self._exclusions, limit=most), found)

    def _each_once(self, targets: Iterable[Target], resolved: Iterable[Target | None]) -> Iterator[Target]:
        seen = set()
        for target in resolved:
            if target and (target.host, target.port, target.community_read) not in seen:
                seen.add((target.host, target.port, target.community_read))
                yield target
        for target in targets:
            if target.name is None and (target.host, target.port, target.community_read) not in seen:
                yield target

    def result(self, kind: Kind, *, interrupted: bool) -> RoundResult:
        costs = self._asking.read.values()
        seconds = asyncio.get_running_loop().time() - self._began
        return RoundResult(
            kind=kind,
            interrupted=interrupted,
            read=tuple(self._asking.read),
            failed=tuple(self._asking.failed),
            incomplete=tuple(self._asking.incomplete),
            skipped=tuple(self._asking.skipped),
            left_alone=self._left_alone,
            asked=self._progress.scan.probed,
            answered=self._progress.scan.answered,
            cost=Cost(sum(cost.packets for cost in costs), sum(cost.bytes for cost in costs), seconds),
        )


async def _work(work: Awaitable[None], keeper: Keeper) -> bool:
    """The trouble itself, where a group of tasks ends because nothing can be kept any more."""
    try:
        await work
    except ExceptionGroup:
        if keeper.trouble:
            raise keeper.trouble from None
        raise
    return True


async def _until(stop: asyncio.Event | None, work: Coroutine[None, None, T]) -> T | None:
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
async def _told(
    db: sqlite3.Connection,
    job_id: int | None,
    progress: Progress,
    on_progress: Callable[[Progress], None] | None,
) -> AsyncIterator[None]:
    """Whoever wants to know how far it is hears of it while the block runs, and at its end."""

    def tell(also_job: bool) -> None:
        if on_progress:
            on_progress(progress)
        if job_id is not None and also_job:
            jobs.update_progress(db, job_id, asdict(progress))

    async def work() -> None:
        for number in itertools.count():
            tell(also_job=number % TELLS_PER_JOB_UPDATE == 0)
            await asyncio.sleep(TELL_SECONDS)

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


def _handed_over(
    result: RoundResult, db: sqlite3.Connection, home: Home, config: Config, *, now: datetime
) -> RoundResult:
    """With a parcel of all known printers, those that were silent included, with their last values."""
    wanted = entries.drop_excluded(printers.iter_printers(db), config.discovery.exclusions)
    try:
        return replace(result, parcel=dispatcher.enqueue_printers(db, home, config, wanted, now))
    except outbox.ParcelNotStoredError as error:
        log.error("%s", error)
        return replace(result, not_handed_over=str(error))
