"""All that a printer's agent holds, as a recording: `OID|tag|value` lines, the form of snmprec.

An agent may never end, go round in circles or fail in the middle: the walk is bounded in rows, packets and
seconds, stops where an OID does not increase, and steps over what cannot be answered.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from appliance.collector import recording_anonymizer
from appliance.collector.errors import RecordingError
from appliance.domain.model import Target
from appliance.mib.oids import Oid, format_oid
from appliance.snmp.ber import Varbind
from appliance.snmp.client import TRY_TIMEOUTS_S, SnmpBudget, SnmpSession
from appliance.snmp.constants import (
    FIRST_EXCEPTION_TAG,
    IP_ADDRESS_TAG,
    NO_SUCH_NAME,
    NULL_TAG,
    OCTET_STRING_TAG,
)
from appliance.snmp.errors import SnmpError, SnmpNoResponseError, SnmpStatusError
from appliance.snmp.transport import SnmpEndpoint

MAX_ROWS = 60_000  # full walks of large devices pass 10,000
WALK_BUDGET = SnmpBudget(seconds=900.0, packets=40_000)  # GETNEXT alone takes two packets per row
WALK_REPETITIONS = 20
MAX_SKIPS = 80  # tries to get past objects that cannot be answered
MIN_SKIP_ARCS = 4  # arcs of an OID that is stepped over: 1.3.6.1
START_OID: Oid = (1, 3)

PRINTABLE_PATTERN = re.compile(rb"[\x20-\x7e]+")


@dataclass(frozen=True, slots=True)
class Recording:
    """What was recorded: `stopped` says why the walk ended before the agent did."""

    varbinds: tuple[Varbind, ...]
    stop_reason: str = ""

    @property
    def text(self) -> str:
        """The recording's file."""
        return "".join(f"{line}\n" for line in format_lines(self.varbinds))


async def record_printer(
    endpoint: SnmpEndpoint,
    target: Target,
    *,
    anonymize: bool = False,
    on_progress: Callable[[int], None] = lambda _: None,
    budget: SnmpBudget = WALK_BUDGET,
    tries: Sequence[float] = TRY_TIMEOUTS_S,
    max_rows: int = MAX_ROWS,
) -> Recording:
    """Walks the printer at an address; `progress` hears the number of rows so far. Raises NotRecorded."""
    versions: tuple[Literal["1", "2"], ...] = (
        ("2", "1") if target.snmp_version == "auto" else (target.snmp_version,)
    )
    for version in versions:
        session = SnmpSession(
            endpoint,
            target.host,
            port=target.port,
            community=target.community_read,
            version=version,
            tries=tries,
            budget=budget,
        )
        walk = MibWalk(session, on_progress, max_rows)
        await walk.run()
        if walk.varbinds:
            recording = Recording(tuple(walk.varbinds), walk.stop_reason)
            break
    else:
        raise RecordingError(walk.stop_reason or "silent")
    return (
        replace(recording, varbinds=recording_anonymizer.anonymize_varbinds(recording.varbinds, target))
        if anonymize
        else recording
    )


class MibWalk:
    """One walk over everything, with GETBULK as long as the agent does it well."""

    def __init__(
        self, session: SnmpSession, on_progress: Callable[[int], None], max_rows: int = MAX_ROWS
    ) -> None:
        self.varbinds: list[Varbind] = []
        self.stop_reason = ""
        self._session = session
        self._on_progress = on_progress
        self._max_rows = max_rows
        self._repetitions = WALK_REPETITIONS if session.version == "2" else 0  # 0: GETNEXT
        self._skips = 0
        self._skips_since_row = 0  # of these, since the last row

    async def run(self) -> None:
        """Fills `varbinds`; `stopped` says why if it was not the end."""
        position: Oid | None = START_OID
        while position is not None and not self.stop_reason:
            position = await self._step(position)
            self._on_progress(len(self.varbinds))

    async def _step(self, position: Oid) -> Oid | None:
        try:
            return self._store_varbinds(position, await self._request_next(position))
        except (SnmpStatusError, SnmpNoResponseError) as error:
            return self._handle_error(position, error)
        except SnmpError as error:  # it talks rubbish, or the budget is spent
            self.stop_reason = str(error)
            return None

    async def _request_next(self, position: Oid) -> Sequence[Varbind]:
        if self._repetitions:
            return await self._session.get_bulk([position], max_repetitions=self._repetitions)
        return await self._session.get_next([position])

    def _store_varbinds(self, position: Oid, varbinds: Sequence[Varbind]) -> Oid | None:
        """Where to go on; None at the end."""
        if not varbinds and self._repetitions:
            self._repetitions = 0
            return position
        for varbind in varbinds:
            if varbind.tag >= FIRST_EXCEPTION_TAG:
                return None
            if varbind.oid <= position:
                self.stop_reason = (
                    f"the agent goes back from {format_oid(position)} to {format_oid(varbind.oid)}"
                )
                return None
            if len(self.varbinds) >= self._max_rows:
                self.stop_reason = f"more than {self._max_rows:,} rows"
                return None
            self.varbinds.append(varbind)
            self._skips_since_row = 0
            position = varbind.oid
        return position if varbinds else None

    def _handle_error(self, position: Oid, error: SnmpError) -> Oid | None:
        """Asks for less at a time, then steps over what cannot be answered."""
        status = error.status if isinstance(error, SnmpStatusError) else 0
        if self._session.version == "1" and status == NO_SUCH_NAME:
            return None  # the end, as v1 says it
        if self._repetitions:
            self._repetitions = self._repetitions // 4 if self.varbinds else 0
            return position
        further = None if isinstance(error, SnmpNoResponseError) else self._skip_unreadable()
        if further is None:
            self.stop_reason = f"{error}, after {format_oid(position)}"
        return further

    def _skip_unreadable(self) -> Oid | None:
        """Behind the row that cannot be answered, its column, its table: further each time."""
        last = self.varbinds[-1].oid if self.varbinds else START_OID
        up, more = divmod(self._skips_since_row, 2)
        at = len(last) - 1 - up
        self._skips_since_row += 1
        self._skips += 1
        if at < MIN_SKIP_ARCS or self._skips > MAX_SKIPS:
            return None
        return (*last[:at], last[at] + 1 + more)


def format_lines(varbinds: Iterable[Varbind]) -> Iterable[str]:
    """A recording's lines, in the order of a walk."""
    for oid, value, tag in sorted(varbinds, key=lambda varbind: varbind.oid):
        yield f"{format_oid(oid)}|{_format_value(value, tag)}"


def _format_value(value: int | bytes | Oid | None, tag: int) -> str:
    """Tag and value; octets that are no plain text are hexadecimal, which the tag's x says."""
    match value:
        case int():
            return f"{tag}|{value}"
        case tuple():
            return f"{tag}|{format_oid(value)}"
        case bytes() if tag == IP_ADDRESS_TAG and len(value) == 4:
            return f"{tag}|{'.'.join(map(str, value))}"
        case bytes() if tag == OCTET_STRING_TAG and (not value or PRINTABLE_PATTERN.fullmatch(value)):
            return f"{tag}|{value.decode('ascii')}"
        case bytes():
            return f"{tag}x|{value.hex()}"
    return f"{NULL_TAG}|"
