"""The same commit gives the same image: in another folder, for another user, elsewhere in the world.

The second build has the lock that the first one used (dist/*.lock). The base system is taken from the cache;
PRINTMONITOR_FULL=1 has it configured anew, which takes minutes more.
"""

import hashlib
import os
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.children import ROOT
from tests.image.disk import tool

CACHE = Path(
    os.environ.get("CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "printmonitor-plug"
)
STRANGER = 54_321
SOURCES = (
    "build-image.sh",
    "appliance",
    "webui",
    "systemd",
    "image",
    "rootfs-overlay",
    "requirements/run.txt",
)


def sources() -> list[Path]:
    said = tool(
        "git", "-C", ROOT, "ls-files", "-co", "--exclude-standard", "-z", *SOURCES, "requirements", "LICENSE"
    )
    return [Path(name) for name in said.decode().split("\0") if name and os.path.lexists(ROOT / name)]


def digest(path: Path, size: int | None = None) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        left = path.stat().st_size if size is None else size
        while data := file.read(min(left, 1 << 20)):
            found.update(data)
            left -= len(data)
    return found.hexdigest()


def payload(bundle: Path) -> str:
    """Of the squashfs: what follows it is the verity tree with its random salt, and the signature."""
    with bundle.open("rb") as file:
        superblock = file.read(96)
    assert superblock.startswith(b"hsqs")
    return digest(bundle, struct.unpack_from("<Q", superblock, 40)[0])


@pytest.fixture
def built(image: Path) -> Path:
    """The uncompressed image in dist/, if it is of what lies here now."""
    plain = Path(str(image).removesuffix(".xz"))
    if image.parent != ROOT / "dist" or not plain.exists():
        pytest.skip(f"{image} was not built here")
    changed = [path for path in sources() if (ROOT / path).lstat().st_mtime > plain.stat().st_mtime]
    if changed:
        pytest.skip(f"{changed[0]} changed after the image was built")
    return plain


@pytest.mark.timeout(3_600)
def test_somebody_else_builds_the_same(built: Path, tmp_path: Path) -> None:
    tree = tmp_path / "somewhere else" / "plug"
    for path in sources():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, tree / path, follow_symlinks=False)
    shutil.copytree(CACHE, tree / "cache", copy_function=_linked)
    lock = tree / "used.lock"
    shutil.copy2(built.with_suffix(".lock"), lock)
    environment = {
        "PATH": os.environ["PATH"],
        "LOCK": str(lock),
        "LOCKED": "1",
        "CACHE": str(tree / "cache"),
        "HOME": str(tree),
        "LANG": "de_DE.UTF-8",
        "TZ": "Asia/Kathmandu",
        "SOURCE_DATE_EPOCH": tool("git", "-C", ROOT, "log", "-1", "--format=%ct").decode().strip(),
    }
    if os.environ.get("PRINTMONITOR_FULL"):
        environment["FRESH"] = "1"
    subprocess.run(
        ["bash", "-c", "umask 077 && ./build-image.sh plain"],
        cwd=tree,
        env=environment,
        check=True,
        **_somebody(tree),
    )
    other = tree / "dist" / built.name
    assert digest(other) == digest(built)
    assert other.with_suffix(".lock").read_bytes() == built.with_suffix(".lock").read_bytes()
    assert payload(other.with_suffix(".raucb")) == payload(built.with_suffix(".raucb"))


def _linked(source: str, target: str) -> None:
    """What is in the cache is never changed, only replaced."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _somebody(tree: Path) -> dict[str, Any]:
    """Root becomes somebody; whoever is somebody already stays so."""
    if os.geteuid() or os.environ.get("PRINTMONITOR_FULL"):  # mmdebstrap wants a user of /etc/subuid
        return {}
    for folder in (*tree.parents, tree):
        if folder != Path("/") and not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    for path in (tree, *(path for path in tree.rglob("*") if "cache" not in path.relative_to(tree).parts)):
        os.chown(path, STRANGER, STRANGER, follow_symlinks=False)
    os.chown(tree / "cache", STRANGER, STRANGER)
    return {"user": STRANGER, "group": STRANGER}
