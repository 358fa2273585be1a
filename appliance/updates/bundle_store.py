"""The bundle that is to be installed: one at a time, whole or not there."""

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path

from appliance.host import atomic_file

NAME = "upload.raucb"  # as root knows it, see privileged/rauc_installer.py
PART = ".part-"
MOST_BYTES = 400 << 20  # a slot has 512 MB, and what goes in is packed
SPARE_BYTES = 48 << 20  # stay free: readings and parcels go on


class NotKept(Exception):
    """The bundle cannot be kept; the text is one clear line."""


class TooLarge(NotKept):
    """It is larger than any update is."""


class NoRoom(NotKept):
    """The storage is full."""


@dataclass(frozen=True, slots=True)
class Bundle:
    path: Path
    size: int
    at: datetime

    @property
    def mark(self) -> str:
        """Another one in its place has another."""
        return f"{self.size} {self.at.isoformat()}"


class Arriving:
    """A bundle that is being written."""

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self.size = 0

    def write(self, data: bytes) -> None:
        """Raises NotKept."""
        self.size += len(data)
        if self.size > MOST_BYTES:
            raise TooLarge(f"It is larger than {MOST_BYTES >> 20} MB: no update is.")
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise _unwritten(error) from error


def kept(folder: Path) -> Bundle | None:
    """The bundle that is there."""
    path = folder / NAME
    try:
        found = path.stat()
    except OSError:
        return None
    return Bundle(path, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))


def remove(folder: Path) -> None:
    """Also what was left over when the power went."""
    for path in folder.glob(f"{PART}*"):
        path.unlink(missing_ok=True)
    (folder / NAME).unlink(missing_ok=True)


@contextlib.contextmanager
def arriving(folder: Path, size: int | None) -> Iterator[Arriving]:
    """Takes the place of the bundle that was there, if the block ends well; else nothing of it stays.

    `size` is what is expected, in bytes, where that is known. Raises NotKept.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    remove(folder)  # there is hardly room for two
    _check(folder, size)
    try:
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=PART)
    except OSError as error:
        raise _unwritten(error) from error
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            yield Arriving(file)
            _keep(descriptor, Path(name), folder)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def _keep(descriptor: int, part: Path, folder: Path) -> None:
    try:
        os.fsync(descriptor)
        os.replace(part, folder / NAME)
        atomic_file.sync(folder)
    except OSError as error:
        raise _unwritten(error) from error


def _check(folder: Path, size: int | None) -> None:
    if size is not None and size > MOST_BYTES:
        raise TooLarge(
            f"It has {size >> 20} MB, more than the {MOST_BYTES >> 20} MB that an update may have."
        )
    free = shutil.disk_usage(folder).free - SPARE_BYTES
    if (size or 0) > free:
        raise NoRoom(
            f"There is no room for it: it has {(size or 0) >> 20} MB, {max(free, 0) >> 20} MB are free."
        )


def _unwritten(error: OSError) -> NotKept:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return NoRoom("There is no room left for it.")
    return NotKept(f"It cannot be written: {error.strerror}.")
