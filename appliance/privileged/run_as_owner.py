"""What root does in a folder that is somebody else's, it does as that somebody."""

import os
import select
import time
from collections.abc import Callable
from pathlib import Path

OWNER_PROCESS_TIMEOUT_S = 60.0  # checking a licence runs openssl a few times, on a Pi that is just starting
MAX_OUTPUT_BYTES = 65_536


class OwnerProcessError(Exception):
    """It broke off, or did not come to an end; the text says why."""


def call_as_owner(
    folder: Path, function: Callable[[], str], timeout_s: float = OWNER_PROCESS_TIMEOUT_S
) -> str:
    """What `do` says, in a process of the folder's owner. Raises NotDone, OSError."""
    owner = folder.stat()
    if os.geteuid() == owner.st_uid:
        return function()
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        _run_child(owner.st_uid, owner.st_gid, theirs, function)
    os.close(theirs)
    try:
        said = _read_pipe(ours, time.monotonic() + timeout_s)
    except TimeoutError:
        os.kill(child, 9)
        raise OwnerProcessError("it does not come to an end") from None
    finally:
        os.close(ours)
        _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status):
        raise OwnerProcessError(said or "it ended without a word")
    return said


def _run_child(uid: int, gid: int, output: int, function: Callable[[], str]) -> None:
    """Never comes back: what is left of root's process must not run twice."""
    code = 1
    try:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
        said = function()
        code = 0
    except BaseException as error:  # told to whoever waits
        said = f"{type(error).__name__}: {error}"
    try:
        os.write(output, said.encode("utf-8", "replace")[:MAX_OUTPUT_BYTES])  # a pipe takes that much at once
    finally:
        os._exit(code)


def _read_pipe(pipe: int, deadline: float) -> str:
    """All that comes. Raises TimeoutError."""
    said = b""
    while len(said) <= MAX_OUTPUT_BYTES:
        if not select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise TimeoutError
        chunk = os.read(pipe, MAX_OUTPUT_BYTES)
        if not chunk:
            break
        said += chunk
    return said.decode("utf-8", "replace")
