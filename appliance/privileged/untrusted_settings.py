"""settings.toml as root reads it: the file belongs to the services, so it is a stranger's."""

import contextlib
import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

MAX_SETTINGS_BYTES = 4 << 20  # of the settings: an import list makes them long
# A key of dotted parts takes tomllib the square of their number, in time and memory: 16,000 are a gigabyte.
MAX_DOTS_SQUARED = 10_000_000
QUOTED_STRING = re.compile(r"\"(?:[^\"\\\n]|\\[^\n])*\"|'[^'\n]*'")
SETTINGS_FILENAMES = ("settings.toml", "settings.last-good.toml")


def iter_settings(state: Path) -> Iterator[Mapping[str, object]]:
    """What settings.toml says, then the last good settings; a file that cannot be used is left out."""
    for name in SETTINGS_FILENAMES:
        with contextlib.suppress(OSError, ValueError, RecursionError):
            yield tomllib.loads(_check_nesting(_read_regular_file(state / name)))


def get_table(data: Mapping[str, object], key: str) -> Mapping[str, object]:
    """The table of that name; an empty one where it is something else."""
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def _read_regular_file(path: Path) -> str:
    """A plain file, never what a link leads to. Raises OSError, ValueError."""
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise ValueError("no plain file")
    with os.fdopen(file, "rb") as opened:
        data = opened.read(MAX_SETTINGS_BYTES + 1)
    if len(data) > MAX_SETTINGS_BYTES:
        raise ValueError("too large")
    return data.decode("utf-8-sig")


def _check_nesting(text: str) -> str:
    """The text, which can be parsed with little effort. Raises ValueError."""
    long_strings = '"""' in text or "'''" in text  # nobody writes these here, and they would hide keys
    bare = text if long_strings else QUOTED_STRING.sub("", text)  # lists of addresses have many dots
    if sum(line.count(".") ** 2 for line in bare.splitlines()) > MAX_DOTS_SQUARED:
        raise ValueError("nested too deeply")
    return text
