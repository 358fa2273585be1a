"""Discovery entries become targets: each address once, without those that are excluded."""

import asyncio
import re
import socket
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain

from appliance.discovery.address_ranges import BadEntry, Span, Spans, address, parse, shown, spans, tidy
from appliance.domain.model import DiscoveryEntry, Identity, Printer, Target
from appliance.host.daemon_executor import DaemonThreads

MOST = 65_536  # a /16: what a site needs at most, and what a typing error such as /8 passes by far

_threads = DaemonThreads()
_RESOLVE_SECONDS = 10.0  # two name servers at glibc's five seconds each
_MAC = re.compile(
    r"[0-9A-F]{2}([:-]?[0-9A-F]{2}){5}|[0-9A-F]{1,2}([:-][0-9A-F]{1,2}){5}|([0-9A-F]{4}[.:-]){2}[0-9A-F]{4}",
    re.I,
)
_ADDRESS_LIKE = re.compile(r"(\d+(\.\d+){3}|[0-9a-f:]*::[0-9a-f:.]*)([/-].*)?", re.I)


class NotResolved(Exception):
    """A printer's name that leads to no address now; the text is one clear line."""


class Exclusions:
    """What nobody may be asked: addresses, ranges, networks, names, MAC addresses, serial numbers."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """Raises BadEntry."""
        self._spans = Spans()
        self._names: set[str] = set()  # in lower case
        self._short_names: set[str] = set()  # the first labels of those that have a domain
        self._macs: set[str] = set()
        self._serials: set[str] = set()
        for text in texts:
            if not text.strip(" ,;"):
                raise BadEntry("an exclusion is empty")
            for part in re.split("[,;]", text):
                self._add(part.strip())

    def _add(self, text: str) -> None:
        if mac := mac_address(text):
            self._macs.add(mac)
        elif _is_address_like(text):
            for span in spans(parse(text)):
                self._spans.add(span)
        elif name := text.removesuffix(".").casefold():
            self._names.add(name)
            if "." in name:
                self._short_names.add(name.partition(".")[0])
        self._serials.add(comparable(text))

    def excludes_address(self, ip: str) -> bool:
        number = address(ip)
        return number is not None and number in self._spans

    def excludes_name(self, name: str) -> bool:
        """A name with its domain is also known without it, and the other way round."""
        if address(name) is not None:
            return self.excludes_address(name)
        name = name.strip().removesuffix(".").casefold()
        short, domain, _ = name.partition(".")
        return name in self._names or (short in self._names if domain else name in self._short_names)

    def excludes(self, target: Target) -> bool:
        return self.excludes_name(target.host) or bool(target.name and self.excludes_name(target.name))

    def excludes_identity(self, identity: Identity) -> bool:
        serial, mac = identity.serial_number, identity.mac_address
        return bool(serial and comparable(serial) in self._serials) or bool(mac and mac in self._macs)

    def excludes_printer(self, target: Target, identity: Identity, called: str | None = None) -> bool:
        """By all that is known of it; `called` is the name that it gives itself (sysName)."""
        if self.excludes(target) or self.excludes_identity(identity):
            return True
        return bool(called and self.excludes_name(called))

    def without(self, span: Span) -> Iterator[Span]:
        """The parts of a span that may be asked."""
        return self._spans.gaps(span)


def wanted(printers: Iterable[Printer], exclusions: Iterable[str]) -> Iterator[Printer]:
    """Those that the provider may hear of: what is excluded does not leave the site, known or not."""
    excluded = Exclusions(exclusions)
    for each in printers:
        if not excluded.excludes_printer(each.target, each.identity, each.details.name):
            yield each


def mac_address(text: str) -> str | None:
    """Twelve upper-case hexadecimal digits of a MAC address in any notation, or None where it is none."""
    text = text.strip().upper()
    if not _MAC.fullmatch(text):
        return None
    parts = re.split("[.:-]", text)
    return "".join(part.zfill(2) for part in parts)


def comparable(serial: str) -> str:
    """A serial number as it is compared: one label prints blanks into it, another does not."""
    return "".join(serial.split()).casefold()


def check_exclusion(text: str) -> str | None:
    """What is wrong with an exclusion, or None."""
    try:
        Exclusions([text])
    except BadEntry as error:
        return str(error)
    return None


def check(entry: DiscoveryEntry, most: int = MOST) -> str | None:
    """What is wrong with an entry, or None."""
    try:
        _limited(entry, most)
    except BadEntry as error:
        return str(error)
    return None


def count(entry: DiscoveryEntry) -> int:
    """How many addresses and names an entry has, without listing them. Raises BadEntry."""
    return _size(parse(entry.addresses))


def expand(entry: DiscoveryEntry, exclusions: Exclusions, *, most: int = MOST) -> Iterator[Target]:
    """The targets of one entry; a name is its target's host until it is resolved. Raises BadEntry."""
    return expand_all([entry], exclusions, most=most)


def expand_all(
    entries: Iterable[DiscoveryEntry], exclusions: Exclusions, *, most: int = MOST
) -> Iterator[Target]:
    """The targets of all entries, each host with the same port and community once: the first entry wins."""
    for entry, part in _parts(entries, exclusions, most):
        pattern = _target(entry)
        if isinstance(part, str):
            yield replace(pattern, host=part, name=part)
        else:
            yield from (replace(pattern, host=host) for host in part.hosts())


def total(entries: Iterable[DiscoveryEntry], exclusions: Exclusions, *, most: int = MOST) -> int:
    """How many targets all entries have, without listing them. Raises BadEntry."""
    return _size(part for _, part in _parts(entries, exclusions, most))


def names(entries: Iterable[DiscoveryEntry], exclusions: Exclusions, *, most: int = MOST) -> Iterator[Target]:
    """Those of the targets that are to be resolved. Raises BadEntry."""
    for entry, part in _parts(entries, exclusions, most):
        if isinstance(part, str):
            yield replace(_target(entry), host=part, name=part)


def check_total(entries: Iterable[DiscoveryEntry], most: int = MOST) -> str | None:
    """What is wrong with all entries together, each being right by itself, or None."""
    total = sum(count(entry) for entry in entries)
    return _too_many(f"all entries together are {total:,} addresses", most) if total > most else None


class Coverage:
    """All that the entries cover, for many questions."""

    def __init__(self, entries: Iterable[DiscoveryEntry]) -> None:
        """Raises BadEntry."""
        self._spans = Spans()
        self._names: set[str] = set()
        for part in chain.from_iterable(parse(entry.addresses) for entry in entries):
            if isinstance(part, str):
                self._names.add(part.casefold())
            else:
                self._spans.add(part)

    def __contains__(self, target: Target) -> bool:
        number = address(target.host)
        if number is not None and number in self._spans:
            return True
        return not self._names.isdisjoint(text.casefold() for text in (target.host, target.name) if text)


def entry_for(entries: Iterable[DiscoveryEntry], host: str, name: str | None = None) -> DiscoveryEntry | None:
    """The first entry that covers a printer's address or its name, or None for a stranger."""
    number, names = address(host), {text.casefold() for text in (host, name) if text}
    for entry in entries:
        for part in parse(entry.addresses):
            if isinstance(part, str):
                if part.casefold() in names:
                    return entry
            elif number and number.version == part.version and part.first <= int(number) <= part.last:
                return entry
    return None


async def resolve(target: Target) -> Target:
    """The target with its name's present address as host. Raises NotResolved."""
    if address(target.host) is not None and target.name is None:
        return target
    name = target.name or target.host
    try:
        async with asyncio.timeout(_RESOLVE_SECONDS):
            loop = asyncio.get_running_loop()
            host = await loop.run_in_executor(_threads, _lookup, name, target.port)
    except TimeoutError:
        raise NotResolved(f"no name server answered for {name}") from None
    except (OSError, UnicodeError) as error:
        raise NotResolved(f"the name {name} has no address: {getattr(error, 'strerror', error)}") from error
    return replace(target, host=host, name=name)


def _lookup(name: str, port: int) -> str:
    found = socket.getaddrinfo(name, port, type=socket.SOCK_DGRAM)
    found.sort(key=lambda row: row[0] != socket.AF_INET)  # printers answer on IPv4 more surely
    return str(found[0][4][0])


async def named(target: Target) -> Target:
    """The target with the name that the name service gives its address, or as it was where there is none."""
    try:
        async with asyncio.timeout(_RESOLVE_SECONDS):
            loop = asyncio.get_running_loop()
            name = await loop.run_in_executor(_threads, _reverse_lookup, target.host, target.port)
    except (TimeoutError, OSError, UnicodeError):
        return target
    return replace(target, name=name)


def _reverse_lookup(host: str, port: int) -> str:
    name, _ = socket.getnameinfo((host, port), socket.NI_NAMEREQD | socket.NI_DGRAM)
    return name


def _limited(entry: DiscoveryEntry, most: int, left: int | None = None) -> tuple[Span | str, ...]:
    parts = parse(entry.addresses)
    size = _size(parts)
    if size > most:
        raise BadEntry(_too_many(f"{shown(tidy(entry.addresses))} is {size:,} addresses", most))
    if left is not None and size > left:
        raise BadEntry(_too_many(f"with {shown(tidy(entry.addresses))} the entries", most))
    return parts


def _size(parts: Iterable[Span | str]) -> int:
    return sum(part.size if isinstance(part, Span) else 1 for part in parts)


def _too_many(what: str, most: int) -> str:
    return f"{what}, more than the {most:,} that one run may ask: narrow it, or raise discovery.max_addresses"


def _target(entry: DiscoveryEntry) -> Target:
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


def _parts(
    entries: Iterable[DiscoveryEntry], exclusions: Exclusions, most: int
) -> Iterator[tuple[DiscoveryEntry, Span | str]]:
    """What is new in each entry and may be asked."""
    seen: dict[tuple[int, str], Spans] = defaultdict(Spans)
    seen_names: set[tuple[str, int, str]] = set()
    left = most
    for entry in entries:
        parts = _limited(entry, most, left)
        left -= _size(parts)
        for part in parts:
            if isinstance(part, Span):
                spans_before = seen[entry.port, entry.community_read]
                new = list(spans_before.gaps(part))
                spans_before.add(part)
                yield from ((entry, allowed) for span in new for allowed in exclusions.without(span))
                continue
            key = (part.casefold(), entry.port, entry.community_read)
            if key not in seen_names and not exclusions.excludes_name(part):
                seen_names.add(key)
                yield entry, part


def _is_address_like(text: str) -> bool:
    """Whether a text was meant as an address: it may be mistyped; all else is a name or a serial number."""
    return bool(_ADDRESS_LIKE.fullmatch(tidy(text)) or address(text))
