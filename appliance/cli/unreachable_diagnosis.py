"""Diagnose why a printer does not respond, as far as it can be told from here."""

import asyncio
import errno
from pathlib import Path
from typing import Literal

from appliance.domain.messages import Message
from appliance.domain.model import Reading, Target
from appliance.host import network_info
from appliance.mib import oids
from appliance.snmp import ber

Reachability = Literal["answers", "closed", "unreachable", "silent"]
SNMP_VERSIONS: tuple[Literal["1", "2"], ...] = ("2", "1")
PROBE_TIMEOUT_S = 2.0  # seconds; ICMP errors come at once, a sleeping network card answers within one

NO_RESPONSE_TEXT = (
    "It said nothing at all. From here these look alike: switched off or asleep; another device or nothing "
    "at this address; a firewall between; SNMP switched off; a wrong community, which most printers do not "
    "answer at all; an access list in the printer that leaves this address out."
)
ARP_ONLY_TEXT = (
    "A device is there: it answers to ARP as {}. To SNMP it said nothing. From here these look alike: SNMP "
    "switched off; a wrong community, which most printers do not answer at all; an access list in the "
    "printer that leaves this address out; a firewall; asleep but for its network card; no printer."
)
EXPLANATIONS = {  # by the code of the reason, for hosts that did answer
    "snmp.empty_answer": "It speaks SNMP and shows none of the objects of printers: no printer, or"
    " an access list in it shows this community next to nothing.",
    "snmp.wrong_answer": "What it sends cannot be decoded, or belongs to another "
    "question: a faulty agent, a worn-out network, or something else than SNMP at that port.",
    "snmp.too_slow": "It answers too slowly to be read: overloaded, or behind a bad line. Try again.",
    "snmp.too_many_packets": "It answers, and never comes to an end: a faulty agent, or one that floods.",
}
NOT_A_PRINTER_TEXT = (
    "Nothing of it is a printer's: no supply, tray, counter or status. Is it the right device?"
)
NO_ARP_TEXT = (
    "No device at that address answers to ARP: switched off, unplugged, or no such address in this network."
)


async def diagnose(
    target: Target, timeout_s: float = PROBE_TIMEOUT_S, arp_table_path: Path = network_info.ARP_TABLE_PATH
) -> str:
    """Request one small object once more, and return in sentences what the silence may mean."""
    tried = SNMP_VERSIONS if target.snmp_version == "auto" else (target.snmp_version,)
    signs = [await _probe_reachability(target, version, timeout_s) for version in tried]
    mac = network_info.lookup_mac_address(target.host, arp_table_path)
    if "unreachable" in signs:
        return (
            NO_ARP_TEXT
            if mac == ""
            else "This computer has no way to that address: no route, or a router says so."
        )
    if "closed" in signs:
        return (
            f"Something is at that address, but nothing listens at UDP port {target.port}: SNMP is switched "
            "off, or it listens at another port (--port)."
        )
    if "answers" in signs:
        return "It answers to a single small question, so community and version are right; try again."
    others = [version for version in SNMP_VERSIONS if version not in tried]
    for version in others:
        if await _probe_reachability(target, version, timeout_s) == "answers":
            return f"It answers to SNMP version {version}, not to the version asked for; try auto."
    if mac is None:
        return NO_RESPONSE_TEXT
    return ARP_ONLY_TEXT.format(mac) if mac else NO_ARP_TEXT


def explain_reason(reason: str) -> str | None:
    """Return what it may mean that a host answered and could not be read."""
    return EXPLANATIONS.get(reason.code) if isinstance(reason, Message) else None


def is_not_a_printer(reading: Reading) -> bool:
    """Return True if nothing in the reading is specific to a printer."""
    parts = (reading.supplies, reading.inputs, reading.outputs, reading.counters, reading.failures)
    return not any(parts) and reading.details.status is None


class _ProbeProtocol(asyncio.DatagramProtocol):
    def __init__(self, reachability: asyncio.Future[Reachability]) -> None:
        self._reachability = reachability

    def datagram_received(self, data: bytes, _: tuple[str | int, ...]) -> None:
        if data:
            self._set_reachability("answers")

    def error_received(self, error: Exception) -> None:
        refused = isinstance(error, ConnectionRefusedError)  # ICMP port unreachable
        self._set_reachability("closed" if refused else "unreachable")

    def _set_reachability(self, value: Reachability) -> None:
        if not self._reachability.done():
            self._reachability.set_result(value)


async def _probe_reachability(target: Target, version: Literal["1", "2"], timeout_s: float) -> Reachability:
    """Send one request on a connected socket, which alone reports ICMP errors."""
    loop = asyncio.get_running_loop()
    reachability: asyncio.Future[Reachability] = loop.create_future()
    try:
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _ProbeProtocol(reachability), remote_addr=(target.host, target.port)
        )
    except OSError as error:
        if error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL):
            return "unreachable"
        raise
    try:
        transport.sendto(
            ber.encode_request(
                "get",
                [(*oids.SYS_DESCR, 0)],
                version=version,
                community=target.community_read,
                request_id=ber.MIN_REQUEST_ID,
            )
        )
        async with asyncio.timeout(timeout_s):
            return await reachability
    except TimeoutError:
        return "silent"
    finally:
        transport.close()
