"""What a person should know of a printer's last reading, as one column of JSON."""

from collections.abc import Iterable

from appliance.domain.messages import shorten
from appliance.domain.model import PartFailure
from appliance.storage import json_codec

MAX_NOTES_PER_KIND = 20  # of each kind; a reading has seven parts
MAX_NOTE_CHARS = 500  # characters


def encode_notes(failures: Iterable[PartFailure], notes: Iterable[str]) -> str:
    """Nothing to say is the same text as that of a printer that was read before there were remarks."""
    failures = list(failures)
    told: dict[str, list[str] | list[list[str]]] = {
        "failures": [[each.part, shorten(each.reason, MAX_NOTE_CHARS)] for each in failures][
            :MAX_NOTES_PER_KIND
        ],
        "reasons": [shorten(each.reason, MAX_NOTE_CHARS) for each in failures][:MAX_NOTES_PER_KIND],
        "notes": [shorten(note, MAX_NOTE_CHARS) for note in notes][:MAX_NOTES_PER_KIND],
    }
    return json_codec.encode_json({kind: texts for kind, texts in told.items() if texts})


def decode_failures(text: str) -> tuple[PartFailure, ...]:
    """The parts that could not be read."""
    stored = json_codec.decode_json(text)
    rows, reasons = stored.get("failures"), stored.get("reasons")  # the latter since version 6, as messages
    pairs = [row for row in rows if isinstance(row, list) and len(row) == 2] if isinstance(rows, list) else []
    if not isinstance(reasons, list) or [str(row[1]) for row in pairs] != reasons:
        reasons = [row[1] for row in pairs]
    return tuple(
        PartFailure(str(row[0]), reason if isinstance(reason, str) else str(reason))
        for row, reason in zip(pairs, reasons, strict=True)
    )


def decode_notes(text: str) -> tuple[str, ...]:
    """What else there is to know."""
    rows = json_codec.decode_json(text).get("notes")
    return tuple(row for row in rows if isinstance(row, str)) if isinstance(rows, list) else ()
