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

from appliance.mib import oids
from appliance.mib.oids import Oid
from appliance.snmp.client import ErrorStatus, Garbled, NoAnswer, Session, SnmpError, Varbind

# Estimated bytes of a response. A datagram of 1,472 bytes fits into one Ethernet frame; the rest is for texts
# that are longer than usual.
LARGEST = 1_200
MOST_OBJECTS = 120  # in one request; more than this would not fit into a datagram anyway
MOST_REPETITIONS = 25  # no table of a usual printer is longer, and agents were seen to fail on more
MOST_ERRORS = 3  # objects of one column that fail before the rest of the column is given up
OVERHEAD = 8  # bytes of a varbind besides the arcs of its name and its value

END_OF_MIB_VIEW = 130
TOO_BIG, NO_SUCH_NAME, NO_ACCESS, AUTHORIZATION_ERROR = 1, 2, 6, 16


class Gone(Exception):
    """It answered before, and now it is silent even on the smallest request."""


class Refused(Exception):
    """It answers, but not to this community."""


@dataclass(slots=True)
class Limits:
    """What an agent bears; remembered in the plan."""

    bulk: bool = True
    size: int = LARGEST
    most: int = MOST_OBJECTS


class Ask(NamedTuple):
    """One object to send: its name, the bytes that the answer may take, and the column that it stands for."""

    oid: Oid
    weight: int
    column: Oid


Batch = list[Ask]
Found = dict[Oid, Varbind | None]  # asked → what came; None: nothing there; absent: could not be learned


def weight(oid: Oid, size: int) -> int:
    """The bytes of a varbind with a value of this size."""
    return len(oid) + OVERHEAD + size


class Fetch:
    """One printer's answers."""

    def __init__(self, session: Session, limits: Limits) -> None:
        self.session = session
        self.limits = limits
        self.heard = False
        # The largest request that was answered, in bytes of its response and in objects: silence on a smaller
        # one has another reason.
        self._answered = self._answered_objects = 0
        # The last of the tries is kept for a small request: perhaps only the size of the first one is wrong.
        self._patience = session.tries
        session.tries = session.tries[:-1] or session.tries
        self._errors: Counter[Oid] = Counter()
        self.backward: dict[Oid, Oid] = {}  # successors that come no later in the MIB

    def room(self, each: int) -> int:
        """How many objects of this weight go into one request."""
        return max(1, min(self.limits.most, self.limits.size // each))

    @property
    def bulk(self) -> bool:
        return self.limits.bulk and self.session.version == "2"

    async def successors(self, asks: Sequence[Ask]) -> Found:
        """What comes after each object. A successor that does not come later in the MIB is no successor."""
        return await self._all("get_next", asks)

    async def values(self, asks: Sequence[Ask]) -> Found:
        """The objects themselves."""
        return await self._all("get", asks)

    async def streams(self, starts: Sequence[Oid], repetitions: int) -> list[list[Varbind]] | None:
        """What comes after each object, `repetitions` times over, unchecked; None if GETBULK failed."""
        try:
            varbinds = await self.session.get_bulk(starts, max_repetitions=repetitions)
        except ErrorStatus:
            self.limits.bulk = False
            return None
        except (NoAnswer, Garbled) as error:
            await self._check_alive(error)
            self.limits.bulk = False
            return None
        if repetitions > 1 and len(varbinds) <= len(starts) and not self._full(varbinds):
            self.limits.bulk = False  # one repetition at a time is no better than GETNEXT
        return [varbinds[at :: len(starts)] for at in range(len(starts))]

    def _full(self, varbinds: Sequence[Varbind]) -> bool:
        """Whether the response was as large as it may be, rather than cut short for no reason."""
        return sum(weight(varbind.oid, 3) for varbind in varbinds) > self.limits.size // 2

    async def _all(self, kind: Literal["get", "get_next"], asks: Sequence[Ask]) -> Found:
        found: Found = {}
        waiting = deque(self._packed(asks))
        while waiting:
            batch = [ask for ask in waiting.popleft() if self._errors[ask.column] < MOST_ERRORS]
            if not batch:
                continue
            if len(batch) > 1 and not self._fits(batch):  # a request before it was too large
                waiting.extendleft(reversed(self._packed(batch)))
                continue
            waiting.extendleft(reversed(await self._once(kind, batch, found)))
        return found

    async def _once(self, kind: Literal["get", "get_next"], batch: Batch, found: Found) -> list[Batch]:
        """Sends one request; what is still to be asked comes back."""
        names = [ask.oid for ask in batch]
        try:
            if kind == "get":
                varbinds = await self.session.get(names)
            else:
                varbinds = await self.session.get_next(names)
        except ErrorStatus as error:
            return self._after_error(kind, error, batch, found)
        except (NoAnswer, Garbled) as error:
            return await self._after_silence(batch, error)
        self._hears()
        self._answered = max(self._answered, _weight(batch))
        self._answered_objects = max(self._answered_objects, len(batch))
        if kind == "get":
            found.update((varbind.oid, None if varbind.tag >= 128 else varbind) for varbind in varbinds)
            return []
        for ask, varbind in zip(batch, varbinds, strict=False):
            if varbind.tag == END_OF_MIB_VIEW:
                found[ask.oid] = None
            elif varbind.oid > ask.oid:
                found[ask.oid] = varbind
            else:
                self.backward[ask.oid] = varbind.oid
        missing = batch[len(varbinds) :]
        return [missing] if missing and varbinds else []

    def _after_error(self, kind: str, error: ErrorStatus, batch: Batch, found: Found) -> list[Batch]:
        if error.status in {AUTHORIZATION_ERROR, NO_ACCESS} and not self.heard:
            raise Refused from error
        self._hears()
        if error.status == TOO_BIG or not 1 <= error.index <= len(batch):
            self._expect_less_than(batch)
            return self._halved(batch)
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

    async def _after_silence(self, batch: Batch, error: SnmpError) -> list[Batch]:
        await self._check_alive(error)
        self._expect_less_than(batch)
        return self._halved(batch)

    def _expect_less_than(self, batch: Batch) -> None:
        """The next requests are smaller, but not below what was answered: then one long text was at fault."""
        estimate = _weight(batch)
        if estimate > self._answered:
            self.limits.size = min(self.limits.size, max(self._answered, estimate // 2))
        if len(batch) > self._answered_objects:
            self.limits.most = min(self.limits.most, max(self._answered_objects, (len(batch) + 1) // 2))

    def _halved(self, batch: Batch) -> list[Batch]:
        if len(batch) == 1:  # nothing is left to leave out: this object cannot be asked
            self._errors[batch[0].column] += 1
            return []
        return _halves(batch)

    def _hears(self) -> None:
        if not self.heard:
            self.heard = True
            self.session.tries = self._patience

    async def _check_alive(self, error: SnmpError) -> None:
        """One small question. Raises the error at hand if the printer has never answered, else Gone."""
        if not self.heard:
            self.session.tries = self._patience[-1:]
        try:
            await self.session.get_next([oids.SYS_UP_TIME])
        except (NoAnswer, Garbled) as silence:
            if self.heard:
                raise Gone from silence
            raise error from silence
        except ErrorStatus:
            pass
        self._hears()

    def _fits(self, batch: Batch) -> bool:
        return len(batch) <= self.limits.most and _weight(batch) <= self.limits.size

    def _packed(self, asks: Sequence[Ask]) -> list[Batch]:
        batches: list[Batch] = []
        room = 0
        for ask in asks:
            if not batches or ask.weight > room or len(batches[-1]) >= self.limits.most:
                batches.append([])
                room = self.limits.size
            batches[-1].append(ask)
            room -= ask.weight
        return batches


def _weight(batch: Batch) -> int:
    return sum(ask.weight for ask in batch)


def _halves(batch: Batch) -> list[Batch]:
    middle = (len(batch) + 1) // 2
    return [half for half in (batch[:middle], batch[middle:]) if half]
