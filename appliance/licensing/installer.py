"""A licence file becomes the Plug's licence, or is refused with the reason."""

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

from appliance.domain.messages import Message
from appliance.host import atomic_file, file_lock
from appliance.licensing import csr, keystore, verifier
from appliance.licensing.claims import InvalidLicenceError, Licence

VENDOR_CA_PATH = Path("/usr/share/printmonitor/vendor-ca.pem")


def vendor_ca_path() -> Path:
    """Whom licences must come from: of the image, or of a test."""
    named = os.environ.get("PRINTMONITOR_VENDOR_CA")
    return Path(named) if named else VENDOR_CA_PATH


def install(folder: Path, data: bytes, now: datetime) -> Licence:
    """From now on this licence counts, all of it or none. Raises BadLicence, lock.Busy, OSError."""
    found = verifier.verify(data, vendor_ca_path())
    tls = keystore.ensure_tls_folder(folder)
    with file_lock.acquire(tls / keystore.LOCK_FILE):
        key = find_own_key(folder, found)
        if words := revocation_reason(folder, found):
            raise InvalidLicenceError("revoked", words)
        verifier.check_validity(found, data, vendor_ca_path(), now)
        activate(folder, found, data, key)
    return found


def activate(folder: Path, licence: Licence, data: bytes, key: Path) -> None:
    """The step that counts, for a licence that was checked; a request that it answers is done with."""
    asked_for = key.name == keystore.REQUEST_KEY_FILE
    contents = {
        keystore.CLIENT_CERTIFICATE_FILE: licence.certificates.encode(),
        keystore.CLIENT_KEY_FILE: key.read_bytes(),
        keystore.LICENCE_FILE: data,
    }
    keystore.switch_generation(folder, hashlib.sha256(data).hexdigest()[:16], contents)
    if asked_for:
        csr.delete_request(folder)


def record_revocation(folder: Path, licence: Licence, reason: str, now: datetime) -> None:
    """The provider has taken the licence back: it counts no more, also if its file is installed again."""
    line = f"{licence.fingerprint} {now.astimezone(UTC):%Y-%m-%d} {' '.join(reason.split())[:200]}\n"
    path = folder / "tls" / keystore.REVOKED_FILE
    if not revocation_reason(folder, licence):
        atomic_file.write(path, (_read_text_or_empty(path) + line).encode())


def revocation_reason(folder: Path, licence: Licence) -> str | None:
    """What the provider said when it took the licence back."""
    for line in _read_text_or_empty(folder / "tls" / keystore.REVOKED_FILE).splitlines():
        fingerprint, _, rest = line.partition(" ")
        day, _, words = rest.partition(" ")
        if fingerprint == licence.fingerprint:
            if words:
                return Message("licence.revoked_reason", day=day, reason=words)
            return Message("licence.revoked", day=day)
    return None


def find_own_key(folder: Path, licence: Licence) -> Path:
    """The key that the licence was made for. Raises BadLicence."""
    tls = folder / "tls"
    there = [
        path for path in (tls / keystore.REQUEST_KEY_FILE, tls / keystore.CLIENT_KEY_FILE) if path.exists()
    ]
    for path in there:
        if verifier.is_matching_key(licence, path):
            return path
    waiting = csr.read_request(folder)
    if waiting and waiting.plug_id != licence.plug_id:
        whose = Message("licence.for_plug", plug_id=licence.plug_id, own_id=waiting.plug_id)
    elif there:
        whose = Message("licence.other_key")
    else:
        whose = Message("licence.never_requested")
    raise InvalidLicenceError("other plug", Message("licence.other_plug", reason=whose))


def _read_text_or_empty(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError):
        return ""
