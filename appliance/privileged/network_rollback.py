"""The network becomes what the settings say; new settings are tried first, and go again unless confirmed.

All of it stands in /run: a Plug that is restarted meanwhile has the network of its settings, and no trial.
"""

import json
import logging
import re
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from appliance.host import atomic_file, board
from appliance.privileged import job_files, untrusted_settings
from appliance.privileged.networkd_config import network_file, wpa_supplicant
from appliance.privileged.request_handler import Failed, Run, opened_answers, put
from appliance.privileged.systemctl import is_active
from appliance.settings.network import BadNetwork, NetworkConfig, taken

SECONDS = 120  # as the timer's unit has it
TIMER = "printmonitor-network-trial.timer"
NETWORKD = "systemd-networkd.service"
FILE = "70-printmonitor.network"
ORDER, TRIAL, ANSWER = "network", "network-trial", "network.json"
MOST_OCTETS = 4_096
STATES = ("trying", "kept", "rolled-back", "failed")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Places:
    run: Path  # the services' own: answers stand there
    networks: Path = Path("/run/systemd/network")
    root: Path = job_files.FOLDER


@dataclass(frozen=True, slots=True)
class Said:
    """What root says of a trial."""

    trial: str  # its number, as the page gave it
    state: str  # one of STATES
    until: float  # of the monotonic clock, which nobody sets
    text: str  # why it failed


def settle(state: Path, places: Places, run: Run) -> None:
    """What settings.toml says holds, and a trial is over. Raises Failed, OSError."""
    trial = job_files.take(TRIAL, places.root)
    wanted, name = _wanted(state)
    try:
        _become(wanted, name, places, run)
    except (Failed, OSError):
        if trial:
            job_files.put(TRIAL, trial, places.root)  # whoever tries again has to tell
        raise
    if trial:
        with suppress(Failed):
            run("systemctl", "stop", TIMER)
        kept = trial["settings"] == _written(wanted)
        _tell(places, trial["trial"], "kept" if kept else "rolled-back")


def attempt(state: Path, places: Places, run: Run) -> None:
    """What was ordered holds for two minutes; the way back is sure before anything changes. Raises Failed."""
    order = job_files.take(ORDER, places.root)
    if order is None:
        return
    try:
        wanted = taken(json.loads(order["settings"]))
        run("systemctl", "restart", TIMER)
        until = time.monotonic() + SECONDS
        job_files.put(TRIAL, {"trial": order["trial"], "settings": _written(wanted)}, places.root)
        _become(wanted, _wanted(state)[1], places, run)
        _tell(places, order["trial"], "trying", until)  # now somebody may confirm: not what he has not seen
    except (Failed, OSError, ValueError) as error:
        with suppress(Failed, OSError):  # else the timer does it
            settle(state, places, run)
        _tell(places, order["trial"], "failed", text=str(error))
        raise Failed(f"the network's new settings could not be tried: {error}") from error


def said(run: Path) -> Said | None:
    """What became of the last trial since the Plug started."""
    try:
        with (run / "answers" / ANSWER).open("rb") as file:
            data = json.loads(file.read(MOST_OCTETS))
        found = Said(str(data["trial"]), str(data["state"]), float(data["until"]), str(data["text"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if found.state in STATES else None


def is_on(run: Path) -> bool:
    """Whether somebody has to confirm the network just now."""
    found = said(run)
    return found is not None and found.state == "trying" and found.until > time.monotonic()


def _wanted(state: Path) -> tuple[NetworkConfig, str]:
    """The network that settings.toml wants, else the last good settings, else DHCP; the Plug's name."""
    for data in untrusted_settings.settings(state):
        try:
            return taken(data.get("network", {})), _name(untrusted_settings.table(data, "plug").get("name"))
        except BadNetwork as error:
            log.warning("settings: network.%s", error)
    return NetworkConfig(), board.default_name()


def _name(given: object) -> str:
    fits = isinstance(given, str) and re.fullmatch("[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?", given)
    return str(given) if fits else board.default_name()


def _become(wanted: NetworkConfig, name: str, places: Places, run: Run) -> None:
    places.networks.mkdir(mode=0o755, parents=True, exist_ok=True)
    _put(places.networks / FILE, network_file(wanted, name), 0o644)  # networkd is not root
    _become_wlan(wanted, places.root, run)
    if is_active(run, NETWORKD):  # not while the Plug starts: it comes after us
        run("systemctl", "reload", NETWORKD)


def _become_wlan(wanted: NetworkConfig, folder: Path, run: Run) -> None:
    """One wpa_supplicant where WLAN is wanted, else none."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"wpa_supplicant-{wanted.interface}.conf"
    for other in folder.glob("wpa_supplicant-*.conf"):
        if not wanted.is_wlan or other != path:
            run("systemctl", "--no-block", "stop", _supplicant(other))
            other.unlink()
    if wanted.is_wlan:
        moved = _put(path, wpa_supplicant(wanted), 0o600)
        run("systemctl", "--no-block", "restart" if moved else "start", _supplicant(path))


def _supplicant(path: Path) -> str:
    return f"wpa_supplicant@{path.stem.partition('-')[2]}.service"


def _put(path: Path, text: str, mode: int) -> bool:
    """Whether that changed anything."""
    if path.exists() and path.read_text() == text:
        return False
    atomic_file.write(path, text.encode(), mode=mode)
    return True


def _written(config: NetworkConfig) -> str:
    return json.dumps(asdict(config), sort_keys=True)


def _tell(places: Places, trial: str, state: str, until: float = 0.0, text: str = "") -> None:
    told = {"trial": trial, "state": state, "until": until, "text": text[:500]}
    with opened_answers(places.run) as answers:
        put(answers, ANSWER, json.dumps(told))
