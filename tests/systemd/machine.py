"""A machine of namespaces whose process 1 is systemd: started by root, gone with its process 1."""

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.children import ROOT, end_with_parent

BOOT_SECONDS = 30.0
TOOLS = ("unshare", "nsenter", "systemctl", "systemd-sysusers", "mount")


class NotHere(Exception):
    """Such a machine cannot be made here; the text says why."""


class Machine:
    """Commands inside of it."""

    def __init__(self, process_1: int) -> None:
        self._enter = ("nsenter", "--target", str(process_1), "--all", "--root", "--wd")

    def do(self, *command: str, check: bool = True) -> str:
        """What a command of root's prints."""
        done = subprocess.run(
            [*self._enter, *command], capture_output=True, text=True, timeout=30, check=False
        )
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def python(self, code: str, user: str = "root") -> str:
        """What a program prints that may import the Plug."""
        environ = ("env", "PYTHONPATH=/opt/printmonitor:/opt/site", "PYTHONDONTWRITEBYTECODE=1")
        who = () if user == "root" else ("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups")
        return self.do(*who, *environ, "/opt/python/bin/python3", "-c", code)

    def show(self, unit: str, what: str) -> str:
        return self.do("systemctl", "show", f"--property={what}", "--value", unit).strip()

    def until(self, what: str, true: object, seconds: float = 30.0) -> None:
        """Wait for a condition; says what it was if it never came."""
        assert callable(true)
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, f"not in {seconds:g} s: {what}\n{self.log()}"
            time.sleep(0.1)

    def log(self) -> str:
        return self.do("journalctl", "--no-pager", "--lines=80", "--output=short-monotonic", check=False)


@contextmanager
def running(folder: Path) -> Iterator[Machine]:
    """Raises NotHere."""
    if os.geteuid() != 0:
        raise NotHere("only root can make namespaces with systemd in them")
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing or not Path("/lib/systemd/systemd").exists():
        raise NotHere(f"not installed: {', '.join(missing or ['systemd'])}")
    command = ["unshare", "--mount", "--pid", "--net", "--cgroup", "--uts", "--ipc", "--fork", "--kill-child"]
    command += ["--propagation=private", str(ROOT / "tests/systemd/boot"), str(folder), str(ROOT)]
    command += [sys.base_prefix, sysconfig.get_paths()["purelib"]]
    with (folder.parent / "boot.log").open("w+") as said:
        outer = subprocess.Popen(
            command,
            stdout=said,
            stderr=said,
            start_new_session=True,
            preexec_fn=end_with_parent,  # noqa: PLW1509  two system calls, no lock is taken
        )
        try:
            yield _booted(outer, said.name)
        finally:
            outer.kill()
            outer.wait()


def _booted(outer: "subprocess.Popen[bytes]", said: str) -> Machine:
    deadline = time.monotonic() + BOOT_SECONDS
    while time.monotonic() < deadline and outer.poll() is None:
        for child in psutil.Process(outer.pid).children():
            if child.name() == "systemd":
                machine = Machine(child.pid)
                if machine.do("systemctl", "is-active", "basic.target", check=False).strip() == "active":
                    return machine
        time.sleep(0.2)
    raise NotHere(f"systemd does not boot in namespaces here: {Path(said).read_text().strip()[-300:]}")
