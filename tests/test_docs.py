"""The man page and the completions say what the command accepts, and the shells understand them."""

import importlib.util
import re
import shutil
import subprocess
from types import ModuleType

import pytest

from appliance.__main__ import COMMANDS
from tests.children import ROOT

DOCS = ROOT / "docs"
BASH = DOCS / "completion" / "printmonitor.bash"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", generator().WRITTEN)
def test_it_matches_the_command(name: str) -> None:
    assert (DOCS / name).read_text() == generator().WRITTEN[name](), "run: python docs/generate.py"


@pytest.mark.skipif(shutil.which("groff") is None, reason="no groff: the man page is not rendered")
def test_the_man_page_renders_without_a_warning() -> None:
    rendered = subprocess.run(
        ["groff", "-man", "-Tascii", "-ww", str(DOCS / "printmonitor.1")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert rendered.stderr == ""
    assert "printmonitor test 192.168.1.20" in re.sub(r".\x08", "", rendered.stdout)


def completed(*words: str) -> set[str]:
    """What bash offers for the last word."""
    typed = " ".join(f"'{word}'" for word in words)
    script = f"""
        source {BASH}
        compopt() {{ :; }}
        COMP_WORDS=({typed})
        COMP_CWORD={len(words) - 1}
        $(complete -p {words[0]} | sed -n 's/.*-F \\([^ ]*\\).*/\\1/p')
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    ended = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert ended.stderr == ""
    return set(ended.stdout.split())


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("printmonitor", "que"), {"query"}),
        (("printmonitor", "licence", "re"), {"request"}),
        (("printmonitor", "--state", "/tmp/query", "li"), {"licence"}),
        (("printmonitor", "--state", "query", "st"), {"status"}),
        (("printmonitor", "outbox", "retry", "--j"), {"--json"}),
        (("printmonitor", "wizard", "--licence", ""), {"online", "file", "keep", "later"}),
        (("printmonitor", "wizard", "--no-"), {"--no-discover", "--no-test"}),
        (("printmonitor", "wizard", "--site", ""), set()),
        (("pm_wizard", "--schedule"), {"--schedule-only"}),
        (("testapp", "--p"), {"--port"}),
    ],
)
def test_bash_completes(words: tuple[str, ...], offered: set[str]) -> None:
    assert completed(*words) == offered


def test_bash_offers_every_command() -> None:
    assert completed("printmonitor", "") >= set(COMMANDS)


@pytest.mark.parametrize(("shell", "file"), [("zsh", "_printmonitor"), ("fish", "printmonitor.fish")])
def test_the_other_shells_can_read_theirs(shell: str, file: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here: its completion is not tried")
    subprocess.run([shell, "-n", str(DOCS / "completion" / file)], check=True)
