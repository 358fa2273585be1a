"""A name for every box."""

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
    assert board.default_name(box(tmp_path, b"10000000aB4F2A91\0", "0" * 32)) == "printmonitor-4f2a91"


@pytest.mark.parametrize("serial", [None, b"", b"\0", b"0000000000000000\0", b"to be filled\0", b"\xff\xff"])
def test_a_board_without_one_by_its_machine_id_which_is_not_told(
    tmp_path: Path, serial: bytes | None
) -> None:
    machine_id = "5f2c3d4e5a6b7c8d9e0f1a2b3c4d5e6f"
    assert board.default_name(box(tmp_path, serial, f"{machine_id}\n")) == "printmonitor-73a6c8"


def test_a_box_that_knows_nothing_of_itself_still_has_a_name(tmp_path: Path) -> None:
    assert board.default_name(box(tmp_path, None, "uninitialized\n")) == board.UNNAMED
