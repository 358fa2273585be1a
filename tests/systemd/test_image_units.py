"""What the image lays over Debian: units, scripts and settings of the box alone."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.children import ROOT

OVERLAY = ROOT / "rootfs-overlay"
UNITS = OVERLAY / "usr/lib/systemd/system"
OURS = sorted(path.name for path in UNITS.iterdir() if path.is_file())
SERVICES = [name for name in OURS if name.endswith(".service")]
PRESET = OVERLAY / "usr/lib/systemd/system-preset/75-printmonitor-life.preset"
SCRIPTS = sorted((OVERLAY / "usr/lib/printmonitor").iterdir())
MOST_EXPOSED = 2.5  # of 10; two of them become another user, one opens the firewall
BARE = "printmonitor-data.service"  # mounts, and makes file systems
ABSENT = ("rauc.service", "nftables.service", "data.mount")  # of the image


def masked_units() -> list[str]:
    """Return the names in image/masked.list, also of generators."""
    lines = (ROOT / "image/masked.list").read_text().splitlines()
    return [line.rpartition("/")[2] for line in lines if line and not line.startswith("#")]


needs_analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed (package systemd)"
)


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """All units of the Plug, with programs that are there."""
    programs = r"(/usr/bin/printmonitor|/usr/lib/printmonitor/\S+|/usr/sbin/nft|/usr/bin/systemctl)\b.*"
    for folder in (ROOT / "systemd", UNITS, OVERLAY / "etc/systemd/system"):
        for path in folder.iterdir():
            if path.is_file() and not path.is_symlink() and path.suffix not in (".tmpfiles", ".sysusers"):
                text = re.sub(rf"^(Exec\w+=[+-]?){programs}", r"\1/bin/true", path.read_text(), flags=re.M)
                (tmp_path / path.name).write_text(text)
    return tmp_path


@needs_analyze
@pytest.mark.parametrize("unit", OURS)
def test_systemd_understands_every_line(copies: Path, unit: str) -> None:
    command = ["systemd-analyze", "verify", "--man=no", str(copies / unit)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    lines = [line for line in said.splitlines() if unit in line or "cycle" in line]
    assert [line for line in lines if not any(each in line for each in ABSENT)] == []


@needs_analyze
@pytest.mark.parametrize("service", [name for name in SERVICES if name != BARE])
def test_they_are_shut_off(copies: Path, service: str) -> None:
    command = ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(copies / service)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = re.search(r"exposure level for \S+: ([\d.]+)", said)
    assert found, said
    assert float(found[1]) <= MOST_EXPOSED


def test_what_can_be_enabled_is() -> None:
    enabled = re.findall(r"^enable (\S+)$", PRESET.read_text(), re.MULTILINE)
    assert sorted(enabled) == [name for name in OURS if "[Install]" in (UNITS / name).read_text()]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_can_be_started(script: Path) -> None:
    assert script.stat().st_mode & 0o111 == 0o111


def test_scripts_that_units_start_are_there() -> None:
    text = "".join(path.read_text() for path in UNITS.rglob("*") if path.is_file())
    named = set(re.findall(r"/usr/lib/printmonitor/([\w-]+)", text))
    assert named == {path.name for path in SCRIPTS}


def test_nothing_that_is_needed_is_masked() -> None:
    masked = masked_units()
    assert len(set(masked)) == len(masked)
    for needed in ("systemd-random-seed", "systemd-timesyncd", "nftables", "systemd-udevd", "dbus"):
        assert f"{needed}.service" not in masked


def test_no_unit_of_the_plug_is_masked() -> None:
    presets = (ROOT / "systemd/printmonitor.preset", ROOT / "image/70-printmonitor-box.preset")
    text = "\n".join(preset.read_text() for preset in presets)
    enabled = set(re.findall(r"^enable (\S+)", text, re.MULTILINE))
    assert set(masked_units()) & (enabled | set(OURS)) == set()


def test_nothing_that_changes_lies_on_the_card_but_data() -> None:
    lines = [line.split() for line in (OVERLAY / "etc/fstab").read_text().splitlines() if line[:1] != "#"]
    mounts = {where: (what, kind, options) for what, where, kind, options, *_ in lines}
    assert mounts["/var"][1] == mounts["/tmp"][1] == "tmpfs"
    assert mounts["/boot/firmware"][0] == "PARTUUID=504c5547-01"
    assert {"noatime", "sync", "nofail", "umask=0077"} <= set(mounts["/boot/firmware"][2].split(","))
    for where in ("/var/lib/printmonitor", "/var/lib/systemd"):
        assert mounts[where][0].startswith("/data/")
    assert not any(kind == "swap" for _, kind, _ in mounts.values())


def test_nobody_can_log_in_at_a_screen() -> None:
    assert {"getty.target", "getty@.service", "serial-getty@.service", "debug-shell.service"} <= set(
        masked_units()
    )
    for unit in ("emergency.service", "rescue.service"):
        text = (OVERLAY / "etc/systemd/system" / unit).read_text()
        assert "sulogin" not in text
        assert "systemctl --no-block reboot" in text


def test_the_package_lock_brings_what_the_box_uses() -> None:
    listed = (ROOT / "image/packages.list").read_text()
    for package in (
        "nftables",
        "systemd-zram-generator",
        "systemd-timesyncd",
        "e2fsprogs",
        "dosfstools",
        "fdisk",
    ):
        assert f"install {package}" in listed
