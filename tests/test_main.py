"""What can be typed, under each of the installed names."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from appliance import __main__, __version__
from tests import children
from tests.command_line import Here, typist


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> Here:
    """Types commands in this process."""
    return typist(capsys)


@pytest.mark.parametrize(
    "typed",
    [
        [],
        ["frobnicate"],
        ["test"],
        ["test", "127.0.0.1", "3"],
        ["test", "127.0.0.1", "--port", "70000"],
        ["test", "127.0.0.1", "--port", "x"],
        ["outbox", "burn"],
        ["query", "--bogus"],
        ["query", "now"],
        ["bad\x1b[2Jname"],
    ],
)
def test_wrong_usage_is_one_line(typed: list[str], here: Here) -> None:
    ended = here(*typed)
    assert (ended.code, ended.out) == (2, "")
    assert ended.complaint.startswith("printmonitor")
    assert "\x1b" not in ended.err


def test_help_names_every_command(here: Here) -> None:
    ended = here("--help")
    assert ended.code == 0
    assert all(re.search(rf"\n    {command}\s", ended.out) for command in __main__.COMMANDS)


def test_version(here: Here) -> None:
    assert here("--version").out == f"PrintMonitor Plug {__version__}\n"


def test_installed_names_exist() -> None:
    scripts = tomllib.loads((children.ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert set(scripts) >= {"printmonitor", "pm_query", "testapp"}
    for target in scripts.values():
        module, _, function = target.partition(":")
        assert module == "appliance.__main__"
        assert callable(getattr(__main__, function))


def test_pm_query_takes_the_two_words_of_the_reference(here: Here, tmp_path: Path) -> None:
    assert here("status", program="pm_query").code == 2
    assert here("query", state=tmp_path, program="pm_query").code == 0
    discover = here("discover", state=tmp_path, program="pm_query")
    assert discover.code == 2
    assert "nothing to discover" in discover.complaint


LOADS = "import sys; {}; print('aiosnmp' in sys.modules, 'aiohttp' in sys.modules)"


@pytest.mark.parametrize("module", ["appliance.__main__", "appliance.cli.check", "appliance.cli.status"])
def test_nobody_pays_for_what_others_import(module: str) -> None:
    command = [sys.executable, "-c", LOADS.format(f"import {module}")]
    ended = subprocess.run(command, cwd=children.ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout == "False False\n"


def test_what_continuous_integration_runs_is_there() -> None:
    assert os.access(children.ROOT / ".ci" / "run", os.X_OK)
