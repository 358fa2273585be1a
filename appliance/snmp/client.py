"""A conversation with one printer: one request at a time, with deadlines, within a budget."""

import asyncio
import errno
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from appliance.domain.model import PollCost
from appliance.mib.oids import Oid
from appliance.snmp import ber
from appliance.snmp.ber import Varbind
from appliance.snmp.errors import (
    SnmpBudgetExceededError,
    SnmpInvalidResponseError,
    SnmpNoResponseError,
    SnmpStatusError,
)
from appliance.snmp.transport import SnmpEndpoint, parse_agent_address

TRY_TIMEOUTS_S = (
    1.0,
    2.0,
    4.0,
)  # seconds to wait after each sending; a sleeping printer needs some to wake up
MIN_TIMEOUT_S = 0.5  # seconds; a table may take a printer far longer than a name
TIMEOUT_FACTOR = 8  # times the slowest answer so far is waited for before a request counts as lost
MIN_TIMEOUT_FACTOR = 1.5  # times the slowest answer: who needs 1.8 s is not asked twice for everything
MAX_INVALID_RESPONSES = 2  # a cut-off answer is no accident the second time
MAX_PORT_UNREACHABLE = 2  # nor is a closed port
SEND_RETRY_DELAYS_S = (0.01, 0.05, 0.2)  # seconds, while the system's buffer for sending is full
BUFFER_FULL_ERRNOS = {errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM}


@dataclass(frozen=True, slots=True)
class SnmpBudget:
    """What one printer may cost before it is given up."""

    seconds: float = 60.0
    packets: int = 400  # both ways


class SnmpSession:
    """One printer; requests that are made at the same time wait for each other."""

    def __init__(
        self,
        endpoint: SnmpEndpoint,
        host: str,
        *,
        port: int = 161,
        community: str = "public",
        version: Literal["1", "2"] = "2",
        tries: Sequence[float] = TRY_TIMEOUTS_S,
        budget: SnmpBudget = SnmpBudget(),
    ) -> None:
        self.version: Literal["1", "2"] = version
        self.tries = tuple(tries)
        self.unmatched_datagrams = 0  # datagrams from the printer that answered nothing
        self._endpoint = endpoint
        self._address = parse_agent_address(host, port)
        self._community = community
        self._budget = budget
        self._packets = 0
        self._bytes = 0
        self._started: float | None = None  # the clock runs from the first request on
        self._slowest_response_s: float | None = None  # seconds that an answer took
        self._late_response_s: float | None = (
            None  # the same, of an answer that may belong to an earlier sending
        )
        self._invalid_responses = self._port_unreachable_count = 0
        self._response_future: asyncio.Future[ber.DecodedMessage | None] | None = None
        self._lock = asyncio.Lock()

    @property
    def cost(self) -> PollCost:
        return PollCost(self._packets, self._bytes, self._elapsed_s())

    async def get(self, oids: Sequence[Oid]) -> list[Varbind]:
        """The objects as they are; what the agent says about others is not taken."""
        asked = set(oids)
        return [varbind for varbind in await self._request("get", oids) if varbind.oid in asked]

    async def get_next(self, oids: Sequence[Oid]) -> list[Varbind]:
        """Each object's successor; whether it really comes later is for the caller to check."""
        return await self._request("get_next", oids)

    async def get_bulk(self, oids: Sequence[Oid], *, max_repetitions: int) -> list[Varbind]:
        """Successors in turns; whether they really increase is for the caller to check."""
        if self.version == "1":
            raise ValueError("SNMP v1 has no GETBULK")
        return await self._request("get_bulk", oids, max_repetitions)

    async def _request(
        self, kind: ber.RequestKind, oids: Sequence[Oid], max_repetitions: int = 0
    ) -> list[Varbind]:
        async with self._lock:
            request_id = random.randint(ber.MIN_REQUEST_ID, ber.MAX_REQUEST_ID)
            data = ber.encode_request(
                kind,
                oids,
                version=self.version,
                community=self._community,
                request_id=request_id,
                max_repetitions=max_repetitions,
            )
            message = await self._exchange(data, request_id)
        if message.error_status:
            raise SnmpStatusError(message.error_status, message.error_index)
        return message.varbinds

    async def _exchange(self, data: bytes, request_id: int) -> ber.DecodedMessage:
        strays = self.unmatched_datagrams
        self._invalid_responses = self._port_unreachable_count = 0
        self._endpoint.add_listener(self._address.peer, request_id, self)
        began = time.monotonic()
        try:
            for number, seconds in enumerate(self._adaptive_timeouts()):
                message = await self._send_and_wait(data, seconds)
                if message is not None:
                    took = time.monotonic() - began
                    if number == 0:  # after a second sending nobody can tell which one was answered
                        self._slowest_response_s = max(self._slowest_response_s or 0.0, took)
                    else:
                        self._late_response_s = took
                    return message
                if (
                    self._invalid_responses >= MAX_INVALID_RESPONSES
                    or self._port_unreachable_count >= MAX_PORT_UNREACHABLE
                ):
                    break
        finally:
            self._endpoint.remove_listener(self._address.peer, request_id)
        self._remaining_s()
        if self._invalid_responses or self.unmatched_datagrams > strays:
            raise SnmpInvalidResponseError("answers, but not with what was asked")
        raise SnmpNoResponseError(
            f"port {self._address.peer[1]} is closed" if self._port_unreachable_count else "silent"
        )

    async def _send_and_wait(self, data: bytes, timeout_s: float) -> ber.DecodedMessage | None:
        """One sending; None after `seconds` of silence, or sooner after rubbish or a refusal."""
        timeout_s = min(timeout_s, self._remaining_s())
        if self._packets >= self._budget.packets:
            raise SnmpBudgetExceededError(f"took more than {self._budget.packets} packets")
        self._response_future = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout_s):
                await self._send(data)
                return await self._response_future
        except TimeoutError:
            return None

    async def _send(self, data: bytes) -> None:
        for pause in (*SEND_RETRY_DELAYS_S, None):
            try:
                self._endpoint.send(data, self._address)
            except OSError as error:
                if error.errno not in BUFFER_FULL_ERRNOS:
                    raise SnmpNoResponseError(f"out of reach: {error.strerror}") from error
                if pause is None:
                    return  # as good as lost on the way: the next try comes
                await asyncio.sleep(pause)
            else:
                self._packets += 1
                self._bytes += len(data)
                return

    def on_response(self, message: ber.DecodedMessage, size: int) -> None:
        self._count_datagram(size)
        self._resolve_response(message)

    def on_invalid_datagram(self, size: int, *, matches_request: bool) -> None:
        self._count_datagram(size)
        if matches_request:
            self._invalid_responses += 1
            self._resolve_response(None)
        else:
            self.unmatched_datagrams += 1

    def on_port_unreachable(self) -> None:
        self._port_unreachable_count += 1
        self._resolve_response(None)

    def _count_datagram(self, size: int) -> None:
        self._packets += 1
        self._bytes += size

    def _resolve_response(self, message: ber.DecodedMessage | None) -> None:
        if self._response_future and not self._response_future.done():
            self._response_future.set_result(message)

    def _adaptive_timeouts(self) -> tuple[float, ...]:
        """The tries as this printer needs them: shortened in proportion, none below its slowest answer."""
        took = self._slowest_response_s or self._late_response_s
        if took is None or not self.tries:
            return self.tries
        least = min(MIN_TIMEOUT_FACTOR * took, self.tries[-1])
        if self._slowest_response_s is None:
            return tuple(max(seconds, least) for seconds in self.tries)
        shortened = min(1.0, max(MIN_TIMEOUT_S, TIMEOUT_FACTOR * self._slowest_response_s) / self.tries[0])
        return tuple(max(seconds * shortened, least) for seconds in self.tries)

    def _elapsed_s(self) -> float:
        return 0.0 if self._started is None else time.monotonic() - self._started

    def _remaining_s(self) -> float:
        if self._started is None:
            self._started = time.monotonic()
        left = self._budget.seconds - self._elapsed_s()
        if left <= 0:
            raise SnmpBudgetExceededError(f"took longer than {self._budget.seconds:g} s")
        return left
