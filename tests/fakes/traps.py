"""Notifications as printers send them, encoded without the product's own code."""

from tests.fakes import ber
from tests.fakes.ber import OCTETS, SEQUENCE, encode_oid, encode_value, integer, parse_oid, tlv

V1, INFORM, V2 = 0xA4, 0xA6, 0xA7
TRAP_OID = "1.3.6.1.6.3.1.1.4.1.0"
COLD_START = "1.3.6.1.6.3.1.1.5.1"
PRINTER_ALERT = "1.3.6.1.2.1.43.18.2.0.1"
HP = "1.3.6.1.4.1.11.2.3.9.1"
Bindings = dict[str, tuple[int, ber.Raw]]

PAPER_OUT: Bindings = {
    "1.3.6.1.2.1.43.18.1.1.2.1.5": (2, 3),
    "1.3.6.1.2.1.43.18.1.1.4.1.5": (2, 8),
    "1.3.6.1.2.1.43.18.1.1.5.1.5": (2, 2),
    "1.3.6.1.2.1.43.18.1.1.6.1.5": (2, 2),
    "1.3.6.1.2.1.43.18.1.1.7.1.5": (2, 808),
}


def version_1(
    enterprise: str = HP,
    agent: str = "0.0.0.0",
    generic: int = 6,
    specific: int = 7,
    bindings: Bindings | None = None,
) -> bytes:
    body = (
        encode_oid(parse_oid(enterprise))
        + encode_value(ber.ADDRESS, agent)
        + integer(generic)
        + integer(specific)
        + integer(4711, ber.TICKS)
        + _bindings(bindings or {})
    )
    return _message(0, "public", tlv(V1, body))


def version_2(
    oid: str = PRINTER_ALERT,
    bindings: Bindings | None = None,
    community: str = "public",
    *,
    pdu: int = V2,
    request_id: int = 4711,
) -> bytes:
    told: Bindings = {"1.3.6.1.2.1.1.3.0": (ber.TICKS, 4711), TRAP_OID: (ber.OID, oid)}
    body = integer(request_id) + integer(0) + integer(0) + _bindings(told | (bindings or {}))
    return _message(1, community, tlv(pdu, body))


def _bindings(values: Bindings) -> bytes:
    rows = (ber.varbind(parse_oid(oid), encode_value(*cell)) for oid, cell in values.items())
    return tlv(SEQUENCE, b"".join(rows))


def _message(version: int, community: str, pdu: bytes) -> bytes:
    return tlv(SEQUENCE, integer(version) + tlv(OCTETS, community.encode()) + pdu)
