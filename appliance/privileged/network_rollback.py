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

from appliance.domain.messages import SUFFIX, Message, add_message_fields, from_json, message_of, shorten
from appliance.host import atomic_file, board
from appliance.privileged import job_files, untrusted_settings
from appliance.privileged.networkd_config import render_networkd_file, render_wpa_supplicant_conf
from appliance.privileged.request_handler import (
    OperationFailedError,
    RunCommand,
    is_unit_active,
    open_answers_dir,
    write_answer_file,
)
from appliance.settings.network import NetworkConfig, NetworkSettingsError, parse_network

ROLLBACK_TIMEOUT_S = 120  # as the timer's unit has it
ROLLBACK_TIMER_UNIT = "printmonitor-network-trial.timer"
NETWORKD_UNIT = "systemd-networkd.service"
NETWORKD_FILENAME = "70-printmonitor.network"
REQUEST_NAME, PENDING_CHANGE_NAME, ANSWER_FILENAME = "network", "network-trial", "network.json"
MAX_ANSWER_BYTES = 4_096
CHANGE_STATES = ("trying", "kept", "rolled-back", "failed")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NetworkPaths:
    run: Path  # the services' own: answers stand there
    networkd_dir: Path = Path("/run/systemd/network")
    root: Path = job_files.CHECKED_REQUESTS_DIR


@dataclass(frozen=True, slots=True)
class NetworkChangeStatus:
    """What root says of a trial."""

    change_id: str  # its number, as the page gave it
    state: str  # one of STATES
    deadline: float  # of the monotonic clock, which nobody sets
    text: str  # why it failed


def apply_saved_settings(state: Path, paths: NetworkPaths, run: RunCommand) -> None:
    """What settings.toml says holds, and a trial is over. Raises Failed, OSError."""
    trial = job_files.take_checked_request(PENDING_CHANGE_NAME, paths.root)
    wanted, name = _load_saved_settings(state)
    try:
        _apply_network(wanted, name, paths, run)
    except (OperationFailedError, OSError):
        if trial:
            job_files.store_checked_request(
                PENDING_CHANGE_NAME, trial, paths.root
            )  # whoever tries again has to tell
        raise
    if trial:
        with suppress(OperationFailedError):
            run("systemctl", "stop", ROLLBACK_TIMER_UNIT)
        kept = trial["settings"] == _serialize_settings(wanted)
        _write_change_status(paths, trial["trial"], "kept" if kept else "rolled-back")


def try_requested_settings(state: Path, paths: NetworkPaths, run: RunCommand) -> None:
    """What was ordered holds for two minutes; the way back is sure before anything changes. Raises Failed."""
    order = job_files.take_checked_request(REQUEST_NAME, paths.root)
    if order is None:
        return
    try:
        wanted = parse_network(json.loads(order["settings"]))
        run("systemctl", "restart", ROLLBACK_TIMER_UNIT)
        until = time.monotonic() + ROLLBACK_TIMEOUT_S
        job_files.store_checked_request(
            PENDING_CHANGE_NAME,
            {"trial": order["trial"], "settings": _serialize_settings(wanted)},
            paths.root,
        )
        _apply_network(wanted, _load_saved_settings(state)[1], paths, run)
        _write_change_status(
            paths, order["trial"], "trying", until
        )  # now somebody may confirm: not what he has not seen
    except (OperationFailedError, OSError, ValueError) as error:
        with suppress(OperationFailedError, OSError):  # else the timer does it
            apply_saved_settings(state, paths, run)
        _write_change_status(paths, order["trial"], "failed", text=message_of(error))
        raise OperationFailedError(Message("network.trial_failed", reason=error)) from error


def read_change_status(run: Path) -> NetworkChangeStatus | None:
    """What became of the last trial since the Plug started."""
    try:
        with (run / "answers" / ANSWER_FILENAME).open("rb") as file:
            data = json.loads(file.read(MAX_ANSWER_BYTES))
        text = from_json(str(data["text"]), data.get(f"text{SUFFIX}"))
        found = NetworkChangeStatus(str(data["trial"]), str(data["state"]), float(data["until"]), text)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return found if found.state in CHANGE_STATES else None


def is_awaiting_confirmation(run: Path) -> bool:
    """Whether somebody has to confirm the network just now."""
    found = read_change_status(run)
    return found is not None and found.state == "trying" and found.deadline > time.monotonic()


def _load_saved_settings(state: Path) -> tuple[NetworkConfig, str]:
    """The network that settings.toml wants, else the last good settings, else DHCP; the Plug's name."""
    for data in untrusted_settings.iter_settings(state):
        try:
            return parse_network(data.get("network", {})), _hostname_or_default(
                untrusted_settings.get_table(data, "plug").get("name")
            )
        except NetworkSettingsError as error:
            log.warning("settings: network.%s", error)
    return NetworkConfig(), board.default_plug_name()


def _hostname_or_default(configured_name: object) -> str:
    fits = isinstance(configured_name, str) and re.fullmatch(
        "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?", configured_name
    )
    return str(configured_name) if fits else board.default_plug_name()


def _apply_network(config: NetworkConfig, hostname: str, paths: NetworkPaths, run: RunCommand) -> None:
    paths.networkd_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
    _write_if_changed(
        paths.networkd_dir / NETWORKD_FILENAME, render_networkd_file(config, hostname), 0o644
    )  # networkd is not root
    _apply_wlan(config, paths.root, run)
    if is_unit_active(run, NETWORKD_UNIT):  # not while the Plug starts: it comes after us
        run("systemctl", "reload", NETWORKD_UNIT)


def _apply_wlan(config: NetworkConfig, folder: Path, run: RunCommand) -> None:
    """One wpa_supplicant where WLAN is wanted, else none."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"wpa_supplicant-{config.interface}.conf"
    for other in folder.glob("wpa_supplicant-*.conf"):
        if not config.is_wlan or other != path:
            run("systemctl", "--no-block", "stop", _wpa_supplicant_unit(other))
            other.unlink()
    if config.is_wlan:
        moved = _write_if_changed(path, render_wpa_supplicant_conf(config), 0o600)
        run("systemctl", "--no-block", "restart" if moved else "start", _wpa_supplicant_unit(path))


def _wpa_supplicant_unit(path: Path) -> str:
    return f"wpa_supplicant@{path.stem.partition('-')[2]}.service"


def _write_if_changed(path: Path, text: str, mode: int) -> bool:
    """Whether that changed anything."""
    if path.exists() and path.read_text() == text:
        return False
    atomic_file.write(path, text.encode(), mode=mode)
    return True


def _serialize_settings(config: NetworkConfig) -> str:
    return json.dumps(asdict(config), sort_keys=True)


def _write_change_status(
    paths: NetworkPaths, change_id: str, state: str, deadline: float = 0.0, text: str = ""
) -> None:
    told = {"trial": change_id, "state": state, "until": deadline, "text": shorten(text, 500)}
    with open_answers_dir(paths.run) as answers:
        write_answer_file(answers, ANSWER_FILENAME, json.dumps(add_message_fields(told)))
