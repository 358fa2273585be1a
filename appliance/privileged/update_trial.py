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

from appliance.host import atomic_file

MARKER, OUTCOME = "data/rauc/trial", "data/rauc/outcome"
MOST_OCTETS = 4_096
MOST_WHY = 200  # characters

Standing = Literal["none", "pending", "on trial", "fell back", "interrupted"]
Came = Literal["updated", "fell back", "interrupted"]
CAME: tuple[Came, ...] = ("updated", "fell back", "interrupted")


@dataclass(frozen=True, slots=True)
class Trial:
    """What the box was, what it shall be."""

    from_slot: str  # A B, as rauc.slot= on the kernel's command line
    from_version: str
    to_slot: str
    to_version: str
    at: str  # ISO 8601
    boot: str  # kernel's boot_id while it was written: before the reboot there is nothing to judge
    installed: bool = False  # whole in its slot, the boot loader told
    action: str = ""  # the fleet server's number for this update
    why: str = ""  # what was wrong, where something was


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    came: Came
    trial: Trial
    at: str  # ISO 8601
    booted: str  # boot_id in which that was found


def begin(trial: Trial, root: Path = Path("/")) -> None:
    """Write the marker durably; an earlier outcome is over. Raises OSError."""
    path = root / MARKER
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    atomic_file.write(path, json.dumps(asdict(trial)).encode(), mode=0o644)


def read(root: Path = Path("/")) -> Trial | None:
    """The marker; None where there is none, or none that makes sense."""
    return _trial(_loaded(root / MARKER))


def remove(root: Path = Path("/")) -> None:
    """Nothing is on trial (any more). Raises OSError."""
    path = root / MARKER
    if path.exists():
        path.unlink()
        atomic_file.sync(path.parent)


def standing(root: Path = Path("/")) -> Standing:
    """How it stands in this boot."""
    trial = read(root)
    if trial is None:
        return "none"
    if trial.boot == boot_id(root):
        return "pending"
    if trial.to_slot == booted_slot(root):
        return "on trial"
    return "fell back" if trial.installed else "interrupted"


def is_on(root: Path = Path("/")) -> bool:
    """Whether this boot is a trial: it has to be marked good, or the box goes back to the other slot."""
    return standing(root) == "on trial"


def note(why: str, root: Path = Path("/")) -> None:
    """Remember what is wrong, before the reboot that leads back. Raises OSError."""
    trial = read(root)
    if trial is not None:
        begin(replace(trial, why=why[:MOST_WHY]), root)


def conclude(now: datetime, root: Path = Path("/"), *, good: bool = False) -> Outcome | None:
    """Judge and remove the marker; None where nothing can be said yet. Raises OSError.

    `good` is whether this boot has been marked good. What fell back is found without that.
    """
    trial, found = read(root), standing(root)
    if trial is None or found == "pending" or (found == "on trial" and not good):
        return None
    came: Came = "updated" if found == "on trial" else "fell back" if found == "fell back" else "interrupted"
    outcome = Outcome(came, trial, now.isoformat(), boot_id(root))
    atomic_file.write(root / OUTCOME, json.dumps(asdict(outcome)).encode(), mode=0o644)
    remove(root)
    return outcome


def outcome(root: Path = Path("/")) -> Outcome | None:
    """What came of the latest update that was judged."""
    found = _loaded(root / OUTCOME)
    trial = _trial(found.get("trial"))
    came = next((each for each in CAME if each == found.get("came")), None)
    at, booted = found.get("at"), found.get("booted")
    if trial is None or came is None or not isinstance(at, str) or not isinstance(booted, str):
        return None
    return Outcome(came, trial, at, booted)


def booted_slot(root: Path = Path("/")) -> str:
    """A or B; nothing where this is no box with slots."""
    found = re.search(r"(?:^|\s)rauc\.slot=([AB])(?:\s|$)", _text(root / "proc/cmdline"))
    return found[1] if found else ""


def boot_id(root: Path = Path("/")) -> str:
    return _text(root / "proc/sys/kernel/random/boot_id").strip()


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        return ""


def _loaded(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(MOST_OCTETS))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _trial(found: object) -> Trial | None:
    if not isinstance(found, dict):
        return None
    texts = {key: found.get(key, "") for key in ("action", "why")}
    texts |= {
        key: found.get(key) for key in ("from_slot", "from_version", "to_slot", "to_version", "at", "boot")
    }
    if not all(isinstance(value, str) for value in texts.values()) or not texts["to_slot"]:
        return None
    return Trial(**texts, installed=found.get("installed") is True)
