"""The maker's other door: a web page that tells what SNMP leaves out.

The pages of Brother and Lexmark are asked at each full reading, Canon's where SNMP counts nothing but a
total; in between only where the page added something the last time, so that what is billed is as fresh as the
rest. What SNMP says stands; a page fills what is missing. Where both count the same thing differently, that
is told.
"""

import hashlib
import hmac
import logging
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from appliance.collector.counters import agree
from appliance.domain.model import Counter, CounterName, Failure, Reading, Supply, Vague
from appliance.ews.result import Page, Ports
from appliance.mib.oids import parsed
from appliance.vendors import vendors

log = logging.getLogger(__name__)

PERCENT = 19  # prtMarkerSuppliesSupplyUnit, RFC 3805


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of a printer's web server."""

    path: str = ""  # the page that has the counters
    scheme: Literal["http", "https"] = "http"
    adds: bool = False  # whether it said anything that SNMP did not
    refused: str = ""  # the credentials that it turned down, as a salted digest
    note: str = ""  # why there was nothing to be had the last time; it stands until the page is asked again


NOTHING = Memory()
PORTS = Ports.usual()


async def knock(
    reading: Reading, memory: Memory = NOTHING, *, full: bool = True, ports: Ports = PORTS
) -> tuple[Reading, Memory]:
    """The reading with what the maker's page adds, then what to remember; a page never spoils a reading."""
    maker = door(reading)
    if maker is None:
        return reading, memory
    if not (full or memory.adds):
        return _noted(reading, memory.note), memory
    # Imported here: it takes aiohttp along, which most printers never need.
    from appliance.ews.http_client import Credentials  # noqa: PLC0415
    from appliance.ews.scrape import Visited, visit  # noqa: PLC0415

    target = reading.target
    username, password = target.http_username, target.http_password
    try:
        visited = await visit(
            maker,
            target.host,
            ports,
            Credentials(username, password) if password else None,
            path=memory.path,
            scheme=memory.scheme,
            refused=_is_refused(memory, reading),
            total=_total(reading),
        )
    except Exception:  # a fault of ours in reading a page must not cost the reading
        log.exception("%s: the web page cannot be read", target.host)
        visited = Visited(None, "the web page cannot be read", memory.scheme, refused=False)
    refused = _digest(reading, memory.refused) if visited.refused else memory.refused
    memory = replace(memory, scheme=visited.scheme, refused=refused)
    if visited.page is None:
        return _without(reading, memory, visited.reason)
    if not is_same(reading.identity.serial_number, visited.page.serial_number):
        return _without(reading, memory, "the web page is another device's")
    joined = join(reading, visited.page)
    return joined, replace(memory, path=visited.page.path, adds=_adds(reading, joined), note="")


def door(reading: Reading) -> str | None:
    """Whose page to ask: of the maker whose firmware answers, whatever brand is on the case."""
    object_id = reading.identity.object_id
    builder = vendors.maker(parsed(object_id) if object_id else None, reading.details.description)
    name = builder.name if builder else None
    if name == "Canon":
        counted = {counter.name for counter in reading.counters}
        return None if counted - {CounterName.TOTAL} else name
    return name if name in ("Brother", "Lexmark") else None


def join(reading: Reading, page: Page) -> Reading:
    """What both say. The serial number is never taken from a page: it decides which printer this is."""
    return replace(
        reading,
        counters=merge(reading.counters, page.counters, f"http {page.path.partition('?')[0]}"),
        supplies=tuple(_filled(supply, page.levels) for supply in reading.supplies),
        details=replace(reading.details, firmware=reading.details.firmware or page.firmware),
    )


def merge(counters: Iterable[Counter], others: Mapping[CounterName, int], source: str) -> tuple[Counter, ...]:
    """SNMP's counters, with the page's where SNMP has none. Where both count and do not agree, it is told."""
    found = {counter.name: counter for counter in counters}
    for name, value in others.items():
        known = found.setdefault(name, Counter(name, value, source))
        if not known.dispute and not agree(known.value, value):
            dispute = f"{known.value} by {known.source}, but {value} by {source}"
            found[name] = replace(known, dispute=dispute)
    return tuple(found[name] for name in CounterName if name in found)


def _adds(reading: Reading, joined: Reading) -> bool:
    return (len(reading.counters), reading.supplies, reading.details) != (
        len(joined.counters),
        joined.supplies,
        joined.details,
    )


def is_same(one: str | None, other: str | None) -> bool:
    """Whether two serial numbers may be of one printer: blanks and dashes do not count, one may be cut."""
    plain, plain_other = (
        "".join(filter(str.isalnum, text or "")).casefold().lstrip("0") for text in (one, other)
    )
    return plain in plain_other or plain_other in plain


def _filled(supply: Supply, levels: Mapping[str, int]) -> Supply:
    """A level where Printer-MIB only says that there is some."""
    known = {name.casefold(): percent for name, percent in levels.items()}
    percent = known.get((supply.description or "").casefold())
    if percent is None or not (supply.level is None or isinstance(supply.level, Vague)):
        return supply
    return replace(supply, level=percent, max_capacity=100, unit=PERCENT)


def _without(reading: Reading, memory: Memory, reason: str) -> tuple[Reading, Memory]:
    """A page that could not be read. What it counted the last time still stands."""
    if not memory.adds:
        return _noted(reading, reason), replace(memory, note=reason)
    if any(failure.part == "counters" for failure in reading.failures):
        return reading, memory
    return replace(reading, failures=(*reading.failures, Failure("counters", reason))), memory


def _noted(reading: Reading, note: str) -> Reading:
    return replace(reading, notes=(*reading.notes, note)) if note else reading


def _total(reading: Reading) -> int | None:
    return next((counter.value for counter in reading.counters if counter.name == CounterName.TOTAL), None)


def _is_refused(memory: Memory, reading: Reading) -> bool:
    return bool(memory.refused) and hmac.compare_digest(memory.refused, _digest(reading, memory.refused))


def _digest(reading: Reading, like: str) -> str:
    """Who was told which name and password, not to be read back; salted as `like` is."""
    salt = bytes.fromhex(like.partition(":")[0]) if like else secrets.token_bytes(16)
    target, who = reading.target, reading.identity
    given = (who.serial_number or who.mac_address or "", target.http_username, target.http_password)
    return (
        f"{salt.hex()}:{hashlib.blake2b(chr(0).join(given).encode(), key=salt, digest_size=16).hexdigest()}"
    )
