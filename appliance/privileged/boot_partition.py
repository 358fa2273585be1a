"""What a person left for the Plug on the card's first partition, which every computer can read and write."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from appliance.domain.messages import Message
from appliance.host import atomic_file

BOOT_PARTITION_DIR = Path("/boot/firmware")
MAX_FILE_BYTES = 1 << 20
PROBLEMS_FILENAME = "printmonitor-problems.txt"


class UnreadableTextError(ValueError):
    """A file that cannot be read as text; one line that says what would be right."""


def find_file(names: Sequence[str], folder: Path = BOOT_PARTITION_DIR) -> Path | None:
    """The first of these that is there."""
    return next((path for name in names if (path := folder / name).is_file()), None)


def read_file(path: Path) -> bytes:
    """Raises NoText, OSError."""
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise UnreadableTextError(Message("provision.too_large"))
    return data


def decode_text(data: bytes) -> str:
    """As editors write it on Windows, too: with a byte order mark, with CRLF, as UTF-16. Raises NoText."""
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        found = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableTextError(Message("provision.line_not_utf8", line=line)) from None
    if "\0" in found:
        raise UnreadableTextError(Message("provision.not_text"))
    return found.replace("\r\n", "\n")


def shred_file(path: Path) -> None:
    """Overwritten before, as it may hold secrets; a card keeps what was deleted. Raises OSError."""
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    atomic_file.fsync_folder(path.parent)


def write_problems(lines: Iterator[str] | Sequence[str], folder: Path = BOOT_PARTITION_DIR) -> None:
    """Leave a text for that person; written only where it says something new. Raises OSError."""
    data = "".join(f"{line}\r\n" for line in lines).encode()  # Windows' older editors show one long line else
    path = folder / PROBLEMS_FILENAME
    if path.is_file() and path.read_bytes() == data:
        return
    with path.open("wb") as file:  # in place: FAT knows no modes, and nothing hangs on an answer that is torn
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    atomic_file.fsync_folder(folder)


def remove_problems(folder: Path = BOOT_PARTITION_DIR) -> None:
    """Nothing is wrong any more. Raises OSError."""
    path = folder / PROBLEMS_FILENAME
    if path.exists():
        path.unlink()
        atomic_file.fsync_folder(folder)
