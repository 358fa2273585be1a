"""Processes that tests and the demo start, and that never outlive them."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 5.0  # what a service may take to end
_PR_SET_PDEATHSIG = 1  # prctl(2)
_libc = ctypes.CDLL(None, use_errno=True)


def printmonitor(*arguments: str, state: Path | None = None) -> list[str]:
    """The command line of `printmonitor`, run from this checkout."""
    return [sys.executable, "-m", "appliance", *(["--state", str(state)] if state else []), *arguments]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours, without the settings of the person who starts the tests."""
    kept = {name: value for name, value in os.environ.items() if name != "PRINTMONITOR_STATE"}
    return {**kept, "PYTHONUNBUFFERED": "1", **(extra or {})}


def start(arguments: Sequence[str], **options: object) -> subprocess.Popen[str]:
    """Start a process in a session of its own (a Ctrl-C is ours to handle) that is killed when we are."""
    return subprocess.Popen(  # type: ignore[call-overload]
        arguments,
        cwd=ROOT,
        env=environment(),
        text=True,
        start_new_session=True,
        preexec_fn=end_with_parent,  # noqa: PLW1509  two system calls, no lock is taken
        **options,
    )


def end_with_parent() -> None:
    """For `preexec_fn`: the kernel kills the child when its parent is gone."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def stop(child: subprocess.Popen[str]) -> int:
    """Ask the process to end, insist after a while; return its exit code."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
    code = child.wait()
    for stream in (child.stdin, child.stdout, child.stderr):
        if stream is not None:
            stream.close()
    return code


@contextmanager
def running(arguments: Sequence[str], **options: object) -> Iterator[subprocess.Popen[str]]:
    """A process for the length of the block."""
    child = start(arguments, **options)
    try:
        yield child
    finally:
        stop(child)
