"""Where a Plug's keys and certificates lie, in the folder `tls/` of its state.

`licence/` there is a link to the folder of the licence that counts: certificate, key and licence file change
together, in one step, at any loss of power. The familiar names point through it.
"""

import os
import shutil
from pathlib import Path

from appliance.host import atomic_file

REQUEST, REQUEST_KEY, ENROLMENT = "request.pem", "request.key", "request.enrolment"
CLIENT, CLIENT_KEY = "client.pem", "client.key"
LICENCE = "licence.pem"
WAITING = "waiting.pem"
REVOKED = "revoked"
LOCK = "licence.lock"

_CURRENT = "licence"
_GENERATION = "licence-"


def place(folder: Path) -> Path:
    """The folder `tls/`, made where it is missing."""
    tls = folder / "tls"
    if not tls.is_dir():
        tls.mkdir(mode=0o700, parents=True, exist_ok=True)
        atomic_file.own(tls)
    return tls


def current(folder: Path) -> Path | None:
    """The folder of the licence that counts: it stays as it is, whatever is installed meanwhile."""
    try:
        target = os.readlink(folder / "tls" / _CURRENT)
    except OSError:
        return None
    return folder / "tls" / target


def switch(folder: Path, name: str, contents: dict[str, bytes]) -> None:
    """From now on these files count; durable, and all of them at once."""
    tls = folder / "tls"
    before = current(folder)
    new = tls / f"{_GENERATION}{name}"
    new.mkdir(mode=0o700, exist_ok=True)
    atomic_file.own(new)
    for file, data in contents.items():
        atomic_file.write(new / file, data)
    _link(tls / _CURRENT, new.name)
    for file in (CLIENT, CLIENT_KEY):
        _link(tls / file, f"{_CURRENT}/{file}")
    _link(folder / LICENCE, f"tls/{_CURRENT}/{LICENCE}")
    for old in tls.glob(f"{_GENERATION}*"):
        if old not in (new, before):  # who sends right now may still read the one before
            shutil.rmtree(old, ignore_errors=True)


def _link(path: Path, target: str) -> None:
    if path.is_symlink() and os.readlink(path) == target:
        return
    beside = path.with_name(f".{path.name}.link")
    beside.unlink(missing_ok=True)
    os.symlink(target, beside)
    os.replace(beside, path)
    atomic_file.sync(path.parent)
