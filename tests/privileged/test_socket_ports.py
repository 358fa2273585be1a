"""Ports and the trap receiver as the settings say, whoever wrote the settings."""

from pathlib import Path

import pytest

from appliance.privileged import socket_ports
from appliance.privileged.request_handler import Failed
from appliance.privileged.socket_ports import Wanted


class Systemd:
    def __init__(self) -> None:
        self.told: list[str] = []

    def __call__(self, *command: str) -> str:
        self.told.append(" ".join(command[1:]))
        if "is-active" in command:
            raise Failed("inactive")
        return ""


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", Wanted()),
        ("[traps]\nenabled = true\nport = 1162\n[web]\nport = 8080", Wanted(True, 1162, 8080)),
        ("[traps]\nenabled = 'yes'\nport = '1; reboot'", Wanted()),
        ("[traps]\nenabled = 1\nport = true", Wanted()),
        ("[web]\nport = 70000\ntls_port = -1", Wanted()),
        ("[web]\nport = 443", Wanted()),  # both the same: nothing would listen
        ("traps = [1]\nweb = 5", Wanted()),
        ("[traps", Wanted(traps_port=1163)),  # the last good settings
        ("a = " + "[" * 5_000, Wanted(traps_port=1163)),
    ],
)
def test_only_what_makes_sense_is_taken(tmp_path: Path, text: str, wanted: Wanted) -> None:
    (tmp_path / "settings.toml").write_text(text)
    (tmp_path / "settings.last-good.toml").write_text("[traps]\nport = 1163")
    assert socket_ports.wanted(tmp_path) == wanted


def test_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("[traps]\nenabled = true")
    (tmp_path / "settings.toml").symlink_to(tmp_path / "elsewhere")
    assert socket_ports.wanted(tmp_path) == Wanted()


def test_the_usual_ports_need_nothing(tmp_path: Path) -> None:
    systemd = Systemd()
    socket_ports.apply(tmp_path, tmp_path / "drop-ins", systemd)
    assert systemd.told == ["stop printmonitor-traps.socket printmonitor-traps.service"]
    assert not (tmp_path / "drop-ins").exists()


def test_another_port_is_a_drop_in_that_goes_again(tmp_path: Path) -> None:
    drop_in = tmp_path / "printmonitor-traps.socket.d" / "ports.conf"
    (tmp_path / "settings.toml").write_text("[traps]\nenabled = true\nport = 1162")
    systemd = Systemd()
    socket_ports.apply(tmp_path, tmp_path, systemd)
    assert drop_in.read_text() == "[Socket]\nListenDatagram=\nListenDatagram=1162\n"
    start = "--no-block start printmonitor-traps.socket printmonitor-traps.service"
    stop = "stop printmonitor-traps.socket printmonitor-traps.service"
    assert systemd.told == ["daemon-reload", stop, start]
    again = Systemd()
    socket_ports.apply(tmp_path, tmp_path, again)
    assert again.told == [start]  # nothing that runs is disturbed
    (tmp_path / "settings.toml").write_text("")
    back = Systemd()
    socket_ports.apply(tmp_path, tmp_path, back)
    assert back.told == ["daemon-reload", stop]
    assert not drop_in.exists()
