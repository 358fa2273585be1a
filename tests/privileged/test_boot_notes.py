"""Notes of the early units, by the module and by the script."""

import os
from pathlib import Path

from appliance.privileged import boot_notes


def test_what_is_noted_is_read_in_its_order(tmp_path: Path) -> None:
    before = os.umask(0o077)  # as the units have it
    try:
        boot_notes.add("provisioning", "printmonitor.toml", "it was\ttaken\nover", tmp_path / "n")
    finally:
        os.umask(before)
    boot_notes.add("data lost", "storage", "the data partition", tmp_path / "n")
    found = list(boot_notes.read(tmp_path / "n"))
    assert [(each.kind, each.subject, each.text) for each in found] == [
        ("provisioning", "printmonitor.toml", "it was taken over"),
        ("data lost", "storage", "the data partition"),
    ]
    assert (tmp_path / "n").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "n" / "notes").stat().st_mode & 0o777 == 0o644


def test_nothing_or_rubbish_is_no_note(tmp_path: Path) -> None:
    assert list(boot_notes.read(tmp_path)) == []
    (tmp_path / "notes").write_bytes(b"\xff\xfe\n\none\ttwo\n")
    assert list(boot_notes.read(tmp_path)) == []
