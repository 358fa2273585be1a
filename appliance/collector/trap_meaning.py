"""What a notification means: its name, who it is about, what it says to a person."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from appliance.domain.model import Trap
from appliance.mib import alert_codes, enums, oids
from appliance.mib.charsets import decode_text
from appliance.mib.oids import Oid, format_oid
from appliance.mib.printer_mib import ALERTS, IF_PHYS_ADDRESS
from appliance.snmp.ber import Varbind
from appliance.snmp.constants import IP_ADDRESS_TAG, OCTET_STRING_TAG
from appliance.snmp.notifications import SNMP_TRAPS, Notification
from appliance.vendors import vendors

GENERIC_TRAPS = ("coldStart", "warmStart", "linkDown", "linkUp", "authenticationFailure", "egpNeighborLoss")
COLD_START = GENERIC_TRAPS[0]
GENERIC_TRAP_TEXTS = {
    "coldStart": "started, perhaps with another configuration",
    "warmStart": "started again",
    "linkDown": "a network link went down",
    "linkUp": "a network link came up",
    "authenticationFailure": "somebody asked with a wrong community",
    "egpNeighborLoss": "a neighbouring router was lost",
}
PRINTER_ALERT_OID: Oid = (*oids.PRINTER_MIB, 18, 2, 0, 1)  # printerV2Alert; printerV1Alert 1 becomes the same

MAX_TEXT_CHARS = 300  # characters
MAX_VALUE_CHARS = 120  # of one object
MAX_SHOWN_OBJECTS = 32  # objects

# Objects that notifications carry, by name; an instance is what stands behind.
OBJECT_NAMES: Mapping[Oid, str] = {
    **{ALERTS.column(column.number): f"prtAlert{column.camel_case_name}" for column in ALERTS.declared},
    oids.SYS_DESCR: "sysDescr",
    oids.SYS_OBJECT_ID: "sysObjectID",
    oids.SYS_NAME: "sysName",
    oids.SYS_LOCATION: "sysLocation",
    oids.SYS_CONTACT: "sysContact",
    oids.IF_DESCR: "ifDescr",
    IF_PHYS_ADDRESS: "ifPhysAddress",
    (*oids.IF_ENTRY, 1): "ifIndex",
    oids.PRT_GENERAL_SERIAL_NUMBER: "prtGeneralSerialNumber",
    (1, 3, 6, 1, 6, 3, 18, 1, 3): "snmpTrapAddress",
}
_OBJECT_NAME_LENGTHS = sorted({len(oid) for oid in OBJECT_NAMES}, reverse=True)


def interpret_notification(notification: Notification) -> Trap:
    """Never raises: what is not known is kept as it came."""
    generic = (
        notification.oid[: len(SNMP_TRAPS)] == SNMP_TRAPS and len(notification.oid) == len(SNMP_TRAPS) + 1
    )
    number = notification.oid[-1] - 1
    maker = vendors.find_vendor(notification.oid) or vendors.find_vendor(notification.enterprise)
    trap = Trap(
        version=notification.version,
        inform=notification.inform,
        oid=format_oid(notification.oid),
        kind=format_oid(notification.oid),
        manufacturer=maker.name if maker else None,
        agent_address=notification.agent_address,
        uptime=notification.uptime,
        serial_number=_find_serial_number(notification),
        mac_address=_find_mac_address(notification),
        objects=tuple(_format_varbind(each) for each in notification.varbinds[:MAX_SHOWN_OBJECTS]),
    )
    alert = _find_alert_columns(notification)
    if notification.oid == PRINTER_ALERT_OID:
        kind = "printerV1Alert" if notification.version == "1" else "printerV2Alert"
    elif generic and 0 <= number < len(GENERIC_TRAPS):
        kind = GENERIC_TRAPS[number]
    elif maker:
        kind = f"{maker.name} {format_oid(notification.oid[6:])}"
    else:
        kind = format_oid(notification.oid)
    text = (
        _describe_alert(alert)
        if alert
        else GENERIC_TRAP_TEXTS.get(kind) or _join_texts(notification) or _describe_object_count(notification)
    )
    return replace(trap, kind=kind, text=_truncate(text, MAX_TEXT_CHARS), severity=_severity_name(alert))


def _find_alert_columns(notification: Notification) -> dict[str, Varbind]:
    """Return the columns of prtAlertTable in a notification, of the first row, by their fields."""
    columns = {ALERTS.column(column.number): column.field for column in ALERTS.declared}
    length = len(ALERTS.entry) + 1
    alert: dict[str, Varbind] = {}
    for varbind in notification.varbinds:
        if field := columns.get(varbind.oid[:length]):
            alert.setdefault(field, varbind)
    return alert


def _severity_name(alert: Mapping[str, Varbind]) -> str | None:
    return enums.SEVERITY.name(_integer_column(alert, "severity_level"))


def _describe_alert(alert: Mapping[str, Varbind]) -> str:
    code, description = _integer_column(alert, "code"), alert.get("description")
    words = alert_codes.describe_alert_code(code) if code is not None else None
    said = decode_text(description.value) if description and isinstance(description.value, bytes) else ""
    numbered = None if code is None else f"alert code {code}"
    return said or words or numbered or "an alert"


def _integer_column(alert: Mapping[str, Varbind], column: str) -> int | None:
    found = alert.get(column)
    return found.value if found and isinstance(found.value, int) else None


def _join_texts(notification: Notification) -> str:
    """What is text among the objects: makers put a sentence there."""
    texts = (
        decode_text(each.value)
        for each in notification.varbinds
        if each.tag == OCTET_STRING_TAG and _is_text(each.value)
    )
    return "; ".join(dict.fromkeys(text for text in texts if len(text) > 1))


def _describe_object_count(notification: Notification) -> str:
    return f"{len(notification.varbinds)} object{'' if len(notification.varbinds) == 1 else 's'}"


def _find_serial_number(notification: Notification) -> str | None:
    for each in notification.varbinds:
        general = each.oid[: len(oids.PRT_GENERAL_SERIAL_NUMBER)] == oids.PRT_GENERAL_SERIAL_NUMBER
        if (general or each.oid in _vendor_serial_oids()) and isinstance(each.value, bytes):
            return decode_text(each.value)[:MAX_VALUE_CHARS] or None
    return None


@cache
def _vendor_serial_oids() -> frozenset[Oid | None]:
    """The makers' own objects for it."""
    return frozenset(
        vendors.optional_oid(dotted) for maker in vendors.all_vendors() for dotted in maker.serial_numbers
    )


def _find_mac_address(notification: Notification) -> str | None:
    for each in notification.varbinds:
        here = each.oid[: len(IF_PHYS_ADDRESS)] == IF_PHYS_ADDRESS
        if here and isinstance(each.value, bytes) and len(each.value) == 6 and any(each.value):
            return each.value.hex().upper()
    return None


def _format_varbind(varbind: Varbind) -> str:
    return f"{_object_label(varbind.oid)} = {_truncate(_format_value(varbind), MAX_VALUE_CHARS)}"


def _object_label(oid: Oid) -> str:
    for length in _OBJECT_NAME_LENGTHS:
        if name := OBJECT_NAMES.get(oid[:length]):
            return ".".join([name, *map(str, oid[length:])])
    return format_oid(oid)


def _format_value(varbind: Varbind) -> str:
    value = varbind.value
    if isinstance(value, tuple):
        return format_oid(value)
    if isinstance(value, bytes):
        if varbind.tag == IP_ADDRESS_TAG and len(value) == 4:
            return ".".join(map(str, value))
        return decode_text(value) if _is_text(value) else value.hex(" ")
    return "" if value is None else str(value)


def _is_text(value: object) -> bool:
    """Whether octets are meant to be read: no control characters but line breaks and a closing NUL."""
    if not isinstance(value, bytes):
        return False
    return all(octet >= 0x20 or octet in b"\t\n\r" for octet in value.rstrip(b"\0"))


def _truncate(text: str, max_chars: int) -> str:
    return text if len(text) <= max_chars else f"{text[: max_chars - 1]}…"
