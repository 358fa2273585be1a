"""Of all processes of a Plug, one at a time does a thing; the kernel lets go for a process that dies."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.host import atomic_file

AGAIN_SECONDS = 0.02  # the kernel has no wait with an end but by a signal


class Busy(Exception):
    """Another process holds the lock."""


@contextmanager
def held(path: Path, patience: float = 0) -> Iterator[None]:
    """Waits `patience` seconds for another process to let go. Raises Busy."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        atomic_file.own(path)
        until = time.monotonic() + patience
        while not _taken(lock):
            if time.monotonic() >= until:
                raise Busy(f"another process of this Plug holds {path}")
            time.sleep(AGAIN_SECONDS)
        yield
    finally:
        os.close(lock)


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
