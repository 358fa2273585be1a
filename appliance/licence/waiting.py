"""A licence that came before the Plug knows the time: it waits until the clock is right."""

import re
import tempfile
from datetime import datetime
from pathlib import Path

from appliance.licence import bundle, install, keys
from appliance.licence.terms import BadLicence, Licence
from appliance.system import files

_KEY = re.compile(rb"-----BEGIN ((?:EC )?PRIVATE KEY)-----[A-Za-z0-9+/=\s]*-----END \1-----\s*")


def check(folder: Path, data: bytes) -> None:
    """Whether it will do, but for its dates. Raises BadLicence."""
    text, key = _parted(data)
    found = bundle.read(text, install.vendor_ca())
    if key is None:
        install.own_key(folder, found)
        return
    with tempfile.NamedTemporaryFile(suffix=".key") as file:  # 0600
        file.write(key)
        file.flush()
        if not bundle.fits(found, Path(file.name)):
            raise BadLicence(
                "other plug", "the private key beside the licence is not that of its certificate"
            )


def put(folder: Path, data: bytes) -> None:
    """Keep it until `take`, with the private key where the provider has made that, too. Raises OSError."""
    text, key = _parted(data)
    tls = keys.place(folder)
    if key is not None:
        (tls / keys.REQUEST).unlink(missing_ok=True)  # it asks for another key
        files.write(tls / keys.REQUEST_KEY, key)
    files.write(tls / keys.WAITING, text)


def take(folder: Path, now: datetime) -> Licence | None:
    """Install what waits; None where nothing does. Raises BadLicence, lock.Busy, OSError.

    What is refused is gone, unless its time has not come yet: that may be the fault of the clock.
    """
    path = folder / "tls" / keys.WAITING
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        found = install.install(folder, data, now)
    except BadLicence as error:
        if error.kind not in ("early", "unchecked"):
            path.unlink()
        raise
    path.unlink()
    return found


def _parted(data: bytes) -> tuple[bytes, bytes | None]:
    found = _KEY.search(data)
    return (_KEY.sub(b"", data), found[0]) if found else (data, None)
