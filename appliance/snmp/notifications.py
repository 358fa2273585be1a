"""Notifications as bytes: SNMPv1 traps, v2c traps, informs; all come out in the form of v2c (RFC 3584).

aiosnmp 0.5.0 decodes v2c notifications only, drops v1 traps, acknowledges no informs and raises whatever
breaks on a mangled datagram, so nothing of it is used here.
"""

from ipaddress import IPv4Address
from typing import Literal, NamedTuple

from appliance.mib.oids import SYS_UP_TIME, Oid
from appliance.snmp import ber
from appliance.snmp.ber import Varbind
from appliance.snmp.constants import (
    INFORM_PDU,
    INTEGER_TAG,
    IP_ADDRESS_TAG,
    OBJECT_IDENTIFIER_TAG,
    OCTET_STRING_TAG,
    RESPONSE_PDU,
    SEQUENCE_TAG,
    TIME_TICKS_TAG,
    V1_TRAP_PDU,
    V2_TRAP_PDU,
)
from appliance.snmp.errors import BerDecodeError

SNMP_TRAP_OID: Oid = (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)  # RFC 3418
SNMP_TRAP_ENTERPRISE: Oid = (1, 3, 6, 1, 6, 3, 1, 1, 4, 3, 0)
SNMP_TRAP_ADDRESS: Oid = (1, 3, 6, 1, 6, 3, 18, 1, 3, 0)  # RFC 3584: the agent-addr of a forwarded v1 trap
SNMP_TRAP_COMMUNITY: Oid = (1, 3, 6, 1, 6, 3, 18, 1, 4, 0)  # a secret
SNMP_TRAPS: Oid = (1, 3, 6, 1, 6, 3, 1, 1, 5)  # coldStart is .1, warmStart .2, and so on
ENTERPRISE_SPECIFIC_TRAP = 6

MAX_OBJECTS = 64  # a Printer-MIB alert has nine; a datagram could hold thousands


class Notification(NamedTuple):
    """What was sent, as it stands in the datagram."""

    version: Literal["1", "2"]
    inform: bool
    community: bytes
    request_id: int  # 0 for v1, which has none
    oid: Oid  # snmpTrapOID
    enterprise: Oid | None
    agent_address: str | None  # whom the sender names as the source, where it names anybody
    uptime: int | None  # hundredths of a second
    varbinds: list[Varbind]  # without those that are told above, at most MOST_OBJECTS


def decode_notification(data: bytes) -> Notification:
    """The notification; raises Undecodable for all else, nothing else."""
    at, end = ber.read_element(data, 0, len(data), SEQUENCE_TAG)
    version, at = ber.read_integer(data, at, end)
    start, at = ber.read_element(data, at, end, OCTET_STRING_TAG)
    if at < end and data[at] == V1_TRAP_PDU:
        if version != 0:
            raise BerDecodeError("a v1 trap in a message that is not v1")
        return _decode_v1(data, data[start:at], at, end)
    message = ber.decode_message(data)
    if message.pdu not in (INFORM_PDU, V2_TRAP_PDU) or version != 1:
        raise BerDecodeError("no notification")
    return _decode_v2(message)


def encode_inform_response(data: bytes) -> bytes:
    """The response to an inform that was decoded: the same message as a response (RFC 3416 section 4.2.7)."""
    at, end = ber.read_element(data, 0, len(data), SEQUENCE_TAG)
    _, at = ber.read_element(data, at, end, INTEGER_TAG)
    _, at = ber.read_element(data, at, end, OCTET_STRING_TAG)
    return data[:at] + bytes((RESPONSE_PDU,)) + data[at + 1 : end]


def _decode_v1(data: bytes, community: bytes, at: int, end: int) -> Notification:
    """RFC 1157 section 4.1.6: enterprise, agent-addr, generic-trap, specific-trap, time-stamp, bindings."""
    at, stop = ber.read_element(data, at, end, V1_TRAP_PDU)
    start, at = ber.read_element(data, at, stop, OBJECT_IDENTIFIER_TAG)
    enterprise = ber.decode_oid(data[start:at])
    start, at = ber.read_element(data, at, stop, IP_ADDRESS_TAG)
    agent = data[start:at]
    generic, at = ber.read_integer(data, at, stop)
    specific, at = ber.read_integer(data, at, stop)
    start, at = ber.read_element(data, at, stop, TIME_TICKS_TAG)
    ticks = int.from_bytes(data[start:at], "big") & 0xFFFFFFFF
    start, last = ber.read_element(data, at, stop, SEQUENCE_TAG)
    if last != stop or stop != end:
        raise BerDecodeError("lengths contradict each other")
    objects = ber.decode_varbinds(data, start, last)
    forwarded = _find_address(objects, SNMP_TRAP_ADDRESS)
    return Notification(
        version="1",
        inform=False,
        community=community,
        request_id=0,
        oid=_trap_oid(enterprise, generic, specific),
        enterprise=enterprise,
        agent_address=_format_agent_address(agent) or forwarded,
        uptime=ticks,
        varbinds=[each for each in objects if each.oid != SNMP_TRAP_COMMUNITY][:MAX_OBJECTS],
    )


def _trap_oid(enterprise: Oid, generic: int, specific: int) -> Oid:
    """RFC 3584 section 3.1: specific traps get a zero between, generic ones have a name."""
    if 0 <= generic < ENTERPRISE_SPECIFIC_TRAP:
        return (*SNMP_TRAPS, generic + 1)
    return (*enterprise, 0, specific & 0xFFFFFFFF)


def _decode_v2(message: ber.DecodedMessage) -> Notification:
    values = {each.oid: each.value for each in message.varbinds}
    oid, uptime = values.get(SNMP_TRAP_OID), values.get((*SYS_UP_TIME, 0))
    if not isinstance(oid, tuple):
        raise BerDecodeError("a notification that does not say which")
    enterprise = values.get(SNMP_TRAP_ENTERPRISE)
    told = {SNMP_TRAP_OID, SNMP_TRAP_ENTERPRISE, SNMP_TRAP_COMMUNITY, (*SYS_UP_TIME, 0)}
    return Notification(
        version="2",
        inform=message.pdu == INFORM_PDU,
        community=message.community,
        request_id=message.request_id,
        oid=oid,
        enterprise=enterprise if isinstance(enterprise, tuple) else None,
        agent_address=_find_address(message.varbinds, SNMP_TRAP_ADDRESS),
        uptime=uptime if isinstance(uptime, int) else None,
        varbinds=[each for each in message.varbinds if each.oid not in told][:MAX_OBJECTS],
    )


def _find_address(varbinds: list[Varbind], oid: Oid) -> str | None:
    found = next((each.value for each in varbinds if each.oid == oid), None)
    return _format_agent_address(found) if isinstance(found, bytes) else None


def _format_agent_address(octets: bytes) -> str | None:
    """An address that can be anybody's: many agents leave zeros, or their loopback, in the field."""
    if len(octets) != 4:
        return None
    address = IPv4Address(octets)
    if address.is_unspecified or address.is_multicast or address == IPv4Address("255.255.255.255"):
        return None
    return str(address)
