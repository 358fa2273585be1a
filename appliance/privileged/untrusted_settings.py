"""settings.toml as root reads it: the file belongs to the services, so it is a stranger's."""

import contextlib
import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

MOST_OCTETS = 4 << 20  # of the settings: an import list makes them long
# A key of dotted parts takes tomllib the square of their number, in time and memory: 16,000 are a gigabyte.
MOST_DOTS_SQUARED = 10_000_000
QUOTED = re.compile(r"\"(?:[^\"\\\n]|\\[^\n])*\"|'[^'\n]*'")
NAMES = ("settings.toml", "settings.last-good.toml")


def settings(state: Path) -> Iterator[Mapping[str, object]]:
    """What settings.toml says, then the last good settings; a file that cannot be used is left out."""
    for name in NAMES:
        with contextlib.suppress(OSError, ValueError, RecursionError):
            yield tomllib.loads(_bounded(_read(state / name)))


def table(data: Mapping[str, object], key: str) -> Mapping[str, object]:
    """The table of that name; an empty one where it is something else."""
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def _read(path: Path) -> str:
    """A plain file, never what a link leads to. Raises OSError, ValueError."""
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise ValueError("no plain file")
    with os.fdopen(file, "rb") as opened:
        data = opened.read(MOST_OCTETS + 1)
    if len(data) > MOST_OCTETS:
        raise ValueError("too large")
    return data.decode("utf-8-sig")


def _bounded(text: str) -> str:
    """The text, which can be parsed with little effort. Raises ValueError."""
    long_strings = '"""' in text or "'''" in text  # nobody writes these here, and they would hide keys
    bare = text if long_strings else QUOTED.sub("", text)  # lists of addresses have many dots
    if sum(line.count(".") ** 2 for line in bare.splitlines()) > MOST_DOTS_SQUARED:
        raise ValueError("nested too deeply")
    return text
