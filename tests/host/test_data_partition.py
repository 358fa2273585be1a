"""The script that looks after the data partition, on real file systems in files."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from appliance.privileged import boot_notes
from tests.children import ROOT

SCRIPT = ROOT / "rootfs-overlay/usr/lib/printmonitor/data-partition"
TOOLS = ("mkfs.ext4", "e2fsck", "resize2fs", "dumpe2fs", "debugfs", "sfdisk")
MIB = 1 << 20
SBIN = "/usr/sbin:/sbin"

pytestmark = pytest.mark.skipif(
    any(shutil.which(tool, path=f"{os.environ['PATH']}:{SBIN}") is None for tool in TOOLS),
    reason="needs e2fsprogs and fdisk",
)


class Partition:
    """A file in the place of a partition."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "data.img"
        self.boot = folder / "boot"
        self.boot.mkdir()
        self._notes = folder / "notes"
        self._environ = {
            **os.environ,
            "PATH": f"{os.environ['PATH']}:{SBIN}",
            "CALL": "yes",
            "NOTES": str(self._notes),
            "BOOT": str(self.boot),
            "MOUNT": str(folder / "mount"),
            "OWNER": f"{os.getuid()}:{os.getgid()}",
        }

    def call(self, function: str, *arguments: object) -> bool:
        """Whether a function of the script says yes."""
        command = ["sh", str(SCRIPT), function, *map(str, arguments)]
        return subprocess.run(command, env=self._environ, capture_output=True, check=False).returncode == 0

    def tool(self, *command: object) -> str:
        said = subprocess.run(
            list(map(str, command)), env=self._environ, capture_output=True, text=True, check=False
        )
        return said.stdout

    def make(self, mib: int) -> None:
        """A file system with a file in it."""
        self.size(mib)
        assert self.call("make", self.path)
        kept = self.path.with_name("kept")
        kept.write_text("what the customer had")
        self.tool("debugfs", "-w", "-R", f"write {kept} kept", self.path)
        self.tool("debugfs", "-w", "-R", "mkdir printmonitor", self.path)
        assert self.kept() == "what the customer had"

    def size(self, mib: int) -> None:
        with self.path.open("ab") as file:
            file.truncate(mib * MIB)

    def kept(self) -> str:
        return self.tool("debugfs", "-R", "cat kept", self.path)

    def is_sound(self) -> bool:
        return self.call("repair", self.path) and "clean" in self.tool("e2fsck", "-n", self.path)

    def length(self) -> int:
        said = self.tool("dumpe2fs", "-h", self.path)
        told = dict(line.split(":", 1) for line in said.splitlines() if ":" in line)
        return int(told["Block count"]) * int(told["Block size"])

    def told(self) -> list[str]:
        return [each.kind for each in boot_notes.read(self._notes)]


@pytest.fixture
def partition(tmp_path: Path) -> Partition:
    return Partition(tmp_path)


def test_a_sound_one_is_left_alone(partition: Partition) -> None:
    partition.make(64)
    assert partition.is_sound()
    before = partition.path.read_bytes()
    assert partition.call("prepare", partition.path)
    assert partition.path.read_bytes()[2048:] == before[2048:]  # the superblock says when it was looked at
    assert partition.told() == []


def test_it_grows_with_the_card_and_keeps_what_is_in_it(partition: Partition) -> None:
    partition.make(64)
    partition.size(2048)
    assert partition.call("prepare", partition.path)
    assert partition.length() == 2048 * MIB
    assert partition.kept() == "what the customer had"
    assert partition.is_sound()
    assert partition.told() == []


def test_damage_is_repaired_and_told(partition: Partition) -> None:
    partition.make(64)
    with partition.path.open("r+b") as file:  # the first superblock
        file.seek(1024)
        file.write(b"\xff" * 1024)
    assert partition.call("prepare", partition.path)
    assert partition.kept() == "what the customer had"
    assert partition.is_sound()
    assert partition.told() == ["data repaired"]


def test_what_cannot_be_repaired_is_made_anew_and_told(partition: Partition) -> None:
    partition.size(64)
    with partition.path.open("r+b") as file:
        file.write(os.urandom(64 * MIB))
    assert partition.call("prepare", partition.path)
    assert partition.is_sound()
    assert partition.told() == ["data lost"]


def test_one_that_repair_leaves_empty_is_made_anew_and_told(partition: Partition) -> None:
    partition.make(512)
    with partition.path.open("r+b") as file:
        file.write(b"\xa5\x5a\xff\x00broken" * (64 * MIB // 10))
    assert partition.call("prepare", partition.path)
    assert partition.is_sound()
    assert partition.told() == ["data lost"]


def test_a_power_cut_while_it_is_made_leaves_nothing_that_cannot_be_made_again(partition: Partition) -> None:
    partition.make(64)
    whole = partition.path.read_bytes()
    for share in (1, 3, 7):  # of eight
        partition.path.write_bytes(whole[: share * 8 * MIB])
        partition.size(64)
        assert partition.call("prepare", partition.path)
        assert partition.is_sound()


def test_only_an_empty_small_one_is_that_of_an_image(partition: Partition) -> None:
    partition.size(32)
    partition.tool("mkfs.ext4", "-q", "-F", partition.path)
    assert partition.call("is_new", partition.path)
    partition.tool("debugfs", "-w", "-R", "mkdir printmonitor", partition.path)
    assert not partition.call("is_new", partition.path)
    partition.path.unlink()
    partition.size(32)  # a card that has lost everything
    assert not partition.call("is_new", partition.path)
    partition.size(512)
    partition.tool("mkfs.ext4", "-q", "-F", partition.path)
    assert not partition.call("is_new", partition.path)


@pytest.mark.parametrize("name", ["factory-reset", "factory-reset.txt"])
def test_a_factory_reset_takes_everything_and_the_wish_last(partition: Partition, name: str) -> None:
    partition.make(64)
    assert not partition.call("reset_is_wanted")
    (partition.boot / name).touch()
    (partition.boot / "printmonitor-problems.txt").write_text("about the customer's settings")
    (partition.boot / "slots.env").write_text("the boot loader's")
    assert partition.call("reset_is_wanted")
    assert partition.call("reset", partition.path)
    assert partition.kept() == ""
    assert [path.name for path in partition.boot.iterdir()] == ["slots.env"]
    assert partition.told() == ["factory reset"]


def test_a_factory_reset_that_fails_is_wanted_still(partition: Partition) -> None:
    (partition.boot / "factory-reset").touch()
    assert not partition.call("reset", partition.path.with_name("no-such-card"))
    assert partition.call("reset_is_wanted")
    assert partition.told() == []


def test_the_entry_in_the_table_grows_to_the_end_of_the_card(tmp_path: Path, partition: Partition) -> None:
    card = tmp_path / "card.img"
    with card.open("wb") as file:
        file.truncate(200 * MIB)
    table = "label: dos\nlabel-id: 0x504c5547\n" + "".join(
        f"start={start}MiB, size={size}MiB, type=83\n" for start, size in ((4, 8), (12, 8), (20, 8), (28, 16))
    )
    subprocess.run(
        ["sfdisk", "--quiet", str(card)],
        input=table,
        text=True,
        check=True,
        env={"PATH": f"{os.environ['PATH']}:{SBIN}"},
    )
    assert partition.call("grow_entry", card)
    last = partition.tool("sfdisk", "--dump", card).splitlines()[-1]
    assert "57344" in last
    assert f"{(200 - 28) * 2048}" in last
    assert "504c5547" in partition.tool("sfdisk", "--dump", card)


def test_its_folders_belong_to_whom_they_should(partition: Partition, tmp_path: Path) -> None:
    (tmp_path / "mount").mkdir()
    if os.getuid() != 0:
        pytest.skip("only root can give folders to root")
    assert partition.call("make_folders")
    assert partition.call("make_folders")
    modes = {path.name: oct(path.stat().st_mode & 0o7777) for path in (tmp_path / "mount").iterdir()}
    assert modes["printmonitor"] == "0o700"
    assert modes["log"] == "0o2750"
    # The page and the fleet server hear from rauc/outcome what came of an update.
    assert (modes["systemd"], modes["rauc"]) == ("0o755", "0o755")
