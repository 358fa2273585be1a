"""Addresses as people write them, as spans of numbers that can be counted without being listed."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple

from appliance.domain.messages import Message

FORMAT_HINT = Message("addresses.hint")

_DASHES = re.compile("[\u2010-\u2015\u2212]")  # the manual prints a range with an en dash
_BLANKS_AROUND = re.compile(r"\s*([.,;/:-])\s*")
_LABEL = re.compile(r"[^\W_]([\w-]{0,61}[^\W])?|_\w[\w-]{0,61}", re.UNICODE)
_NUMBER_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)


class InvalidEntryError(ValueError):
    """An address, range or name that cannot be used; the text is one clear line."""


class AddressRange(NamedTuple):
    """All addresses of one family from `first` to `last`, both included."""

    version: int
    first: int
    last: int

    @property
    def size(self) -> int:
        return self.last - self.first + 1

    def hosts(self) -> Iterator[str]:
        make = IPv4Address if self.version == 4 else IPv6Address
        return (str(make(number)) for number in range(self.first, self.last + 1))


class AddressRangeSet:
    """A set of addresses kept as spans that neither touch nor overlap."""

    def __init__(self) -> None:
        self._firsts: dict[int, list[int]] = {4: [], 6: []}
        self._lasts: dict[int, list[int]] = {4: [], 6: []}

    def add(self, span: AddressRange) -> None:
        firsts, lasts = self._firsts[span.version], self._lasts[span.version]
        low = bisect_left(lasts, span.first - 1)  # the first span that touches or follows
        high = bisect_left(firsts, span.last + 2)  # the first span that is clearly beyond
        first, last = span.first, span.last
        if low < high:
            first, last = min(first, firsts[low]), max(last, lasts[high - 1])
        firsts[low:high], lasts[low:high] = [first], [last]

    def gaps(self, span: AddressRange) -> Iterator[AddressRange]:
        """The parts of `span` that are not in the set."""
        firsts, lasts = self._firsts[span.version], self._lasts[span.version]
        at = span.first
        for index in range(bisect_left(lasts, span.first), bisect_left(firsts, span.last + 1)):
            if at < firsts[index]:
                yield AddressRange(span.version, at, firsts[index] - 1)
            at = lasts[index] + 1
        if at <= span.last:
            yield AddressRange(span.version, at, span.last)

    def __contains__(self, address: IPv4Address | IPv6Address) -> bool:
        index = bisect_left(self._lasts[address.version], int(address))
        firsts = self._firsts[address.version]
        return index < len(firsts) and firsts[index] <= int(address)


def normalize_notation(text: str) -> str:
    """One spelling for dashes and blanks: `192. 168. 1. 15` and `10.0.0.1 - 10.0.0.9` are read as meant."""
    return _BLANKS_AROUND.sub(r"\1", _DASHES.sub("-", text)).strip()


@lru_cache(maxsize=16_384)  # an import list has thousands, and each is asked about many times
def parse_addresses(text: str) -> tuple[AddressRange | str, ...]:
    """The spans and DNS names of a text, in its order. Raises BadEntry."""
    parts = [part for part in re.split("[,;]", normalize_notation(text)) if part]
    if not parts:
        raise InvalidEntryError(Message("addresses.missing", hint=FORMAT_HINT))
    return tuple(_parse_part(part) for part in parts)


def parse_ip(text: str) -> IPv4Address | IPv6Address | None:
    """The address that a text is, or None where it is a name."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def iter_ranges(parts: Iterable[AddressRange | str]) -> Iterator[AddressRange]:
    return (part for part in parts if isinstance(part, AddressRange))


def _parse_part(text: str) -> AddressRange | str:
    if "/" in text:
        return _parse_network(text)
    first, dash, last = text.partition("-")
    if dash and (start := parse_ip(first)):
        return _parse_range(text, start, last)
    if start := parse_ip(text):
        return _check_usable(text, AddressRange(start.version, int(start), int(start)))
    return _parse_name(text)


def _parse_network(text: str) -> AddressRange:
    try:
        network = ip_network(text, strict=False)  # people write their own address with the prefix
    except ValueError:
        raise InvalidEntryError(Message("addresses.bad_network", text=quote_for_message(text))) from None
    first, last = int(network.network_address), int(network.broadcast_address)
    if network.version == 4 and network.prefixlen < 31:
        first, last = first + 1, last - 1  # neither the network's nor the broadcast address
    if network.version == 6 and network.prefixlen < 127:
        first += 1  # the routers' anycast address (RFC 4291, 2.6.1)
    return _check_usable(text, AddressRange(network.version, first, last))


def _parse_range(text: str, start: IPv4Address | IPv6Address, last: str) -> AddressRange:
    if last.isascii() and last.isdigit() and start.version == 4:
        last = f"{str(start).rpartition('.')[0]}.{last}"
    end = parse_ip(last)
    if end is None:
        raise InvalidEntryError(
            Message("addresses.bad_range", text=quote_for_message(text), last=quote_for_message(last))
        )
    if start.version != end.version:
        raise InvalidEntryError(Message("addresses.mixed_range", text=quote_for_message(text)))
    if int(end) < int(start):
        raise InvalidEntryError(
            Message("addresses.reversed_range", text=quote_for_message(text), start=end, end=start)
        )
    return _check_usable(text, AddressRange(start.version, int(start), int(end)))


def _check_usable(text: str, span: AddressRange) -> AddressRange:
    if "%" in text:
        raise InvalidEntryError(Message("addresses.link_local", text=quote_for_message(text)))
    ends = [
        ip_address(host)
        for edge in {span.first, span.last}
        for host in AddressRange(span.version, edge, edge).hosts()
    ]
    if any(end.is_multicast or end.is_unspecified or (end.is_reserved and end.version == 4) for end in ends):
        raise InvalidEntryError(Message("addresses.not_unicast", text=quote_for_message(text)))
    return span


def _parse_name(text: str) -> str:
    name = text.removesuffix(".")
    labels = name.split(".")
    if _NUMBER_LABEL.fullmatch(labels[-1]) or ":" in text:
        raise InvalidEntryError(Message("addresses.invalid", text=quote_for_message(text), hint=FORMAT_HINT))
    try:
        fits = len(name) <= 253 and len(name.encode("idna")) <= 253
    except UnicodeError:
        fits = False
    if not fits or not all(_LABEL.fullmatch(label) for label in labels):
        raise InvalidEntryError(Message("addresses.no_name", text=quote_for_message(text), hint=FORMAT_HINT))
    return name


def quote_for_message(text: str) -> str:
    """A text as it may stand in a message: quoted, on one line, not too long."""
    return (
        ascii(text[:77] + "..." if len(text) > 80 else text) if not text.isprintable() else f'"{text[:80]}"'
    )
