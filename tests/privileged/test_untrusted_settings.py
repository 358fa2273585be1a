"""The settings as root reads them: whatever the services, or their thieves, have made of the file."""

import os
import time
from pathlib import Path

import pytest

from appliance.privileged import untrusted_settings
from appliance.privileged.socket_ports import wanted

GOOD = "[web]\nport = 8080\n"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "settings.last-good.toml").write_text(GOOD)
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        "a." * 2_000_000 + "a = 1",
        "[" + "a." * 20_000 + "a]",
        'x = {a = """\n""",' + "b." * 20_000 + 'b = 1} #"',
        "a = " + "[" * 100_000 + "]" * 100_000,
        "#" + "x" * untrusted_settings.MOST_OCTETS,
        "not = TOML = at all",
    ],
    ids=[
        "keys of keys",
        "tables of tables",
        "keys behind a long string",
        "lists of lists",
        "large",
        "garbage",
    ],
)
def test_what_costs_too_much_is_passed_over(state: Path, text: str) -> None:
    (state / "settings.toml").write_text(text)
    began = time.process_time()
    assert wanted(state).web_port == 8080
    assert time.process_time() - began < 2


def test_long_lists_of_addresses_are_no_reason(state: Path) -> None:
    line = f'[[discovery.entries]]\naddresses = "{", ".join(["192.168.1.1-192.168.1.254"] * 75)}"\n'
    (state / "settings.toml").write_text(line * 500 + "[web]\nport = 8081\n")
    assert wanted(state).web_port == 8081


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_only_a_plain_file_is_read(state: Path, kind: str) -> None:
    place = state / "settings.toml"
    match kind:
        case "link":
            (state / "elsewhere").write_text("[web]\nport = 1\n")
            place.symlink_to("elsewhere")
        case "pipe":
            os.mkfifo(place)
        case "folder":
            place.mkdir()
    assert wanted(state).web_port == 8080
