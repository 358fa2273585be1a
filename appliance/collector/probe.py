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
from appliance.snmp.ber import Message, Varbind
from appliance.snmp.client import NO_SUCH_NAME
from appliance.vendors import vendors

Version = Literal["1", "2"]

OBJECTS: tuple[Oid, ...] = (
    oids.SYS_DESCR,
    oids.SYS_OBJECT_ID,
    oids.HR_PRINTER_STATUS,
    oids.PRT_GENERAL_SERIAL_NUMBER,
    oids.PRT_MARKER_LIFE_COUNT,
)
LAST: tuple[Oid, ...] = (oids.SYS_OBJECT_ID,)  # of the last round
ROUNDS: dict[SnmpVersion, tuple[Version, ...]] = {"auto": ("2", "1", "1"), "2": ("2", "2"), "1": ("1", "1")}

# Agents of operating systems, which list the printers that a computer prints to: Windows, Net-SNMP
COMPUTERS: tuple[Oid, ...] = ((1, 3, 6, 1, 4, 1, 311), (1, 3, 6, 1, 4, 1, 8072), (1, 3, 6, 1, 4, 1, 2021))


@dataclass(frozen=True, slots=True)
class Answer:
    """Somebody is there; `target` has the SNMP version that was answered."""

    target: Target
    identity: Identity  # the serial number as it was sent, and sysObjectID
    description: str | None  # sysDescr
    is_printer: bool


@dataclass(frozen=True, slots=True)
class Question:
    """A GETNEXT request."""

    version: Version
    objects: tuple[Oid, ...]


class Probe:
    """One address: `question` is what to ask now, `silent` or `answered` moves it on; None at the end."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.version: Version | None = None  # of the answer
        self._rounds = list(ROUNDS[target.snmp_version])
        self._open = [OBJECTS]
        self._found: dict[Oid, Varbind] = {}
        self._confirming = False

    @property
    def question(self) -> Question | None:
        if not self._rounds or not self._open:
            return None
        is_last = self.version is None and len(self._rounds) == 1
        return Question(self._rounds[0], LAST if is_last else self._open[0])

    def silent(self) -> None:
        """The question was not answered in time."""
        self._rounds = self._rounds[1:]
        if not self._rounds and self.version:
            self._open = self._open[1:]
            self._go_on(self.version)

    def answered(self, message: Message) -> None:
        """The answer to the question, or a late one after the last question."""
        answered_in: Version = "1" if message.version == 0 else "2"
        if self._confirming:
            self.version = answered_in
            self._open = []
            return
        asked_last = self.version is None and len(self._rounds) <= 1
        if asked_last and len(message.varbinds) == len(LAST):  # else it is late, of an earlier round
            self._open = [LAST, *((each,) for each in OBJECTS if each not in LAST)]
        self.version = self.version or answered_in
        asked, *self._open = self._open
        if message.error_status == 0:
            self._found.update(zip(asked, message.varbinds, strict=False))
        elif message.error_status == NO_SUCH_NAME and 1 <= message.error_index <= len(asked) > 1:
            self._open.insert(0, asked[: message.error_index - 1] + asked[message.error_index :])
        elif len(asked) > 1:
            self._open[0:0] = [(each,) for each in asked]
        self._go_on(self.version)

    def _go_on(self, version: Version) -> None:
        if self._open:
            self._rounds = [version, version]
        elif self.target.snmp_version == "auto" and version == "1" and not self._confirming:
            self._confirming = True
            self._open, self._rounds = [(oids.SYS_OBJECT_ID,)], ["2"]

    def answer(self) -> Answer | None:
        """Who is there, once there are no more questions; None where nobody answered."""
        if self.version is None:
            return None
        object_id = self._value(oids.SYS_OBJECT_ID)
        dotted = ".".join(map(str, object_id)) if isinstance(object_id, tuple) else None
        return Answer(
            target=replace(self.target, snmp_version=self.version),
            identity=Identity(serial_number=self._text(oids.PRT_GENERAL_SERIAL_NUMBER), object_id=dotted),
            description=self._text(oids.SYS_DESCR),
            is_printer=self._is_printer(object_id if isinstance(object_id, tuple) else ()),
        )

    def _is_printer(self, object_id: Oid) -> bool:
        rows = [varbind.oid for varbind in self._found.values() if varbind.value is not None]
        if any(_below(row, oids.PRINTER_MIB) for row in rows):
            return True
        if any(_below(object_id, computer) for computer in COMPUTERS):
            return False
        return any(_below(row, oids.HR_PRINTER_ENTRY) for row in rows) or vendors.is_printer(object_id)

    def _value(self, asked: Oid) -> int | bytes | Oid | None:
        varbind = self._found.get(asked)
        return varbind.value if varbind and _below(varbind.oid, asked) else None

    def _text(self, asked: Oid) -> str | None:
        value = self._value(asked)
        if not isinstance(value, bytes):
            return None
        return charsets.decode(value) or None


def _below(oid: Oid, prefix: Oid) -> bool:
    return oid[: len(prefix)] == prefix
