#!/usr/bin/env python3
"""enable.py ROOT MASKED: enable in ROOT what the presets list, and nothing else; mask what MASKED lists.

Makes the links that `systemctl enable` and `systemctl mask` make.
"""

import re
import sys
from pathlib import Path

UNITS = "usr/lib/systemd/system"
LINKS = {"WantedBy": "wants", "RequiredBy": "requires", "UpheldBy": "upholds"}


def main(root: Path, masked: Path) -> None:
    _disable_all(root)
    for path in masked_paths(masked):
        _mask(root / path)
    for preset in sorted((root / "usr/lib/systemd/system-preset").glob("*-printmonitor*.preset")):
        for name in re.findall(r"^enable (\S+)", preset.read_text("utf-8"), re.MULTILINE):
            _enable(root, name)


def masked_paths(masked: Path) -> list[str]:
    """Return the paths in the root that the list has masked; a name without a folder is a unit."""
    lines = (line.strip() for line in masked.read_text("utf-8").splitlines())
    names = [line for line in lines if line and not line.startswith("#")]
    return [name if "/" in name else f"etc/systemd/system/{name}" for name in names]


def _mask(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to("/dev/null")


def _disable_all(root: Path) -> None:
    """Remove the links into /usr/lib, which enable units; links to /dev/null mask units, and stay."""
    for path in (root / "etc/systemd/system").rglob("*"):
        if path.is_symlink() and str(path.readlink()).startswith(("/usr/lib/systemd/", "/lib/systemd/")):
            path.unlink()


def _enable(root: Path, name: str) -> None:
    template = re.sub(r"@[^.]*\.", "@.", name)
    unit = next(
        (
            root / folder / template
            for folder in (UNITS, "etc/systemd/system")
            if (root / folder / template).is_file()
        ),
        None,
    )
    if unit is None:
        sys.exit(f"build-image: a preset enables {name}, which is not in the image")
    for key, words in re.findall(
        r"^(\w+)=(.*)$", unit.read_text("utf-8").partition("[Install]")[2], re.MULTILINE
    ):
        for word in words.split():
            if key in LINKS:
                _link(root / f"etc/systemd/system/{word}.{LINKS[key]}" / name, unit, root)
            elif key == "Alias":
                _link(root / "etc/systemd/system" / word, unit, root)
            elif key == "Also":
                _enable(root, word)


def _link(path: Path, unit: Path, root: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_symlink():
        path.symlink_to(f"/{unit.relative_to(root)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
