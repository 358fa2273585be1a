"""SNMP messages to and from bytes, as far as an agent needs them (RFC 1157, RFC 3416, X.690)."""

from functools import lru_cache
from typing import NamedTuple

Oid = tuple[int, ...]
Raw = int | bytes | str | Oid | None

INTEGER, OCTETS, NULL, OID, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
ADDRESS, COUNTER32, GAUGE32, TICKS, OPAQUE, COUNTER64 = 0x40, 0x41, 0x42, 0x43, 0x44, 0x46
NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB_VIEW = 0x80, 0x81, 0x82
GET, GET_NEXT, RESPONSE, SET, GET_BULK = 0xA0, 0xA1, 0xA2, 0xA3, 0xA5

NOTHING = b"\x05\x00"
SPANS = {COUNTER32: 2**32 - 1, GAUGE32: 2**32 - 1, TICKS: 2**32 - 1, COUNTER64: 2**64 - 1}


class Broken(Exception):
    """These bytes are no SNMP request."""


class Request(NamedTuple):
    version: int  # as on the wire: 0 is SNMPv1, 1 is SNMPv2c
    community: bytes
    pdu: int
    request_id: int
    first: int  # error-status, or non-repeaters of a GETBULK
    second: int  # error-index, or max-repetitions
    oids: list[Oid]


@lru_cache(maxsize=200_000)
def parse_oid(text: str) -> Oid:
    """The arcs of a dotted OID; the same text gives the same tuple: a thousand printers share them."""
    return tuple(int(arc) for arc in text.strip(".").split("."))


def dotted(oid: Oid) -> str:
    return ".".join(map(str, oid))


def tlv(tag: int, body: bytes) -> bytes:
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def integer(value: int, tag: int = INTEGER) -> bytes:
    return tlv(tag, value.to_bytes((value.bit_length() + 8) // 8 or 1, "big", signed=True))


@lru_cache(maxsize=200_000)
def encode_oid(oid: Oid) -> bytes:
    if len(oid) < 2:
        oid = (*oid, 0, 0)[:2]
    body = bytearray()
    for arc in (oid[0] * 40 + oid[1], *oid[2:]):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | (arc & 0x7F))
        body += bytes(reversed(groups))
    return tlv(OID, bytes(body))


@lru_cache(maxsize=200_000)
def encode_value(tag: int, value: Raw) -> bytes:
    """A value as it stands in a varbind; texts are UTF-8 unless given as bytes."""
    if isinstance(value, int):
        return integer(value & SPANS.get(tag, -1), tag)
    if isinstance(value, tuple):
        return encode_oid(value)
    if isinstance(value, str):
        if tag == OID:
            return encode_oid(parse_oid(value))
        value = bytes(map(int, value.split("."))) if tag == ADDRESS else value.encode()
    return tlv(tag, value or b"")


def varbind(oid: Oid, value: bytes) -> bytes:
    return tlv(SEQUENCE, encode_oid(oid) + value)


def response(request: Request, request_id: int, status: int, index: int, varbinds: list[bytes]) -> bytes:
    body = integer(request_id) + integer(status) + integer(index) + tlv(SEQUENCE, b"".join(varbinds))
    head = integer(request.version) + tlv(OCTETS, request.community)
    return tlv(SEQUENCE, head + tlv(RESPONSE, body))


def decode(data: bytes) -> Request:
    """A request message. Raises Broken."""
    try:
        return _decode(data)
    except (IndexError, ValueError) as error:
        raise Broken(str(error)) from error


def _decode(data: bytes) -> Request:
    at, end = _open(data, 0, SEQUENCE)
    if end != len(data):
        raise Broken("the message is longer or shorter than it says")
    version, at = _integer(data, at)
    start, at = _open(data, at, OCTETS)
    community = data[start:at]
    pdu = data[at]
    at, _ = _open(data, at, pdu)
    request_id, at = _integer(data, at)
    first, at = _integer(data, at)
    second, at = _integer(data, at)
    at, end = _open(data, at, SEQUENCE)
    oids = []
    while at < end:
        start, following = _open(data, at, SEQUENCE)
        start, stop = _open(data, start, OID)
        oids.append(_decode_oid(data[start:stop]))
        at = following
    return Request(version, community, pdu, request_id, first, second, oids)


def _open(data: bytes, at: int, tag: int) -> tuple[int, int]:
    """Where the content of the element at `at` begins and ends."""
    if data[at] != tag:
        raise Broken(f"tag {data[at]:#x} where {tag:#x} belongs")
    size = data[at + 1]
    at += 2
    if size & 0x80:
        count = size & 0x7F
        size = int.from_bytes(data[at : at + count], "big")
        at += count
    if at + size > len(data):
        raise Broken("an element reaches beyond the datagram")
    return at, at + size


def _integer(data: bytes, at: int) -> tuple[int, int]:
    start, end = _open(data, at, INTEGER)
    return int.from_bytes(data[start:end], "big", signed=True), end


@lru_cache(maxsize=200_000)
def _decode_oid(body: bytes) -> Oid:
    arcs, arc = [], 0
    for byte in body:
        arc = arc << 7 | byte & 0x7F
        if byte < 0x80:
            arcs.append(arc)
            arc = 0
    if not arcs or body[-1] & 0x80:
        raise Broken("an OID that does not end")
    top = min(arcs[0] // 40, 2)
    return (top, arcs[0] - 40 * top, *arcs[1:])
