#!/usr/bin/env python3
"""users.py ROOT UID: makes the users of the project's sysusers.d file in ROOT, from UID upwards.

The number is fixed because the data partition outlives the slot that it was written from.
"""

import shlex
import sys
from pathlib import Path


def main(root: Path, uid: int) -> None:
    for line in (root / "usr/lib/sysusers.d/printmonitor.conf").read_text("utf-8").splitlines():
        if not line.startswith("u "):
            continue
        _, name, _, text, home = shlex.split(line)
        _append(root / "etc/passwd", f"{name}:x:{uid}:{uid}:{text}:{home}:/usr/sbin/nologin")
        _append(root / "etc/group", f"{name}:x:{uid}:")
        _append(root / "etc/shadow", f"{name}:!*:1::::::")
        _append(root / "etc/gshadow", f"{name}:!*::")
        uid += 1


def _append(path: Path, line: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
