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

from appliance.collector.counters import is_within_tolerance
from appliance.domain.model import Counter, CounterName, Failure, Reading, Supply, Vague
from appliance.ews.result import EwsData, EwsPorts
from appliance.mib.oids import parse_oid
from appliance.vendors import vendors

log = logging.getLogger(__name__)

PERCENT_UNIT = 19  # prtMarkerSuppliesSupplyUnit, RFC 3805


@dataclass(frozen=True, slots=True)
class EwsState:
    """What is remembered of a printer's web server."""

    path: str = ""  # the page that has the counters
    scheme: Literal["http", "https"] = "http"
    adds: bool = False  # whether it said anything that SNMP did not
    refused: str = ""  # the credentials that it turned down, as a salted digest
    note: str = ""  # why there was nothing to be had the last time; it stands until the page is asked again


EMPTY_EWS_STATE = EwsState()
DEFAULT_PORTS = EwsPorts.from_environment()


async def add_ews_values(
    reading: Reading, state: EwsState = EMPTY_EWS_STATE, *, full: bool = True, ports: EwsPorts = DEFAULT_PORTS
) -> tuple[Reading, EwsState]:
    """The reading with what the maker's page adds, then what to remember; a page never spoils a reading."""
    maker = ews_vendor(reading)
    if maker is None:
        return reading, state
    if not (full or state.adds):
        return _add_note(reading, state.note), state
    # Imported here: it takes aiohttp along, which most printers never need.
    from appliance.ews.http_client import EwsCredentials  # noqa: PLC0415
    from appliance.ews.scrape import ScrapeResult, scrape_printer  # noqa: PLC0415

    target = reading.target
    username, password = target.http_username, target.http_password
    try:
        visited = await scrape_printer(
            maker,
            target.host,
            ports,
            EwsCredentials(username, password) if password else None,
            path=state.path,
            scheme=state.scheme,
            credentials_rejected=_were_credentials_rejected(state, reading),
            total=_total_count(reading),
        )
    except Exception:  # a fault of ours in reading a page must not cost the reading
        log.exception("%s: the web page cannot be read", target.host)
        visited = ScrapeResult(None, "the web page cannot be read", state.scheme, credentials_rejected=False)
    refused = _credentials_digest(reading, state.refused) if visited.credentials_rejected else state.refused
    state = replace(state, scheme=visited.scheme, refused=refused)
    if visited.data is None:
        return _handle_missing_data(reading, state, visited.reason)
    if not is_same_serial(reading.identity.serial_number, visited.data.serial_number):
        return _handle_missing_data(reading, state, "the web page is another device's")
    joined = merge_reading(reading, visited.data)
    return joined, replace(state, path=visited.data.path, adds=_has_new_values(reading, joined), note="")


def ews_vendor(reading: Reading) -> str | None:
    """Whose page to ask: of the maker whose firmware answers, whatever brand is on the case."""
    object_id = reading.identity.object_id
    builder = vendors.find_vendor(parse_oid(object_id) if object_id else None, reading.details.description)
    name = builder.name if builder else None
    if name == "Canon":
        counted = {counter.name for counter in reading.counters}
        return None if counted - {CounterName.TOTAL} else name
    return name if name in ("Brother", "Lexmark") else None


def merge_reading(reading: Reading, data: EwsData) -> Reading:
    """What both say. The serial number is never taken from a page: it decides which printer this is."""
    return replace(
        reading,
        counters=merge_counters(reading.counters, data.counters, f"http {data.path.partition('?')[0]}"),
        supplies=tuple(_fill_level(supply, data.levels) for supply in reading.supplies),
        details=replace(reading.details, firmware=reading.details.firmware or data.firmware),
    )


def merge_counters(
    counters: Iterable[Counter], ews_counters: Mapping[CounterName, int], source: str
) -> tuple[Counter, ...]:
    """SNMP's counters, with the page's where SNMP has none. Where both count and do not agree, it is told."""
    found = {counter.name: counter for counter in counters}
    for name, value in ews_counters.items():
        known = found.setdefault(name, Counter(name, value, source))
        if not known.dispute and not is_within_tolerance(known.value, value):
            dispute = f"{known.value} by {known.source}, but {value} by {source}"
            found[name] = replace(known, dispute=dispute)
    return tuple(found[name] for name in CounterName if name in found)


def _has_new_values(reading: Reading, merged: Reading) -> bool:
    return (len(reading.counters), reading.supplies, reading.details) != (
        len(merged.counters),
        merged.supplies,
        merged.details,
    )


def is_same_serial(first: str | None, second: str | None) -> bool:
    """Whether two serial numbers may be of one printer: blanks and dashes do not count, one may be cut."""
    plain, plain_other = (
        "".join(filter(str.isalnum, text or "")).casefold().lstrip("0") for text in (first, second)
    )
    return plain in plain_other or plain_other in plain


def _fill_level(supply: Supply, levels: Mapping[str, int]) -> Supply:
    """A level where Printer-MIB only says that there is some."""
    known = {name.casefold(): percent for name, percent in levels.items()}
    percent = known.get((supply.description or "").casefold())
    if percent is None or not (supply.level is None or isinstance(supply.level, Vague)):
        return supply
    return replace(supply, level=percent, max_capacity=100, unit=PERCENT_UNIT)


def _handle_missing_data(reading: Reading, state: EwsState, reason: str) -> tuple[Reading, EwsState]:
    """A page that could not be read. What it counted the last time still stands."""
    if not state.adds:
        return _add_note(reading, reason), replace(state, note=reason)
    if any(failure.part == "counters" for failure in reading.failures):
        return reading, state
    return replace(reading, failures=(*reading.failures, Failure("counters", reason))), state


def _add_note(reading: Reading, note: str) -> Reading:
    return replace(reading, notes=(*reading.notes, note)) if note else reading


def _total_count(reading: Reading) -> int | None:
    return next((counter.value for counter in reading.counters if counter.name == CounterName.TOTAL), None)


def _were_credentials_rejected(state: EwsState, reading: Reading) -> bool:
    return bool(state.refused) and hmac.compare_digest(
        state.refused, _credentials_digest(reading, state.refused)
    )


def _credentials_digest(reading: Reading, previous: str) -> str:
    """Who was told which name and password, not to be read back; salted as `like` is."""
    salt = bytes.fromhex(previous.partition(":")[0]) if previous else secrets.token_bytes(16)
    target, who = reading.target, reading.identity
    given = (who.serial_number or who.mac_address or "", target.http_username, target.http_password)
    return (
        f"{salt.hex()}:{hashlib.blake2b(chr(0).join(given).encode(), key=salt, digest_size=16).hexdigest()}"
    )
