"""Which known printer it is that answered: a printer is who it is, not where it is.

1. The same serial number, of the same manufacturer, is the same printer: also at a new address, under a new
   name or with a new network card. Only where both MAC addresses are known and differ, and the known printer
   still answers at another address, there are two printers that claim one serial number: told apart by MAC.
2. Else the same MAC address is the same printer, unless both serial numbers are known and differ: a network
   card that moved into another device, or a main board with another number, starts a printer of its own,
   because its page counters are not the old one's.
3. Else the same address (by its name, where printers go by name) is the same printer, unless serial number,
   MAC address, or model and sysObjectID together say that it is another.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from appliance.domain.identifiers import identifier_key
from appliance.domain.model import Identity, Target
from appliance.storage import database, json_codec

# A printer whose last attempt succeeded this lately is there: a day's schedule, and an hour for a slow round.
PRESENT_WITHIN = timedelta(hours=25)


@dataclass(frozen=True, slots=True)
class MatchKeys:
    """What a printer brings forward to be recognised by; texts are normalised, None where it said nothing."""

    host: str
    port: int = 161
    name: str | None = None  # only where it goes by name
    serial: str | None = None
    vendor: str | None = None
    mac: str | None = None
    model: str | None = None
    object_id: str | None = None


@dataclass(frozen=True, slots=True)
class MatchCandidate:
    """A printer of the database, as far as recognising goes. Times are milliseconds."""

    id: int
    keys: MatchKeys
    created_at: int
    seen_at: int
    last_poll_failed: bool = False  # the last attempt failed
    lost: bool = False  # another printer answers at its address

    def is_present(self, moment: int) -> bool:
        return not self.last_poll_failed and moment - self.seen_at <= PRESENT_WITHIN // database.MILLISECOND


def match_keys(identity: Identity, target: Target) -> MatchKeys:
    mac = _normalize(identity.mac_address)
    return MatchKeys(
        host=target.host.lower(),
        port=target.port,
        name=_normalize(target.name) if target.address_by == "name" else None,
        serial=_normalize(identity.serial_number),
        vendor="".join(filter(str.isalnum, _normalize(identity.manufacturer) or "")) or None,
        mac=None if mac is None or set(mac) in ({"0"}, {"f"}) else mac,
        model=_normalize(identity.model),
        object_id=identity.object_id or None,
    )


def find_match(candidates: Sequence[MatchCandidate], keys: MatchKeys, moment: int) -> MatchCandidate | None:
    """The one of the known printers that `who` is, or None for a new one."""
    return (
        _match_by_serial(candidates, keys, moment)
        or _match_by_mac(candidates, keys)
        or _match_by_address(candidates, keys)
    )


def find_serial_conflicts(
    candidates: Iterable[MatchCandidate], keys: MatchKeys, own_id: int, moment: int
) -> list[MatchCandidate]:
    """Other printers that are there, too, and claim the same serial number."""
    return [
        other
        for other in candidates
        if other.id != own_id and _has_same_serial(other.keys, keys) and other.is_present(moment)
    ]


def find_duplicates(
    candidates: Iterable[MatchCandidate], keys: MatchKeys, match: MatchCandidate
) -> list[MatchCandidate]:
    """Printers without a serial number that turn out to be `same`, met before they had said who they are."""
    return [
        other
        for other in candidates
        if other.id != match.id
        and other.keys.serial is None
        and keys.serial
        and _is_earlier_record_of(other, keys, match)
    ]


def find_displaced(
    candidates: Iterable[MatchCandidate], keys: MatchKeys, own_id: int
) -> list[MatchCandidate]:
    """Printers that were last at the address where `who` answers now, and so are no longer there."""
    return [
        other
        for other in candidates
        if other.id != own_id and not other.lost and _is_polled_at(other.keys, keys)
    ]


def load_candidates(db: sqlite3.Connection, keys: MatchKeys) -> list[MatchCandidate]:
    """All printers that share anything with `who` by which it could be recognised, in order of their ids."""
    rows = db.execute(
        "SELECT id, host, port, name, serial, maker, mac, identity, created_at, seen_at, failed_at, lost"
        " FROM printers JOIN sightings ON printer_id = id"
        " WHERE serial = ? OR mac = ? OR (host = ? AND port = ?) OR name = ? ORDER BY id",
        (keys.serial, keys.mac, keys.host, keys.port, keys.name),
    ).fetchall()
    return [_parse_candidate(row) for row in rows]


def _parse_candidate(
    row: tuple[int, str, int, str | None, str | None, str | None, str | None, str, int, int, int | None, int],
) -> MatchCandidate:
    identity = json_codec.decode(Identity, row[7])
    who = MatchKeys(*row[1:7], model=_normalize(identity.model), object_id=identity.object_id or None)
    return MatchCandidate(
        row[0], who, row[8], row[9], last_poll_failed=row[10] is not None, lost=bool(row[11])
    )


def _match_by_serial(
    candidates: Sequence[MatchCandidate], keys: MatchKeys, moment: int
) -> MatchCandidate | None:
    namesakes = [other for other in candidates if _has_same_serial(other.keys, keys)]
    possible = [
        other
        for other in namesakes
        if not _are_different(other.keys.mac, keys.mac)
        or _is_at_address(other, keys)
        or not other.is_present(moment)
    ]
    return min(
        possible,
        key=lambda other: (
            not _are_equal(other.keys.mac, keys.mac),
            not _is_at_address(other, keys),
            _are_different(other.keys.mac, keys.mac),
            other.is_present(moment),
            -other.seen_at,
            other.id,
        ),
        default=None,
    )


def _match_by_mac(candidates: Sequence[MatchCandidate], keys: MatchKeys) -> MatchCandidate | None:
    possible = [
        other
        for other in candidates
        if _are_equal(other.keys.mac, keys.mac) and not _are_different(other.keys.serial, keys.serial)
    ]
    return min(
        possible, key=lambda other: (not _is_at_address(other, keys), -other.seen_at, other.id), default=None
    )


def _match_by_address(candidates: Sequence[MatchCandidate], keys: MatchKeys) -> MatchCandidate | None:
    possible = [
        other for other in candidates if _is_at_address(other, keys) and not _contradicts(other.keys, keys)
    ]
    return min(
        possible,
        key=lambda other: (not _are_equal(other.keys.name, keys.name), -other.seen_at, other.id),
        default=None,
    )


def _contradicts(candidate_keys: MatchKeys, keys: MatchKeys) -> bool:
    if _are_different(candidate_keys.serial, keys.serial):
        return True
    if _are_equal(candidate_keys.serial, keys.serial):
        return False  # only the manufacturer is written in another way
    if _are_different(candidate_keys.mac, keys.mac):
        return True
    return _are_different(candidate_keys.model, keys.model) and _are_different(
        candidate_keys.object_id, keys.object_id
    )


def _is_earlier_record_of(other: MatchCandidate, keys: MatchKeys, match: MatchCandidate) -> bool:
    if _are_equal(other.keys.mac, keys.mac):
        return True
    return (
        other.keys.mac is None
        and _is_at_address(other, keys)
        and _are_equal(other.keys.object_id, keys.object_id)
        and other.created_at >= match.seen_at  # never there at the same time
    )


def _has_same_serial(candidate_keys: MatchKeys, keys: MatchKeys) -> bool:
    return _are_equal(candidate_keys.serial, keys.serial) and _is_same_vendor(
        candidate_keys.vendor, keys.vendor
    )


def _is_same_vendor(one: str | None, other: str | None) -> bool:
    """Return whether both may be one vendor, whose name may be longer elsewhere ("KONICA MINOLTA, INC.")."""
    return one is None or other is None or one.startswith(other) or other.startswith(one)


def _is_at_address(candidate: MatchCandidate, keys: MatchKeys) -> bool:
    if candidate.lost:
        return False
    there = candidate.keys
    return there.port == keys.port and (there.host == keys.host or _are_equal(there.name, keys.name))


def _is_polled_at(candidate_keys: MatchKeys, keys: MatchKeys) -> bool:
    """A printer that goes by name is asked at its name, wherever that leads."""
    if candidate_keys.port != keys.port:
        return False
    return (
        candidate_keys.host == keys.host if candidate_keys.name is None else candidate_keys.name == keys.name
    )


def _are_equal(one: str | None, other: str | None) -> bool:
    return one is not None and one == other


def _are_different(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other


def _normalize(text: str | None) -> str | None:
    return database.clean_text(identifier_key(text)) or None
