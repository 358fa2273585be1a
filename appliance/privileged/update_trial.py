"""An update on trial: the marker that outlives the reboot, and what came of it.

A marker is written before an update is installed. It says what the box was and what it shall become; after
the reboot it is compared with what the box is now. Root writes, the services read.
"""

import json
import re
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from appliance.domain.messages import add_message_fields, restore_messages, shorten
from appliance.host import atomic_file

MARKER_PATH, OUTCOME_PATH = "data/rauc/trial", "data/rauc/outcome"
MAX_MARKER_BYTES = 4_096
MAX_REASON_CHARS = 200  # characters

TrialState = Literal["none", "pending", "on trial", "fell back", "interrupted"]
OutcomeKind = Literal["updated", "fell back", "interrupted"]
OUTCOME_KINDS: tuple[OutcomeKind, ...] = ("updated", "fell back", "interrupted")


@dataclass(frozen=True, slots=True)
class UpdateMarker:
    """What the box was, what it shall be."""

    from_version: str
    to_slot: str  # A B, as rauc.slot= on the kernel's command line
    to_version: str
    at: str  # ISO 8601
    boot: str  # kernel's boot_id while it was written: before the reboot there is nothing to judge
    installed: bool = False  # whole in its slot, the boot loader told
    action: str = ""  # the fleet server's number for this update
    why: str = ""  # what was wrong, where something was


@dataclass(frozen=True, slots=True)
class UpdateOutcome:
    """What came of it."""

    came: OutcomeKind
    trial: UpdateMarker
    at: str  # ISO 8601
    booted: str  # boot_id in which that was found


def write_marker(marker: UpdateMarker, root: Path = Path("/")) -> None:
    """Write the marker durably; an earlier outcome is over. Raises OSError."""
    path = root / MARKER_PATH
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    atomic_file.write(path, json.dumps(add_message_fields(asdict(marker))).encode(), mode=0o644)


def read_marker(root: Path = Path("/")) -> UpdateMarker | None:
    """The marker; None where there is none, or none that makes sense."""
    return _parse_marker(_load_json_object(root / MARKER_PATH))


def remove_marker(root: Path = Path("/")) -> None:
    """Nothing is on trial (any more). Raises OSError."""
    path = root / MARKER_PATH
    if path.exists():
        path.unlink()
        atomic_file.fsync_folder(path.parent)


def trial_state(root: Path = Path("/")) -> TrialState:
    """How it stands in this boot."""
    trial = read_marker(root)
    if trial is None:
        return "none"
    if trial.boot == read_boot_id(root):
        return "pending"
    if trial.to_slot == read_booted_slot(root):
        return "on trial"
    return "fell back" if trial.installed else "interrupted"


def is_trial_boot(root: Path = Path("/")) -> bool:
    """Whether this boot is a trial: it has to be marked good, or the box goes back to the other slot."""
    return trial_state(root) == "on trial"


def record_reason(reason: str, root: Path = Path("/")) -> None:
    """Remember what is wrong, before the reboot that leads back. Raises OSError."""
    trial = read_marker(root)
    if trial is not None:
        write_marker(replace(trial, why=shorten(reason, MAX_REASON_CHARS)), root)


def conclude_trial(now: datetime, root: Path = Path("/"), *, good: bool = False) -> UpdateOutcome | None:
    """Judge and remove the marker; None where nothing can be said yet. Raises OSError.

    `good` is whether this boot has been marked good. What fell back is found without that.
    """
    trial, found = read_marker(root), trial_state(root)
    if trial is None or found == "pending" or (found == "on trial" and not good):
        return None
    came: OutcomeKind = (
        "updated" if found == "on trial" else "fell back" if found == "fell back" else "interrupted"
    )
    outcome = UpdateOutcome(came, trial, now.isoformat(), read_boot_id(root))
    atomic_file.write(
        root / OUTCOME_PATH, json.dumps(add_message_fields(asdict(outcome))).encode(), mode=0o644
    )
    remove_marker(root)
    return outcome


def read_outcome(root: Path = Path("/")) -> UpdateOutcome | None:
    """What came of the latest update that was judged."""
    found = _load_json_object(root / OUTCOME_PATH)
    trial = _parse_marker(found.get("trial"))
    came = next((each for each in OUTCOME_KINDS if each == found.get("came")), None)
    at, booted = found.get("at"), found.get("booted")
    if trial is None or came is None or not isinstance(at, str) or not isinstance(booted, str):
        return None
    return UpdateOutcome(came, trial, at, booted)


def read_booted_slot(root: Path = Path("/")) -> str:
    """A or B; nothing where this is no box with slots."""
    found = re.search(r"(?:^|\s)rauc\.slot=([AB])(?:\s|$)", _read_text(root / "proc/cmdline"))
    return found[1] if found else ""


def read_boot_id(root: Path = Path("/")) -> str:
    return _read_text(root / "proc/sys/kernel/random/boot_id").strip()


def _read_text(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        return ""


def _load_json_object(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            found = restore_messages(json.loads(file.read(MAX_MARKER_BYTES)))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _parse_marker(found: object) -> UpdateMarker | None:
    if not isinstance(found, dict):
        return None
    texts = {key: found.get(key, "") for key in ("action", "why")}
    texts |= {key: found.get(key) for key in ("from_version", "to_slot", "to_version", "at", "boot")}
    if not all(isinstance(value, str) for value in texts.values()) or not texts["to_slot"]:
        return None
    return UpdateMarker(**texts, installed=found.get("installed") is True)
