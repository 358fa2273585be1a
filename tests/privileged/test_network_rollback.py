"""Root's part of the network: as the settings say; a trial is kept only where they say the same by then."""

import json
import stat
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from appliance.privileged import job_files, network_rollback, request_handler
from appliance.privileged.network_rollback import Places, Said
from appliance.privileged.request_handler import Failed, Refused
from appliance.settings.network import NetworkConfig

STATIC = '[network]\nmethod = "static"\naddress = "10.0.0.5/24"\n'
TRIAL = "0123456789abcdef"
TIMER = "printmonitor-network-trial.timer"


class Systemd:
    """Takes every command, but those that hold one of these words."""

    def __init__(self, *broken: str) -> None:
        self.told: list[str] = []
        self.broken = broken

    def __call__(self, *command: str) -> str:
        self.told.append(" ".join(command[1:]))
        if any(word in self.told[-1] for word in self.broken):
            raise Failed(f"{self.broken} does not work")
        return ""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "run").mkdir()
    return Places(tmp_path / "run", tmp_path / "networks", tmp_path / "root")


def settings(state: Path, text: str) -> Path:
    state.joinpath("settings.toml").write_text(text)
    return state


def order(places: Places, **change: object) -> None:
    wanted = {"method": "static", "address": "10.0.0.5/24", **change}
    given = {"do": "network-try", "trial": TRIAL, "settings": json.dumps(wanted)}
    request_handler.try_network(Systemd(), given, places.root)


def network(places: Places) -> str:
    return (places.networks / "70-printmonitor.network").read_text()


def state_of(places: Places) -> str | None:
    found = network_rollback.said(places.run)
    return found.state if found else None


def test_the_settings_become_the_network(tmp_path: Path, places: Places) -> None:
    systemd = Systemd()
    network_rollback.settle(settings(tmp_path, f'[plug]\nname = "plug-7"\n{STATIC}'), places, systemd)
    assert "Address=10.0.0.5/24" in network(places)
    assert "Hostname=plug-7" in network(places)
    assert stat.S_IMODE((places.networks / "70-printmonitor.network").stat().st_mode) == 0o644
    assert systemd.told == ["is-active --quiet systemd-networkd.service", "reload systemd-networkd.service"]
    assert state_of(places) is None


def test_while_the_plug_starts_networkd_is_not_called(tmp_path: Path, places: Places) -> None:
    systemd = Systemd("is-active")
    network_rollback.settle(settings(tmp_path, STATIC), places, systemd)
    assert len(systemd.told) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[network",
        "network = 3",
        "[network]\naddress = '''10.0.0.5/24\nDHCP=no'''",
        '[network]\nmethod = "static"\naddress = "10.0.0.5/24"\nevil = 1',
        "[network.wlan]\npassphrase = 7",
    ],
)
def test_settings_that_cannot_be_used_are_those_that_were_good(
    tmp_path: Path, places: Places, text: str
) -> None:
    (tmp_path / "settings.last-good.toml").write_text('[network]\nntp = ["ntp.example.com"]')
    settings(tmp_path, text)
    network_rollback.settle(tmp_path, places, Systemd())
    assert "DHCP=ipv4" in network(places)
    assert ("NTP=ntp.example.com" in network(places)) == (text != "")


def test_a_name_that_is_none_is_not_taken(tmp_path: Path, places: Places) -> None:
    network_rollback.settle(settings(tmp_path, '[plug]\nname = "a\\nDNS=6.6.6.6"'), places, Systemd())
    assert "6.6.6.6" not in network(places)
    assert "Hostname=printmonitor-" in network(places)


def test_a_trial_has_its_way_back_before_anything_changes(tmp_path: Path, places: Places) -> None:
    settings(tmp_path, "")
    order(places)
    systemd = Systemd()
    network_rollback.attempt(tmp_path, places, systemd)
    assert systemd.told[0] == f"restart {TIMER}"
    assert "reload systemd-networkd.service" in systemd.told
    assert "Address=10.0.0.5/24" in network(places)
    found = network_rollback.said(places.run)
    assert found
    assert (found.trial, found.state) == (TRIAL, "trying")
    assert 110 < found.until - time.monotonic() <= 120


def test_without_its_way_back_nothing_is_tried(tmp_path: Path, places: Places) -> None:
    settings(tmp_path, "")
    order(places)
    with pytest.raises(Failed):
        network_rollback.attempt(tmp_path, places, Systemd(TIMER))
    assert "10.0.0.5" not in network(places)
    assert state_of(places) == "failed"


def test_what_does_not_work_goes_back_at_once(tmp_path: Path, places: Places) -> None:
    settings(tmp_path, "")
    order(places, interface="wlan0", wlan={"ssid": "x"})
    with pytest.raises(Failed):
        network_rollback.attempt(tmp_path, places, Systemd("restart wpa_supplicant"))
    assert "Name=eth0" in network(places)
    assert state_of(places) == "failed"
    assert not list(places.root.glob("*.json"))


def test_nobody_confirmed_and_the_old_network_is_back(tmp_path: Path, places: Places) -> None:
    settings(tmp_path, "")
    order(places)
    network_rollback.attempt(tmp_path, places, Systemd())
    systemd = Systemd()
    network_rollback.settle(tmp_path, places, systemd)  # as the timer does
    assert "10.0.0.5" not in network(places)
    assert state_of(places) == "rolled-back"
    assert f"stop {TIMER}" in systemd.told
    network_rollback.settle(tmp_path, places, Systemd())
    assert state_of(places) == "rolled-back"


def test_confirmed_is_what_the_settings_say_by_then(tmp_path: Path, places: Places) -> None:
    settings(tmp_path, "")
    order(places)
    network_rollback.attempt(tmp_path, places, Systemd())
    settings(tmp_path, STATIC)
    network_rollback.settle(tmp_path, places, Systemd())
    assert "Address=10.0.0.5/24" in network(places)
    assert state_of(places) == "kept"


def test_a_way_back_that_fails_is_gone_again(tmp_path: Path, places: Places) -> None:
    settings(tmp_path, "")
    order(places)
    network_rollback.attempt(tmp_path, places, Systemd())
    with pytest.raises(Failed):
        network_rollback.settle(tmp_path, places, Systemd("reload"))
    network_rollback.settle(tmp_path, places, Systemd())
    assert state_of(places) == "rolled-back"


def test_a_later_trial_takes_the_place_of_an_earlier_one(tmp_path: Path, places: Places) -> None:
    settings(tmp_path, "")
    order(places)
    network_rollback.attempt(tmp_path, places, Systemd())
    order(places, address="10.0.0.6/24")
    network_rollback.attempt(tmp_path, places, Systemd())
    assert "10.0.0.6" in network(places)
    settings(tmp_path, STATIC)
    network_rollback.settle(tmp_path, places, Systemd())
    assert state_of(places) == "rolled-back"  # not what was tried last


def test_wlan_has_one_supplicant_and_the_cable_none(tmp_path: Path, places: Places) -> None:
    wlan = '[network]\ninterface = "wlan0"\n[network.wlan]\nssid = "Office"\npassphrase = "0123456789"\n'
    systemd = Systemd()
    network_rollback.settle(settings(tmp_path, wlan), places, systemd)
    path = places.root / "wpa_supplicant-wlan0.conf"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "0123456789" not in path.read_text()
    assert "--no-block restart wpa_supplicant@wlan0.service" in systemd.told
    again = Systemd()
    network_rollback.settle(tmp_path, places, again)
    assert "--no-block start wpa_supplicant@wlan0.service" in again.told
    back = Systemd()
    network_rollback.settle(settings(tmp_path, ""), places, back)
    assert "--no-block stop wpa_supplicant@wlan0.service" in back.told
    assert not path.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"settings": "{}\n{}"},
        {"settings": '{"address": "10.0.0.5/24\\nDHCP=yes"}'},
        {"settings": '{"method": "static"}'},
        {"settings": "[" * 3_000},
        {"settings": "null"},
        {"trial": "../../etc/passwd"},
        {"trial": f"{TRIAL}\n"},
    ],
)
def test_an_order_of_a_stranger_is_refused(places: Places, change: dict[str, str]) -> None:
    given = {"trial": TRIAL, "settings": json.dumps(asdict(NetworkConfig()))}
    systemd = Systemd()
    request_handler.try_network(systemd, given, places.root)
    assert systemd.told == ["--no-block restart printmonitor-network-trial.service"]
    job_files.take("network", places.root)
    with pytest.raises(Refused):
        request_handler.try_network(systemd, given | change, places.root)
    assert job_files.take("network", places.root) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"trial": "x", "state": "gone", "until": 0, "text": ""}'])
def test_what_root_has_not_said_is_not_known(places: Places, text: str) -> None:
    answers = places.run / "answers"
    answers.mkdir()
    (answers / "network.json").write_text(text)
    assert network_rollback.said(places.run) is None
    (answers / "network.json").write_text('{"trial": "x", "state": "kept", "until": 0, "text": ""}')
    assert network_rollback.said(places.run) == Said("x", "kept", 0.0, "")
