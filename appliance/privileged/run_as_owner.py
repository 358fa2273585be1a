"""What root does in a folder that is somebody else's, it does as that somebody."""

import os
import select
import time
from collections.abc import Callable
from pathlib import Path

SECONDS = 60.0  # checking a licence runs openssl a few times, on a Pi that is just starting
MOST_OCTETS = 65_536


class NotDone(Exception):
    """It broke off, or did not come to an end; the text says why."""


def as_owner(folder: Path, do: Callable[[], str], seconds: float = SECONDS) -> str:
    """What `do` says, in a process of the folder's owner. Raises NotDone, OSError."""
    owner = folder.stat()
    if os.geteuid() == owner.st_uid:
        return do()
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        _be(owner.st_uid, owner.st_gid, theirs, do)
    os.close(theirs)
    try:
        said = _read(ours, time.monotonic() + seconds)
    except TimeoutError:
        os.kill(child, 9)
        raise NotDone("it does not come to an end") from None
    finally:
        os.close(ours)
        _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status):
        raise NotDone(said or "it ended without a word")
    return said


def _be(user: int, group: int, to: int, do: Callable[[], str]) -> None:
    """Never comes back: what is left of root's process must not run twice."""
    code = 1
    try:
        os.setgroups([])
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
        said = do()
        code = 0
    except BaseException as error:  # told to whoever waits
        said = f"{type(error).__name__}: {error}"
    try:
        os.write(to, said.encode("utf-8", "replace")[:MOST_OCTETS])  # a pipe takes that much at once
    finally:
        os._exit(code)


def _read(pipe: int, until: float) -> str:
    """All that comes. Raises TimeoutError."""
    said = b""
    while len(said) <= MOST_OCTETS:
        if not select.select([pipe], [], [], max(0.0, until - time.monotonic()))[0]:
            raise TimeoutError
        chunk = os.read(pipe, MOST_OCTETS)
        if not chunk:
            break
        said += chunk
    return said.decode("utf-8", "replace")
