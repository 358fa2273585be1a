"""How the licence stands, in one line with its dates."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Literal

from appliance.licensing import csr, installer, keystore, verifier
from appliance.licensing.claims import BadLicence, Licence

WARNED = timedelta(days=30)  # before the end
State = Literal["none", "requested", "valid", "ending", "expired", "early", "revoked", "broken"]

Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Status:
    state: State
    text: str  # one clear line
    licence: Licence | None = None

    @property
    def sends(self) -> bool:
        """Whether the licence lets parcels leave; without any, what the settings say by hand counts."""
        return self.state not in ("expired", "early", "revoked", "broken")


def status(folder: Path, now: datetime) -> Status:
    """How it stands; never raises."""
    try:
        found = read(folder)
    except BadLicence as error:
        return Status("broken", f"the licence that is installed cannot be used: {error}; nothing is sent")
    return _none(folder) if found is None else _judged(folder, found, now)


def _none(folder: Path) -> Status:
    waiting = csr.read(folder)
    if waiting is None:
        return Status("none", "there is no licence: nothing is sent, unless key and URL are set by hand")
    text = f"requested on {waiting.made_at:%Y-%m-%d} for {waiting.plug_id}; nothing is sent until it is there"
    return Status("requested", text)


def _judged(folder: Path, found: Licence, now: datetime) -> Status:
    end = f"{found.valid_until:%Y-%m-%d}"
    if words := installer.revoked(folder, found):
        return Status("revoked", f"{words}; nothing is sent, parcels are kept", found)
    if now < found.valid_from:
        return Status("early", f"{verifier.too_early(found)} Nothing is sent, parcels are kept", found)
    if now >= found.valid_until:
        return Status("expired", f"the licence expired on {end}; nothing is sent, parcels are kept", found)
    if now >= renewal_from(found):
        return Status("ending", f"the licence ends on {end}", found)
    return Status("valid", f"valid until {end}", found)


def renewal_from(found: Licence) -> datetime:
    """When the end is near: 30 days before; a third of its time for a licence shorter than 90 days."""
    return found.valid_until - min(WARNED, (found.valid_until - found.valid_from) / 3)


def read(folder: Path) -> Licence | None:
    """The installed licence, with its signature checked, whatever the date. Raises BadLicence."""
    place = keystore.current(folder)
    if place is None:
        return None
    read_files = (place / keystore.LICENCE, place / keystore.CLIENT_KEY, installer.vendor_ca())
    return _read(*read_files, tuple(map(_stamp, read_files)))


def credentials(folder: Path) -> tuple[Path, Path] | None:
    """The licence's certificate and key: a pair for as long as somebody needs to read both."""
    place = keystore.current(folder)
    return (place / keystore.CLIENT, place / keystore.CLIENT_KEY) if place else None


@lru_cache(maxsize=8)  # the page asks at every look; a changed file has another stamp
def _read(path: Path, key: Path, vendor_ca: Path, _stamps: tuple[Stamp | None, ...]) -> Licence:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadLicence("malformed", f"{path.name} cannot be read ({error.strerror})") from error
    found = verifier.read(data, vendor_ca)
    if not verifier.fits(found, key):
        raise BadLicence("other plug", "its key is missing or damaged")
    return found


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
