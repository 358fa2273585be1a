"""The unit files: understood by systemd, shut off from the machine as far as systemd can tell."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from appliance.host.unit_status import UNITS
from appliance.privileged.request_handler import ALL, VERBS
from tests.children import ROOT

FOLDER = ROOT / "systemd"
KINDS = (".service", ".socket", ".path", ".timer", ".target")
FILES = sorted(path.name for path in FOLDER.iterdir() if path.suffix in KINDS)
SERVICES = tuple(UNITS.values())
ROOTS = tuple(name for name in FILES if name.endswith(".service") and name not in SERVICES)
MOST_EXPOSED = 1.5
NEWER = ("RestartSteps", "RestartMaxDelaySec")  # systemd 254; before it the delay does not grow

needs_analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed (package systemd)"
)


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """The units, with a program that is there."""
    for name in FILES:
        text = (FOLDER / name).read_text().replace("/usr/bin/printmonitor", "/bin/true")
        (tmp_path / name).write_text(text)
    return tmp_path


@needs_analyze
def test_systemd_understands_every_line(copies: Path) -> None:
    command = ["systemd-analyze", "verify", "--man=no", *(str(copies / name) for name in FILES)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line for line in said.stderr.splitlines() if str(copies) in line or "printmonitor" in line]
    assert [line for line in lines if not any(f"'{key}'" in line for key in NEWER)] == []


@needs_analyze
@pytest.mark.parametrize("service", [*SERVICES, *ROOTS])
def test_services_are_shut_off(copies: Path, service: str) -> None:
    command = ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(copies / service)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = re.search(r"exposure level for \S+: ([\d.]+)", said)
    assert found, said
    assert float(found[1]) <= MOST_EXPOSED


@pytest.mark.parametrize("service", SERVICES)
def test_services_are_restarted_for_ever_and_watched(service: str) -> None:
    text = (FOLDER / service).read_text()
    for line in ("Restart=always", "StartLimitIntervalSec=0", "Type=notify", "User=printmonitor"):
        assert f"\n{line}\n" in text
    assert re.search(r"^WatchdogSec=\d+$", text, re.MULTILINE)


def test_what_may_be_asked_for_exists() -> None:
    named = {unit for verb in VERBS.values() for unit in verb.units}
    assert named <= set(FILES)
    assert ALL in named


def test_preset_names_what_can_be_enabled_and_leaves_the_trap_receiver_off() -> None:
    enabled = re.findall(r"^enable (\S+)$", (FOLDER / "printmonitor.preset").read_text(), re.MULTILINE)
    assert sorted(enabled) == [name for name in FILES if "[Install]" in (FOLDER / name).read_text()]
    assert not any("traps" in name for name in enabled)
