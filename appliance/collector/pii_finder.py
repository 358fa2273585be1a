"""What in a recording tells whose printer it is: addresses, serial numbers, names of places and people.

They are learned from the objects that hold them, then from texts that have their form: `SN:` in a device id,
mail addresses, MAC addresses, IP addresses of private networks. What tells the model is no secret.
"""

import ipaddress
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from appliance.collector.printer_identity import identify_printer, is_placeholder_serial, resolve_context
from appliance.domain.model import Target
from appliance.mib import oids
from appliance.mib.charsets import decode_text
from appliance.mib.oids import MIB_2, Oid
from appliance.mib.printer_mib import Cells
from appliance.snmp.client import Varbind
from appliance.vendors import vendors

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

IP_ADDRESS_TAG = 64
MIN_TEXT_CHARS = 4  # characters: replacing shorter ones would hit words that say nothing
MAX_TEXT_CHARS = 200
MAX_ITEMS_PER_KIND = 2_000  # of each kind

NAME_OBJECTS: tuple[Oid, ...] = (
    oids.SYS_CONTACT,
    oids.SYS_NAME,
    oids.SYS_LOCATION,
    (*oids.PRT_GENERAL_ENTRY, 4),  # prtGeneralCurrentOperator
    (*oids.PRT_GENERAL_ENTRY, 5),  # prtGeneralServicePerson
)
SERIAL_OBJECTS: tuple[Oid, ...] = (
    oids.PRT_GENERAL_SERIAL_NUMBER,
    oids.PRT_INPUT_SERIAL_NUMBER,
    oids.PRT_OUTPUT_SERIAL_NUMBER,
)
MAC_OBJECTS: tuple[Oid, ...] = (oids.IF_PHYS_ADDRESS, (*MIB_2, 3, 1, 1, 2), (*MIB_2, 4, 22, 1, 2))
INET_INDEXED_TABLES: tuple[Oid, ...] = (
    (*MIB_2, 4),
    (*MIB_2, 6),
    (*MIB_2, 7),
)  # its type, its length, its octets
IPV4_INDEXED_TABLES: tuple[Oid, ...] = (
    (*MIB_2, 4, 20, 1),
    (*MIB_2, 4, 21, 1),
    (*MIB_2, 4, 22, 1),
    (*MIB_2, 3, 1, 1),
)

MAC_TEXT_PATTERN = re.compile(
    rb"(?<![0-9A-Fa-f])[0-9A-Fa-f]{2}([:-])[0-9A-Fa-f]{2}(?:\1[0-9A-Fa-f]{2}){4}(?![0-9A-Fa-f:])"
)
MAIL_PATTERN = re.compile(rb"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,100}")
SERIAL_PATTERN = re.compile(rb"\b(?:SN|SERN|SERIALNUMBER|S/N)[:= ] *([A-Za-z0-9-]{5,40})")
IPV4_PATTERN = re.compile(rb"(?<![0-9.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9.])")
IPV6_PATTERN = re.compile(rb"(?<![0-9A-Za-z:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![0-9A-Za-z:.])")


class PersonalData(NamedTuple):
    """What is to be made unknowable."""

    macs: tuple[bytes, ...]
    addresses: tuple[Address, ...]
    texts: tuple[str, ...]


def find_personal_data(varbinds: Sequence[Varbind], target: Target | None = None) -> PersonalData:
    """All that was found."""
    cells = {varbind.oid: varbind.value for varbind in varbinds}
    octets = [value for value in cells.values() if isinstance(value, bytes)]
    macs = {
        mac for mac in (*_find_macs(cells), *_find_macs_in_texts(octets)) if any(mac) and mac != b"\xff" * 6
    }
    addresses = {
        *_find_addresses(varbinds),
        *_find_addresses_in_indexes(cells),
        *_find_addresses_in_texts(octets),
    }
    texts = {*_find_serials(cells, octets), *_find_names(cells, octets)}
    if target is not None:
        addresses |= set(filter(None, [_parse_address(target.host)]))
        texts |= {target.name} if target.name else set()
    return PersonalData(
        tuple(sorted(macs))[:MAX_ITEMS_PER_KIND],
        tuple(
            sorted(filter(_identifies_host, addresses), key=lambda address: (address.version, address.packed))
        )[:MAX_ITEMS_PER_KIND],
        tuple(sorted(text for text in texts if MIN_TEXT_CHARS <= len(text) <= MAX_TEXT_CHARS))[
            :MAX_ITEMS_PER_KIND
        ],
    )


def _find_macs(cells: Cells) -> Iterator[bytes]:
    for oid, value in cells.items():
        if isinstance(value, bytes) and len(value) == 6 and _is_below(oid, MAC_OBJECTS):
            yield value


def _find_macs_in_texts(octets: Sequence[bytes]) -> Iterator[bytes]:
    for value in octets:
        for found in MAC_TEXT_PATTERN.finditer(value):
            yield bytes.fromhex(found[0].replace(found[1], b"").decode())


def _find_addresses(varbinds: Sequence[Varbind]) -> Iterator[Address]:
    for varbind in varbinds:
        if varbind.tag == IP_ADDRESS_TAG and isinstance(varbind.value, bytes) and len(varbind.value) == 4:
            yield ipaddress.IPv4Address(varbind.value)


def _find_addresses_in_indexes(cells: Cells) -> Iterator[Address]:
    for oid in cells:
        if _is_below(oid, IPV4_INDEXED_TABLES) and len(oid) > 13 and max(oid[-4:]) < 256:
            yield ipaddress.IPv4Address(bytes(oid[-4:]))
        elif _is_below(oid, INET_INDEXED_TABLES):
            for at in range(9, len(oid) - 5):
                kind, length = oid[at : at + 2]
                piece = oid[at + 2 : at + 2 + length]
                if (kind, length) in ((1, 4), (2, 16)) and len(piece) == length and max(piece) < 256:
                    yield ipaddress.ip_address(bytes(piece))


def _find_addresses_in_texts(octets: Sequence[bytes]) -> Iterator[Address]:
    """Private ones only: a version number may look like any other."""
    for value in octets:
        for found in (*IPV4_PATTERN.finditer(value), *IPV6_PATTERN.finditer(value)):
            address = _parse_address(found[0].decode())
            if address is not None and (address.version == 6 or address.is_private):
                yield address


def _parse_address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _identifies_host(address: Address) -> bool:
    """Neither a netmask, nor everybody's, nor one's own."""
    if address.is_unspecified or address.is_loopback or address.is_multicast:
        return False
    return address.version == 6 or not (address.packed[0] in (0, 127) or address.packed[0] >= 224)


def _find_serials(cells: Cells, octets: Sequence[bytes]) -> Iterator[str]:
    theirs = {
        oid
        for maker in vendors.all_vendors()
        for oid in map(vendors.optional_oid, maker.serial_numbers)
        if oid is not None
    }
    held = [value for oid, value in cells.items() if oid in theirs or _is_below(oid, SERIAL_OBJECTS)]
    told = [found[1] for value in octets for found in SERIAL_PATTERN.finditer(value)]
    for value in (*held, *told):
        text = decode_text(value) if isinstance(value, bytes) else ""
        if text and not is_placeholder_serial(text):
            yield text


def _find_names(cells: Cells, octets: Sequence[bytes]) -> Iterator[str]:
    told = resolve_context(cells)
    who = identify_printer(told)
    known = " ".join(filter(None, (who.manufacturer, who.model))).casefold()
    hosts = {vendors.optional_oid(maker.host_name) for maker in vendors.all_vendors()}
    held = [value for oid, value in cells.items() if oid in hosts or _is_below(oid, NAME_OBJECTS)]
    mails = [found[0] for value in octets for found in MAIL_PATTERN.finditer(value)]
    for value in (*held, *mails):
        text = decode_text(value, told.charset) if isinstance(value, bytes) else ""
        if text and text.casefold() not in known:
            yield text


def _is_below(oid: Oid, entries: tuple[Oid, ...]) -> bool:
    return any(oid[: len(entry)] == entry for entry in entries)
