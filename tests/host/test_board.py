"""What identifies the device, and what was written to its card."""

import os
from pathlib import Path

import pytest

from appliance.host import board


def box(root: Path, serial: bytes | None, machine_id: str | None) -> Path:
    if serial is not None:
        (root / "proc/device-tree").mkdir(parents=True)
        (root / "proc/device-tree/serial-number").write_bytes(serial)
    if machine_id is not None:
        (root / "etc").mkdir()
        (root / "etc/machine-id").write_text(machine_id)
    return root


def test_a_board_is_called_by_its_serial_number(tmp_path: Path) -> None:
    assert board.default_plug_name(box(tmp_path, b"10000000aB4F2A91\0", "0" * 32)) == "printmonitor-4f2a91"


@pytest.mark.parametrize("serial", [None, b"", b"\0", b"0000000000000000\0", b"to be filled\0", b"\xff\xff"])
def test_a_board_without_one_by_its_machine_id_which_is_not_told(
    tmp_path: Path, serial: bytes | None
) -> None:
    machine_id = "5f2c3d4e5a6b7c8d9e0f1a2b3c4d5e6f"
    assert board.default_plug_name(box(tmp_path, serial, f"{machine_id}\n")) == "printmonitor-73a6c8"


def test_a_box_that_knows_nothing_of_itself_still_has_a_name(tmp_path: Path) -> None:
    assert board.default_plug_name(box(tmp_path, None, "uninitialized\n")) == board.FALLBACK_NAME


def disk(root: Path, folder: Path) -> Path:
    device = os.stat(folder).st_dev
    place = root / "sys/devices/mmcblk0"
    (place / "mmcblk0p4").mkdir(parents=True)
    (place / "mmcblk0p4" / "partition").write_text("4\n")
    (place / "mmcblk0p4" / "stat").write_text("1 1 1 1 1 1 1 1 1 1 1\n")
    (place / "stat").write_text(
        "    8821    2943   561342     4181      711      409    20480     1337  0  1  2\n"
    )
    (root / "sys/dev/block").mkdir(parents=True)
    (root / f"sys/dev/block/{os.major(device)}:{os.minor(device)}").symlink_to(place / "mmcblk0p4")
    return place


def test_the_whole_card_counts(tmp_path: Path) -> None:
    disk(tmp_path, tmp_path)
    assert board.read_bytes_written(tmp_path, tmp_path) == 20_480 * 512


def test_without_figures_there_is_none(tmp_path: Path) -> None:
    assert board.read_bytes_written(tmp_path, tmp_path) is None
    (disk(tmp_path, tmp_path) / "stat").write_text("")
    assert board.read_bytes_written(tmp_path, tmp_path) is None
