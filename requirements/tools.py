#!/usr/bin/env python3
"""Install the external programs that requirements/tools.tsv declares with Debian's apt-get.

tools.py install USE...   install what is missing, as root; else print the command for it. Fail in continuous
                          integration (CI=true) if a program is still missing; with --required, always
tools.py missing USE...   print the packages that are missing, on one line
"""

import argparse
import csv
import fcntl
import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).resolve().with_name("tools.tsv")
PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"))
NO_PACKAGE = "-"
LOCKS = tuple(
    Path("/var") / path
    for path in ("lib/dpkg/lock-frontend", "lib/dpkg/lock", "lib/apt/lists/lock", "cache/apt/archives/lock")
)
LOCK_TIMEOUT_S = 600  # a new cloud machine upgrades itself for some minutes after its first boot
POLL_S = 2.0
REPORT_INTERVAL_S = 30.0
COMMAND_TIMEOUT_S = 1_800  # a download of 700 MB over a slow line
FLOCK = "hhqqi"  # struct flock of fcntl(2) on 64-bit Linux: type, whence, start, length, process


@dataclass(frozen=True)
class Tool:
    """A row of tools.tsv."""

    program: str
    packages: tuple[str, ...]
    uses: frozenset[str]
    loss: str
    caller: str  # the program that calls it, where no code of the repository does

    def is_present(self) -> bool:
        """Return whether the program is on the search path or the file (a pattern for a path) exists."""
        if self.program.startswith("/"):
            return any(Path("/").glob(self.program[1:]))
        return shutil.which(self.program, path=PATH) is not None


class AptError(Exception):
    """apt-get failed; the text is a message for people."""


def declared(table: Path = TABLE) -> list[Tool]:
    """Return all rows of the table."""
    with table.open(newline="", encoding="utf-8") as file:
        lines = (line for line in file if line.strip() and not line.startswith("#"))
        rows = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE, strict=True))
    return [
        Tool(program, tuple(packages.split()), frozenset(uses.split()), loss, caller[0] if caller else "")
        for program, packages, uses, loss, *caller in rows
    ]


def missing(uses: Iterable[str], table: Path = TABLE) -> list[Tool]:
    """Return the tools for any of these uses that this machine does not have."""
    return [tool for tool in declared(table) if tool.uses & set(uses) and not tool.is_present()]


def packages_of(tools: Iterable[Tool]) -> list[str]:
    """Return the Debian packages of the tools, each once."""
    return sorted({package for tool in tools for package in tool.packages if package != NO_PACKAGE})


def say(text: str) -> None:
    """Print a line on standard error at once: it explains a wait."""
    print(f"tools: {text}", file=sys.stderr, flush=True)


def lock_holder(locks: Sequence[Path] = LOCKS) -> tuple[int, Path] | None:
    """Return the process that holds one of apt's or dpkg's locks, and the lock file; None if all are free.

    Only looks (F_GETLK): taking a lock to test it could make another apt-get fail.
    """
    for path in locks:
        try:
            with path.open("rb") as file:
                query = struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
                kind, _, _, _, process = struct.unpack(FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, query))
        except FileNotFoundError:
            continue
        if kind != fcntl.F_UNLCK:
            return process, path
    return None


def wait_for_locks(deadline: float, locks: Sequence[Path] = LOCKS) -> bool:
    """Wait until no other process holds apt's and dpkg's locks; return whether there was a wait.

    apt-get itself waits for dpkg's locks (DPkg::Lock::Timeout), but not for those of lists and archives.
    Raises AptError at the deadline (time.monotonic).
    """
    begin, report_at = time.monotonic(), 0.0
    while holder := lock_holder(locks):
        now = time.monotonic()
        name = f"{_program(holder[0])} (process {holder[0]}), which holds {holder[1]}"
        if now >= deadline:
            raise AptError(f"waited {now - begin:.0f} s in vain for {name}")
        if now >= report_at:
            say(f"waiting for {name}; {now - begin:.0f} s so far, at most {deadline - begin:.0f} s")
            report_at = now + REPORT_INTERVAL_S
        time.sleep(POLL_S)
    if report_at:
        say(f"the locks are free after {time.monotonic() - begin:.0f} s")
    return bool(report_at)


def _program(process: int) -> str:
    try:
        return Path(f"/proc/{process}/comm").read_text().strip()
    except OSError:  # of another namespace, or already ended
        return "another program"


def apt_get(*arguments: str, deadline: float) -> None:
    """Run apt-get; wait for locks, and try again if another process took one in between. Raises AptError."""
    command = ["apt-get", "-q", "-y", "-o", f"DPkg::Lock::Timeout={LOCK_TIMEOUT_S}", *arguments]
    while True:
        wait_for_locks(deadline)
        try:
            done = subprocess.run(
                command,
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=COMMAND_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise AptError(f"apt-get {arguments[0]} did not end in {COMMAND_TIMEOUT_S} s") from error
        if done.returncode == 0:
            return
        if lock_holder() is None:
            raise AptError(f"apt-get {' '.join(arguments)} failed:\n{done.stdout.strip()[-2_000:]}")


def available(packages: Sequence[str]) -> set[str]:
    """Return those of the packages that the machine's package sources offer."""
    said = subprocess.run(
        ["apt-cache", "madison", *packages], capture_output=True, text=True, timeout=60, check=False
    ).stdout
    return {line.partition("|")[0].strip() for line in said.splitlines()}


def install(packages: Sequence[str]) -> None:
    """Install packages with one apt-get update and one apt-get install; say which cannot be installed."""
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    try:
        apt_get("update", deadline=deadline)
    except AptError as error:  # one of several sources may be broken; the lists of before may do
        say(str(error))
    offered = available(packages)
    for package in packages:
        if package not in offered:
            say(f"no package source of this machine offers {package}")
    wanted = [package for package in packages if package in offered]
    if not wanted:
        return
    # A package whose program was removed by hand counts as installed: --reinstall brings the program back.
    command = ("install", "--no-install-recommends", "--reinstall")
    try:
        apt_get(*command, *wanted, deadline=deadline)
    except AptError as error:
        say(f"{error}\ntools: now each of the packages by itself")
        for package in wanted:
            try:
                apt_get(*command, package, deadline=deadline)
            except AptError as reason:
                say(str(reason))


def provide(uses: Sequence[str]) -> list[Tool]:
    """Install what is missing if this is root on Debian; return what is still missing."""
    absent = missing(uses)
    packages = packages_of(absent)
    if not packages or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return absent
    try:
        if wait_for_locks(time.monotonic() + LOCK_TIMEOUT_S):
            packages = packages_of(missing(uses))  # the other process may have installed some of them
        if packages:
            say(f"installing {' '.join(packages)}")
            install(packages)
    except AptError as error:
        say(str(error))
    return missing(uses)


def main(arguments: Sequence[str]) -> int:
    """Return the exit status: 1 if a program is missing that has to be there."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("action", choices=("install", "missing"))
    parser.add_argument("uses", nargs="+", metavar="USE", choices=sorted(all_uses()))
    parser.add_argument("--required", action="store_true", help="fail if a program is still missing")
    given = parser.parse_args(arguments)
    if given.action == "missing":
        print(" ".join(packages_of(missing(given.uses))))
        return 0
    absent = provide(given.uses)
    for tool in absent:
        say(f"no {tool.program} (package {' '.join(tool.packages)}): {tool.loss}")
    if packages := packages_of(absent):
        say(f"as root: apt-get install --no-install-recommends {' '.join(packages)}")
    return int(bool(absent) and (given.required or os.environ.get("CI") == "true"))


def all_uses() -> set[str]:
    """Return each word of the table's column of uses."""
    return {use for tool in declared() for use in tool.uses}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
