"""What a person should know of a printer's last reading, as one column of JSON."""

from collections.abc import Iterable

from appliance.domain.model import Failure
from appliance.storage import json_codec

MAX_NOTES_PER_KIND = 20  # of each kind; a reading has seven parts
MAX_NOTE_CHARS = 500  # characters


def encode_notes(failures: Iterable[Failure], notes: Iterable[str]) -> str:
    """Nothing to say is the same text as that of a printer that was read before there were remarks."""
    told = {
        "failures": [[each.part, each.reason[:MAX_NOTE_CHARS]] for each in failures][:MAX_NOTES_PER_KIND],
        "notes": [note[:MAX_NOTE_CHARS] for note in notes][:MAX_NOTES_PER_KIND],
    }
    return json_codec.encode_json({kind: texts for kind, texts in told.items() if texts})


def decode_failures(text: str) -> tuple[Failure, ...]:
    """The parts that could not be read."""
    rows = json_codec.decode_json(text).get("failures")
    pairs = [row for row in rows if isinstance(row, list)] if isinstance(rows, list) else []
    return tuple(Failure(str(row[0]), str(row[1])) for row in pairs if len(row) == 2)


def decode_notes(text: str) -> tuple[str, ...]:
    """What else there is to know."""
    rows = json_codec.decode_json(text).get("notes")
    return tuple(map(str, rows)) if isinstance(rows, list) else ()
