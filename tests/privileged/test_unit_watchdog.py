"""The service monitor: who has failed comes back, who was stopped stays so."""

from pathlib import Path

from appliance.privileged import unit_watchdog
from tests.host.networkctl_output import shown


class Systemd:
    def __init__(self, **states: str) -> None:
        self.states = states
        self.told: list[str] = []

    def __call__(self, *command: str) -> str:
        self.told.append(" ".join(command[1:]))
        if "show" not in command:
            return ""
        units = [unit for unit in command if unit.startswith("printmonitor")]
        return shown(units, self._state)

    def _state(self, unit: str) -> str:
        return self.states.get(unit.removeprefix("printmonitor-").replace(".", "_"), "active")


def test_a_failed_unit_is_started_and_noted(tmp_path: Path) -> None:
    systemd = Systemd(poller_service="failed", web_socket="failed")
    revived = unit_watchdog.revive(tmp_path, tmp_path, systemd)
    assert sorted(revived) == ["printmonitor-poller.service", "printmonitor-web.socket"]
    assert "reset-failed printmonitor-poller.service" in systemd.told
    assert "--no-block start printmonitor-poller.service" in systemd.told
    assert "printmonitor-poller.service failed" in (tmp_path / "answers" / "revived").read_text()


def test_what_somebody_stopped_stays_stopped(tmp_path: Path) -> None:
    systemd = Systemd(poller_service="inactive", traps_service="inactive")
    assert unit_watchdog.revive(tmp_path, tmp_path, systemd) == []


def test_a_trap_receiver_that_is_switched_on_comes_back(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("[traps]\nenabled = true")
    systemd = Systemd(traps_service="inactive")
    assert unit_watchdog.revive(tmp_path, tmp_path, systemd) == ["printmonitor-traps.service"]


def test_the_notes_are_bounded(tmp_path: Path) -> None:
    for _ in range(120):
        unit_watchdog.revive(tmp_path, tmp_path, Systemd(poller_service="failed"))
    assert len((tmp_path / "answers" / "revived").read_text().splitlines()) == unit_watchdog.MOST_LINES
