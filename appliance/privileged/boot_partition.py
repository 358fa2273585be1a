"""What a person left for the Plug on the card's first partition, which every computer can read and write."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from appliance.host import atomic_file

FOLDER = Path("/boot/firmware")
MOST_OCTETS = 1 << 20
ANSWER = "printmonitor-problems.txt"


class NoText(ValueError):
    """A file that cannot be read as text; one line that says what would be right."""


def find(names: Sequence[str], folder: Path = FOLDER) -> Path | None:
    """The first of these that is there."""
    return next((path for name in names if (path := folder / name).is_file()), None)


def read(path: Path) -> bytes:
    """Raises NoText, OSError."""
    with path.open("rb") as file:
        data = file.read(MOST_OCTETS + 1)
    if len(data) > MOST_OCTETS:
        raise NoText("is larger than a megabyte")
    return data


def text(data: bytes) -> str:
    """As editors write it on Windows, too: with a byte order mark, with CRLF, as UTF-16. Raises NoText."""
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        found = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise NoText(f"line {line}: is not UTF-8; save the file as UTF-8") from None
    if "\0" in found:
        raise NoText("is no text; save the file as UTF-8")
    return found.replace("\r\n", "\n")


def remove(path: Path) -> None:
    """Overwritten before, as it may hold secrets; a card keeps what was deleted. Raises OSError."""
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    atomic_file.sync(path.parent)


def answer(lines: Iterator[str] | Sequence[str], folder: Path = FOLDER) -> None:
    """Leave a text for that person; written only where it says something new. Raises OSError."""
    data = "".join(f"{line}\r\n" for line in lines).encode()  # Windows' older editors show one long line else
    path = folder / ANSWER
    if path.is_file() and path.read_bytes() == data:
        return
    with path.open("wb") as file:  # in place: FAT knows no modes, and nothing hangs on an answer that is torn
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    atomic_file.sync(folder)


def forget_answer(folder: Path = FOLDER) -> None:
    """Nothing is wrong any more. Raises OSError."""
    path = folder / ANSWER
    if path.exists():
        path.unlink()
        atomic_file.sync(folder)
