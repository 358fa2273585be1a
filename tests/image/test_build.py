"""What builds the image, without building it: the lock, the boot script, the tools beside build-image.sh."""

import hashlib
import http.server
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.children import ROOT

IMAGE = ROOT / "image"
TOOLS = IMAGE / "tools"


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"image_{name}", TOOLS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


debs, slots, disk, enable = tool("debs"), tool("slots"), tool("disk"), tool("enable")
LOCK = debs.read(IMAGE / "packages.lock")


# The lock


def wanted(role: str) -> list[str]:
    return re.findall(rf"^{role} (\S+)$", (IMAGE / "packages.list").read_text(), re.MULTILINE)


def test_a_locked_package_is_one_file_of_debian() -> None:
    for package in LOCK:
        assert re.fullmatch(r"[0-9a-f]{64}", package.sha256), package
        assert re.match(r"(debian|debian-security)/pool/", package.path), package
        assert package.architecture in ("arm64", "all") or package.role == "tool", package
        assert package.file.startswith(f"{package.name}_"), package
        assert package.file.endswith(f"_{package.architecture}.deb"), package


def test_all_that_is_wanted_is_locked_once() -> None:
    locked = [(package.role, package.name, package.architecture) for package in LOCK]
    assert len(locked) == len(set(locked))
    assert {package.name for package in LOCK if package.role == "install"} >= set(wanted("install"))
    assert {package.name for package in LOCK if package.role == "unpack"} >= set(wanted("unpack"))
    for architecture in ("amd64", "arm64"):
        tools = {p.name for p in LOCK if p.role == "tool" and p.architecture in (architecture, "all")}
        assert tools == set(wanted("tool"))


def test_image_and_build_machine_have_the_same_python() -> None:
    python = {p.version for p in LOCK if p.name in ("python3.13-minimal", "libpython3.13-minimal")}
    assert len(python) == 1, "byte code by another Python than the one that runs it"


class Mirror(http.server.BaseHTTPRequestHandler):
    data = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mirror() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/debian"
        server.shutdown()
        thread.join()


def fetched(mirror: str, folder: Path, digest: str) -> "subprocess.CompletedProcess[str]":
    lock = folder / "lock"
    lock.write_text(f"# snapshot 20260101T000000Z\ninstall a 1 all {digest} debian/pool/main/a/a_1_all.deb\n")
    command = [TOOLS / "debs.py", "fetch", lock, folder / "cache", "amd64"]
    environment = os.environ | {"MIRROR": mirror, "MIRROR_SECURITY": mirror}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_package_is_kept_in_the_cache_and_not_fetched_again(mirror: str, tmp_path: Path) -> None:
    Mirror.data = b"a package"
    digest = hashlib.sha256(Mirror.data).hexdigest()
    assert fetched(mirror, tmp_path, digest).returncode == 0
    assert (tmp_path / "cache/a_1_all.deb").read_bytes() == b"a package"
    assert fetched("http://127.0.0.1:1/debian", tmp_path, digest).returncode == 0


def test_a_package_that_was_changed_on_its_way_is_refused(mirror: str, tmp_path: Path) -> None:
    Mirror.data = b"a package with something in it"
    done = fetched(mirror, tmp_path, hashlib.sha256(b"a package").hexdigest())
    assert done.returncode == 1
    assert "not the file of the lock" in done.stderr
    assert "SNAPSHOT=1" in done.stderr
    assert not list((tmp_path / "cache").iterdir())


# The boot script, run by bash with U-Boot's commands played: its shell is a small part of bash's.

U_BOOT = r"""
setenv() { local name=$1; shift; eval "$name=\$*"; }
setexpr() { eval "$1=$((0x${2#0x} $3 0x${4#0x}))"; }
test() {
    if [ "${2:-}" = -gt ]; then [ "$(($1))" -gt "$3" ]; else [ "$@" ]; fi
}
fatload() { loaded=$4; filesize=4000; [ -e "$4" ]; }
env() {
    if [ "$1" = import ]; then
        python3 "$SLOTS" "$loaded" >imported 2>/dev/null || return 1
        while IFS='=' read -r name value; do eval "$name=\$value"; done <imported
    else
        kept=("BOOT_ORDER=$BOOT_ORDER" "BOOT_A_LEFT=$BOOT_A_LEFT" "BOOT_B_LEFT=$BOOT_B_LEFT")
    fi
}
fatwrite() { echo "write $4"; python3 "$SLOTS" "$4" "${kept[@]}"; }
load() { filesize=1000; }
usb() { :; }
sleep() { :; }
booti() { echo "boot $bootargs"; exit; }
reset() { echo reset; exit; }
devtype=virtio devnum=0 distro_bootpart=1 fdt_addr=40000000
kernel_addr_r=0x40400000 ramdisk_addr_r=0x44000000 scriptaddr=40200000 board=qemu-arm
"""


class Boots:
    """A boot partition, and what the script does with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def state(self, order: str, a: int, b: int, files: tuple[str, ...] = ("slots.env", "slots.bak")) -> None:
        packed = slots.packed({"BOOT_ORDER": order, "BOOT_A_LEFT": str(a), "BOOT_B_LEFT": str(b)})
        for name in files:
            (self.folder / name).write_bytes(packed)

    def tear(self, name: str) -> None:
        data = (self.folder / name).read_bytes()
        (self.folder / name).write_bytes(data[:8] + b"torn" + data[12:])

    def __call__(self) -> str:
        script = (IMAGE / "boot/boot.cmd").read_text().replace("@DISK_ID@", "504c5547")
        said = subprocess.run(
            ["bash", "-c", U_BOOT + script],
            cwd=self.folder,
            env=os.environ | {"SLOTS": str(TOOLS / "slots.py")},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        booted = re.search(r"rauc\.slot=(\S+)", said)
        return booted[1] if booted else said.splitlines()[-1]

    def left(self, name: str = "slots.env") -> tuple[str, str, str]:
        found = slots.unpacked((self.folder / name).read_bytes())
        return found["BOOT_ORDER"], found["BOOT_A_LEFT"], found["BOOT_B_LEFT"]


@pytest.fixture
def boots(tmp_path: Path) -> Boots:
    return Boots(tmp_path)


def test_a_start_costs_a_try_and_is_noted_twice(boots: Boots) -> None:
    boots.state("A B", 3, 0)
    assert boots() == "A"
    assert boots.left() == boots.left("slots.bak") == ("A B", "2", "0")


def test_after_three_failed_starts_the_other_slot_has_its_turn(boots: Boots) -> None:
    boots.state("B A", 2, 3)
    assert [boots() for _ in range(5)] == ["B", "B", "B", "A", "A"]
    assert boots.left() == ("B A", "0", "0")


def test_without_a_try_left_both_get_new_ones(boots: Boots) -> None:
    boots.state("B A", 0, 0)
    assert boots() == "reset"
    assert boots() == "A"


def test_nonsense_with_a_right_checksum_does_not_hold_up_the_start(boots: Boots) -> None:
    boots.state("C", 3, 3)
    assert boots() == "reset"
    assert boots() == "A"


@pytest.mark.parametrize("name", ["slots.env", "slots.bak"])
def test_a_torn_copy_is_made_up_for_by_the_other(boots: Boots, name: str) -> None:
    boots.state("B A", 3, 2)
    boots.tear(name)
    assert boots() == "B"
    assert boots.left() == boots.left("slots.bak") == ("B A", "3", "1")


def test_what_linux_wrote_last_counts(boots: Boots) -> None:
    boots.state("A B", 2, 3)
    boots.state("B A", 2, 3, ("slots.env",))
    assert boots() == "B"


def test_with_both_copies_torn_or_gone_it_starts_all_the_same(boots: Boots) -> None:
    assert boots() == "A"
    boots.tear("slots.env")
    boots.tear("slots.bak")
    assert boots() == "A"


def test_the_second_copy_is_written_first() -> None:
    script = (IMAGE / "boot/boot.cmd").read_text()
    assert re.findall(r"^fatwrite \S+ \S+ (\S+)", script, re.MULTILINE) == ["slots.bak", "slots.env"]


def test_everybody_means_the_same_size_of_state() -> None:
    said = [(IMAGE / "boot/boot.cmd").read_text(), (ROOT / "rootfs-overlay/etc/fw_env.config").read_text()]
    assert all(f"{slots.SIZE:#x}" in text for text in said)


@pytest.mark.skipif(not shutil.which("mkimage"), reason="not installed: mkimage (u-boot-tools)")
def test_mkimage_knows_the_wrapped_script(tmp_path: Path) -> None:
    (tmp_path / "boot.scr").write_bytes(tool("boot_script").wrapped(b"echo hello\n", 0))
    subprocess.run(["mkimage", "-l", tmp_path / "boot.scr"], check=True, capture_output=True)


# The tools


def test_build_image_reads_top_down_and_is_short() -> None:
    script = (ROOT / "build-image.sh").read_text()
    assert len(script.splitlines()) <= 300


def test_runs_of_blocks() -> None:
    assert list(disk.runs([0, 1, 2, 5, 7, 8])) == [(0, 2), (5, 5), (7, 8)]


def test_zeros_within_a_piece_are_written_to_the_card_and_those_behind_it_are_not(tmp_path: Path) -> None:
    piece, image = tmp_path / "piece", tmp_path / "image"
    piece.write_bytes(b"a" * 4096 + bytes(4096) + b"b" + bytes(4095 + 8192))
    image.write_bytes(bytes(2 << 20))
    disk.main(str(image), f"1:{piece}")
    assert list(disk.used(str(piece))) == [0, 1, 2]
    assert image.read_bytes()[1 << 20 :].startswith(piece.read_bytes())


def test_what_the_presets_list_is_enabled_and_nothing_else(tmp_path: Path) -> None:
    units, links = tmp_path / "usr/lib/systemd/system", tmp_path / "etc/systemd/system"
    for folder in (units, links / "timers.target.wants", tmp_path / "usr/lib/systemd/system-preset"):
        folder.mkdir(parents=True)
    (units / "a.service").write_text(
        "[Service]\n[Install]\nWantedBy=b.target\nAlias=dbus-a.service\nAlso=c.socket\n"
    )
    (units / "c.socket").write_text("[Install]\nWantedBy=sockets.target\n")
    (links / "timers.target.wants/old.timer").symlink_to("/usr/lib/systemd/system/old.timer")
    (links / "timers.target.wants/older.timer").symlink_to("/lib/systemd/system/older.timer")
    (links / "masked.service").symlink_to("/dev/null")
    (tmp_path / "usr/lib/systemd/system-preset/80-printmonitor.preset").write_text("# x\nenable a.service\n")
    enable.main(tmp_path)
    found = {str(path.relative_to(links)) for path in links.rglob("*") if path.is_symlink()}
    assert found == {
        "b.target.wants/a.service",
        "dbus-a.service",
        "sockets.target.wants/c.socket",
        "masked.service",
    }


def test_a_preset_of_a_unit_that_is_not_there_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "usr/lib/systemd/system-preset").mkdir(parents=True)
    (tmp_path / "usr/lib/systemd/system-preset/80-printmonitor.preset").write_text("enable lost.service\n")
    with pytest.raises(SystemExit, match=r"lost\.service"):
        enable.main(tmp_path)


def test_what_is_no_unit_says_where_it_goes() -> None:
    """By the very line of build-image.sh that reads it."""
    reader = re.search(r"target=\$\(sed -n '([^']+)'", (ROOT / "build-image.sh").read_text())
    assert reader
    for path in (*(ROOT / "systemd").iterdir(), IMAGE / "70-printmonitor-box.preset"):
        said = subprocess.run(
            ["sed", "-n", reader[1], path], capture_output=True, text=True, check=True
        ).stdout.strip()
        if path.suffix in (".service", ".socket", ".timer", ".path", ".target"):
            assert not said, path
        else:
            assert re.fullmatch(r"/usr/lib/[\w@./-]+\.(conf|preset)", said), path
