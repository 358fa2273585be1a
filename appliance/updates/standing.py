"""How an update stands, as root tells it: what is in the slots, how far an installation is."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from appliance.system import trial, units
from appliance.system.progress import UNDER_WAY

MOST_OCTETS = 8_192
BEGIN_TIMEOUT_S = 180.0  # from an order to the first step, also while the Plug starts


@dataclass(frozen=True, slots=True)
class Progress:
    """The latest installation since the box was switched on."""

    state: str  # looking installing installed refused failed
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
        return self.state in UNDER_WAY


@dataclass(frozen=True, slots=True)
class Order:
    """An installation that the page has asked for."""

    request: str
    at: datetime
    monotonic: float  # seconds, the same moment
    before: Progress | None  # what was told of the one before it


@dataclass(frozen=True, slots=True)
class Slots:
    """Which version runs, and which one waits in the other slot."""

    booted: str
    version: str
    other: str
    other_version: str  # "": not known
    other_state: str  # good bad
    boot: str


def progress(run: Path) -> Progress | None:
    """None where nothing was installed since the box was switched on."""
    found = _loaded(run, "update")
    percent, at = found.get("percent"), found.get("at")
    if not isinstance(percent, int) or not isinstance(at, int):
        return None
    return Progress(
        state=_text(found, "state"),
        percent=percent,
        step=_text(found, "step"),
        text=_text(found, "text"),
        version=_text(found, "version"),
        source=_text(found, "source"),
        action=_text(found, "action"),
        reboots=found.get("reboot") == "yes",
        at=datetime.fromtimestamp(at, UTC),
    )


def latest(run: Path, order: Order | None, monotonic: float) -> Progress | None:
    """Return how far the latest installation is, also where it was ordered and did not begin."""
    found = progress(run)
    if order is None or found != order.before:
        return found
    answer = units.answer(run, order.request)
    if answer and answer.state != "done":
        return _not_begun(answer.state, answer.text, order.at)
    if monotonic > order.monotonic + BEGIN_TIMEOUT_S:
        return _not_begun("failed", "the Plug has not begun it", order.at)
    return found


def _not_begun(state: str, text: str, at: datetime) -> Progress:
    return Progress(state, 0, "", text, version="", source="", action="", reboots=False, at=at)


def slots(run: Path) -> Slots | None:
    """None where this is no box, or root has not told it yet."""
    found = _loaded(run, "slots")
    keys = ("booted", "version", "other", "other_version", "other_state", "boot")
    return Slots(*(_text(found, key) for key in keys)) if found else None


def is_on_trial(now: Slots, root: Path = Path("/")) -> bool:
    """Whether what runs still has to prove itself. A service may not see the kernel's own word for it."""
    marker = trial.read(root)
    return marker is not None and marker.boot != now.boot and marker.to_slot == now.booted


def _text(found: dict[str, object], key: str) -> str:
    value = found.get(key)
    return value if isinstance(value, str) else ""


def _loaded(run: Path, name: str) -> dict[str, object]:
    try:
        with (run / "answers" / f"{name}.json").open("rb") as file:
            found = json.loads(file.read(MOST_OCTETS))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
