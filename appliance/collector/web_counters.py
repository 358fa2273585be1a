"""Add counters that SNMP does not expose from the printer's embedded web server.

The pages of Brother and Lexmark are read at each full reading, those of Canon if SNMP counts nothing but a
total; in between only if the page added something the last time, so that billed counters are as fresh as the
rest. Values of SNMP take precedence, a page adds what is missing. Counters that disagree are marked as
disputed.
"""

import hashlib
import hmac
import logging
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from appliance.collector.counters import is_within_tolerance
from appliance.domain.identifiers import is_same_serial
from appliance.domain.messages import Message
from appliance.domain.model import Counter, CounterName, PartFailure, Reading, Supply, VagueAmount
from appliance.ews.models import EwsCredentials, EwsData, EwsPorts, ScrapeResult, UrlScheme
from appliance.mib.oids import parse_oid
from appliance.vendors import vendors

log = logging.getLogger(__name__)

PERCENT_UNIT = 19  # prtMarkerSuppliesSupplyUnit, RFC 3805


@dataclass(frozen=True, slots=True)
class EwsState:
    """What the poll cache keeps of a printer's web server."""

    path: str = ""  # of the page with the counters
    scheme: UrlScheme = "http"
    adds: bool = False  # the page added something to SNMP's values
    refused: str = ""  # salted digest of the credentials that the printer rejected
    note: str = ""  # why the page gave nothing the last time


EMPTY_EWS_STATE = EwsState()
DEFAULT_PORTS = EwsPorts.from_environment()


async def add_ews_values(
    reading: Reading, state: EwsState = EMPTY_EWS_STATE, *, full: bool = True, ports: EwsPorts = DEFAULT_PORTS
) -> tuple[Reading, EwsState]:
    """Return the reading with the values of the vendor's page, and the new state; never fails."""
    vendor = ews_vendor(reading)
    if vendor is None:
        return reading, state
    if not (full or state.adds):
        return _add_note(reading, state.note), state
    # Imported here: it imports aiohttp, which polls of most printers never need.
    from appliance.ews.scrape import scrape_printer  # noqa: PLC0415

    target = reading.target
    username, password = target.http_username, target.http_password
    try:
        result = await scrape_printer(
            vendor,
            target.host,
            ports,
            EwsCredentials(username, password) if password else None,
            path=state.path,
            scheme=state.scheme,
            credentials_rejected=_were_credentials_rejected(state, reading),
            total=_total_count(reading),
        )
    except Exception:  # an error in our parsers must not cost the reading
        log.exception("%s: the web page cannot be read", target.host)
        result = ScrapeResult(None, Message("ews.unreadable"), state.scheme, credentials_rejected=False)
    refused = _credentials_digest(reading, state.refused) if result.credentials_rejected else state.refused
    state = replace(state, scheme=result.scheme, refused=refused)
    if result.data is None:
        return _handle_missing_data(reading, state, result.reason)
    if not is_same_serial(reading.identity.serial_number, result.data.serial_number):
        return _handle_missing_data(reading, state, Message("ews.other_device"))
    merged = merge_reading(reading, result.data)
    return merged, replace(state, path=result.data.path, adds=_has_new_values(reading, merged), note="")


def ews_vendor(reading: Reading) -> str | None:
    """Return the vendor whose page to read: the one that built the printer, whatever its brand."""
    object_id = reading.identity.object_id
    vendor = vendors.find_vendor(parse_oid(object_id) if object_id else None, reading.details.description)
    name = vendor.name if vendor else None
    if name == "Canon":
        counter_names = {counter.name for counter in reading.counters}
        return None if counter_names - {CounterName.TOTAL} else name
    return name if name in ("Brother", "Lexmark") else None


def merge_reading(reading: Reading, data: EwsData) -> Reading:
    """Return the values of both, except the page's serial number: SNMP's identifies the printer."""
    return replace(
        reading,
        counters=merge_counters(reading.counters, data.counters, f"http {data.path.partition('?')[0]}"),
        supplies=tuple(_fill_level(supply, data.levels) for supply in reading.supplies),
        details=replace(reading.details, firmware=reading.details.firmware or data.firmware),
    )


def merge_counters(
    counters: Iterable[Counter], ews_counters: Mapping[CounterName, int], source: str
) -> tuple[Counter, ...]:
    """Return SNMP's counters, disputed if the page disagrees, and those that only the page has."""
    merged = {counter.name: counter for counter in counters}
    for name, value in ews_counters.items():
        known = merged.setdefault(name, Counter(name, value, source))
        if not known.dispute and not is_within_tolerance(known.value, value):
            dispute = Message(
                "counter.dispute",
                value=known.value,
                source=known.source,
                other_value=value,
                other_source=source,
            )
            merged[name] = replace(known, dispute=dispute)
    return tuple(merged[name] for name in CounterName if name in merged)


def _has_new_values(reading: Reading, merged: Reading) -> bool:
    return (len(reading.counters), reading.supplies, reading.details) != (
        len(merged.counters),
        merged.supplies,
        merged.details,
    )


def _fill_level(supply: Supply, levels: Mapping[str, int]) -> Supply:
    """Return the supply with the page's level if Printer-MIB has only a vague one."""
    known = {name.casefold(): percent for name, percent in levels.items()}
    percent = known.get((supply.description or "").casefold())
    if percent is None or not (supply.level is None or isinstance(supply.level, VagueAmount)):
        return supply
    return replace(supply, level=percent, max_capacity=100, unit=PERCENT_UNIT)


def _handle_missing_data(reading: Reading, state: EwsState, reason: str) -> tuple[Reading, EwsState]:
    """Note that a page gave nothing, as a failure if it gave counters the last time."""
    if not state.adds:
        return _add_note(reading, reason), replace(state, note=reason)
    if any(failure.part == "counters" for failure in reading.failures):
        return reading, state
    return replace(reading, failures=(*reading.failures, PartFailure("counters", reason))), state


def _add_note(reading: Reading, note: str) -> Reading:
    return replace(reading, notes=(*reading.notes, note)) if note else reading


def _total_count(reading: Reading) -> int | None:
    return next((counter.value for counter in reading.counters if counter.name == CounterName.TOTAL), None)


def _were_credentials_rejected(state: EwsState, reading: Reading) -> bool:
    return bool(state.refused) and hmac.compare_digest(
        state.refused, _credentials_digest(reading, state.refused)
    )


def _credentials_digest(reading: Reading, previous: str) -> str:
    """Return a digest of printer, user name and password, with the salt of the previous one."""
    salt = bytes.fromhex(previous.partition(":")[0]) if previous else secrets.token_bytes(16)
    target, identity = reading.target, reading.identity
    parts = (identity.serial_number or identity.mac_address or "", target.http_username, target.http_password)
    return (
        f"{salt.hex()}:{hashlib.blake2b(chr(0).join(parts).encode(), key=salt, digest_size=16).hexdigest()}"
    )
