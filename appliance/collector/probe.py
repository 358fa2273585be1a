"""What a scan asks one address, step by step, until it knows who is there: rules without any traffic.

First one GETNEXT for a handful of objects. In `auto` v2c is tried, then v1 twice: an agent that speaks v2c
nearly always speaks v1, so one retry serves both. The last round asks for one object alone: some agents drop
whatever asks for more, and these are asked for the rest one by one. An agent that answers v1 is asked once
more over v2c, lest one lost datagram leaves it with the slow version for good. An SNMP error is an answer,
too: what the agent does not have is left out, what is too much is asked one by one.
"""

from dataclasses import dataclass, replace
from typing import Literal

from appliance.domain.model import Identity, SnmpVersion, Target
from appliance.mib import charsets, oids
from appliance.mib.oids import Oid
from appliance.mib.printer_mib import MARKERS
from appliance.snmp.ber import DecodedMessage, Varbind
from appliance.snmp.constants import NO_SUCH_NAME
from appliance.vendors import vendors

Version = Literal["1", "2"]

PROBE_OBJECTS: tuple[Oid, ...] = (
    oids.SYS_DESCR,
    oids.SYS_OBJECT_ID,
    oids.HR_PRINTER_STATUS,
    oids.PRT_GENERAL_SERIAL_NUMBER,
    MARKERS.column_of("life_count"),
)
LAST_TRY_OBJECTS: tuple[Oid, ...] = (oids.SYS_OBJECT_ID,)  # of the last round
TRIES_BY_VERSION: dict[SnmpVersion, tuple[Version, ...]] = {
    "auto": ("2", "1", "1"),
    "2": ("2", "2"),
    "1": ("1", "1"),
}

# Agents of operating systems, which list the printers that a computer prints to: Windows, Net-SNMP
COMPUTER_ENTERPRISES: tuple[Oid, ...] = (
    (1, 3, 6, 1, 4, 1, 311),
    (1, 3, 6, 1, 4, 1, 8072),
    (1, 3, 6, 1, 4, 1, 2021),
)


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """Somebody is there; `target` has the SNMP version that was answered."""

    target: Target
    identity: Identity  # the serial number as it was sent, and sysObjectID
    description: str | None  # sysDescr
    is_printer: bool


@dataclass(frozen=True, slots=True)
class ProbeRequest:
    """A GETNEXT request."""

    version: Version
    objects: tuple[Oid, ...]


class Probe:
    """One address: `question` is what to ask now, `silent` or `answered` moves it on; None at the end."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.version: Version | None = None  # of the answer
        self._remaining_tries = list(TRIES_BY_VERSION[target.snmp_version])
        self._pending_objects = [PROBE_OBJECTS]
        self._varbinds: dict[Oid, Varbind] = {}
        self._is_confirming_v2 = False

    @property
    def next_request(self) -> ProbeRequest | None:
        if not self._remaining_tries or not self._pending_objects:
            return None
        is_last = self.version is None and len(self._remaining_tries) == 1
        return ProbeRequest(
            self._remaining_tries[0], LAST_TRY_OBJECTS if is_last else self._pending_objects[0]
        )

    def handle_timeout(self) -> None:
        """The question was not answered in time."""
        self._remaining_tries = self._remaining_tries[1:]
        if not self._remaining_tries and self.version:
            self._pending_objects = self._pending_objects[1:]
            self._advance(self.version)

    def handle_response(self, message: DecodedMessage) -> None:
        """The answer to the question, or a late one after the last question."""
        answered_in: Version = "1" if message.version == 0 else "2"
        if self._is_confirming_v2:
            self.version = answered_in
            self._pending_objects = []
            return
        asked_last = self.version is None and len(self._remaining_tries) <= 1
        if asked_last and len(message.varbinds) == len(
            LAST_TRY_OBJECTS
        ):  # else it is late, of an earlier round
            self._pending_objects = [
                LAST_TRY_OBJECTS,
                *((each,) for each in PROBE_OBJECTS if each not in LAST_TRY_OBJECTS),
            ]
        self.version = self.version or answered_in
        asked, *self._pending_objects = self._pending_objects
        if message.error_status == 0:
            self._varbinds.update(zip(asked, message.varbinds, strict=False))
        elif message.error_status == NO_SUCH_NAME and 1 <= message.error_index <= len(asked) > 1:
            self._pending_objects.insert(0, asked[: message.error_index - 1] + asked[message.error_index :])
        elif len(asked) > 1:
            self._pending_objects[0:0] = [(each,) for each in asked]
        self._advance(self.version)

    def _advance(self, version: Version) -> None:
        if self._pending_objects:
            self._remaining_tries = [version, version]
        elif self.target.snmp_version == "auto" and version == "1" and not self._is_confirming_v2:
            self._is_confirming_v2 = True
            self._pending_objects, self._remaining_tries = [(oids.SYS_OBJECT_ID,)], ["2"]

    def result(self) -> ProbeResult | None:
        """Who is there, once there are no more questions; None where nobody answered."""
        if self.version is None:
            return None
        object_id = self._value(oids.SYS_OBJECT_ID)
        dotted = ".".join(map(str, object_id)) if isinstance(object_id, tuple) else None
        return ProbeResult(
            target=replace(self.target, snmp_version=self.version),
            identity=Identity(serial_number=self._text(oids.PRT_GENERAL_SERIAL_NUMBER), object_id=dotted),
            description=self._text(oids.SYS_DESCR),
            is_printer=self._is_printer(object_id if isinstance(object_id, tuple) else ()),
        )

    def _is_printer(self, object_id: Oid) -> bool:
        rows = [varbind.oid for varbind in self._varbinds.values() if varbind.value is not None]
        if any(_is_below(row, oids.PRINTER_MIB) for row in rows):
            return True
        if any(_is_below(object_id, computer) for computer in COMPUTER_ENTERPRISES):
            return False
        return any(_is_below(row, oids.HR_PRINTER_ENTRY) for row in rows) or vendors.is_printer_object_id(
            object_id
        )

    def _value(self, requested: Oid) -> int | bytes | Oid | None:
        varbind = self._varbinds.get(requested)
        return varbind.value if varbind and _is_below(varbind.oid, requested) else None

    def _text(self, requested: Oid) -> str | None:
        value = self._value(requested)
        if not isinstance(value, bytes):
            return None
        return charsets.decode_text(value) or None


def _is_below(oid: Oid, prefix: Oid) -> bool:
    return oid[: len(prefix)] == prefix
