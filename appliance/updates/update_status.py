"""How an update stands, as root tells it: what is in the slots, how far an installation is."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from appliance.domain.messages import Message, restore_messages
from appliance.host import unit_status
from appliance.privileged import update_trial
from appliance.privileged.update_progress import ACTIVE_UPDATE_STATES

MAX_STATUS_FILE_BYTES = 8_192
UPDATE_START_TIMEOUT_S = 180.0  # from a request to its first step, also while the Plug starts


@dataclass(frozen=True, slots=True)
class UpdateProgress:
    """The latest installation since the box was switched on."""

    state: str  # looking installing fetching installed refused failed
    percent: int
    step: str
    text: str  # why not, where it was refused or failed
    version: str
    source: str
    action: str
    reboots: bool  # at once, by itself
    at: datetime

    @property
    def is_under_way(self) -> bool:
        return self.state in ACTIVE_UPDATE_STATES


@dataclass(frozen=True, slots=True)
class RequestedUpdate:
    """An installation that the web UI has requested."""

    request_id: str
    at: datetime
    monotonic_s: float  # the same moment
    previous: UpdateProgress | None  # of the installation before it


@dataclass(frozen=True, slots=True)
class SlotStatus:
    """Which version runs, and which one waits in the other slot."""

    booted: str
    version: str
    other: str
    other_version: str  # "": not known
    other_state: str  # good bad
    boot: str


def read_update_progress(run: Path) -> UpdateProgress | None:
    """None where nothing was installed since the box was switched on."""
    found = _load_answer(run, "update")
    percent, at = found.get("percent"), found.get("at")
    if not isinstance(percent, int) or not isinstance(at, int):
        return None
    return UpdateProgress(
        state=_text_field(found, "state"),
        percent=percent,
        step=_text_field(found, "step"),
        text=_text_field(found, "text"),
        version=_text_field(found, "version"),
        source=_text_field(found, "source"),
        action=_text_field(found, "action"),
        reboots=found.get("reboot") == "yes",
        at=datetime.fromtimestamp(at, UTC),
    )


def read_latest_progress(
    run: Path, requested: RequestedUpdate | None, monotonic_s: float
) -> UpdateProgress | None:
    """Return the progress of the latest installation, including one that was requested and never started."""
    progress = read_update_progress(run)
    if requested is None or progress != requested.previous:
        return progress
    answer = unit_status.read_answer(run, requested.request_id)
    if answer and answer.state != "done":
        return _build_unstarted_progress(answer.state, answer.text, requested.at)
    if monotonic_s > requested.monotonic_s + UPDATE_START_TIMEOUT_S:
        return _build_unstarted_progress("failed", Message("update.not_begun"), requested.at)
    return progress


def _build_unstarted_progress(state: str, text: str, at: datetime) -> UpdateProgress:
    return UpdateProgress(state, 0, "", text, version="", source="", action="", reboots=False, at=at)


def read_slot_status(run: Path) -> SlotStatus | None:
    """None where this is no box, or root has not told it yet."""
    found = _load_answer(run, "slots")
    keys = ("booted", "version", "other", "other_version", "other_state", "boot")
    return SlotStatus(*(_text_field(found, key) for key in keys)) if found else None


def is_update_on_trial(slot_status: SlotStatus, root: Path = Path("/")) -> bool:
    """Whether what runs still has to prove itself. A service may not see the kernel's own word for it."""
    marker = update_trial.read_marker(root)
    return marker is not None and marker.boot != slot_status.boot and marker.to_slot == slot_status.booted


def _text_field(found: dict[str, object], key: str) -> str:
    value = found.get(key)
    return value if isinstance(value, str) else ""


def _load_answer(run: Path, name: str) -> dict[str, object]:
    try:
        with (run / "answers" / f"{name}.json").open("rb") as file:
            found = restore_messages(json.loads(file.read(MAX_STATUS_FILE_BYTES)))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
