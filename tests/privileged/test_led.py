"""What the light shows, on files in the place of the kernel's."""

from pathlib import Path

import pytest

from appliance.privileged import led
from appliance.privileged.request_handler import Failed
from tests.host.networkctl_output import shown

ROUTABLE = "OPER_STATE=routable\nCARRIER_STATE=carrier\n"


class Systemd:
    def __init__(self, **states: str) -> None:
        self.states = {
            "poller": "active",
            "web": "active",
            "health": "active",
            "update": "inactive",
            **states,
        }

    def __call__(self, *command: str) -> str:
        units = [unit for unit in command if unit.endswith(".service")]
        return shown(
            units, lambda unit: self.states[unit.removeprefix("printmonitor-").removesuffix(".service")]
        )


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "netif"
    path.write_text(ROUTABLE)
    return path


@pytest.mark.parametrize(
    ("states", "uptime", "shown"),
    [
        ({}, 100.0, "well"),
        ({"health": "inactive"}, 100.0, "starting"),
        ({"health": "failed"}, 1_000.0, "attention"),
        ({"web": "failed"}, 1_000.0, "attention"),
        ({"update": "activating"}, 1_000.0, "updating"),
        ({"update": "activating", "health": "inactive"}, 10.0, "updating"),
    ],
)
def test_what_the_services_do_is_shown(
    tmp_path: Path, network: Path, states: dict[str, str], uptime: float, shown: str
) -> None:
    assert led.state(tmp_path, uptime, Systemd(**states), network) == shown


def test_what_needs_somebody_is_shown(tmp_path: Path, network: Path) -> None:
    (tmp_path / led.ATTENTION).write_text("")
    assert led.state(tmp_path, 1_000.0, Systemd(), network) == "well"
    (tmp_path / led.ATTENTION).write_text("there is no licence\n")
    assert led.state(tmp_path, 1_000.0, Systemd(), network) == "attention"


def test_without_an_address_there_is_no_network(tmp_path: Path, network: Path) -> None:
    network.write_text("OPER_STATE=degraded\n")
    assert led.state(tmp_path, 1_000.0, Systemd(), network) == "no network"
    assert led.state(tmp_path, 1_000.0, Systemd(), tmp_path / "no networkd") == "well"


def test_a_deaf_systemd_needs_somebody(tmp_path: Path, network: Path) -> None:
    def run(*_command: str) -> str:
        raise Failed("no bus")

    assert led.state(tmp_path, 1_000.0, run, network) == "attention"


@pytest.fixture
def light(tmp_path: Path) -> Path:
    """As the kernel shows one; a trigger's own files come with it, which files here cannot do."""
    folder = tmp_path / "leds" / "ACT"
    folder.mkdir(parents=True)
    (folder / "max_brightness").write_text("1\n")
    for name in ("trigger", "brightness", "delay_on", "delay_off", "pattern"):
        (folder / name).write_text("\n")
    return folder


def test_each_state_has_its_pattern(light: Path) -> None:
    assert set(led.PATTERNS.values()) == {led.PATTERNS[each] for each in led.PATTERNS}
    assert len(set(led.PATTERNS.values())) == len(led.PATTERNS)
    led.show("well", light.parent)
    assert ((light / "trigger").read_text(), (light / "brightness").read_text()) == ("none", "1")
    led.show("starting", light.parent)
    assert (light / "trigger").read_text() == "timer"
    assert ((light / "delay_on").read_text(), (light / "delay_off").read_text()) == ("250", "250")
    led.show("attention", light.parent)
    assert (light / "trigger").read_text() == "pattern"
    assert (light / "pattern").read_text() == "1 150 1 0 0 200 0 0 1 150 1 0 0 1500 0 0"


def test_what_it_shows_already_is_not_begun_anew(light: Path) -> None:
    led.show("starting", light.parent)
    (light / "trigger").write_text("none [timer] pattern\n")
    for name in ("trigger", "delay_on", "delay_off"):
        (light / name).chmod(0o400)
    before = {path.name: path.stat().st_mtime_ns for path in light.iterdir()}
    led.show("starting", light.parent)
    assert {path.name: path.stat().st_mtime_ns for path in light.iterdir()} == before


def test_no_light_or_a_strange_one_is_no_trouble(tmp_path: Path) -> None:
    led.show("well", tmp_path / "no leds")
    (tmp_path / "led0").mkdir()
    led.show("well", tmp_path)
