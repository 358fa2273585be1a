"""Of all processes of a Plug, one at a time does a thing; the kernel lets go for a process that dies."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.domain.messages import Message
from appliance.host import atomic_file

RETRY_INTERVAL_S = 0.02  # the kernel has no wait with an end but by a signal


class LockBusyError(Exception):
    """Another process holds the lock."""


@contextmanager
def acquire(path: Path, timeout_s: float = 0) -> Iterator[None]:
    """Waits `patience` seconds for another process to let go. Raises Busy."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        atomic_file.match_folder_owner(path)
        until = time.monotonic() + timeout_s
        while not _try_lock(lock):
            if time.monotonic() >= until:
                raise LockBusyError(Message("lock.held", path=path))
            time.sleep(RETRY_INTERVAL_S)
        yield
    finally:
        os.close(lock)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
