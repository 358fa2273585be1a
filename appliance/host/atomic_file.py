"""Files that are there whole or as they were, whenever the power goes."""

import os
import tempfile
from pathlib import Path


def write(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replaces a file durably; only the owner of its folder can read it, where `mode` does not say else."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            own(Path(name))
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    sync(path.parent)


def own(path: Path) -> None:
    """What root makes goes to the owner of its folder: a typed command must not lock the services out."""
    if os.geteuid() == 0:
        owner, own_now = path.parent.stat(), path.lstat()
        if (owner.st_uid, owner.st_gid) != (
            own_now.st_uid,
            own_now.st_gid,
        ):  # some units may not even try
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def sync(folder: Path) -> None:
    """The names in a folder are durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
