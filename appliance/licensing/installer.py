"""A licence file becomes the Plug's licence, or is refused with the reason."""

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

from appliance.host import atomic_file, file_lock
from appliance.licensing import csr, keystore, verifier
from appliance.licensing.claims import BadLicence, Licence

VENDOR_CA = Path("/usr/share/printmonitor/vendor-ca.pem")


def vendor_ca() -> Path:
    """Whom licences must come from: of the image, or of a test."""
    named = os.environ.get("PRINTMONITOR_VENDOR_CA")
    return Path(named) if named else VENDOR_CA


def install(folder: Path, data: bytes, now: datetime) -> Licence:
    """From now on this licence counts, all of it or none. Raises BadLicence, lock.Busy, OSError."""
    found = verifier.read(data, vendor_ca())
    tls = keystore.place(folder)
    with file_lock.held(tls / keystore.LOCK):
        key = own_key(folder, found)
        if words := revoked(folder, found):
            raise BadLicence("revoked", words)
        verifier.check_time(found, data, vendor_ca(), now)
        keep(folder, found, data, key)
    return found


def keep(folder: Path, found: Licence, data: bytes, key: Path) -> None:
    """The step that counts, for a licence that was checked; a request that it answers is done with."""
    asked_for = key.name == keystore.REQUEST_KEY
    contents = {
        keystore.CLIENT: found.certificates.encode(),
        keystore.CLIENT_KEY: key.read_bytes(),
        keystore.LICENCE: data,
    }
    keystore.switch(folder, hashlib.sha256(data).hexdigest()[:16], contents)
    if asked_for:
        csr.forget(folder)


def revoke(folder: Path, found: Licence, words: str, now: datetime) -> None:
    """The provider has taken the licence back: it counts no more, also if its file is installed again."""
    line = f"{found.fingerprint} {now.astimezone(UTC):%Y-%m-%d} {' '.join(words.split())[:200]}\n"
    path = folder / "tls" / keystore.REVOKED
    if not revoked(folder, found):
        atomic_file.write(path, (_lines(path) + line).encode())


def revoked(folder: Path, found: Licence) -> str | None:
    """What the provider said when it took the licence back."""
    for line in _lines(folder / "tls" / keystore.REVOKED).splitlines():
        fingerprint, _, rest = line.partition(" ")
        day, _, words = rest.partition(" ")
        if fingerprint == found.fingerprint:
            return f"the provider has revoked the licence (heard on {day})" + (f": {words}" if words else "")
    return None


def own_key(folder: Path, found: Licence) -> Path:
    """The key that the licence was made for. Raises BadLicence."""
    tls = folder / "tls"
    there = [path for path in (tls / keystore.REQUEST_KEY, tls / keystore.CLIENT_KEY) if path.exists()]
    for path in there:
        if verifier.fits(found, path):
            return path
    waiting = csr.read(folder)
    if waiting and waiting.plug_id != found.plug_id:
        whose = f"it is for the Plug {found.plug_id}, and this is {waiting.plug_id}"
    elif there:
        whose = "its certificate is for a key that this Plug does not have"
    else:
        whose = "this Plug has asked for none yet"
    raise BadLicence("other plug", f"the licence is not for this Plug: {whose}")


def _lines(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError):
        return ""
