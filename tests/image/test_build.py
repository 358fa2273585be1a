"""What builds the image, without building it: the lock, the boot script, the tools beside build-image.sh."""

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema_rs
import pytest

from tests.children import ROOT
from tests.image.debian import Deb, Mirror, refuse, serve

IMAGE = ROOT / "image"
TOOLS = IMAGE / "tools"
sys.path.append(str(TOOLS))  # the tools import each other by name


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"image_{name}", TOOLS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


debs, slots, disk, enable, imager = (tool(name) for name in ("debs", "slots", "disk", "enable", "imager"))
lockfile, resolver = debs.lockfile, sys.modules["resolver"]
LOCK = lockfile.read(IMAGE / "packages.lock").packages


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


# Fetching what is locked, and resolving anew what is gone

NOW = datetime(2026, 12, 1, tzinfo=UTC)
LISTING = """
install app
install plain
unpack firmware
kernel linux-image-arm64
tool compiler
"""
CORE = Deb("core", "1", essential=True)
PLAIN = Deb("plain", "1", "all")
FIRMWARE = Deb("firmware", "1", "all")
needs_apt = pytest.mark.skipif(not shutil.which("apt-get"), reason="not installed: apt-get (apt)")


def app(version: str) -> list[Deb]:
    """Two packages of one source: the first needs the second in just this version."""
    return [Deb("app", version, depends=f"libapp (= {version})"), Deb("libapp", version, source="app")]


def kernel(version: str) -> list[Deb]:
    name = f"linux-image-{version}-arm64"
    return [Deb("linux-image-arm64", version, depends=name), Deb(name, version)]


def compiler(version: str) -> list[Deb]:
    return [Deb("compiler", version, architecture) for architecture in ("amd64", "arm64")]


def release(version: str) -> list[Deb]:
    """Everything that LISTING needs, of a version that goes from release to release."""
    return [CORE, PLAIN, FIRMWARE, *app(version), *kernel(version), *compiler(version)]


class Builder:
    """A build machine: its lock, its cache, its mirrors."""

    def __init__(self, folder: Path, mirror: Mirror) -> None:
        self.folder, self.mirror = folder, mirror
        self.listing, self.lock = folder / "packages.list", folder / "packages.lock"
        self.listing.write_text(LISTING)
        self.url = mirror.url

    def mirrors(self) -> Any:
        return resolver.Mirrors(f"{self.url}/debian", f"{self.url}/debian-security", "trusted=yes")

    def resolve(self, now: datetime = NOW) -> str:
        said: str = debs.resolve_lock(self.listing, self.lock, self.mirrors(), now)
        return said

    def fetch(self, lock: Path | None = None, *, is_strict: bool = False) -> Any:
        inputs = debs.Inputs(self.listing, lock or self.lock, self.folder / "cache", "amd64", self.mirrors())
        return debs.obtain(inputs, NOW + timedelta(days=8), is_strict=is_strict)

    def state(self, used: Any) -> list[str]:
        return list(debs.compare(lockfile.read(self.lock), used))


@pytest.fixture
def builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Builder]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("MIRROR_SNAPSHOT", "http://127.0.0.1:1")
    with serve(tmp_path / "mirror") as url:
        mirror = Mirror(tmp_path / "mirror", url)
        mirror.publish(*release("1"))
        machine = Builder(tmp_path, mirror)
        machine.resolve()
        yield machine


def versions(lock: Any) -> dict[str, str]:
    return {package.stem: package.version for package in lock.packages}


@needs_apt
def test_a_lock_that_can_be_fetched_is_used_unchanged(
    builder: Builder, capsys: pytest.CaptureFixture[str]
) -> None:
    used = builder.fetch()
    assert used.text() == builder.lock.read_text()
    assert builder.state(used) == ["locked"]
    assert "packages.lock is 8 days old, of 2026-12-01" in capsys.readouterr().err
    assert {row.role: row.stem for row in used.packages} == {
        "install": "plain",
        "unpack": "linux-image",
        "tool": "compiler",
    }


@needs_apt
def test_versions_that_are_no_longer_listed_are_used_while_their_files_are_there(builder: Builder) -> None:
    builder.mirror.publish(*release("2"))
    assert builder.state(builder.fetch()) == ["locked"]


@needs_apt
def test_only_what_is_gone_is_resolved_anew(builder: Builder, capsys: pytest.CaptureFixture[str]) -> None:
    builder.mirror.publish(*release("2"))
    builder.mirror.withdraw(kernel("1")[1])
    used = builder.fetch()
    assert builder.state(used) == ["resolved, 1 package differs", "linux-image 1 -> 2"]
    assert "  linux-image 1 -> 2\n" in capsys.readouterr().err
    assert all((builder.folder / "cache" / package.file).exists() for package in used.used_on("amd64"))


@needs_apt
def test_packages_of_one_source_change_together(builder: Builder) -> None:
    builder.mirror.publish(*release("2"))
    builder.mirror.withdraw(app("1")[1])
    used = builder.fetch()
    assert builder.state(used) == ["resolved, 2 packages differ", "app 1 -> 2", "libapp 1 -> 2"]
    assert versions(used)["compiler"] == versions(used)["linux-image"] == "1"


@needs_apt
def test_a_tool_changes_for_both_architectures(builder: Builder) -> None:
    builder.mirror.publish(*release("2"))
    builder.mirror.withdraw(compiler("1")[0])
    used = builder.fetch()
    assert [package.version for package in used.packages if package.role == "tool"] == ["2", "2"]
    assert builder.state(used) == ["resolved, 1 package differs", "compiler 1 -> 2"]


@needs_apt
def test_what_a_new_version_needs_comes_along(builder: Builder) -> None:
    new = [Deb("app", "2", depends="libapp, extra"), Deb("libapp", "2", source="app"), Deb("extra", "5")]
    builder.mirror.publish(CORE, PLAIN, FIRMWARE, *new, *kernel("1"), *compiler("1"))
    builder.mirror.withdraw(*app("1"))
    assert builder.state(builder.fetch())[1:] == ["app 1 -> 2", "extra none -> 5", "libapp 1 -> 2"]


@needs_apt
def test_locked_versions_that_do_not_fit_the_new_ones_give_way(builder: Builder) -> None:
    new = [Deb("app", "2", depends="libapp, plain (>= 2)"), Deb("libapp", "2", source="app")]
    plain = Deb("plain", "2", "all")
    builder.mirror.publish(CORE, plain, FIRMWARE, *new, *kernel("2"), *compiler("1"))
    builder.mirror.withdraw(*app("1"))
    found = versions(builder.fetch())
    assert (found["app"], found["plain"], found["linux-image"]) == ("2", "2", "2")


@needs_apt
def test_everything_is_resolved_where_nothing_is_left(builder: Builder) -> None:
    old = {package.path for package in lockfile.read(builder.lock).packages}
    builder.mirror.publish(*(replace(deb, version="2") for deb in (CORE, PLAIN, FIRMWARE)), *release("2")[3:])
    for path in old:
        (builder.mirror.folder / path).unlink()
    used = builder.fetch()
    assert set(versions(used).values()) == {"2"}
    assert builder.state(used)[0] == "resolved, 7 packages differ"


@needs_apt
def test_the_snapshot_archive_still_has_what_the_mirror_dropped(
    builder: Builder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    builder.mirror.snapshot("20261201T000000Z")
    monkeypatch.setenv("MIRROR_SNAPSHOT", builder.mirror.url)
    builder.mirror.publish(*release("2"))
    builder.mirror.withdraw(*app("1"))
    assert builder.state(builder.fetch()) == ["locked"]
    assert "2 packages to fetch from the snapshot archive\n" in capsys.readouterr().err


@needs_apt
def test_a_snapshot_archive_that_cannot_be_reached_is_left_out(
    builder: Builder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    builder.mirror.publish(*release("2"))
    builder.mirror.withdraw(*app("1"))
    with refuse() as url:
        monkeypatch.setenv("MIRROR_SNAPSHOT", url)
        assert builder.state(builder.fetch())[0] == "resolved, 2 packages differ"
    said = capsys.readouterr().err
    assert "2 packages to fetch from the snapshot archive: not reachable (HTTP Error 502" in said


@needs_apt
def test_the_lock_that_was_used_gives_the_same_packages_again(builder: Builder, tmp_path: Path) -> None:
    builder.mirror.publish(*release("2"))
    builder.mirror.withdraw(*app("1"))
    used = builder.fetch()
    (tmp_path / "dist.lock").write_text(used.text())
    shutil.rmtree(tmp_path / "cache")
    again = builder.fetch(tmp_path / "dist.lock", is_strict=True)
    assert again.text() == used.text()
    assert builder.state(again) == builder.state(used)


@needs_apt
@pytest.mark.parametrize("withdrawn", [[], app("1")])
def test_after_a_first_build_no_network_is_needed(builder: Builder, withdrawn: list[Deb]) -> None:
    builder.mirror.publish(*release("2"))
    builder.mirror.withdraw(*withdrawn)
    first = builder.fetch()
    builder.url = "http://127.0.0.1:1"
    assert builder.fetch().text() == first.text()
    assert builder.state(first)[0] == ("resolved, 2 packages differ" if withdrawn else "locked")


@needs_apt
def test_a_resolution_is_only_for_the_lock_it_was_made_for(builder: Builder) -> None:
    builder.mirror.publish(*release("2"))
    builder.mirror.withdraw(*app("1"))
    builder.fetch()
    builder.mirror.publish(*release("3"))
    builder.mirror.withdraw(*app("2"))
    assert versions(builder.fetch())["app"] == "2", "from the cache"
    builder.resolve()
    assert versions(builder.fetch())["app"] == "3"


@needs_apt
def test_locked_builds_name_what_cannot_be_fetched(builder: Builder) -> None:
    builder.mirror.publish(*release("2"))
    builder.mirror.withdraw(*app("1"))
    with pytest.raises(SystemExit) as failed:
        builder.fetch(is_strict=True)
    said = str(failed.value)
    assert (
        "LOCKED=1, but these packages of the lock cannot be fetched:\n  app 1 (arm64)\n  libapp 1 (arm64)"
        in said
    )
    assert "404" in said


@needs_apt
def test_without_network_and_cache_the_build_says_what_it_needs(builder: Builder) -> None:
    builder.url = "http://127.0.0.1:1"
    with pytest.raises(SystemExit, match=r"(?s)cannot be fetched:\n  app 1 \(arm64\).*mirror: not reachable"):
        builder.fetch()


@needs_apt
def test_a_file_that_was_changed_on_its_way_is_refused(builder: Builder) -> None:
    changed = builder.mirror.folder / app("1")[0].path
    changed.write_bytes(changed.read_bytes() + b"and more")
    with pytest.raises(SystemExit, match=r"not the file of the lock \(sha256\)"):
        builder.fetch()
    assert not (builder.folder / "cache" / changed.name).exists()


@needs_apt
def test_a_new_lock_says_what_changed_security_fixes_first(builder: Builder) -> None:
    fix = [replace(deb, version="1.1", security=True, depends=deb.depends and "libapp") for deb in app("1")]
    builder.mirror.publish(*release("1"), *fix, Deb("plain", "2", "all"))
    said = builder.resolve(NOW + timedelta(days=1))
    assert said == (
        "image: update Debian's packages to 2026-12-02\n\n"
        "Security fixes:\n- app, libapp: 1 -> 1.1\n\n"
        "Other updates:\n- plain: 1 -> 2\n"
    )
    assert builder.resolve(NOW + timedelta(days=1)) == "No package has changed.\n"


def test_the_lock_of_the_repository_has_a_date() -> None:
    assert lockfile.read(IMAGE / "packages.lock").snapshots


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


# The manifest for Raspberry Pi Imager


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """Files as pack() in build-image.sh leaves them."""
    path = tmp_path / "a folder" / "printmonitor-plug-1.2.3"
    path.parent.mkdir()
    for ending, data in ((".img", b"image" * 100), (".img.xz", b"packed")):
        Path(f"{path}{ending}").write_bytes(data)
    rows = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in path.parent.iterdir()
    ]
    Path(f"{path}.sha256").write_text("".join(rows))
    return path


def test_imagers_own_schema_accepts_the_manifest(dist: Path) -> None:
    schema = json.loads((Path(__file__).parent / "rpi-imager/os-list-schema.json").read_text())
    validator = jsonschema_rs.Draft7Validator(schema)
    found = imager.manifest(dist, "1.2.3", NOW, "")
    validator.validate(found)
    del found["os_list"][0]["extract_sha256"]
    assert not validator.is_valid(found)


def test_the_manifest_names_the_image_beside_it(dist: Path) -> None:
    image = imager.manifest(dist, "1.2.3", NOW, "")["os_list"][0]
    assert image["url"] == f"{dist.parent.as_uri()}/printmonitor-plug-1.2.3.img.xz"
    assert "%20" in image["url"]
    assert (image["extract_size"], image["image_download_size"]) == (500, 6)
    assert image["extract_sha256"] == hashlib.sha256(b"image" * 100).hexdigest()
    assert image["image_download_sha256"] == hashlib.sha256(b"packed").hexdigest()
    assert image["release_date"] == "2026-12-01"
    assert image["init_format"] == "none"


def test_a_published_manifest_names_the_image_where_it_is_downloaded_from(dist: Path) -> None:
    image = imager.manifest(dist, "1.2.3", NOW, "https://example.com/plug/")["os_list"][0]
    assert image["url"] == "https://example.com/plug/printmonitor-plug-1.2.3.img.xz"


def test_every_device_of_the_manifest_is_offered_the_image(dist: Path) -> None:
    found = imager.manifest(dist, "1.2.3", NOW, "")
    tags = [set(device["tags"]) for device in found["imager"]["devices"]]
    assert tags
    assert all(each & set(found["os_list"][0]["devices"]) for each in tags)


# The boards

BOARDS = re.compile(r"^\| [^|]+ \| `(bcm[\w-]+\.dtb)` \|", re.MULTILINE)


def test_the_readme_lists_the_boards_whose_device_trees_are_in_the_image() -> None:
    listed = BOARDS.findall((ROOT / "README.md").read_text())
    assert listed
    assert sorted(listed) == sorted(re.findall(r"bcm[\w-]+\.dtb", (IMAGE / "files.list").read_text()))


# The tools


def test_build_image_reads_top_down_and_is_short() -> None:
    script = (ROOT / "build-image.sh").read_text()
    assert len(script.splitlines()) <= 310


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
    (tmp_path / "usr/lib/systemd/system-preset/80-printmonitor.preset").write_text("# x\nenable a.service\n")
    (tmp_path / "masked.list").write_text("# x\nmasked.service\n\netc/systemd/system-generators/x\n")
    enable.main(tmp_path, tmp_path / "masked.list")
    assert (links / "masked.service").readlink() == Path("/dev/null")
    assert (tmp_path / "etc/systemd/system-generators/x").readlink() == Path("/dev/null")
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
    (tmp_path / "masked.list").touch()
    with pytest.raises(SystemExit, match=r"lost\.service"):
        enable.main(tmp_path, tmp_path / "masked.list")


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
