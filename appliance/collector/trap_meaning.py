"""What a notification means: its name, who it is about, what it says to a person."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from appliance.domain.model import Trap
from appliance.mib import alert_codes, oids
from appliance.mib.charsets import decode
from appliance.mib.oids import Oid, dotted
from appliance.snmp.ber import Varbind
from appliance.snmp.notifications import IP_ADDRESS, SNMP_TRAPS, Notification
from appliance.vendors import vendors

GENERIC = ("coldStart", "warmStart", "linkDown", "linkUp", "authenticationFailure", "egpNeighborLoss")
COLD_START = GENERIC[0]
WORDS = {
    "coldStart": "started, perhaps with another configuration",
    "warmStart": "started again",
    "linkDown": "a network link went down",
    "linkUp": "a network link came up",
    "authenticationFailure": "somebody asked with a wrong community",
    "egpNeighborLoss": "a neighbouring router was lost",
}
PRINTER_ALERT: Oid = (*oids.PRINTER_MIB, 18, 2, 0, 1)  # printerV2Alert; printerV1Alert 1 becomes the same
SEVERITY = {1: "other", 3: "critical", 4: "warning", 5: "warningBinaryChangeEvent"}

LONGEST_TEXT = 300  # characters
LONGEST_VALUE = 120  # of one object
MOST_SHOWN = 32  # objects

_ALERT_COLUMNS = (
    "prtAlertIndex",
    "prtAlertSeverityLevel",
    "prtAlertTrainingLevel",
    "prtAlertGroup",
    "prtAlertGroupIndex",
    "prtAlertLocation",
    "prtAlertCode",
    "prtAlertDescription",
    "prtAlertTime",
)
# Objects that notifications carry, by name; an instance is what stands behind.
NAMES: Mapping[Oid, str] = {
    **{(*oids.PRT_ALERT_ENTRY, column): name for column, name in enumerate(_ALERT_COLUMNS, start=1)},
    oids.SYS_DESCR: "sysDescr",
    oids.SYS_OBJECT_ID: "sysObjectID",
    oids.SYS_NAME: "sysName",
    oids.SYS_LOCATION: "sysLocation",
    oids.SYS_CONTACT: "sysContact",
    oids.IF_DESCR: "ifDescr",
    oids.IF_PHYS_ADDRESS: "ifPhysAddress",
    (*oids.IF_ENTRY, 1): "ifIndex",
    oids.PRT_GENERAL_SERIAL_NUMBER: "prtGeneralSerialNumber",
    (1, 3, 6, 1, 6, 3, 18, 1, 3): "snmpTrapAddress",
}
_LENGTHS = sorted({len(oid) for oid in NAMES}, reverse=True)


def meaning(said: Notification) -> Trap:
    """Never raises: what is not known is kept as it came."""
    generic = said.oid[: len(SNMP_TRAPS)] == SNMP_TRAPS and len(said.oid) == len(SNMP_TRAPS) + 1
    number = said.oid[-1] - 1
    maker = vendors.maker(said.oid) or vendors.maker(said.enterprise)
    trap = Trap(
        version=said.version,
        inform=said.inform,
        oid=dotted(said.oid),
        kind=dotted(said.oid),
        manufacturer=maker.name if maker else None,
        agent_address=said.agent_address,
        uptime=said.uptime,
        serial_number=_serial_number(said),
        mac_address=_mac_address(said),
        objects=tuple(_line(each) for each in said.objects[:MOST_SHOWN]),
    )
    alert = _alert(said)
    if said.oid == PRINTER_ALERT:
        kind = "printerV1Alert" if said.version == "1" else "printerV2Alert"
    elif generic and 0 <= number < len(GENERIC):
        kind = GENERIC[number]
    elif maker:
        kind = f"{maker.name} {dotted(said.oid[6:])}"
    else:
        kind = dotted(said.oid)
    text = _alert_text(alert) if alert else WORDS.get(kind) or _texts(said) or _count(said)
    return replace(trap, kind=kind, text=_short(text, LONGEST_TEXT), severity=_severity(alert))


def _alert(said: Notification) -> dict[int, Varbind]:
    """The columns of prtAlertTable that came with it, of the first row that is named."""
    entry = oids.PRT_ALERT_ENTRY
    found: dict[int, Varbind] = {}
    for each in said.objects:
        if each.oid[: len(entry)] == entry and len(each.oid) > len(entry):
            found.setdefault(each.oid[len(entry)], each)
    return found


def _severity(alert: Mapping[int, Varbind]) -> str | None:
    number = _number(alert, 2)
    return None if number is None else SEVERITY.get(number, str(number))


def _alert_text(alert: Mapping[int, Varbind]) -> str:
    code, description = _number(alert, 7), alert.get(8)
    words = alert_codes.words(code) if code is not None else None
    said = decode(description.value) if description and isinstance(description.value, bytes) else ""
    numbered = None if code is None else f"alert code {code}"
    return said or words or numbered or "an alert"


def _number(alert: Mapping[int, Varbind], column: int) -> int | None:
    found = alert.get(column)
    return found.value if found and isinstance(found.value, int) else None


def _texts(said: Notification) -> str:
    """What is text among the objects: makers put a sentence there."""
    texts = (decode(each.value) for each in said.objects if each.tag == 4 and _is_text(each.value))
    return "; ".join(dict.fromkeys(text for text in texts if len(text) > 1))


def _count(said: Notification) -> str:
    return f"{len(said.objects)} object{'' if len(said.objects) == 1 else 's'}"


def _serial_number(said: Notification) -> str | None:
    for each in said.objects:
        general = each.oid[: len(oids.PRT_GENERAL_SERIAL_NUMBER)] == oids.PRT_GENERAL_SERIAL_NUMBER
        if (general or each.oid in _own_serial_numbers()) and isinstance(each.value, bytes):
            return decode(each.value)[:LONGEST_VALUE] or None
    return None


@cache
def _own_serial_numbers() -> frozenset[Oid | None]:
    """The makers' own objects for it."""
    return frozenset(vendors.object_of(dotted) for maker in vendors.MAKERS for dotted in maker.serial_numbers)


def _mac_address(said: Notification) -> str | None:
    for each in said.objects:
        here = each.oid[: len(oids.IF_PHYS_ADDRESS)] == oids.IF_PHYS_ADDRESS
        if here and isinstance(each.value, bytes) and len(each.value) == 6 and any(each.value):
            return each.value.hex().upper()
    return None


def _line(each: Varbind) -> str:
    return f"{_name(each.oid)} = {_short(_value(each), LONGEST_VALUE)}"


def _name(oid: Oid) -> str:
    for length in _LENGTHS:
        if name := NAMES.get(oid[:length]):
            return ".".join([name, *map(str, oid[length:])])
    return dotted(oid)


def _value(each: Varbind) -> str:
    value = each.value
    if isinstance(value, tuple):
        return dotted(value)
    if isinstance(value, bytes):
        if each.tag == IP_ADDRESS and len(value) == 4:
            return ".".join(map(str, value))
        return decode(value) if _is_text(value) else value.hex(" ")
    return "" if value is None else str(value)


def _is_text(value: object) -> bool:
    """Whether octets are meant to be read: no control characters but line breaks and a closing NUL."""
    if not isinstance(value, bytes):
        return False
    return all(octet >= 0x20 or octet in b"\t\n\r" for octet in value.rstrip(b"\0"))


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
