"""A licence that came before the Plug knows the time: it waits until the clock is right."""

import re
import tempfile
from datetime import datetime
from pathlib import Path

from appliance.domain.messages import Message
from appliance.host import atomic_file
from appliance.licensing import installer, keystore, verifier
from appliance.licensing.claims import InvalidLicenceError, Licence

_PRIVATE_KEY_BLOCK = re.compile(rb"-----BEGIN ((?:EC )?PRIVATE KEY)-----[A-Za-z0-9+/=\s]*-----END \1-----\s*")


def check(folder: Path, data: bytes) -> None:
    """Whether it will do, but for its dates. Raises BadLicence."""
    text, key = _split_private_key(data)
    found = verifier.verify(text, installer.vendor_ca_path())
    if key is None:
        installer.find_own_key(folder, found)
        return
    with tempfile.NamedTemporaryFile(suffix=".key") as file:  # 0600
        file.write(key)
        file.flush()
        if not verifier.is_matching_key(found, Path(file.name)):
            raise InvalidLicenceError("other plug", Message("licence.key_mismatch"))


def put(folder: Path, data: bytes) -> None:
    """Keep it until `take`, with the private key where the provider has made that, too. Raises OSError."""
    text, key = _split_private_key(data)
    tls = keystore.ensure_tls_folder(folder)
    if key is not None:
        (tls / keystore.REQUEST_FILE).unlink(missing_ok=True)  # it asks for another key
        atomic_file.write(tls / keystore.REQUEST_KEY_FILE, key)
    atomic_file.write(tls / keystore.PENDING_FILE, text)


def install_pending(folder: Path, now: datetime) -> Licence | None:
    """Install what waits; None where nothing does. Raises BadLicence, lock.Busy, OSError.

    What is refused is gone, unless its time has not come yet: that may be the fault of the clock.
    """
    path = folder / "tls" / keystore.PENDING_FILE
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        found = installer.install(folder, data, now)
    except InvalidLicenceError as error:
        if error.kind not in ("early", "unchecked"):
            path.unlink()
        raise
    path.unlink()
    return found


def _split_private_key(data: bytes) -> tuple[bytes, bytes | None]:
    found = _PRIVATE_KEY_BLOCK.search(data)
    return (_PRIVATE_KEY_BLOCK.sub(b"", data), found[0]) if found else (data, None)
