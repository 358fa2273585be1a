#!/usr/bin/env python3
"""The kernel modules of the image and its initrd.

modules.py prune LIST FOLDER                    leaves in FOLDER (usr/lib/modules/VERSION) what the list needs
modules.py initrd LIST FOLDER BUSYBOX INIT OUT  writes the initrd as an uncompressed cpio archive
"""

import lzma
import os
import sys
from pathlib import Path

# What init calls; busybox is one program that goes by many names.
APPLETS = (
    *("cat", "chmod", "dd", "head", "insmod", "mount", "od"),
    *("reboot", "sed", "sh", "sha256sum", "sleep", "switch_root", "tr"),
)


def wanted(listing: Path, *roles: str) -> list[str]:
    lines = [line.split() for line in listing.read_text("utf-8").splitlines() if line[:1] not in ("", "#")]
    return [name for role, name in lines if role in roles]


def with_dependencies(folder: Path, names: list[str]) -> list[str]:
    """Paths below the folder, each after what it depends on; what is built in has none."""
    depends = {}
    for line in (folder / "modules.dep").read_text("ascii").splitlines():
        path, _, needs = line.partition(":")
        depends[key(path)] = [*reversed(needs.split()), path]
    builtin = {key(line) for line in (folder / "modules.builtin").read_text("ascii").splitlines()}
    unknown = [name for name in names if key(name) not in depends and key(name) not in builtin]
    if unknown:
        sys.exit(f"build-image: this kernel has no module {', '.join(unknown)} (image/modules.list)")
    ordered = (path for name in names for path in depends.get(key(name), []))
    return list(dict.fromkeys(ordered))


def key(path: str) -> str:
    return path.rpartition("/")[2].partition(".ko")[0].replace("-", "_")


def prune(listing: str, folder: str) -> None:
    home = Path(folder)
    kept = set(with_dependencies(home, wanted(Path(listing), "initrd", "root")))
    for path in home.rglob("*.ko*"):
        if str(path.relative_to(home)) not in kept:
            path.unlink()
    for path in sorted(home.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def initrd(listing: str, folder: str, busybox: str, init: str, out: str) -> None:
    home = Path(folder)
    archive = Archive(int(os.environ["SOURCE_DATE_EPOCH"]))
    for name in ("bin", "dev", "lib", "proc", "run", "sys", "sysroot"):
        archive.add(name, 0o040755)
    archive.add("dev/console", 0o020600, device=(5, 1))
    archive.add("init", 0o100755, Path(init).read_bytes())
    archive.add("bin/busybox", 0o100755, Path(busybox).read_bytes())
    for name in APPLETS:
        archive.add(f"bin/{name}", 0o120777, b"busybox")
    order = with_dependencies(home, wanted(Path(listing), "initrd"))
    for path in order:
        archive.add(f"lib/{key(path)}.ko", 0o100644, lzma.decompress((home / path).read_bytes()))
    archive.add("lib/order", 0o100644, "".join(f"{key(path)}.ko\n" for path in order).encode())
    Path(out).write_bytes(archive.closed())


class Archive:
    """cpio as the kernel reads it: newc, see Documentation/driver-api/early-userspace/buffer-format.rst."""

    def __init__(self, time: int) -> None:
        self.time, self.data, self.count = time, bytearray(), 0

    def add(self, name: str, mode: int, content: bytes = b"", device: tuple[int, int] = (0, 0)) -> None:
        self.count += 1
        path = name.encode() + b"\0"
        fields = (self.count, mode, 0, 0, 1, self.time, len(content), 0, 0, *device, len(path), 0)
        self._append(b"070701" + b"".join(b"%08X" % field for field in fields) + path)
        self._append(content)

    def closed(self) -> bytes:
        self.add("TRAILER!!!", 0)
        return bytes(self.data)

    def _append(self, data: bytes) -> None:
        self.data += data + b"\0" * (-len(data) % 4)


if __name__ == "__main__":
    {"prune": prune, "initrd": initrd}[sys.argv[1]](*sys.argv[2:])
