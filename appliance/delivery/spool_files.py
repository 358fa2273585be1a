"""The files of the outbox: `<name>.<id>.zip` while they wait, in `sent/` once they were delivered."""

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress
from pathlib import Path

from appliance.domain.messages import Message
from appliance.host import atomic_file

_NAME_REGEX = r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]{0,99})"
_ID_REGEX = r"(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_FILE_PATTERN = re.compile(rf"{_NAME_REGEX}\.{_ID_REGEX}\.zip")


class ParcelFileError(Exception):
    """The parcel's file is gone, or is not what was put."""


def file_name(name: str, parcel_id: str) -> str:
    """Raises ValueError for a name that a sweep would not know again."""
    found = _FILE_PATTERN.fullmatch(f"{name}.{parcel_id}.zip")
    if found is None or found["name"] != name:
        raise ValueError(f"not a parcel's name: {name!r}")
    return found[0]


def parse_file_name(path: Path) -> tuple[str, str]:
    found = _FILE_PATTERN.fullmatch(path.name)
    if found is None:
        raise ValueError(f"not a parcel's file: {path.name!r}")
    return found["name"], found["id"]


def check_free_space(folder: Path, size: int) -> None:
    """Raise OSError unless the disk has `size` bytes to give."""
    free = shutil.disk_usage(folder).free
    if free < size:
        raise OSError(Message("outbox.disk_nearly_full", free_mb=free >> 20, needed_mb=size >> 20))


def write(path: Path, data: bytes) -> None:
    """When it returns, the file is there whole, whatever happens next; when it raises, it is not there."""
    try:
        atomic_file.write(path, data)
    except OSError:
        path.unlink(missing_ok=True)
        raise


def read(folder: Path, file: str, digest: str) -> bytes:
    """The file as it was put; raises Unreadable where that is not to be had, OSError where the disk fails."""
    for path in (folder / file, folder / "sent" / file):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue
        if hashlib.sha256(data).hexdigest() != digest:
            raise ParcelFileError(Message("outbox.file_damaged"))
        return data
    raise ParcelFileError(Message("outbox.file_missing"))


def list_unsent(folder: Path) -> dict[str, Path]:
    """The files that are not in `sent/`, by their parcel's id."""
    return {found["id"]: path for path in folder.iterdir() if (found := _FILE_PATTERN.fullmatch(path.name))}


def move_to_sent(path: Path) -> None:
    sent = path.parent / "sent"
    if not sent.exists():
        sent.mkdir(mode=0o700)
        if os.geteuid() == 0:  # a command typed by root must not lock the services out
            owner = path.parent.stat()
            os.chown(sent, owner.st_uid, owner.st_gid)
    with suppress(FileNotFoundError):  # a person may have tidied up: it was delivered all the same
        path.rename(sent / path.name)


def prune_sent(folder: Path, ids: Set[str]) -> None:
    """Delete what lies in `sent/`, these parcels aside."""
    for path in (folder / "sent").glob("*.zip"):
        found = _FILE_PATTERN.fullmatch(path.name)
        if found and found["id"] not in ids:
            path.unlink()


def delete_unfinished(folder: Path) -> None:
    """Delete what a crash in the middle of write() left."""
    for path in folder.glob(".*.zip.*"):
        path.unlink()


@contextmanager
def try_lock(folder: Path) -> Iterator[bool]:
    """True for one at a time, across processes; ends with the process at the latest."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(descriptor)
