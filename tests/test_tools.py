"""The table of external programs, its comparison with the code, and the script that installs them."""

import fcntl
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from requirements import tools
from tests import external_programs
from tests.children import ROOT

SCRIPT = ROOT / "requirements/tools.py"
DECLARED = tools.declared()
USES = {"venv", "lint", "demo", "test", "image", "image-lock", "test-image", "lock", "plug"}
LOCK = [
    line.split()[:2] for line in (ROOT / "image/packages.lock").read_text().splitlines() if line[0] != "#"
]


needs_shfmt = pytest.mark.skipif(shutil.which("shfmt") is None, reason="no shfmt: apt-get install shfmt")


@pytest.fixture(scope="module")
def called() -> dict[str, set[str]]:
    return external_programs.called()


# The table and the code


@needs_shfmt
def test_each_program_that_is_called_is_declared(called: dict[str, set[str]]) -> None:
    known = {tool.program for tool in DECLARED} | {
        name for names in external_programs.ESSENTIAL.values() for name in names.split()
    }
    assert {name: files for name, files in called.items() if name not in known} == {}


@needs_shfmt
def test_each_declared_program_is_called(called: dict[str, set[str]]) -> None:
    text = external_programs.quoted()
    used = {tool.program for tool in DECLARED if tool.program in called.keys() | text}
    used |= {tool.program for tool in DECLARED if f"/usr/bin/{tool.program}" in text}
    others = {tool.program: tool.caller for tool in DECLARED if tool.program not in used}
    assert {
        name for name, caller in others.items() if caller not in used | set(external_programs.ESSENTIAL)
    } == set()


@needs_shfmt
def test_each_essential_program_is_called(called: dict[str, set[str]]) -> None:
    names = {name for names in external_programs.ESSENTIAL.values() for name in names.split()}
    assert names - called.keys() - external_programs.quoted() == set()


def test_the_table_is_well_formed() -> None:
    programs = [tool.program for tool in DECLARED]
    assert len(set(programs)) == len(programs)
    for tool in DECLARED:
        assert tool.packages, tool
        assert tool.loss, tool
        assert tool.uses, tool
        assert tool.uses <= USES, tool


@pytest.mark.parametrize(("use", "role"), [("plug", "install"), ("image-lock", "tool")])
def test_the_image_brings_what_the_plug_and_the_build_take_from_it(use: str, role: str) -> None:
    locked = {name for each, name in LOCK if each == role}
    packages = {package for tool in DECLARED if use in tool.uses for package in tool.packages}
    assert packages - locked == set()


@needs_shfmt
def test_the_product_and_units_call_only_what_the_plug_has(called: dict[str, set[str]]) -> None:
    plug = {tool.program for tool in DECLARED if "plug" in tool.uses}
    places = ("appliance/", "systemd/", "rootfs-overlay/")
    names = {name for name, files in called.items() if any(file.startswith(places) for file in files)}
    essential = {name for names in external_programs.ESSENTIAL.values() for name in names.split()}
    assert names - plug - essential == set()


# Finding calls


PYTHON = """
import shutil, subprocess
TOOLS = {"rauc": "rauc"}
ENTER = ("nsenter", "--all")

def one():
    command = ["mkimage", "-l"]
    command += ["x"]
    subprocess.run(command)

def two():
    subprocess.Popen([*ENTER, "unshare", "--net", "ip", "netns", "exec", "lan", "dnsmasq"])
    subprocess.run(["sh", "-c", "x=$(nft list) && fakeroot xz"])
    return [shutil.which(tool) for tool in TOOLS]
"""
SHELL = """
own() { grep x; }
# comment: rm
case $1 in a) own ;; *) echo "$(git log | head -1)" ;; esac
cat <<END
not-a-command
END
PATH=x command -v bmaptool
"""


def test_each_runner_of_commands_is_still_there() -> None:
    for place in (*external_programs.RUNNERS, external_programs.LOADS_MODULES, external_programs.INITRD):
        assert (ROOT / place).exists(), place


@needs_shfmt
def test_calls_in_python_are_found() -> None:
    found = {name for command in external_programs.python_commands(PYTHON, "tests/x.py")
             for name in external_programs.programs(command)}  # fmt: skip
    assert found == {"mkimage", "nsenter", "unshare", "ip", "dnsmasq", "sh", "nft", "fakeroot", "xz", "rauc"}


@needs_shfmt
def test_calls_in_shell_are_found() -> None:
    found = {name for command in external_programs.shell_commands(SHELL)
             for name in external_programs.programs(command)}  # fmt: skip
    assert found == {"grep", "git", "head", "cat", "bmaptool"}


def test_an_undeclared_program_does_not_run() -> None:
    with pytest.raises(external_programs.Undeclared, match=r"factor is called, but requirements/tools\.tsv"):
        subprocess.run(shlex.split("factor 6"), check=False)


# The script that installs


ABSENT = "no-such-program\tno-such-package\ttest\tall of its tests\n"


def run(
    *arguments: str, table: str = ABSENT, folder: Path, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Run a copy of the script, with a table of its own, as nobody."""
    (folder / "tools.py").write_bytes(SCRIPT.read_bytes())
    (folder / "tools.tsv").write_text(table)
    folder.chmod(0o755)
    return subprocess.run(
        [sys.executable, str(folder / "tools.py"), *arguments],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def no_apt(tmp_path: Path) -> str:
    """A search path without apt-get, so that nothing is installed."""
    (tmp_path / "bin").mkdir()
    return str(tmp_path / "bin")


@pytest.mark.parametrize(
    ("options", "ci", "status"), [((), "", 0), ((), "true", 1), (("--required",), "", 1)]
)
def test_what_is_missing_is_said_and_fails_where_it_must(
    tmp_path: Path, no_apt: str, options: tuple[str, ...], ci: str, status: int
) -> None:
    done = run("install", "test", *options, folder=tmp_path, PATH=no_apt, CI=ci)
    assert done.returncode == status
    assert done.stderr.splitlines() == [
        "tools: no no-such-program (package no-such-package): all of its tests",
        "tools: as root: apt-get install --no-install-recommends no-such-package",
    ]


def test_nothing_is_said_where_nothing_is_missing(tmp_path: Path, no_apt: str) -> None:
    table = ABSENT + "/proc/self/st*t\ta\tdemo\tx\n"
    done = run("install", "demo", table=table, folder=tmp_path, PATH=no_apt, CI="true")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_missing_packages_are_on_one_line(tmp_path: Path) -> None:
    table = ABSENT + "no-other\tb a\ttest image\tx\n" + "no-third\tz\timage\tx\n" + "sh\tdash\ttest\tx\n"
    assert run("missing", "test", table=table, folder=tmp_path).stdout == "a b no-such-package\n"


FAKE_APT = """#!/bin/sh
echo "$0 $*" | sed 's:.*/::' >>"$CALLS"
case "$*" in
madison*) echo ' good | 1 | source'; echo ' bad | 1 | source' ;;
*bad*) echo "E: bad does not install"; exit 100 ;;
*update*) exit 100 ;;
*install*good*) printf '#!/bin/sh' >"$BIN/good-program"; chmod 755 "$BIN/good-program" ;;
esac
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs packages")
def test_one_bad_package_does_not_keep_the_others_away(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("apt-get", "apt-cache"):
        (folder / name).write_text(FAKE_APT)
        (folder / name).chmod(0o755)
    table = ABSENT + "good-program\tgood\ttest\tgood tests\n" + "bad-program\tbad\ttest\tbad tests\n"
    path = f"{folder}:{os.environ['PATH']}"
    calls = tmp_path / "calls"
    done = run(
        "install",
        "test",
        table=table,
        folder=tmp_path,
        PATH=path,
        CI="true",
        CALLS=str(calls),
        BIN=str(folder),
    )
    assert done.returncode == 1
    assert "tools: no package source of this machine offers no-such-package" in done.stderr
    assert "E: bad does not install" in done.stderr
    assert "no bad-program (package bad): bad tests" in done.stderr
    assert "no no-such-program" in done.stderr
    assert "no good-program" not in done.stderr
    assert "as root: apt-get install --no-install-recommends bad no-such-package" in done.stderr
    assert [line.split()[-1] for line in calls.read_text().splitlines()] == [
        "update",
        "no-such-package",
        "good",
        "bad",
        "good",
    ]


HOLD = """
import fcntl, sys, time
file = open(sys.argv[1], "ab")
fcntl.lockf(file, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A lock file like apt's, free."""
    path = tmp_path / "lock"
    path.touch()
    return path


def held(lock: Path, seconds: float) -> "subprocess.Popen[bytes]":
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(lock), str(seconds)], stdout=subprocess.PIPE)
    assert holder.stdout
    holder.stdout.readline()
    return holder


def test_a_lock_is_waited_for(lock: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with held(lock, 1.0) as holder:
        assert tools.lock_holder([lock]) == (holder.pid, lock)
        assert tools.wait_for_locks(time.monotonic() + 30, [lock])
        assert holder.wait(5) == 0
    said = capsys.readouterr().err
    assert f"(process {holder.pid}), which holds {lock}; 0 s so far, at most 30 s" in said
    assert "the locks are free after" in said


def test_a_wait_for_a_lock_ends(lock: Path) -> None:
    with held(lock, 30.0) as holder:
        with pytest.raises(tools.AptError, match=rf"in vain for .*process {holder.pid}"):
            tools.wait_for_locks(time.monotonic(), [lock])
        holder.kill()


def test_looking_at_a_lock_does_not_take_it(lock: Path) -> None:
    assert tools.lock_holder([lock, lock.with_name("none")]) is None
    assert not tools.wait_for_locks(time.monotonic(), [lock])
    with lock.open("ab") as file:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
