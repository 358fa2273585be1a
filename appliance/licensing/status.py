"""How the licence stands, in one line with its dates."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Literal

from appliance.domain.messages import Message
from appliance.licensing import csr, installer, keystore, verifier
from appliance.licensing.claims import InvalidLicenceError, Licence

EXPIRY_WARNING = timedelta(days=30)  # before the end
LicenceState = Literal["none", "requested", "valid", "ending", "expired", "early", "revoked", "broken"]

FileStamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class LicenceStatus:
    state: LicenceState
    text: str  # one clear line
    licence: Licence | None = None

    @property
    def allows_sending(self) -> bool:
        """Whether the licence lets parcels leave; without any, what the settings say by hand counts."""
        return self.state not in ("expired", "early", "revoked", "broken")


def get_status(folder: Path, now: datetime) -> LicenceStatus:
    """How it stands; never raises."""
    try:
        found = read_installed(folder)
    except InvalidLicenceError as error:
        return LicenceStatus("broken", Message("licence.unusable", reason=error))
    return _status_without_licence(folder) if found is None else _evaluate(folder, found, now)


def _status_without_licence(folder: Path) -> LicenceStatus:
    waiting = csr.read_request(folder)
    if waiting is None:
        return LicenceStatus("none", Message("licence.none"))
    text = Message("licence.requested", day=f"{waiting.made_at:%Y-%m-%d}", plug_id=waiting.plug_id)
    return LicenceStatus("requested", text)


def _evaluate(folder: Path, licence: Licence, now: datetime) -> LicenceStatus:
    end = f"{licence.valid_until:%Y-%m-%d}"
    if words := installer.revocation_reason(folder, licence):
        return LicenceStatus("revoked", Message("licence.stopped", reason=words), licence)
    if now < licence.valid_from:
        return LicenceStatus(
            "early", Message("licence.stopped_early", reason=verifier.too_early_text(licence)), licence
        )
    if now >= licence.valid_until:
        return LicenceStatus("expired", Message("licence.expired_stopped", day=end), licence)
    if now >= renewal_start(licence):
        return LicenceStatus("ending", Message("licence.ends", day=end), licence)
    return LicenceStatus("valid", Message("licence.valid", day=end), licence)


def renewal_start(licence: Licence) -> datetime:
    """When the end is near: 30 days before; a third of its time for a licence shorter than 90 days."""
    return licence.valid_until - min(EXPIRY_WARNING, (licence.valid_until - licence.valid_from) / 3)


def read_installed(folder: Path) -> Licence | None:
    """The installed licence, with its signature checked, whatever the date. Raises BadLicence."""
    place = keystore.current_folder(folder)
    if place is None:
        return None
    read_files = (place / keystore.LICENCE_FILE, place / keystore.CLIENT_KEY_FILE, installer.vendor_ca_path())
    return _read_cached(*read_files, tuple(map(_file_stamp, read_files)))


def client_credentials(folder: Path) -> tuple[Path, Path] | None:
    """The licence's certificate and key: a pair for as long as somebody needs to read both."""
    place = keystore.current_folder(folder)
    return (place / keystore.CLIENT_CERTIFICATE_FILE, place / keystore.CLIENT_KEY_FILE) if place else None


@lru_cache(maxsize=8)  # the page asks at every look; a changed file has another stamp
def _read_cached(path: Path, key: Path, vendor_ca: Path, _stamps: tuple[FileStamp | None, ...]) -> Licence:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidLicenceError(
            "malformed", Message("licence.file_unreadable", name=path.name, reason=error.strerror)
        ) from error
    found = verifier.verify(data, vendor_ca)
    if not verifier.is_matching_key(found, key):
        raise InvalidLicenceError("other plug", Message("licence.key_damaged"))
    return found


def _file_stamp(path: Path) -> FileStamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
