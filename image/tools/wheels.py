#!/usr/bin/env python3
"""The Python packages of the image, as wheels.

wheels.py fetch REQUIREMENTS FOLDER   what the lock names, verified by pip; a folder that is there is right
wheels.py unpack FOLDER TARGET        without the parts that only matter to developers
"""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

PLATFORMS = ("manylinux2014_aarch64", "manylinux_2_17_aarch64", "manylinux_2_28_aarch64")
TARGET = (
    *("--implementation", "cp", "--python-version", "3.13"),
    *("--abi", "cp313", "--abi", "abi3", "--abi", "none"),
    *(word for platform in PLATFORMS for word in ("--platform", platform)),
)
UNUSED_ENDINGS = (".c", ".cpp", ".h", ".hash", ".pyi", ".pyx", ".pxd", ".pxi", ".rst")
UNUSED_FOLDERS = {"SelfTest", "tests", "test", ".hash", "_cython"}


def fetch(requirements: str, folder: str) -> None:
    if Path(folder).is_dir():
        return
    Path(folder).parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=Path(folder).parent) as temporary:
        wheels = Path(temporary) / "wheels"
        options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes")
        pip = (sys.executable, "-m", "pip", "download", *options, "--only-binary", ":all:", *TARGET)
        done = subprocess.run([*pip, "--requirement", requirements, "--dest", wheels], check=False)
        if done.returncode:
            sys.exit(f"build-image: pip cannot fetch the wheels of {requirements}")
        wheels.rename(folder)


def unpack(folder: str, target: str) -> None:
    for wheel in sorted(Path(folder).glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            for name in filter(is_used, archive.namelist()):
                if name.partition("/")[0].endswith(".data"):
                    sys.exit(f"build-image: {wheel.name}: {name} does not belong among the modules")
                path = Path(target) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.read(name))


def is_used(name: str) -> bool:
    path = PurePosixPath(name)
    return not (name.endswith((*UNUSED_ENDINGS, "/")) or UNUSED_FOLDERS & set(path.parts[:-1]))


if __name__ == "__main__":
    {"fetch": fetch, "unpack": unpack}[sys.argv[1]](*sys.argv[2:])
