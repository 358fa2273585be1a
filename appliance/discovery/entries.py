"""Discovery entries become targets: each address once, without those that are excluded."""

import asyncio
import re
import socket
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain

from appliance.discovery.address_ranges import (
    AddressRange,
    AddressRangeSet,
    InvalidEntryError,
    iter_ranges,
    normalize_notation,
    parse_addresses,
    parse_ip,
    quote_for_message,
)
from appliance.domain.identifiers import identifier_key
from appliance.domain.messages import Message, message_of
from appliance.domain.model import DiscoveryEntry, Identity, Printer, Target
from appliance.host.daemon_executor import DaemonExecutor

MAX_TARGETS = 65_536  # a /16: what a site needs at most, and what a typing error such as /8 passes by far

_threads = DaemonExecutor()
_RESOLVE_TIMEOUT_S = 10.0  # two name servers at glibc's five seconds each
_MAC_PATTERN = re.compile(
    r"[0-9A-F]{2}([:-]?[0-9A-F]{2}){5}|[0-9A-F]{1,2}([:-][0-9A-F]{1,2}){5}|([0-9A-F]{4}[.:-]){2}[0-9A-F]{4}",
    re.I,
)
_ADDRESS_LIKE = re.compile(r"(\d+(\.\d+){3}|[0-9a-f:]*::[0-9a-f:.]*)([/-].*)?", re.I)


class NameNotResolvedError(Exception):
    """A printer's name that leads to no address now; the text is one clear line."""


class Exclusions:
    """What nobody may be asked: addresses, ranges, networks, names, MAC addresses, serial numbers."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """Raises BadEntry."""
        self._spans = AddressRangeSet()
        self._names: set[str] = set()  # in lower case
        self._short_names: set[str] = set()  # the first labels of those that have a domain
        self._macs: set[str] = set()
        self._serials: set[str] = set()
        for text in texts:
            if not text.strip(" ,;"):
                raise InvalidEntryError(Message("entries.empty_exclusion"))
            for part in re.split("[,;]", text):
                self._add(part.strip())

    def _add(self, text: str) -> None:
        if mac := parse_mac_address(text):
            self._macs.add(mac)
        elif _is_address_like(text):
            for span in iter_ranges(parse_addresses(text)):
                self._spans.add(span)
        elif name := text.removesuffix(".").casefold():
            self._names.add(name)
            if "." in name:
                self._short_names.add(name.partition(".")[0])
        self._serials.add(identifier_key(text))

    def excludes_address(self, ip: str) -> bool:
        number = parse_ip(ip)
        return number is not None and number in self._spans

    def excludes_name(self, name: str) -> bool:
        """A name with its domain is also known without it, and the other way round."""
        if parse_ip(name) is not None:
            return self.excludes_address(name)
        name = name.strip().removesuffix(".").casefold()
        short, domain, _ = name.partition(".")
        return name in self._names or (short in self._names if domain else name in self._short_names)

    def excludes(self, target: Target) -> bool:
        return self.excludes_name(target.host) or bool(target.name and self.excludes_name(target.name))

    def excludes_identity(self, identity: Identity) -> bool:
        serial, mac = identity.serial_number, identity.mac_address
        return bool(serial and identifier_key(serial) in self._serials) or bool(mac and mac in self._macs)

    def excludes_printer(self, target: Target, identity: Identity, sys_name: str | None = None) -> bool:
        """By all that is known of it; `called` is the name that it gives itself (sysName)."""
        if self.excludes(target) or self.excludes_identity(identity):
            return True
        return bool(sys_name and self.excludes_name(sys_name))

    def iter_allowed(self, span: AddressRange) -> Iterator[AddressRange]:
        """The parts of a span that may be asked."""
        return self._spans.gaps(span)


def drop_excluded(printers: Iterable[Printer], exclusions: Iterable[str]) -> Iterator[Printer]:
    """Those that the provider may hear of: what is excluded does not leave the site, known or not."""
    excluded = Exclusions(exclusions)
    for each in printers:
        if not excluded.excludes_printer(each.target, each.identity, each.details.name):
            yield each


def parse_mac_address(text: str) -> str | None:
    """Twelve upper-case hexadecimal digits of a MAC address in any notation, or None where it is none."""
    text = text.strip().upper()
    if not _MAC_PATTERN.fullmatch(text):
        return None
    parts = re.split("[.:-]", text)
    return "".join(part.zfill(2) for part in parts)


def exclusion_problem(text: str) -> str | None:
    """What is wrong with an exclusion, or None."""
    try:
        Exclusions([text])
    except InvalidEntryError as error:
        return message_of(error)
    return None


def entry_problem(entry: DiscoveryEntry, limit: int = MAX_TARGETS) -> str | None:
    """What is wrong with an entry, or None."""
    try:
        _parse_limited(entry, limit)
    except InvalidEntryError as error:
        return message_of(error)
    return None


def count_targets(entry: DiscoveryEntry) -> int:
    """How many addresses and names an entry has, without listing them. Raises BadEntry."""
    return _count_parts(parse_addresses(entry.addresses))


def expand(entry: DiscoveryEntry, exclusions: Exclusions, *, limit: int = MAX_TARGETS) -> Iterator[Target]:
    """The targets of one entry; a name is its target's host until it is resolved. Raises BadEntry."""
    return expand_all([entry], exclusions, limit=limit)


def expand_all(
    entries: Iterable[DiscoveryEntry], exclusions: Exclusions, *, limit: int = MAX_TARGETS
) -> Iterator[Target]:
    """The targets of all entries, each host with the same port and community once: the first entry wins."""
    for entry, part in _iter_new_parts(entries, exclusions, limit):
        pattern = _target_template(entry)
        if isinstance(part, str):
            yield replace(pattern, host=part, name=part)
        else:
            yield from (replace(pattern, host=host) for host in part.hosts())


def count_all_targets(
    entries: Iterable[DiscoveryEntry], exclusions: Exclusions, *, limit: int = MAX_TARGETS
) -> int:
    """How many targets all entries have, without listing them. Raises BadEntry."""
    return _count_parts(part for _, part in _iter_new_parts(entries, exclusions, limit))


def iter_name_targets(
    entries: Iterable[DiscoveryEntry], exclusions: Exclusions, *, limit: int = MAX_TARGETS
) -> Iterator[Target]:
    """Those of the targets that are to be resolved. Raises BadEntry."""
    for entry, part in _iter_new_parts(entries, exclusions, limit):
        if isinstance(part, str):
            yield replace(_target_template(entry), host=part, name=part)


def total_problem(entries: Iterable[DiscoveryEntry], limit: int = MAX_TARGETS) -> str | None:
    """What is wrong with all entries together, each being right by itself, or None."""
    total = sum(count_targets(entry) for entry in entries)
    return _too_many_text(Message("entries.all_addresses", count=total), limit) if total > limit else None


class Coverage:
    """All that the entries cover, for many questions."""

    def __init__(self, entries: Iterable[DiscoveryEntry]) -> None:
        """Raises BadEntry."""
        self._spans = AddressRangeSet()
        self._names: set[str] = set()
        for part in chain.from_iterable(parse_addresses(entry.addresses) for entry in entries):
            if isinstance(part, str):
                self._names.add(part.casefold())
            else:
                self._spans.add(part)

    def __contains__(self, target: Target) -> bool:
        number = parse_ip(target.host)
        if number is not None and number in self._spans:
            return True
        return not self._names.isdisjoint(text.casefold() for text in (target.host, target.name) if text)


def find_entry(
    entries: Iterable[DiscoveryEntry], host: str, name: str | None = None
) -> DiscoveryEntry | None:
    """The first entry that covers a printer's address or its name, or None for a stranger."""
    number, names = parse_ip(host), {text.casefold() for text in (host, name) if text}
    for entry in entries:
        for part in parse_addresses(entry.addresses):
            if isinstance(part, str):
                if part.casefold() in names:
                    return entry
            elif number and number.version == part.version and part.first <= int(number) <= part.last:
                return entry
    return None


async def resolve_target(target: Target) -> Target:
    """The target with its name's present address as host. Raises NotResolved."""
    if parse_ip(target.host) is not None and target.name is None:
        return target
    name = target.name or target.host
    try:
        async with asyncio.timeout(_RESOLVE_TIMEOUT_S):
            loop = asyncio.get_running_loop()
            host = await loop.run_in_executor(_threads, _forward_lookup, name, target.port)
    except TimeoutError:
        raise NameNotResolvedError(Message("dns.no_server", name=name)) from None
    except (OSError, UnicodeError) as error:
        raise NameNotResolvedError(
            Message("dns.name_without_address", name=name, reason=getattr(error, "strerror", error))
        ) from error
    return replace(target, host=host, name=name)


def _forward_lookup(name: str, port: int) -> str:
    found = socket.getaddrinfo(name, port, type=socket.SOCK_DGRAM)
    found.sort(key=lambda row: row[0] != socket.AF_INET)  # printers answer on IPv4 more surely
    return str(found[0][4][0])


async def add_dns_name(target: Target) -> Target:
    """The target with the name that the name service gives its address, or as it was where there is none."""
    try:
        async with asyncio.timeout(_RESOLVE_TIMEOUT_S):
            loop = asyncio.get_running_loop()
            name = await loop.run_in_executor(_threads, _reverse_lookup, target.host, target.port)
    except (TimeoutError, OSError, UnicodeError):
        return target
    return replace(target, name=name)


def _reverse_lookup(host: str, port: int) -> str:
    name, _ = socket.getnameinfo((host, port), socket.NI_NAMEREQD | socket.NI_DGRAM)
    return name


def _parse_limited(
    entry: DiscoveryEntry, limit: int, remaining: int | None = None
) -> tuple[AddressRange | str, ...]:
    parts = parse_addresses(entry.addresses)
    size = _count_parts(parts)
    if size > limit:
        raise InvalidEntryError(
            _too_many_text(
                Message(
                    "entries.one_entry",
                    addresses=quote_for_message(normalize_notation(entry.addresses)),
                    count=size,
                ),
                limit,
            )
        )
    if remaining is not None and size > remaining:
        raise InvalidEntryError(
            _too_many_text(
                Message(
                    "entries.with_entry",
                    addresses=quote_for_message(normalize_notation(entry.addresses)),
                ),
                limit,
            )
        )
    return parts


def _count_parts(parts: Iterable[AddressRange | str]) -> int:
    return sum(part.size if isinstance(part, AddressRange) else 1 for part in parts)


def _too_many_text(what: str, limit: int) -> str:
    return Message("entries.too_many", what=what, limit=limit)


def _target_template(entry: DiscoveryEntry) -> Target:
    return Target(
        host="",
        port=entry.port,
        snmp_version=entry.snmp_version,
        community_read=entry.community_read,
        community_write=entry.community_write,
        address_by=entry.address_by,
        http_username=entry.http_username,
        http_password=entry.http_password,
    )


def _iter_new_parts(
    entries: Iterable[DiscoveryEntry], exclusions: Exclusions, limit: int
) -> Iterator[tuple[DiscoveryEntry, AddressRange | str]]:
    """What is new in each entry and may be asked."""
    seen: dict[tuple[int, str], AddressRangeSet] = defaultdict(AddressRangeSet)
    seen_names: set[tuple[str, int, str]] = set()
    left = limit
    for entry in entries:
        parts = _parse_limited(entry, limit, left)
        left -= _count_parts(parts)
        for part in parts:
            if isinstance(part, AddressRange):
                spans_before = seen[entry.port, entry.community_read]
                new = list(spans_before.gaps(part))
                spans_before.add(part)
                yield from ((entry, allowed) for span in new for allowed in exclusions.iter_allowed(span))
                continue
            key = (part.casefold(), entry.port, entry.community_read)
            if key not in seen_names and not exclusions.excludes_name(part):
                seen_names.add(key)
                yield entry, part


def _is_address_like(text: str) -> bool:
    """Whether a text was meant as an address: it may be mistyped; all else is a name or a serial number."""
    return bool(_ADDRESS_LIKE.fullmatch(normalize_notation(text)) or parse_ip(text))
