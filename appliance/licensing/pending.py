"""A licence that came before the Plug knows the time: it waits until the clock is right."""

import re
import tempfile
from datetime import datetime
from pathlib import Path

from appliance.host import atomic_file
from appliance.licensing import installer, keystore, verifier
from appliance.licensing.claims import BadLicence, Licence

_KEY = re.compile(rb"-----BEGIN ((?:EC )?PRIVATE KEY)-----[A-Za-z0-9+/=\s]*-----END \1-----\s*")


def check(folder: Path, data: bytes) -> None:
    """Whether it will do, but for its dates. Raises BadLicence."""
    text, key = _parted(data)
    found = verifier.read(text, installer.vendor_ca())
    if key is None:
        installer.own_key(folder, found)
        return
    with tempfile.NamedTemporaryFile(suffix=".key") as file:  # 0600
        file.write(key)
        file.flush()
        if not verifier.fits(found, Path(file.name)):
            raise BadLicence(
                "other plug", "the private key beside the licence is not that of its certificate"
            )


def put(folder: Path, data: bytes) -> None:
    """Keep it until `take`, with the private key where the provider has made that, too. Raises OSError."""
    text, key = _parted(data)
    tls = keystore.place(folder)
    if key is not None:
        (tls / keystore.REQUEST).unlink(missing_ok=True)  # it asks for another key
        atomic_file.write(tls / keystore.REQUEST_KEY, key)
    atomic_file.write(tls / keystore.WAITING, text)


def take(folder: Path, now: datetime) -> Licence | None:
    """Install what waits; None where nothing does. Raises BadLicence, lock.Busy, OSError.

    What is refused is gone, unless its time has not come yet: that may be the fault of the clock.
    """
    path = folder / "tls" / keystore.WAITING
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        found = installer.install(folder, data, now)
    except BadLicence as error:
        if error.kind not in ("early", "unchecked"):
            path.unlink()
        raise
    path.unlink()
    return found


def _parted(data: bytes) -> tuple[bytes, bytes | None]:
    found = _KEY.search(data)
    return (_KEY.sub(b"", data), found[0]) if found else (data, None)
