"""Two Plugs on a cable: network namespaces that are ours alone, so that nothing leaves this computer."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import children
from tests.command_line import Here

SECONDS = 20.0
NOT_ALLOWED = "network namespaces with a cable between them need root"


@dataclass
class Box:
    """A computer of its own: what runs in it sees one cable and nothing else."""

    pid: int

    def command(self, *words: str) -> list[str]:
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net", *words]

    def run(self, *words: str) -> str:
        return subprocess.run(
            self.command(*words),
            capture_output=True,
            text=True,
            check=True,
            cwd=children.ROOT,
            timeout=SECONDS,
        ).stdout

    def plugs(self, *more: str) -> list[dict[str, object]]:
        return json.loads(self.run(*children.printmonitor("plugs", "--json", *more)))["plugs"]


@contextmanager
def box() -> Iterator[Box]:
    with children.running(
        ["unshare", "--net", "sh", "-c", "echo; exec sleep 600"], stdout=subprocess.PIPE
    ) as child:
        assert child.stdout
        child.stdout.readline()  # it is in its namespace now
        yield Box(child.pid)


@pytest.fixture
def cable() -> Iterator[tuple[Box, Box]]:
    """Two boxes, 10.99.0.1 and 10.99.0.2."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "--net", "true"], check=False).returncode:
        pytest.skip(NOT_ALLOWED)
    with ExitStack() as stack:
        one, two = stack.enter_context(box()), stack.enter_context(box())
        one.run(*f"ip link add lan0 type veth peer name lan0 netns {two.pid}".split())
        for number, each in enumerate((one, two), 1):
            each.run(*f"ip address add 10.99.0.{number}/24 dev lan0".split())
            each.run(*["ip", "link", "set", "lan0", "up"])
            each.run(*["ip", "link", "set", "lo", "up"])
        yield one, two


@contextmanager
def page(where: Box, folder: Path, name: str) -> Iterator[subprocess.Popen[str]]:
    """`printmonitor web`, once it says that it is on the air."""
    folder.mkdir(mode=0o700)
    (folder / "settings.toml").write_text(f'[plug]\nname = "{name}"\nsite = "{folder.name}"\n')
    command = where.command(*children.printmonitor("web", "--port", "8080", state=folder))
    with children.running(command, stderr=subprocess.PIPE) as child:
        assert child.stderr
        for line in child.stderr:
            if "this Plug is" in line:
                break
        yield child


def test_two_plugs_find_each_other(cable: tuple[Box, Box], tmp_path: Path) -> None:
    one, two = cable
    with page(one, tmp_path / "first", "pm-1") as first:
        (found,) = two.plugs("--timeout", "1.5")
        assert (found["host"], found["site"], found["url"]) == (
            "pm-1.local",
            "first",
            "http://10.99.0.1:8080/",
        )
        with page(two, tmp_path / "second", "pm-1"):  # the same name: the second gives way
            hosts = {plug["host"]: plug["addresses"] for plug in one.plugs("--timeout", "2")}
            assert hosts == {"pm-1.local": ["10.99.0.1"], "pm-1-2.local": ["10.99.0.2"]}
            assert children.stop(first) == 0
            assert [plug["host"] for plug in one.plugs("--timeout", "1")] == ["pm-1-2.local"]


def test_alone_on_the_loopback(here: Here) -> None:
    ended = here("plugs", "--interface", "127.0.0.1", "--timeout", "0.1", "--json")
    assert ended.code == 0
    assert isinstance(json.loads(ended.out)["plugs"], list)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["--timeout", "0"], "0.1 to 60 seconds"),
        (["--timeout", "nan"], "0.1 to 60 seconds"),
        (["--timeout", "x"], "0.1 to 60 seconds"),
        (["--interface", "eth0"], "is no address"),
        (["--interface", "192.0.2.77"], "mDNS cannot be used on 192.0.2.77: Cannot assign requested address"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(typed: list[str], said: str, here: Here) -> None:
    ended = here("plugs", *typed)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.complaint
