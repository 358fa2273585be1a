"""A conversation with one printer: one request at a time, with deadlines, within a budget.

SnmpError
├── NoAnswer       silent after all tries, or out of reach
├── Garbled        answers, but never with anything that can be decoded
├── ErrorStatus    answers with an SNMP error
└── BudgetSpent    the seconds or packets that a printer may cost are used up
"""

import asyncio
import errno
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from appliance.domain.model import Cost
from appliance.mib.oids import Oid
from appliance.snmp import ber
from appliance.snmp.ber import Value, Varbind
from appliance.snmp.transport import Endpoint, address

__all__ = [
    "Budget",
    "BudgetSpent",
    "Endpoint",
    "ErrorStatus",
    "Garbled",
    "NoAnswer",
    "Oid",
    "Session",
    "SnmpError",
    "Value",
    "Varbind",
]

TRIES = (1.0, 2.0, 4.0)  # seconds to wait after each sending; a sleeping printer needs some to wake up
SHORTEST_WAIT = 0.5  # seconds; a table may take a printer far longer than a name
PATIENCE = 8  # times the slowest answer so far is waited for before a request counts as lost
LEAST_PATIENCE = 1.5  # times the slowest answer: who needs 1.8 s is not asked twice for everything
MOST_GARBLED = 2  # a cut-off answer is no accident the second time
MOST_REFUSED = 2  # nor is a closed port
SEND_AGAIN_AFTER = (0.01, 0.05, 0.2)  # seconds, while the system's buffer for sending is full
BUFFER_FULL = {errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM}

TOO_BIG = 1
NO_SUCH_NAME = 2
GEN_ERR = 5
NO_ACCESS = 6
AUTHORIZATION_ERROR = 16
STATUS_NAMES = {  # RFC 3416 section 3
    TOO_BIG: "tooBig",
    NO_SUCH_NAME: "noSuchName",
    3: "badValue",
    GEN_ERR: "genErr",
    NO_ACCESS: "noAccess",
    13: "resourceUnavailable",
    AUTHORIZATION_ERROR: "authorizationError",
}


class SnmpError(Exception):
    """A request that led to no values."""


class NoAnswer(SnmpError):
    """Silent after all tries, or out of reach."""


class Garbled(SnmpError):
    """It answered, but never with anything that can be decoded."""


class BudgetSpent(SnmpError):
    """The printer's budget of seconds or packets is used up."""


class ErrorStatus(SnmpError):
    """The agent's own error: a status of RFC 3416, with the place of the object it means, counted from 1."""

    def __init__(self, status: int, index: int) -> None:
        super().__init__(f"{STATUS_NAMES.get(status, f'error {status}')} at object {index}")
        self.status = status
        self.index = index


@dataclass(frozen=True, slots=True)
class Budget:
    """What one printer may cost before it is given up."""

    seconds: float = 60.0
    packets: int = 400  # both ways


class Session:
    """One printer; requests that are made at the same time wait for each other."""

    def __init__(
        self,
        endpoint: Endpoint,
        host: str,
        *,
        port: int = 161,
        community: str = "public",
        version: Literal["1", "2"] = "2",
        tries: Sequence[float] = TRIES,
        budget: Budget = Budget(),
    ) -> None:
        self.version: Literal["1", "2"] = version
        self.tries = tuple(tries)
        self.largest_response = 0  # octets of UDP payload
        self.strays = 0  # datagrams from the printer that answered nothing
        self._endpoint = endpoint
        self._address = address(host, port)
        self._community = community
        self._budget = budget
        self._packets = 0
        self._bytes = 0
        self._started: float | None = None  # the clock runs from the first request on
        self._slowest: float | None = None  # seconds that an answer took
        self._late: float | None = None  # the same, of an answer that may belong to an earlier sending
        self._garbled = self._refused = 0
        self._answer: asyncio.Future[ber.Message | None] | None = None
        self._turn = asyncio.Lock()

    @property
    def cost(self) -> Cost:
        return Cost(self._packets, self._bytes, self._seconds())

    async def get(self, oids: Sequence[Oid]) -> list[Varbind]:
        """The objects as they are; what the agent says about others is not taken."""
        asked = set(oids)
        return [varbind for varbind in await self._ask("get", oids) if varbind.oid in asked]

    async def get_next(self, oids: Sequence[Oid]) -> list[Varbind]:
        """Each object's successor; whether it really comes later is for the caller to check."""
        return await self._ask("get_next", oids)

    async def get_bulk(
        self, oids: Sequence[Oid], *, max_repetitions: int, non_repeaters: int = 0
    ) -> list[Varbind]:
        """Successors in turns; whether they really increase is for the caller to check."""
        if self.version == "1":
            raise ValueError("SNMP v1 has no GETBULK")
        return await self._ask("get_bulk", oids, non_repeaters, max_repetitions)

    async def _ask(
        self, kind: ber.Kind, oids: Sequence[Oid], non_repeaters: int = 0, max_repetitions: int = 0
    ) -> list[Varbind]:
        async with self._turn:
            request_id = random.randint(ber.FIRST_REQUEST_ID, ber.LAST_REQUEST_ID)
            data = ber.request(
                kind,
                oids,
                version=self.version,
                community=self._community,
                request_id=request_id,
                non_repeaters=non_repeaters,
                max_repetitions=max_repetitions,
            )
            message = await self._exchange(data, request_id)
        if message.error_status:
            raise ErrorStatus(message.error_status, message.error_index)
        return message.varbinds

    async def _exchange(self, data: bytes, request_id: int) -> ber.Message:
        strays = self.strays
        self._garbled = self._refused = 0
        self._endpoint.listen(self._address.peer, request_id, self)
        began = time.monotonic()
        try:
            for number, seconds in enumerate(self._waits()):
                message = await self._try(data, seconds)
                if message is not None:
                    took = time.monotonic() - began
                    if number == 0:  # after a second sending nobody can tell which one was answered
                        self._slowest = max(self._slowest or 0.0, took)
                    else:
                        self._late = took
                    return message
                if self._garbled >= MOST_GARBLED or self._refused >= MOST_REFUSED:
                    break
        finally:
            self._endpoint.forget(self._address.peer, request_id)
        self._seconds_left()
        if self._garbled or self.strays > strays:
            raise Garbled("answers, but not with what was asked")
        raise NoAnswer(f"port {self._address.peer[1]} is closed" if self._refused else "silent")

    async def _try(self, data: bytes, seconds: float) -> ber.Message | None:
        """One sending; None after `seconds` of silence, or sooner after rubbish or a refusal."""
        seconds = min(seconds, self._seconds_left())
        if self._packets >= self._budget.packets:
            raise BudgetSpent(f"took more than {self._budget.packets} packets")
        self._answer = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds):
                await self._send(data)
                return await self._answer
        except TimeoutError:
            return None

    async def _send(self, data: bytes) -> None:
        for pause in (*SEND_AGAIN_AFTER, None):
            try:
                self._endpoint.send(data, self._address)
            except OSError as error:
                if error.errno not in BUFFER_FULL:
                    raise NoAnswer(f"out of reach: {error.strerror}") from error
                if pause is None:
                    return  # as good as lost on the way: the next try comes
                await asyncio.sleep(pause)
            else:
                self._packets += 1
                self._bytes += len(data)
                return

    def heard(self, message: ber.Message, size: int) -> None:
        self._count(size)
        self.largest_response = max(self.largest_response, size)
        self._settle(message)

    def misheard(self, size: int, *, mine: bool) -> None:
        self._count(size)
        if mine:
            self._garbled += 1
            self._settle(None)
        else:
            self.strays += 1

    def refused(self) -> None:
        self._refused += 1
        self._settle(None)

    def _count(self, size: int) -> None:
        self._packets += 1
        self._bytes += size

    def _settle(self, message: ber.Message | None) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_result(message)

    def _waits(self) -> tuple[float, ...]:
        """The tries as this printer needs them: shortened in proportion, none below its slowest answer."""
        took = self._slowest or self._late
        if took is None or not self.tries:
            return self.tries
        least = min(LEAST_PATIENCE * took, self.tries[-1])
        if self._slowest is None:
            return tuple(max(seconds, least) for seconds in self.tries)
        shortened = min(1.0, max(SHORTEST_WAIT, PATIENCE * self._slowest) / self.tries[0])
        return tuple(max(seconds * shortened, least) for seconds in self.tries)

    def _seconds(self) -> float:
        return 0.0 if self._started is None else time.monotonic() - self._started

    def _seconds_left(self) -> float:
        if self._started is None:
            self._started = time.monotonic()
        left = self._budget.seconds - self._seconds()
        if left <= 0:
            raise BudgetSpent(f"took longer than {self._budget.seconds:g} s")
        return left
