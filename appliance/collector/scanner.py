"""One socket asks thousands of addresses at a steady pace, for a stream of who answers.

Nothing is asked faster than `packets_per_second`, retries included. Targets are taken from the iterator as
the pace allows, so that a scan of 65,536 addresses holds only those that are being waited for. An answer
that comes late still counts while the scan runs, an answer that nobody asked for does not.
"""

import asyncio
import heapq
import itertools
import logging
import random
from collections import deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

from appliance.collector.probe import Answer, Probe
from appliance.domain.model import Target
from appliance.snmp import ber
from appliance.snmp.transport import Address, Endpoint, address

__all__ = ["Answer", "Progress", "answering"]

log = logging.getLogger(__name__)

TIME_OUT = 1.0  # seconds that a question waits for its answer
BURST = 8  # datagrams that may follow each other at once after a delay of our own
TIME_OUTS_LATE = 4  # new addresses come before retries, unless those are so many time-outs late: in a small
# network everybody is asked early, in a large one only so many addresses are waited for at once
TIME_OUTS_LISTENED = 10  # an address may still answer after its last question, while the scan runs


@dataclass(slots=True)
class Progress:
    """How far a scan has come, updated while it runs."""

    total: int | None = None
    asked: int = 0
    answered: int = 0
    printers: int = 0


async def answering(
    targets: Iterable[Target],
    packets_per_second: int,
    progress: Progress | None = None,
    *,
    time_out: float = TIME_OUT,
) -> AsyncIterator[Answer]:
    """Everybody who answers, once per target; close the iterator (`aclosing`) to end a scan early."""
    async with Endpoint() as endpoint:
        scan = _Scan(endpoint, targets, packets_per_second, progress or Progress(), time_out)
        while True:
            if scan.answers:
                yield scan.answers.popleft()
                continue
            pause = scan.go_on()
            if scan.answers:
                continue
            if pause is None:
                return
            await scan.sleep(pause)


@dataclass(slots=True, eq=False)
class _Asked:
    """An address in the course of the scan."""

    scan: "_Scan"
    probe: Probe
    address: Address
    request_id: int
    turn: int = 0  # counts questions and retries: a deadline of an earlier turn means nothing
    active: bool = True  # False: it had its last question

    def heard(self, message: ber.Message, size: int) -> None:  # noqa: ARG002
        self.scan.answered(self, message)

    def misheard(self, size: int, *, mine: bool) -> None:
        pass  # no answer; the time-out will tell

    def refused(self) -> None:
        self.scan.refused(self)


@dataclass(slots=True)
class _Pace:
    """One datagram per interval; time that was slept through is made up for by a small burst."""

    interval: float
    due: float = field(default=0.0)

    def take(self, now: float) -> None:
        self.due = max(self.due, now - BURST * self.interval) + self.interval


class _Scan:
    def __init__(
        self,
        endpoint: Endpoint,
        targets: Iterable[Target],
        packets_per_second: int,
        progress: Progress,
        time_out: float,
    ) -> None:
        self.answers: deque[Answer] = deque()
        self._endpoint = endpoint
        self._targets = iter(targets)
        self._more_targets = True
        self._progress = progress
        self._time_out = time_out
        self._active = 0  # addresses that are waited for
        self._urgent: deque[_Asked] = deque()  # next questions to those who answered
        self._deadlines: list[tuple[float, int, int, _Asked]] = []  # with turn; a heap
        self._number = itertools.count()
        self._pace = _Pace(1 / packets_per_second)
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()

    def go_on(self) -> float | None:
        """Does what is due now; returns the seconds until there is more to do, None at the end."""
        now = self._loop.time()
        if self._pace.due > now:
            return self._pace.due - now
        asked = self._next(now)
        if asked:
            self._ask(asked, now)
            return 0.0
        if not self._active:
            return None
        return max(0.0, self._deadlines[0][0] - now) if self._deadlines else self._time_out

    async def sleep(self, seconds: float) -> None:
        """Until then, or until somebody answers."""
        if seconds <= 0:
            await asyncio.sleep(0)  # everybody else has a turn, whatever the pace
            return
        self._woken.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            pass

    def _next(self, now: float) -> _Asked | None:
        while self._urgent:
            asked = self._urgent.popleft()
            if asked.active:
                return asked
        return self._overdue(now - TIME_OUTS_LATE * self._time_out) or self._new() or self._overdue(now)

    def _new(self) -> _Asked | None:
        while self._more_targets:
            target = next(self._targets, None)
            if target is None:
                self._more_targets = False
                break
            self._progress.asked += 1
            try:
                where = address(target.host, target.port)
            except ValueError:
                log.warning("%s: no address, not scanned", target.host)
                continue
            self._active += 1
            return _Asked(self, Probe(target), where, _request_id())
        return None

    def _overdue(self, since: float) -> _Asked | None:
        while self._deadlines and self._deadlines[0][0] <= since:
            _, _, turn, asked = heapq.heappop(self._deadlines)
            if turn != asked.turn:
                continue  # answered meanwhile
            if not asked.active:
                self._forget(asked)
                continue
            asked.probe.silent()
            if self._moved_on(asked):
                return asked
        return None

    def _ask(self, asked: _Asked, now: float) -> None:
        question = asked.probe.question
        if question is None:
            return
        data = ber.request(
            "get_next",
            question.objects,
            version=question.version,
            community=asked.probe.target.community_read,
            request_id=asked.request_id,
        )
        asked.turn += 1
        self._pace.take(now)
        self._endpoint.listen(asked.address.peer, asked.request_id, asked)
        try:
            self._endpoint.send(data, asked.address)
        except BlockingIOError:
            pass  # as good as lost on the way
        except OSError as error:
            log.debug("%s: cannot be asked: %s", asked.probe.target.host, error.strerror)
            self.refused(asked)
            return
        self._wait(asked, now + self._time_out)

    def _wait(self, asked: _Asked, until: float) -> None:
        heapq.heappush(self._deadlines, (until, next(self._number), asked.turn, asked))

    def answered(self, asked: _Asked, message: ber.Message) -> None:
        if not asked.active:  # late
            asked.active = True
            self._active += 1
        asked.probe.answered(message)
        asked.turn += 1
        asked.request_id = _request_id()  # a second answer to the last question is none to the next
        if self._moved_on(asked):
            self._urgent.append(asked)
        self._woken.set()

    def refused(self, asked: _Asked) -> None:
        asked.turn += 1
        self._forget(asked)
        self._finish(asked)
        self._woken.set()

    def _moved_on(self, asked: _Asked) -> bool:
        """Whether there is another question; if not, the address is done with."""
        if asked.probe.question:
            return True
        self._finish(asked)
        if asked.probe.version is None:
            self._wait(asked, self._loop.time() + TIME_OUTS_LISTENED * self._time_out)
        return False

    def _finish(self, asked: _Asked) -> None:
        self._active -= asked.active
        asked.active = False
        answer = asked.probe.answer()
        if answer:
            self._forget(asked)
            self._progress.answered += 1
            self._progress.printers += answer.is_printer
            self.answers.append(answer)

    def _forget(self, asked: _Asked) -> None:
        self._endpoint.forget(asked.address.peer, asked.request_id)


def _request_id() -> int:
    return random.randint(ber.FIRST_REQUEST_ID, ber.LAST_REQUEST_ID)
