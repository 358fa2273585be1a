"""Values of one printer, in the largest requests that its agent answers.

An agent may refuse a request for many reasons that concern only one object of it or only its size. Here each
refusal costs the objects that caused it, and what the agent bears is kept in `Limits`:

- tooBig, or silence on a request while a small one is answered: the request is halved, smaller ones follow;
- noSuchName of v1, genErr: the object at fault is left out, the others are asked again;
- an error without a place: the request is halved until the place is known;
- GETBULK that fails or does not do what it should: GETNEXT from then on.
"""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from appliance.collector.errors import AgentLostError, CommunityRejectedError
from appliance.mib import oids
from appliance.mib.oids import Oid
from appliance.snmp.ber import Varbind
from appliance.snmp.client import SnmpSession
from appliance.snmp.constants import (
    AUTHORIZATION_ERROR,
    END_OF_MIB_VIEW,
    FIRST_EXCEPTION_TAG,
    NO_ACCESS,
    NO_SUCH_NAME,
    TOO_BIG,
)
from appliance.snmp.errors import SnmpError, SnmpInvalidResponseError, SnmpNoResponseError, SnmpStatusError

# Estimated bytes of a response. A datagram of 1,472 bytes fits into one Ethernet frame; the rest is for texts
# that are longer than usual.
MAX_RESPONSE_BYTES = 1_200
MAX_OBJECTS_PER_REQUEST = 120  # in one request; more than this would not fit into a datagram anyway
MAX_BULK_REPETITIONS = 25  # no table of a usual printer is longer, and agents were seen to fail on more
MAX_ERRORS_PER_COLUMN = 3  # objects of one column that fail before the rest of the column is given up
VARBIND_OVERHEAD_BYTES = 8  # bytes of a varbind besides the arcs of its name and its value


@dataclass(slots=True)
class AgentLimits:
    """What an agent bears; remembered in the plan."""

    supports_bulk: bool = True
    max_response_bytes: int = MAX_RESPONSE_BYTES
    max_objects: int = MAX_OBJECTS_PER_REQUEST


class ObjectRequest(NamedTuple):
    """One object to send: its name, the bytes that the answer may take, and the column that it stands for."""

    oid: Oid
    size_bytes: int
    column: Oid


Batch = list[ObjectRequest]
FetchedVarbinds = dict[
    Oid, Varbind | None
]  # asked → what came; None: nothing there; absent: could not be learned


def estimate_varbind_bytes(oid: Oid, value_bytes: int) -> int:
    """The bytes of a varbind with a value of this size."""
    return len(oid) + VARBIND_OVERHEAD_BYTES + value_bytes


class RequestBatcher:
    """One printer's answers."""

    def __init__(self, session: SnmpSession, limits: AgentLimits) -> None:
        self.session = session
        self.limits = limits
        self.has_answered = False
        # The largest request that was answered, in bytes of its response and in objects: silence on a smaller
        # one has another reason.
        self._largest_answered_bytes = self._largest_answered_objects = 0
        # The last of the tries is kept for a small request: perhaps only the size of the first one is wrong.
        self._full_tries = session.tries
        session.tries = session.tries[:-1] or session.tries
        self._errors: Counter[Oid] = Counter()
        self.backward_successors: dict[Oid, Oid] = {}  # successors that come no later in the MIB

    def objects_per_request(self, object_bytes: int) -> int:
        """How many objects of this weight go into one request."""
        return max(1, min(self.limits.max_objects, self.limits.max_response_bytes // object_bytes))

    @property
    def uses_bulk(self) -> bool:
        return self.limits.supports_bulk and self.session.version == "2"

    async def fetch_successors(self, requests: Sequence[ObjectRequest]) -> FetchedVarbinds:
        """What comes after each object. A successor that does not come later in the MIB is no successor."""
        return await self._fetch_all("get_next", requests)

    async def fetch_values(self, requests: Sequence[ObjectRequest]) -> FetchedVarbinds:
        """The objects themselves."""
        return await self._fetch_all("get", requests)

    async def fetch_bulk(self, starts: Sequence[Oid], repetitions: int) -> list[list[Varbind]] | None:
        """What comes after each object, `repetitions` times over, unchecked; None if GETBULK failed."""
        try:
            varbinds = await self.session.get_bulk(starts, max_repetitions=repetitions)
        except SnmpStatusError:
            self.limits.supports_bulk = False
            return None
        except (SnmpNoResponseError, SnmpInvalidResponseError) as error:
            await self._check_alive(error)
            self.limits.supports_bulk = False
            return None
        if repetitions > 1 and len(varbinds) <= len(starts) and not self._is_full_response(varbinds):
            self.limits.supports_bulk = False  # one repetition at a time is no better than GETNEXT
        return [varbinds[at :: len(starts)] for at in range(len(starts))]

    def _is_full_response(self, varbinds: Sequence[Varbind]) -> bool:
        """Whether the response was as large as it may be, rather than cut short for no reason."""
        return (
            sum(estimate_varbind_bytes(varbind.oid, 3) for varbind in varbinds)
            > self.limits.max_response_bytes // 2
        )

    async def _fetch_all(
        self, kind: Literal["get", "get_next"], requests: Sequence[ObjectRequest]
    ) -> FetchedVarbinds:
        found: FetchedVarbinds = {}
        waiting = deque(self._pack_batches(requests))
        while waiting:
            batch = [ask for ask in waiting.popleft() if self._errors[ask.column] < MAX_ERRORS_PER_COLUMN]
            if not batch:
                continue
            if len(batch) > 1 and not self._fits_in_request(batch):  # a request before it was too large
                waiting.extendleft(reversed(self._pack_batches(batch)))
                continue
            waiting.extendleft(reversed(await self._send_batch(kind, batch, found)))
        return found

    async def _send_batch(
        self, kind: Literal["get", "get_next"], batch: Batch, found: FetchedVarbinds
    ) -> list[Batch]:
        """Sends one request; what is still to be asked comes back."""
        names = [ask.oid for ask in batch]
        try:
            if kind == "get":
                varbinds = await self.session.get(names)
            else:
                varbinds = await self.session.get_next(names)
        except SnmpStatusError as error:
            return self._handle_error_status(kind, error, batch, found)
        except (SnmpNoResponseError, SnmpInvalidResponseError) as error:
            return await self._handle_no_response(batch, error)
        self._mark_answered()
        self._largest_answered_bytes = max(self._largest_answered_bytes, _batch_bytes(batch))
        self._largest_answered_objects = max(self._largest_answered_objects, len(batch))
        if kind == "get":
            found.update(
                (varbind.oid, None if varbind.tag >= FIRST_EXCEPTION_TAG else varbind) for varbind in varbinds
            )
            return []
        for ask, varbind in zip(batch, varbinds, strict=False):
            if varbind.tag == END_OF_MIB_VIEW:
                found[ask.oid] = None
            elif varbind.oid > ask.oid:
                found[ask.oid] = varbind
            else:
                self.backward_successors[ask.oid] = varbind.oid
        missing = batch[len(varbinds) :]
        return [missing] if missing and varbinds else []

    def _handle_error_status(
        self, kind: str, error: SnmpStatusError, batch: Batch, found: FetchedVarbinds
    ) -> list[Batch]:
        if error.status in {AUTHORIZATION_ERROR, NO_ACCESS} and not self.has_answered:
            raise CommunityRejectedError from error
        self._mark_answered()
        if error.status == TOO_BIG or not 1 <= error.index <= len(batch):
            self._lower_limits(batch)
            return self._split_or_give_up(batch)
        at_fault = batch[error.index - 1]
        rest = batch[: error.index - 1] + batch[error.index :]
        if error.status != NO_SUCH_NAME:
            self._errors[at_fault.column] += 1
        elif kind == "get":
            found[at_fault.oid] = None
        else:  # the end of the MIB: nothing comes after later objects either
            found.update((ask.oid, None) for ask in batch if ask.oid >= at_fault.oid)
            rest = [ask for ask in rest if ask.oid < at_fault.oid]
        return [rest] if rest else []

    async def _handle_no_response(self, batch: Batch, error: SnmpError) -> list[Batch]:
        await self._check_alive(error)
        self._lower_limits(batch)
        return self._split_or_give_up(batch)

    def _lower_limits(self, batch: Batch) -> None:
        """The next requests are smaller, but not below what was answered: then one long text was at fault."""
        estimate = _batch_bytes(batch)
        if estimate > self._largest_answered_bytes:
            self.limits.max_response_bytes = min(
                self.limits.max_response_bytes, max(self._largest_answered_bytes, estimate // 2)
            )
        if len(batch) > self._largest_answered_objects:
            self.limits.max_objects = min(
                self.limits.max_objects, max(self._largest_answered_objects, (len(batch) + 1) // 2)
            )

    def _split_or_give_up(self, batch: Batch) -> list[Batch]:
        if len(batch) == 1:  # nothing is left to leave out: this object cannot be asked
            self._errors[batch[0].column] += 1
            return []
        return _split_batch(batch)

    def _mark_answered(self) -> None:
        if not self.has_answered:
            self.has_answered = True
            self.session.tries = self._full_tries

    async def _check_alive(self, error: SnmpError) -> None:
        """One small question. Raises the error at hand if the printer has never answered, else Gone."""
        if not self.has_answered:
            self.session.tries = self._full_tries[-1:]
        try:
            await self.session.get_next([oids.SYS_UP_TIME])
        except (SnmpNoResponseError, SnmpInvalidResponseError) as silence:
            if self.has_answered:
                raise AgentLostError from silence
            raise error from silence
        except SnmpStatusError:
            pass
        self._mark_answered()

    def _fits_in_request(self, batch: Batch) -> bool:
        return len(batch) <= self.limits.max_objects and _batch_bytes(batch) <= self.limits.max_response_bytes

    def _pack_batches(self, requests: Sequence[ObjectRequest]) -> list[Batch]:
        batches: list[Batch] = []
        room = 0
        for ask in requests:
            if not batches or ask.size_bytes > room or len(batches[-1]) >= self.limits.max_objects:
                batches.append([])
                room = self.limits.max_response_bytes
            batches[-1].append(ask)
            room -= ask.size_bytes
        return batches


def _batch_bytes(batch: Batch) -> int:
    return sum(ask.size_bytes for ask in batch)


def _split_batch(batch: Batch) -> list[Batch]:
    middle = (len(batch) + 1) // 2
    return [half for half in (batch[:middle], batch[middle:]) if half]
