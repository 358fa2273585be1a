"""What a person leaves on the card, whatever editor they use."""

from pathlib import Path

import pytest

from appliance.privileged import boot_partition
from appliance.privileged.boot_partition import UnreadableTextError

TEXT = '[plug]\nsite = "Zürich"\n'


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.replace("\n", "\r\n").encode("utf-16"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
    ],
)
def test_editors_of_windows_are_understood(data: bytes) -> None:
    assert boot_partition.decode_text(data) == TEXT


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (TEXT.encode("latin-1"), "line 2: is not UTF-8; save the file as UTF-8"),
        (TEXT.encode("utf-16-le"), "save the file as UTF-8"),
        (b"\x00\x01", "is not text; save the file as UTF-8"),
    ],
)
def test_what_is_not_understood_is_answered(data: bytes, said: str) -> None:
    with pytest.raises(UnreadableTextError, match=said):
        boot_partition.decode_text(data)


def test_a_file_without_end_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(boot_partition.MAX_FILE_BYTES + 1))
    with pytest.raises(UnreadableTextError, match="larger than a megabyte"):
        boot_partition.read_file(tmp_path / "large")


def test_what_is_removed_is_overwritten_before(tmp_path: Path) -> None:
    path = tmp_path / "printmonitor.toml"
    path.write_text("passphrase = 'secret'")
    other = tmp_path / "the same blocks"
    other.hardlink_to(path)
    boot_partition.shred_file(path)
    assert not path.exists()
    assert other.read_bytes() == bytes(21)


def test_an_answer_is_written_once(tmp_path: Path) -> None:
    boot_partition.write_problems(["one", "two"], tmp_path)
    path = tmp_path / "printmonitor-problems.txt"
    assert path.read_bytes() == b"one\r\ntwo\r\n"
    before = path.stat().st_mtime_ns
    boot_partition.write_problems(["one", "two"], tmp_path)
    assert path.stat().st_mtime_ns == before
    boot_partition.remove_problems(tmp_path)
    boot_partition.remove_problems(tmp_path)
    assert not path.exists()
