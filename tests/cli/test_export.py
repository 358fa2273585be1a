import subprocess
from pathlib import Path

import pytest

from tests import children
from tests.command_line import MODEL, OTHER_MODEL, Here, plugged, run
from tests.fakes.agent import Agent
from tests.fakes.cloud import Cloud
from tests.fakes.lan import Lan


def test_export_to_a_file(here: Here, tmp_path: Path) -> None:
    target = tmp_path / "printers.xml"
    assert here("export", "--output", str(target), state=tmp_path).code == 0
    assert target.read_text().startswith("<?xml")
    assert target.stat().st_mode & 0o077 == 0  # it holds communities
    full = here("export", "--output", "/dev/full", state=tmp_path)
    assert full.code == 2
    assert "No space left" in full.complaint
    nowhere = here("export", "--output", str(tmp_path / "no" / "where.xml"), state=tmp_path)
    assert nowhere.code == 2
    assert "where.xml" in nowhere.complaint


async def test_what_is_excluded_is_not_exported(agent: Agent, cloud: Cloud, tmp_path: Path) -> None:
    Lan(agent).put(MODEL, "127.31.4.1")
    Lan(agent).put(OTHER_MODEL, "127.31.4.2")
    plugged(tmp_path, agent.port, "127.31.4.1-127.31.4.2", cloud)
    await run("discover", state=tmp_path)
    assert (await run("export", state=tmp_path)).out.count("<Printers>") == 2
    text = (tmp_path / "settings.toml").read_text()
    (tmp_path / "settings.toml").write_text(f'{text}\n[discovery]\nexclusions = ["127.31.4.1"]\n')
    exported = (await run("export", state=tmp_path)).out
    assert exported.count("<Printers>") == 1
    assert "127.31.4.2" in exported


@pytest.mark.parametrize(
    ("redirection", "complaint"),
    [("| true", ""), (">&-", ""), (">/dev/full", "printmonitor: the disk is full\n")],
)
def test_output_that_nobody_takes(redirection: str, complaint: str, tmp_path: Path) -> None:
    command = " ".join(children.printmonitor("export", state=tmp_path))
    ended = subprocess.run(
        ["bash", "-c", f"{command} {redirection}"],
        cwd=children.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr == complaint
