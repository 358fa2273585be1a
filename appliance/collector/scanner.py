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

from appliance.collector.probe import Probe, ProbeResult
from appliance.domain.model import Target
from appliance.snmp import ber
from appliance.snmp.transport import AgentAddress, SnmpEndpoint, parse_agent_address

__all__ = ["ProbeResult", "ScanProgress", "scan_targets"]

log = logging.getLogger(__name__)

PROBE_TIMEOUT_S = 1.0  # seconds that a question waits for its answer
MAX_BURST_DATAGRAMS = 8  # datagrams that may follow each other at once after a delay of our own
MAX_LATE_TIMEOUTS = (
    4  # new addresses come before retries, unless those are so many time-outs late: in a small
)
# network everybody is asked early, in a large one only so many addresses are waited for at once
LISTEN_TIMEOUTS = 10  # an address may still answer after its last question, while the scan runs


@dataclass(slots=True)
class ScanProgress:
    """How far a scan has come, updated while it runs."""

    total: int | None = None
    probed: int = 0
    answered: int = 0
    printers: int = 0


async def scan_targets(
    targets: Iterable[Target],
    packets_per_second: int,
    progress: ScanProgress | None = None,
    *,
    timeout_s: float = PROBE_TIMEOUT_S,
) -> AsyncIterator[ProbeResult]:
    """Everybody who answers, once per target; close the iterator (`aclosing`) to end a scan early."""
    async with SnmpEndpoint() as endpoint:
        scan = _Scanner(endpoint, targets, packets_per_second, progress or ScanProgress(), timeout_s)
        while True:
            if scan.results:
                yield scan.results.popleft()
                continue
            pause = scan.send_due()
            if scan.results:
                continue
            if pause is None:
                return
            await scan.sleep(pause)


@dataclass(slots=True, eq=False)
class _ProbedAddress:
    """An address in the course of the scan."""

    scan: "_Scanner"
    probe: Probe
    address: AgentAddress
    request_id: int
    generation: int = 0  # counts questions and retries: a deadline of an earlier turn means nothing
    active: bool = True  # False: it had its last question

    def on_response(self, message: ber.DecodedMessage, size: int) -> None:  # noqa: ARG002
        self.scan.handle_response(self, message)

    def on_invalid_datagram(self, size: int, *, matches_request: bool) -> None:
        pass  # no answer; the time-out will tell

    def on_port_unreachable(self) -> None:
        self.scan.handle_port_unreachable(self)


@dataclass(slots=True)
class _Pacer:
    """One datagram per interval; time that was slept through is made up for by a small burst."""

    interval: float
    next_send: float = field(default=0.0)

    def consume(self, now: float) -> None:
        self.next_send = max(self.next_send, now - MAX_BURST_DATAGRAMS * self.interval) + self.interval


class _Scanner:
    def __init__(
        self,
        endpoint: SnmpEndpoint,
        targets: Iterable[Target],
        packets_per_second: int,
        progress: ScanProgress,
        timeout_s: float,
    ) -> None:
        self.results: deque[ProbeResult] = deque()
        self._endpoint = endpoint
        self._targets = iter(targets)
        self._more_targets = True
        self._progress = progress
        self._timeout_s = timeout_s
        self._active = 0  # addresses that are waited for
        self._follow_ups: deque[_ProbedAddress] = deque()  # next questions to those who answered
        self._deadlines: list[tuple[float, int, int, _ProbedAddress]] = []  # with turn; a heap
        self._sequence = itertools.count()
        self._pacer = _Pacer(1 / packets_per_second)
        self._loop = asyncio.get_running_loop()
        self._wake_event = asyncio.Event()

    def send_due(self) -> float | None:
        """Does what is due now; returns the seconds until there is more to do, None at the end."""
        now = self._loop.time()
        if self._pacer.next_send > now:
            return self._pacer.next_send - now
        asked = self._next_address(now)
        if asked:
            self._send_probe(asked, now)
            return 0.0
        if not self._active:
            return None
        return max(0.0, self._deadlines[0][0] - now) if self._deadlines else self._timeout_s

    async def sleep(self, seconds: float) -> None:
        """Until then, or until somebody answers."""
        if seconds <= 0:
            await asyncio.sleep(0)  # everybody else has a turn, whatever the pace
            return
        self._wake_event.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._wake_event.wait()
        except TimeoutError:
            pass

    def _next_address(self, now: float) -> _ProbedAddress | None:
        while self._follow_ups:
            asked = self._follow_ups.popleft()
            if asked.active:
                return asked
        return (
            self._next_overdue(now - MAX_LATE_TIMEOUTS * self._timeout_s)
            or self._next_target()
            or self._next_overdue(now)
        )

    def _next_target(self) -> _ProbedAddress | None:
        while self._more_targets:
            target = next(self._targets, None)
            if target is None:
                self._more_targets = False
                break
            self._progress.probed += 1
            try:
                where = parse_agent_address(target.host, target.port)
            except ValueError:
                log.warning("%s: no address, not scanned", target.host)
                continue
            self._active += 1
            return _ProbedAddress(self, Probe(target), where, _random_request_id())
        return None

    def _next_overdue(self, deadline: float) -> _ProbedAddress | None:
        while self._deadlines and self._deadlines[0][0] <= deadline:
            _, _, turn, asked = heapq.heappop(self._deadlines)
            if turn != asked.generation:
                continue  # answered meanwhile
            if not asked.active:
                self._forget(asked)
                continue
            asked.probe.handle_timeout()
            if self._has_next_request(asked):
                return asked
        return None

    def _send_probe(self, probed: _ProbedAddress, now: float) -> None:
        question = probed.probe.next_request
        if question is None:
            return
        data = ber.encode_request(
            "get_next",
            question.objects,
            version=question.version,
            community=probed.probe.target.community_read,
            request_id=probed.request_id,
        )
        probed.generation += 1
        self._pacer.consume(now)
        self._endpoint.add_listener(probed.address.peer, probed.request_id, probed)
        try:
            self._endpoint.send(data, probed.address)
        except BlockingIOError:
            pass  # as good as lost on the way
        except OSError as error:
            log.debug("%s: cannot be asked: %s", probed.probe.target.host, error.strerror)
            self.handle_port_unreachable(probed)
            return
        self._schedule_timeout(probed, now + self._timeout_s)

    def _schedule_timeout(self, probed: _ProbedAddress, deadline: float) -> None:
        heapq.heappush(self._deadlines, (deadline, next(self._sequence), probed.generation, probed))

    def handle_response(self, probed: _ProbedAddress, message: ber.DecodedMessage) -> None:
        if not probed.active:  # late
            probed.active = True
            self._active += 1
        probed.probe.handle_response(message)
        probed.generation += 1
        probed.request_id = _random_request_id()  # a second answer to the last question is none to the next
        if self._has_next_request(probed):
            self._follow_ups.append(probed)
        self._wake_event.set()

    def handle_port_unreachable(self, probed: _ProbedAddress) -> None:
        probed.generation += 1
        self._forget(probed)
        self._finish(probed)
        self._wake_event.set()

    def _has_next_request(self, probed: _ProbedAddress) -> bool:
        """Whether there is another question; if not, the address is done with."""
        if probed.probe.next_request:
            return True
        self._finish(probed)
        if probed.probe.version is None:
            self._schedule_timeout(probed, self._loop.time() + LISTEN_TIMEOUTS * self._timeout_s)
        return False

    def _finish(self, probed: _ProbedAddress) -> None:
        self._active -= probed.active
        probed.active = False
        answer = probed.probe.result()
        if answer:
            self._forget(probed)
            self._progress.answered += 1
            self._progress.printers += answer.is_printer
            self.results.append(answer)

    def _forget(self, probed: _ProbedAddress) -> None:
        self._endpoint.remove_listener(probed.address.peer, probed.request_id)


def _random_request_id() -> int:
    return random.randint(ber.MIN_REQUEST_ID, ber.MAX_REQUEST_ID)
