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

from appliance.domain.model import Identity, Target
from appliance.storage import database, json_codec

# A printer whose last attempt succeeded this lately is there: a day's schedule, and an hour for a slow round.
THERE = timedelta(hours=25)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a printer brings forward to be recognised by; texts are normalised, None where it said nothing."""

    host: str
    port: int = 161
    name: str | None = None  # only where it goes by name
    serial: str | None = None
    maker: str | None = None
    mac: str | None = None
    model: str | None = None
    object_id: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """A printer of the database, as far as recognising goes. Times are milliseconds."""

    id: int
    claim: Claim
    created_at: int
    seen_at: int
    silent: bool = False  # the last attempt failed
    lost: bool = False  # another printer answers at its address

    def is_there(self, moment: int) -> bool:
        return not self.silent and moment - self.seen_at <= THERE // database.MILLISECOND


def claim(identity: Identity, target: Target) -> Claim:
    mac = _squeezed(identity.mac_address)
    return Claim(
        host=target.host.lower(),
        port=target.port,
        name=_squeezed(target.name) if target.address_by == "name" else None,
        serial=_squeezed(identity.serial_number),
        maker="".join(filter(str.isalnum, _squeezed(identity.manufacturer) or "")) or None,
        mac=None if mac is None or set(mac) in ({"0"}, {"f"}) else mac,
        model=_squeezed(identity.model),
        object_id=identity.object_id or None,
    )


def recognise(known: Sequence[Known], who: Claim, moment: int) -> Known | None:
    """The one of the known printers that `who` is, or None for a new one."""
    return _by_serial(known, who, moment) or _by_mac(known, who) or _by_address(known, who)


def rivals(known: Iterable[Known], who: Claim, own_id: int, moment: int) -> list[Known]:
    """Other printers that are there, too, and claim the same serial number."""
    return [
        other
        for other in known
        if other.id != own_id and _same_serial(other.claim, who) and other.is_there(moment)
    ]


def ghosts(known: Iterable[Known], who: Claim, same: Known) -> list[Known]:
    """Printers without a serial number that turn out to be `same`, met before they had said who they are."""
    return [
        other
        for other in known
        if other.id != same.id and other.claim.serial is None and who.serial and _was(other, who, same)
    ]


def evicted(known: Iterable[Known], who: Claim, own_id: int) -> list[Known]:
    """Printers that were last at the address where `who` answers now, and so are no longer there."""
    return [
        other for other in known if other.id != own_id and not other.lost and _is_asked_at(other.claim, who)
    ]


def candidates(db: sqlite3.Connection, who: Claim) -> list[Known]:
    """All printers that share anything with `who` by which it could be recognised, in order of their ids."""
    rows = db.execute(
        "SELECT id, host, port, name, serial, maker, mac, identity, created_at, seen_at, failed_at, lost"
        " FROM printers JOIN sightings ON printer_id = id"
        " WHERE serial = ? OR mac = ? OR (host = ? AND port = ?) OR name = ? ORDER BY id",
        (who.serial, who.mac, who.host, who.port, who.name),
    ).fetchall()
    return [_known(row) for row in rows]


def _known(
    row: tuple[int, str, int, str | None, str | None, str | None, str | None, str, int, int, int | None, int],
) -> Known:
    identity = json_codec.decode(Identity, row[7])
    who = Claim(*row[1:7], model=_squeezed(identity.model), object_id=identity.object_id or None)
    return Known(row[0], who, row[8], row[9], silent=row[10] is not None, lost=bool(row[11]))


def _by_serial(known: Sequence[Known], who: Claim, moment: int) -> Known | None:
    namesakes = [other for other in known if _same_serial(other.claim, who)]
    possible = [
        other
        for other in namesakes
        if not _differ(other.claim.mac, who.mac) or _at_place(other, who) or not other.is_there(moment)
    ]
    return min(
        possible,
        key=lambda other: (
            not _equal(other.claim.mac, who.mac),
            not _at_place(other, who),
            _differ(other.claim.mac, who.mac),
            other.is_there(moment),
            -other.seen_at,
            other.id,
        ),
        default=None,
    )


def _by_mac(known: Sequence[Known], who: Claim) -> Known | None:
    possible = [
        other
        for other in known
        if _equal(other.claim.mac, who.mac) and not _differ(other.claim.serial, who.serial)
    ]
    return min(
        possible, key=lambda other: (not _at_place(other, who), -other.seen_at, other.id), default=None
    )


def _by_address(known: Sequence[Known], who: Claim) -> Known | None:
    possible = [other for other in known if _at_place(other, who) and not _contradicts(other.claim, who)]
    return min(
        possible,
        key=lambda other: (not _equal(other.claim.name, who.name), -other.seen_at, other.id),
        default=None,
    )


def _contradicts(known: Claim, who: Claim) -> bool:
    if _differ(known.serial, who.serial):
        return True
    if _equal(known.serial, who.serial):
        return False  # only the manufacturer is written in another way
    if _differ(known.mac, who.mac):
        return True
    return _differ(known.model, who.model) and _differ(known.object_id, who.object_id)


def _was(other: Known, who: Claim, same: Known) -> bool:
    if _equal(other.claim.mac, who.mac):
        return True
    return (
        other.claim.mac is None
        and _at_place(other, who)
        and _equal(other.claim.object_id, who.object_id)
        and other.created_at >= same.seen_at  # never there at the same time
    )


def _same_serial(known: Claim, who: Claim) -> bool:
    return _equal(known.serial, who.serial) and _one_maker(known.maker, who.maker)


def _one_maker(one: str | None, other: str | None) -> bool:
    """ "Konica Minolta" may write itself "KONICA MINOLTA, INC." elsewhere, or not at all."""
    return one is None or other is None or one.startswith(other) or other.startswith(one)


def _at_place(known: Known, who: Claim) -> bool:
    if known.lost:
        return False
    there = known.claim
    return there.port == who.port and (there.host == who.host or _equal(there.name, who.name))


def _is_asked_at(there: Claim, who: Claim) -> bool:
    """A printer that goes by name is asked at its name, wherever that leads."""
    if there.port != who.port:
        return False
    return there.host == who.host if there.name is None else there.name == who.name


def _equal(one: str | None, other: str | None) -> bool:
    return one is not None and one == other


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other


def _squeezed(text: str | None) -> str | None:
    return database.storable("".join((text or "").split()).casefold()) or None
