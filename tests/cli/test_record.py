from pathlib import Path

import pytest

from tests.command_line import Here, run
from tests.fakes import snmprec
from tests.fakes.agent import Agent, Device
from tests.fakes.mib import Mib
from tests.fakes.models import MODELS

MODEL = "kyocera_ecosys_ma2100"
ADDRESS = "127.31.1.1"


async def test_a_recording_on_standard_output(agent: Agent) -> None:
    rows = MODELS[MODEL].rows()
    agent.add(ADDRESS, Device(rows))
    ended = await run("record", ADDRESS, "2", "public", "--port", str(agent.port))

    assert (ended.code, ended.err) == (0, "")
    assert [line.partition("|")[0] for line in ended.out.splitlines()] == list(Mib(rows))
    assert MODELS[MODEL].who().serial in ended.out


async def test_a_masked_recording_in_a_file(agent: Agent, tmp_path: Path) -> None:
    rows = MODELS[MODEL].rows()
    agent.add(ADDRESS, Device(rows))
    path = tmp_path / "printer.snmprec"
    ended = await run("record", ADDRESS, "--port", str(agent.port), "--mask", "--output", str(path))

    assert (ended.code, ended.out) == (0, "")
    assert f"{len(rows):,} objects written" in ended.err
    assert MODELS[MODEL].who().serial not in path.read_text()
    assert len(snmprec.read(path)) == len(rows)


async def test_a_recording_that_is_not_complete(agent: Agent) -> None:
    agent.add(ADDRESS, Device(MODELS[MODEL].rows(), increasing=False))
    ended = await run("record", ADDRESS, "--port", str(agent.port))

    assert ended.code == 1
    assert "not complete: the agent goes back" in ended.complaint
    assert ended.out


async def test_nobody_to_record(agent: Agent) -> None:
    ended = await run("record", "127.31.1.2", "1", "--port", str(agent.port))

    assert (ended.code, ended.out) == (1, "")
    assert ended.complaint.startswith("127.31.1.2: ")


async def test_a_folder_that_is_not_there(agent: Agent, tmp_path: Path) -> None:
    agent.add(ADDRESS, Device(MODELS[MODEL].rows()))
    ended = await run("record", ADDRESS, "--port", str(agent.port), "--output", str(tmp_path / "no" / "file"))

    assert ended.code == 2
    assert "No such file" in ended.complaint


@pytest.mark.parametrize("host", ["127.0.0.0/24", "a b", "printer.invalid"])
def test_a_host_that_is_none(host: str, here: Here) -> None:
    assert here("record", host).code == 2
