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

from appliance.domain.messages import Message
from appliance.host import atomic_file

BUNDLE_FILENAME = "upload.raucb"  # as root knows it, see privileged/rauc_installer.py
PARTIAL_PREFIX = ".part-"
MAX_BUNDLE_BYTES = 400 << 20  # a slot has 512 MB, and what goes in is packed
RESERVED_BYTES = 48 << 20  # stay free: readings and parcels go on


class BundleStoreError(Exception):
    """The bundle cannot be kept; the text is one clear line."""


class BundleTooLargeError(BundleStoreError):
    """It is larger than any update is."""


class BundleNoSpaceError(BundleStoreError):
    """The storage is full."""


@dataclass(frozen=True, slots=True)
class StoredBundle:
    path: Path
    size: int
    at: datetime

    @property
    def fingerprint(self) -> str:
        """Another one in its place has another."""
        return f"{self.size} {self.at.isoformat()}"


class BundleWriter:
    """A bundle that is being written."""

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self.size = 0

    def write(self, data: bytes) -> None:
        """Raises NotKept."""
        self.size += len(data)
        if self.size > MAX_BUNDLE_BYTES:
            raise BundleTooLargeError(Message("upload.too_large", limit_mb=MAX_BUNDLE_BYTES >> 20))
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise _storage_error(error) from error


def find_bundle(folder: Path) -> StoredBundle | None:
    """The bundle that is there."""
    path = folder / BUNDLE_FILENAME
    try:
        found = path.stat()
    except OSError:
        return None
    return StoredBundle(path, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))


def remove_bundle(folder: Path) -> None:
    """Also what was left over when the power went."""
    for path in folder.glob(f"{PARTIAL_PREFIX}*"):
        path.unlink(missing_ok=True)
    (folder / BUNDLE_FILENAME).unlink(missing_ok=True)


@contextlib.contextmanager
def receive_bundle(folder: Path, size: int | None) -> Iterator[BundleWriter]:
    """Takes the place of the bundle that was there, if the block ends well; else nothing of it stays.

    `size` is what is expected, in bytes, where that is known. Raises NotKept.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    remove_bundle(folder)  # there is hardly room for two
    _check_space(folder, size)
    try:
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=PARTIAL_PREFIX)
    except OSError as error:
        raise _storage_error(error) from error
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            yield BundleWriter(file)
            _commit_bundle(descriptor, Path(name), folder)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def _commit_bundle(descriptor: int, part: Path, folder: Path) -> None:
    try:
        os.fsync(descriptor)
        os.replace(part, folder / BUNDLE_FILENAME)
        atomic_file.fsync_folder(folder)
    except OSError as error:
        raise _storage_error(error) from error


def _check_space(folder: Path, size: int | None) -> None:
    if size is not None and size > MAX_BUNDLE_BYTES:
        raise BundleTooLargeError(
            Message("upload.size_over_limit", size_mb=size >> 20, limit_mb=MAX_BUNDLE_BYTES >> 20)
        )
    free = shutil.disk_usage(folder).free - RESERVED_BYTES
    if (size or 0) > free:
        raise BundleNoSpaceError(
            Message("upload.no_space", size_mb=(size or 0) >> 20, free_mb=max(free, 0) >> 20)
        )


def _storage_error(error: OSError) -> BundleStoreError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return BundleNoSpaceError(Message("upload.disk_full"))
    return BundleStoreError(Message("upload.not_written", reason=error.strerror))
