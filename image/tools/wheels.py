#!/usr/bin/env python3
"""wheels.py FOLDER TARGET: unpacks wheels without the parts that only matter to developers."""

import sys
import zipfile
from pathlib import Path, PurePosixPath

UNUSED_ENDINGS = (".c", ".cpp", ".h", ".hash", ".pyi", ".pyx", ".pxd", ".pxi", ".rst")
UNUSED_FOLDERS = {"SelfTest", "tests", "test", ".hash", "_cython"}


def is_used(name: str) -> bool:
    path = PurePosixPath(name)
    return not (name.endswith((*UNUSED_ENDINGS, "/")) or UNUSED_FOLDERS & set(path.parts[:-1]))


def unpack(wheel: Path, target: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in filter(is_used, archive.namelist()):
            if ".data/" in name.partition("/")[0] + "/":
                sys.exit(f"build-image: {wheel.name}: {name} does not belong into site-packages")
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read(name))
            path.chmod(0o644)


if __name__ == "__main__":
    for each in sorted(Path(sys.argv[1]).glob("*.whl")):
        unpack(each, Path(sys.argv[2]))
