"""What is in the image that was built, without booting it: nothing that should not be, all that has to be."""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.children import ROOT
from tests.image.disk import ROOT_A, Disk, tool

MIB = 1024 * 1024
DIST = ROOT / "dist"


@pytest.fixture(scope="module")
def root(released: Disk, workshop: Path) -> Iterator[Path]:
    """The root's files, by debugfs; their owners and modes are in `listing`."""
    folder = workshop / "root"
    folder.mkdir()
    files = workshop / "root.ext4"
    released.take(ROOT_A, files)
    tool("debugfs", "-R", f"rdump / {folder}", files)
    yield folder
    files.unlink()


@pytest.fixture(scope="module")
def listing(root: Path) -> dict[str, tuple[int, int, int]]:
    """Path: mode, user, group."""
    found = {}
    folders = ["/"]
    while folders:
        said = subprocess.run(
            ["debugfs", "-f", "-", root.parent / "root.ext4"],
            input="".join(f'ls -p "{folder}"\n' for folder in folders),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        folders, parents = [], iter(folders)
        for block in said.split("debugfs: ls -p ")[1:]:
            parent = next(parents)
            for mode, user, group, name in re.findall(
                r"^/\d+/(\d+)/(\d+)/(\d+)/([^/]+)/", block, re.MULTILINE
            ):
                if name in (".", ".."):
                    continue
                path = f"{parent.rstrip('/')}/{name}"
                found[path] = (int(mode, 8), int(user), int(group))
                if int(mode, 8) & 0o170000 == 0o040000:
                    folders.append(path)
    return found


def test_no_program_makes_anybody_root(listing: dict[str, tuple[int, int, int]]) -> None:
    assert len(listing) > 2_000
    assert [path for path, (mode, _, _) in listing.items() if mode & 0o100000 and mode & 0o6000] == []


def test_nobody_may_write_but_root(listing: dict[str, tuple[int, int, int]]) -> None:
    writable = [
        path for path, (mode, _, _) in listing.items() if mode & 0o170000 != 0o120000 and mode & 0o022
    ]
    assert sorted(writable) == ["/tmp", "/var/tmp"]
    assert all(listing[path][0] & 0o1000 for path in writable)


def test_all_belongs_to_root(listing: dict[str, tuple[int, int, int]]) -> None:
    assert [path for path, (_, user, _) in listing.items() if user] == []


PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----[\r\n]+[A-Za-z0-9+/=\r\n]{40}")
SELF_TEST = "libgnutls.so."  # GnuTLS tries its algorithms with keys that everybody has


def test_there_is_no_secret_in_it(root: Path) -> None:
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    found = [path for path in files if PRIVATE_KEY.search(path.read_bytes())]
    assert [path for path in found if not path.name.startswith(SELF_TEST)] == []


def test_nobody_logs_in(root: Path) -> None:
    fields = [line.split(":") for line in (root / "etc/shadow").read_text().splitlines()]
    assert [name for name, word, *_ in fields if word[:1] not in ("!", "*")] == []
    for unit in ("getty@.service", "serial-getty@.service", "console-getty.service", "debug-shell.service"):
        assert (root / "etc/systemd/system" / unit).readlink() == Path("/dev/null")


@pytest.mark.parametrize(
    "name", ["sshd", "ssh", "dpkg", "apt", "apt-get", "pip", "pip3", "su", "sudo", "perl", "gcc", "login"]
)
def test_what_a_plug_has_no_use_for_is_not_there(root: Path, name: str) -> None:
    assert [path for path in ("usr/bin", "usr/sbin") if (root / path / name).exists()] == []


def test_nothing_of_the_build_is_left(root: Path) -> None:
    left = (
        "var/lib/dpkg",
        "var/cache/apt",
        "etc/apt",
        "etc/hostname",
        "etc/resolvconf",
        "root/.cache",
        "var/log",
    )
    assert [path for path in left if (root / path).exists()] == []
    assert (root / "etc/machine-id").read_bytes() == b""
    assert [
        path
        for path in root.rglob("*")
        if path.name in ("tests", ".git", "__pycache__") and not any(path.iterdir())
    ] == []


def test_no_trace_of_a_test(root: Path) -> None:
    own = [
        root / "usr/lib/python3/dist-packages/appliance",
        root / "usr/lib/printmonitor",
        root / "usr/lib/systemd/system",
    ]
    texts = [
        path
        for folder in own
        for path in folder.rglob("*")
        if path.suffix in (".py", ".service", "") and path.is_file()
    ]
    assert [path for path in texts if re.search(rb"\bpytest\b|tests\.image", path.read_bytes())] == []


def test_every_link_of_an_enabled_unit_leads_somewhere(root: Path) -> None:
    links = [path for path in (root / "etc/systemd/system").rglob("*") if path.is_symlink()]
    targets = {path: path.readlink() for path in links}
    lost = [
        path
        for path, target in targets.items()
        if target != Path("/dev/null")
        and not (root / str(target).lstrip("/")).exists()
        and not (path.parent / target).exists()
    ]
    assert lost == []


def test_the_plug_and_its_network_are_enabled(root: Path) -> None:
    presets = (ROOT / "systemd/printmonitor.preset", ROOT / "image/70-printmonitor-box.preset")
    wanted = [
        name for preset in presets for name in re.findall(r"^enable (\S+)", preset.read_text(), re.MULTILINE)
    ]
    assert len(wanted) > 10
    enabled = {path.name for path in (root / "etc/systemd/system").rglob("*") if path.is_symlink()}
    assert set(wanted) - enabled == set()


def test_updates_are_only_taken_from_whom_the_image_trusts(root: Path) -> None:
    keyring = (root / "etc/rauc/keyring.pem").read_text()
    assert keyring.count("BEGIN CERTIFICATE") >= 1
    said = (root / "usr/lib/os-release").read_text()
    development = (ROOT / "image/development/ca.pem").read_text()
    assert ("VARIANT_ID=development" in said) == (development in keyring)
    config = (root / "etc/rauc/system.conf").read_text()
    assert "@" not in config
    assert "compatible=printmonitor-plug\n" in config
    assert "bundle-formats=verity\n" in config


def test_python_is_compiled_for_good(root: Path) -> None:
    """Each module has its byte code, which is not compared with the source's time."""
    package = root / "usr/lib/python3/dist-packages/appliance"
    for source in package.rglob("*.py"):
        compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
        assert compiled.read_bytes()[4:8] == b"\x01\0\0\0", f"{source.name}: not unchecked-hash (PEP 552)"


def test_the_figures_hold(root: Path, image: Path, figure) -> None:
    used = (
        sum(path.stat().st_size for path in root.rglob("*") if path.is_file() and not path.is_symlink())
        // MIB
    )
    figure("root, used", f"{used} MiB")
    assert used <= 300
    if image.suffix == ".xz":
        figure("image, xz", f"{image.stat().st_size / 1e6:.0f} MB")
        assert image.stat().st_size <= 110_000_000


def test_every_board_finds_its_device_tree(released: Disk) -> None:
    boards = set(
        re.findall(r"^\| [^|]+ \| `(bcm[\w-]+\.dtb)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    )
    assert len(boards) == 8
    assert boards == {Path(name).name for name in released.boot_files() if name.endswith(".dtb")}


# What lies beside the image


def beside(image: Path, ending: str) -> Path:
    path = image.parent / (image.name.removesuffix(".xz").removesuffix(".img") + ending)
    if not path.exists():
        pytest.skip(f"there is no {path.name}: ./build-image.sh makes it")
    return path


def test_bmaptool_takes_the_map(image: Path, workshop: Path) -> None:
    bmap, card = beside(image, ".bmap"), workshop / "card.img"
    with card.open("wb") as file:  # an old card: what is left out keeps what it was
        for _ in range(1124):
            file.write(b"\xaa" * MIB)
    tool("bmaptool", "copy", "--bmap", bmap, image, card)
    tool("e2fsck", "-fn", f"{card}?offset={1092 * MIB}")
    tool("e2fsck", "-fn", f"{card}?offset={68 * MIB}")
    card.unlink()


def test_the_checksums_are_right(image: Path) -> None:
    for line in beside(image, ".sha256").read_text().splitlines():
        digest, name = line.split()
        path = image.parent / name
        with path.open("rb") as file:
            assert hashlib.file_digest(file, "sha256").hexdigest() == digest, name


def test_the_image_says_how_it_differs_from_the_lock(image: Path, root: Path) -> None:
    compare = [sys.executable, str(ROOT / "image/tools/debs.py"), "compare"]
    locks = [ROOT / "image/packages.lock", beside(image, ".lock")]
    state = subprocess.run([*compare, *locks], check=True, capture_output=True, text=True).stdout.splitlines()
    assert f'PRINTMONITOR_PACKAGES="{state[0]}"\n' in (root / "usr/lib/os-release").read_text()
    assert beside(image, ".manifest").read_text().startswith(f"# Debian packages: {state[0]}\n")
    plug = json.loads(beside(image, ".spdx.json").read_text())["packages"][0]
    assert plug["comment"].splitlines() == [f"Debian packages: {state[0]}", *state[1:]]


def test_imager_is_told_the_truth(image: Path) -> None:
    entry = json.loads(beside(image, ".rpi-imager-manifest").read_text())["os_list"][0]
    packed, plain = beside(image, ".img.xz"), beside(image, ".img")
    assert entry["url"].endswith(f"/{packed.name}")
    assert (entry["extract_size"], entry["image_download_size"]) == (
        plain.stat().st_size,
        packed.stat().st_size,
    )
    for path, key in ((plain, "extract_sha256"), (packed, "image_download_sha256")):
        with path.open("rb") as file:
            assert hashlib.file_digest(file, "sha256").hexdigest() == entry[key]


def test_the_list_of_materials_is_whole(image: Path, root: Path) -> None:
    found = json.loads(beside(image, ".spdx.json").read_text())
    assert found["spdxVersion"] == "SPDX-2.3"
    packages = {package["name"]: package for package in found["packages"]}
    assert len({package["SPDXID"] for package in found["packages"]}) == len(found["packages"])
    for name in (
        "libc6",
        "systemd",
        "aiohttp",
        "zeroconf",
        "u-boot-rpi",
        "raspi-firmware",
        "ca-certificates",
    ):
        assert packages[name]["versionInfo"]
        assert len(packages[name]["checksums"][0]["checksumValue"]) == 64
    assert "perl-base" not in packages, "what was taken out is not listed"
    modules = {path.name for path in (root / "usr/lib/python3/dist-packages").glob("*.dist-info")}
    assert len(modules) == sum(
        package["SPDXID"].startswith("SPDXRef-python-") for package in found["packages"]
    )
    related = {each["relatedSpdxElement"] for each in found["relationships"]}
    assert related == {package["SPDXID"] for package in found["packages"]}
