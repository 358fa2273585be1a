"""A recording without what tells whose printer it is: a secret becomes the same made-up one everywhere.

What is made up has the form of what it replaces: as many letters and digits in the same places; the maker's
half of a MAC address stays, an IP address becomes one that is reserved for examples (RFC 5737, RFC 3849).
"""

import hashlib
import ipaddress
import re
import secrets
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from appliance.collector.printer_identity import identify_printer, is_placeholder_serial, resolve_context
from appliance.domain.model import Target
from appliance.mib import oids
from appliance.mib.charsets import decode_text
from appliance.mib.oids import MIB_2, Oid
from appliance.mib.printer_mib import IF_PHYS_ADDRESS, INPUTS, OUTPUTS
from appliance.mib.values import Cells
from appliance.snmp.ber import Varbind
from appliance.snmp.constants import IP_ADDRESS_TAG, OCTET_STRING_TAG, OPAQUE_TAG
from appliance.vendors import vendors

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

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
    INPUTS.column_of("serial_number"),
    OUTPUTS.column_of("serial_number"),
)
MAC_OBJECTS: tuple[Oid, ...] = (IF_PHYS_ADDRESS, (*MIB_2, 3, 1, 1, 2), (*MIB_2, 4, 22, 1, 2))
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


MAC_SEPARATORS = ("", ":", "-", ".", " ")
NETWORK_GROUPS: tuple[Oid, ...] = tuple(
    (*MIB_2, group) for group in (3, 4, 6, 7, 55)
)  # at, ip, tcp, udp, ipv6
MIN_INDEX_POSITION = 9  # arcs before the index of their tables, at least

EXAMPLE_NETWORKS = tuple(map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))
EXAMPLE_IPV6_BASE = int(ipaddress.IPv6Address("2001:db8::"))


def anonymize_varbinds(varbinds: Sequence[Varbind], target: Target | None = None) -> tuple[Varbind, ...]:
    """The recording with made-up names, numbers and addresses, in the order of a walk."""
    mask = Anonymizer(secrets.token_bytes(16))
    found = find_personal_data(varbinds, target)
    for mac in found.macs:
        mask.add_mac(mac)
    for address in found.addresses:
        mask.add_address(address)
    mask.compile_patterns()
    for text in found.texts:
        mask.add_text(text)
    mask.compile_patterns()
    changed = (
        Varbind(mask.replace_oid(oid), mask.replace_value(value, tag), tag) for oid, value, tag in varbinds
    )
    return tuple(sorted(changed, key=lambda varbind: varbind.oid))


class Anonymizer:
    """What takes the place of what."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._text_replacements: dict[bytes, bytes] = {}
        self._raw_replacements: dict[bytes, bytes] = {}  # addresses as octets
        self._secrets_pattern = re.compile(b"(?!)")
        self._address_count = 0

    def add_text(self, text: str) -> None:
        """A name or a serial number, in either case and in two-octet characters."""
        for shown in (text, text.upper(), text.lower()):
            made_up = self._pseudonym(shown)
            for codec in ("utf-8", "latin-1", "utf-16-be", "utf-16-le"):
                try:
                    self._text_replacements.setdefault(shown.encode(codec), made_up.encode(codec))
                except UnicodeEncodeError:
                    continue

    def add_mac(self, mac: bytes) -> None:
        """Six octets: raw, and as text with any separators. The maker's half stays."""
        end = hashlib.blake2b(mac, key=self._key, digest_size=3).digest()
        made_up = mac[:3] + (end if end != mac[3:] else bytes(octet ^ 1 for octet in end))
        self._raw_replacements.setdefault(mac, made_up)
        for old, new in ((mac, made_up), (mac[3:], made_up[3:])):  # its end alone stands in names
            for separator in MAC_SEPARATORS:
                for shown, replaced in zip(
                    _hex_cases(old, separator), _hex_cases(new, separator), strict=True
                ):
                    self._text_replacements.setdefault(shown, replaced)
        halves = (mac.hex(), made_up.hex())
        old_text, new_text = (".".join(half[at : at + 4] for at in (0, 4, 8)) for half in halves)
        self._text_replacements.setdefault(old_text.encode(), new_text.encode())

    def add_address(self, address: Address) -> None:
        if address.packed in self._raw_replacements:
            return
        self._address_count += 1
        if isinstance(address, ipaddress.IPv6Address):
            made_up: Address = ipaddress.IPv6Address(EXAMPLE_IPV6_BASE + self._address_count)
            self._text_replacements.setdefault(address.exploded.encode(), made_up.exploded.encode())
        else:
            network = EXAMPLE_NETWORKS[(self._address_count - 1) // 254 % len(EXAMPLE_NETWORKS)]
            made_up = ipaddress.IPv4Address(
                int(network.network_address) + 1 + (self._address_count - 1) % 254
            )
        self._raw_replacements[address.packed] = made_up.packed
        self._text_replacements.setdefault(str(address).encode(), str(made_up).encode())

    def compile_patterns(self) -> None:
        """From now on what was added is replaced; the longest first, each octet once."""
        olds = sorted((old for old in self._text_replacements if old), key=len, reverse=True)
        raw = [old for old in self._raw_replacements if len(old) != 4]  # four octets are too few to be sure
        self._secrets_pattern = re.compile(b"|".join(map(_literal_pattern, (*olds, *raw))) or b"(?!)")

    def replace_value(self, value: int | bytes | Oid | None, tag: int) -> int | bytes | Oid | None:
        if not isinstance(value, bytes):
            return self.replace_oid(value) if isinstance(value, tuple) else value
        if value in self._raw_replacements:
            return self._raw_replacements[value]
        return (
            self._secrets_pattern.sub(self._replacement, value)
            if tag in (OCTET_STRING_TAG, OPAQUE_TAG)
            else value
        )

    def _replacement(self, match: re.Match[bytes]) -> bytes:
        return self._text_replacements.get(match[0]) or self._raw_replacements[match[0]]

    def replace_oid(self, oid: Oid) -> Oid:
        """Indexes hold addresses as arcs, in the tables of networks, texts anywhere."""
        if oid[: len(MIB_2) + 1] in NETWORK_GROUPS:
            return self._replace_index(oid)
        tail = oid[MIN_INDEX_POSITION:]
        if len(tail) < 4 or any(arc > 255 for arc in tail):
            return oid
        octets = bytes(tail)
        return (*oid[:MIN_INDEX_POSITION], *self._secrets_pattern.sub(self._replacement, octets))

    def _replace_index(self, oid: Oid) -> Oid:
        arcs = list(oid)
        at = MIN_INDEX_POSITION
        while at < len(arcs):
            for length in (16, 6, 4):
                piece = arcs[at : at + length]
                if len(piece) == length and max(piece) < 256 and bytes(piece) in self._raw_replacements:
                    arcs[at : at + length] = self._raw_replacements[bytes(piece)]
                    at += length - 1
                    break
            at += 1
        return tuple(arcs)

    def _pseudonym(self, text: str) -> str:
        """The same text always gives the same one, in either case; an address in it becomes its own mask."""
        made_up, at = "", 0
        octets = text.encode("latin-1", "replace")  # an octet for each character
        for found in self._secrets_pattern.finditer(octets):
            made_up += self._scramble(text[at : found.start()]) + self._replacement(found).decode("latin-1")
            at = found.end()
        return made_up + self._scramble(text[at:])

    def _scramble(self, text: str) -> str:
        digest = hashlib.shake_128(self._key + text.casefold().encode()).digest(len(text))
        letters = "".join(
            _substitute_character(character, number) for character, number in zip(text, digest, strict=True)
        )
        if letters.casefold() != text.casefold():
            return letters
        return "".join(
            _substitute_character(character, number + 1)
            for character, number in zip(text, digest, strict=True)
        )


def _substitute_character(character: str, digest_byte: int) -> str:
    if character.isdecimal():
        return str(digest_byte % 10)
    if character.isalpha():
        letter = chr(ord("a") + digest_byte % 26)
        return letter.upper() if character.isupper() else letter
    return character


def _hex_cases(octets: bytes, separator: str) -> tuple[bytes, bytes]:
    text = octets.hex(separator) if separator else octets.hex()
    return text.encode(), text.upper().encode()


def _literal_pattern(original: bytes) -> bytes:
    """A number is not found inside a longer one: 10.0.0.1 is no part of 10.0.0.12."""
    piece = re.escape(original)
    return rb"(?<![0-9])%s(?![0-9])" % piece if re.fullmatch(rb"[0-9.]+", original) else piece
