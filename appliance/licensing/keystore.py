"""Where a Plug's keys and certificates lie, in the folder `tls/` of its state.

`licence/` there is a link to the folder of the licence that counts: certificate, key and licence file change
together, in one step, at any loss of power. The familiar names point through it.
"""

import os
import shutil
from pathlib import Path

from appliance.host import atomic_file

REQUEST_FILE, REQUEST_KEY_FILE, ENROLMENT_FILE = "request.pem", "request.key", "request.enrolment"
CLIENT_CERTIFICATE_FILE, CLIENT_KEY_FILE = "client.pem", "client.key"
LICENCE_FILE = "licence.pem"
PENDING_FILE = "waiting.pem"
REVOKED_FILE = "revoked"
LOCK_FILE = "licence.lock"

_CURRENT_LINK = "licence"
_GENERATION_PREFIX = "licence-"


def ensure_tls_folder(folder: Path) -> Path:
    """The folder `tls/`, made where it is missing."""
    tls = folder / "tls"
    if not tls.is_dir():
        tls.mkdir(mode=0o700, parents=True, exist_ok=True)
        atomic_file.own(tls)
    return tls


def current_folder(folder: Path) -> Path | None:
    """The folder of the licence that counts: it stays as it is, whatever is installed meanwhile."""
    try:
        target = os.readlink(folder / "tls" / _CURRENT_LINK)
    except OSError:
        return None
    return folder / "tls" / target


def switch_generation(folder: Path, name: str, contents: dict[str, bytes]) -> None:
    """From now on these files count; durable, and all of them at once."""
    tls = folder / "tls"
    before = current_folder(folder)
    new = tls / f"{_GENERATION_PREFIX}{name}"
    new.mkdir(mode=0o700, exist_ok=True)
    atomic_file.own(new)
    for file, data in contents.items():
        atomic_file.write(new / file, data)
    _replace_symlink(tls / _CURRENT_LINK, new.name)
    for file in (CLIENT_CERTIFICATE_FILE, CLIENT_KEY_FILE):
        _replace_symlink(tls / file, f"{_CURRENT_LINK}/{file}")
    _replace_symlink(folder / LICENCE_FILE, f"tls/{_CURRENT_LINK}/{LICENCE_FILE}")
    for old in tls.glob(f"{_GENERATION_PREFIX}*"):
        if old not in (new, before):  # who sends right now may still read the one before
            shutil.rmtree(old, ignore_errors=True)


def _replace_symlink(path: Path, target: str) -> None:
    if path.is_symlink() and os.readlink(path) == target:
        return
    beside = path.with_name(f".{path.name}.link")
    beside.unlink(missing_ok=True)
    os.symlink(target, beside)
    os.replace(beside, path)
    atomic_file.sync(path.parent)
