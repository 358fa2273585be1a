"""What root's early units found is noted in memory, for the poller, which makes events of it."""

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.domain.messages import decode, encode

BOOT_NOTES_DIR = Path("/run/printmonitor-notes")
BOOT_NOTES_FILENAME = "notes"
MAX_BOOT_NOTES_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class BootNote:
    id: str  # of no other one
    kind: str
    subject: str
    text: str


def add_boot_note(kind: str, subject: str, text: str, folder: Path = BOOT_NOTES_DIR) -> None:
    """The script data-partition of the image does the same in shell. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # for the poller, whatever the unit's mask
    fields = (str(uuid.uuid4()), kind, subject, text, encode(text) or "")
    line = "\t".join(" ".join(each.split()) for each in fields)
    file = os.open(folder / BOOT_NOTES_FILENAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    with os.fdopen(file, "w", encoding="utf-8") as opened:
        os.fchmod(file, 0o644)
        opened.write(f"{line}\n")


def read_boot_notes(folder: Path = BOOT_NOTES_DIR) -> Iterator[BootNote]:
    """All of this boot, the oldest first."""
    try:
        with (folder / BOOT_NOTES_FILENAME).open("rb") as file:
            lines = file.read(MAX_BOOT_NOTES_BYTES).decode("utf-8", "replace").splitlines()
    except OSError:
        return
    for line in lines:
        parts = line.split("\t")
        if len(parts) == 5:
            note_id, kind, subject, text, message = parts
            yield BootNote(note_id, kind, subject, decode(text, message or None))
