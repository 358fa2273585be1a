"""What root's early units found is noted in memory, for the poller, which makes events of it."""

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path("/run/printmonitor-notes")
FILE = "notes"
MOST_OCTETS = 65_536


@dataclass(frozen=True, slots=True)
class Note:
    id: str  # of no other one
    kind: str
    subject: str
    text: str


def add(kind: str, subject: str, text: str, folder: Path = FOLDER) -> None:
    """The script data-partition of the image does the same in shell. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # for the poller, whatever the unit's mask
    line = "\t".join(" ".join(each.split()) for each in (str(uuid.uuid4()), kind, subject, text))
    file = os.open(folder / FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    with os.fdopen(file, "w", encoding="utf-8") as opened:
        os.fchmod(file, 0o644)
        opened.write(f"{line}\n")


def read(folder: Path = FOLDER) -> Iterator[Note]:
    """All of this boot, the oldest first."""
    try:
        with (folder / FILE).open("rb") as file:
            lines = file.read(MOST_OCTETS).decode("utf-8", "replace").splitlines()
    except OSError:
        return
    for line in lines:
        parts = line.split("\t")
        if len(parts) == 4:
            yield Note(*parts)
