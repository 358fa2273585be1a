"""All that a printer's agent holds, as a recording: `OID|tag|value` lines, the form of snmprec.

An agent may never end, go round in circles or fail in the middle: the walk is bounded in rows, packets and
seconds, stops where an OID does not increase, and steps over what cannot be answered.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from appliance.collector import recording_anonymizer
from appliance.domain.model import Target
from appliance.mib.oids import Oid, dotted
from appliance.snmp.client import TRIES, Budget, Endpoint, ErrorStatus, NoAnswer, Session, SnmpError, Varbind

MOST_ROWS = 60_000  # full walks of large devices pass 10,000
BUDGET = Budget(seconds=900.0, packets=40_000)  # GETNEXT alone takes two packets per row
REPETITIONS = 20
MOST_STEPS_OVER = 80  # tries to get past objects that cannot be answered
SHALLOWEST = 4  # arcs of an OID that is stepped over: 1.3.6.1
START: Oid = (1, 3)

OCTETS, NULL, IP_ADDRESS = 4, 5, 64
NOTHING_THERE = 128  # tags from here on are noSuchObject, noSuchInstance, endOfMibView
NO_SUCH_NAME = 2
PRINTABLE = re.compile(rb"[\x20-\x7e]+")


class NotRecorded(Exception):
    """The printer told nothing; the text says why."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What was recorded: `stopped` says why the walk ended before the agent did."""

    varbinds: tuple[Varbind, ...]
    stopped: str = ""

    @property
    def text(self) -> str:
        """The recording's file."""
        return "".join(f"{line}\n" for line in lines(self.varbinds))


async def record(
    endpoint: Endpoint,
    target: Target,
    *,
    mask: bool = False,
    progress: Callable[[int], None] = lambda _: None,
    budget: Budget = BUDGET,
    tries: Sequence[float] = TRIES,
    most_rows: int = MOST_ROWS,
) -> Recording:
    """Walks the printer at an address; `progress` hears the number of rows so far. Raises NotRecorded."""
    versions: tuple[Literal["1", "2"], ...] = (
        ("2", "1") if target.snmp_version == "auto" else (target.snmp_version,)
    )
    for version in versions:
        session = Session(
            endpoint,
            target.host,
            port=target.port,
            community=target.community_read,
            version=version,
            tries=tries,
            budget=budget,
        )
        walk = Walk(session, progress, most_rows)
        await walk.run()
        if walk.varbinds:
            recording = Recording(tuple(walk.varbinds), walk.stopped)
            break
    else:
        raise NotRecorded(walk.stopped or "silent")
    return (
        replace(recording, varbinds=recording_anonymizer.masked(recording.varbinds, target))
        if mask
        else recording
    )


class Walk:
    """One walk over everything, with GETBULK as long as the agent does it well."""

    def __init__(self, session: Session, progress: Callable[[int], None], most_rows: int = MOST_ROWS) -> None:
        self.varbinds: list[Varbind] = []
        self.stopped = ""
        self._session = session
        self._progress = progress
        self._most_rows = most_rows
        self._repetitions = REPETITIONS if session.version == "2" else 0  # 0: GETNEXT
        self._steps_over = 0
        self._tried = 0  # of these, since the last row

    async def run(self) -> None:
        """Fills `varbinds`; `stopped` says why if it was not the end."""
        position: Oid | None = START
        while position is not None and not self.stopped:
            position = await self._step(position)
            self._progress(len(self.varbinds))

    async def _step(self, position: Oid) -> Oid | None:
        try:
            return self._take(position, await self._next(position))
        except (ErrorStatus, NoAnswer) as error:
            return self._stumble(position, error)
        except SnmpError as error:  # it talks rubbish, or the budget is spent
            self.stopped = str(error)
            return None

    async def _next(self, position: Oid) -> Sequence[Varbind]:
        if self._repetitions:
            return await self._session.get_bulk([position], max_repetitions=self._repetitions)
        return await self._session.get_next([position])

    def _take(self, position: Oid, varbinds: Sequence[Varbind]) -> Oid | None:
        """Where to go on; None at the end."""
        if not varbinds and self._repetitions:
            self._repetitions = 0
            return position
        for varbind in varbinds:
            if varbind.tag >= NOTHING_THERE:
                return None
            if varbind.oid <= position:
                self.stopped = f"the agent goes back from {dotted(position)} to {dotted(varbind.oid)}"
                return None
            if len(self.varbinds) >= self._most_rows:
                self.stopped = f"more than {self._most_rows:,} rows"
                return None
            self.varbinds.append(varbind)
            self._tried = 0
            position = varbind.oid
        return position if varbinds else None

    def _stumble(self, position: Oid, error: SnmpError) -> Oid | None:
        """Asks for less at a time, then steps over what cannot be answered."""
        status = error.status if isinstance(error, ErrorStatus) else 0
        if self._session.version == "1" and status == NO_SUCH_NAME:
            return None  # the end, as v1 says it
        if self._repetitions:
            self._repetitions = self._repetitions // 4 if self.varbinds else 0
            return position
        further = None if isinstance(error, NoAnswer) else self._step_over()
        if further is None:
            self.stopped = f"{error}, after {dotted(position)}"
        return further

    def _step_over(self) -> Oid | None:
        """Behind the row that cannot be answered, its column, its table: further each time."""
        last = self.varbinds[-1].oid if self.varbinds else START
        up, more = divmod(self._tried, 2)
        at = len(last) - 1 - up
        self._tried += 1
        self._steps_over += 1
        if at < SHALLOWEST or self._steps_over > MOST_STEPS_OVER:
            return None
        return (*last[:at], last[at] + 1 + more)


def lines(varbinds: Iterable[Varbind]) -> Iterable[str]:
    """A recording's lines, in the order of a walk."""
    for oid, value, tag in sorted(varbinds, key=lambda varbind: varbind.oid):
        yield f"{dotted(oid)}|{_value(value, tag)}"


def _value(value: int | bytes | Oid | None, tag: int) -> str:
    """Tag and value; octets that are no plain text are hexadecimal, which the tag's x says."""
    match value:
        case int():
            return f"{tag}|{value}"
        case tuple():
            return f"{tag}|{dotted(value)}"
        case bytes() if tag == IP_ADDRESS and len(value) == 4:
            return f"{tag}|{'.'.join(map(str, value))}"
        case bytes() if tag == OCTETS and (not value or PRINTABLE.fullmatch(value)):
            return f"{tag}|{value.decode('ascii')}"
        case bytes():
            return f"{tag}x|{value.hex()}"
    return f"{NULL}|"
