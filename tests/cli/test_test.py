import asyncio
import json
from pathlib import Path

import pytest

from appliance.collector import canon_cpca
from tests.command_line import CONTROLS, MODEL, Here, run
from tests.fakes import snmprec
from tests.fakes.agent import Agent, Device
from tests.fakes.cpca import Cpca
from tests.fakes.lan import Lan
from tests.fakes.mib import Cell
from tests.fakes.models import MODELS


async def test_everything_about_one_printer(agent: Agent) -> None:
    place = Lan(agent).put("ricoh_im_c3010", "127.31.0.1")
    ended = await run("test", "127.31.0.1", "--port", str(agent.port))
    assert ended.code == 0, ended.err
    parts = ("Page counters", "Supplies", "Inputs", "Outputs", "Storages", "Alerts", "on the wire")
    for expected in ("IM C3010", place.who.serial, *parts):
        assert expected in ended.out
    assert all(len(line) <= 80 for line in ended.out.splitlines())


CASES = Path(__file__).parents[1] / "cases"  # small agents made after public reports of users


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("waste_konica", {1: (100, None, "ok"), 8: (40, None, "ok"), 9: (None, 0, "ok")}),
        (
            "waste_xerox_workcentre",
            {1: (11, None, "ok"), 2: (30, None, "ok"), 5: (None, 0, "ok"), 6: (88, None, "ok")},
        ),
        (
            "levels",
            {
                1: (70, None, "ok"),
                2: (0, None, "empty"),
                3: (100, None, "ok"),
                4: (40, None, "ok"),
                5: (39, None, "ok"),
                6: (None, None, "unknown"),
                7: (None, None, "unknown"),
                8: (None, None, "unknown"),
                9: (None, 100, "full"),
                10: (12, None, "ok"),
            },
        ),
    ],
)
async def test_json_states_what_is_left_or_how_full_a_receptacle_is(
    agent: Agent, case: str, expected: dict[int, tuple[float | None, float | None, str]]
) -> None:
    agent.add("127.31.0.4", Device(snmprec.read(CASES / f"{case}.snmprec")))
    ended = await run("test", "127.31.0.4", "--port", str(agent.port), "--json")
    supplies = json.loads(ended.out)["supplies"]
    shares = {
        row["index"]: (row.get("percent_left"), row.get("percent_full"), row["state"]) for row in supplies
    }
    rounded = {
        index: (left if left is None else round(left), full, state)
        for index, (left, full, state) in shares.items()
    }
    assert rounded == expected
    assert all(("percent_left" in row) != ("percent_full" in row) for row in supplies)
    human = await run("test", "127.31.0.4", "--port", str(agent.port))
    assert all(row["text"] in human.out for row in supplies)


@pytest.mark.parametrize(("typed", "settled"), [("1", "1"), ("V2c", "2")])
async def test_testapp_takes_the_arguments_of_the_reference(agent: Agent, typed: str, settled: str) -> None:
    device = agent.add("127.31.0.2", Device(MODELS[MODEL].rows(), community="secret"))
    port = ("--port", str(agent.port))
    ended = await run("127.31.0.2", typed, "secret", *port, "--json", function="run_testapp")
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    assert document["target"]["snmp_version"] == settled
    assert document["cost"]["packets"] == device.requests.total() + device.responses
    assert document["cost"]["bytes"] == device.bytes_in + device.bytes_out
    assert document["bytes_on_the_wire"] == document["cost"]["bytes"] + 42 * document["cost"]["packets"]
    assert "secret" not in ended.out


def hostile() -> dict[str, Cell]:
    """A printer whose every text would clear the screen."""
    rows = dict(MODELS[MODEL].rows())
    for oid, (tag, value) in rows.items():
        if tag == 4 and isinstance(value, str | bytes):
            text = value.encode() if isinstance(value, str) else value
            rows[oid] = (tag, b"\x1b[2J\xc2\x9b31m\r" + text + b"\x07")
    return rows


async def test_no_escape_sequence_of_a_printer_reaches_the_terminal(agent: Agent) -> None:
    agent.add("127.31.0.3", Device(hostile()))
    arguments = ("test", "127.31.0.3", "--port", str(agent.port))
    for ended in await asyncio.gather(run(*arguments), run(*arguments, "--json")):
        assert ended.code == 0, ended.err
        assert "[2J" in ended.out
        assert not set(ended.out + ended.err) & CONTROLS


async def test_printer_that_does_not_answer(agent: Agent) -> None:
    ended = await run("test", "127.31.0.6", "--port", str(agent.port))
    assert (ended.code, ended.out) == (1, "")
    assert "nothing listens at UDP port" in " ".join(ended.err.split())


@pytest.mark.parametrize(
    ("device", "said"),
    [
        (Device({}), "shows none of the objects"),
        (Device({}, truncate=True), "cannot be decoded"),
        (Device(MODELS[MODEL].rows(), garbage=1000), "never comes to an end"),
    ],
)
async def test_who_answers_and_cannot_be_read_is_explained(agent: Agent, device: Device, said: str) -> None:
    agent.add("127.31.0.7", device)
    ended = await run("test", "127.31.0.7", "2", "--port", str(agent.port))
    assert (ended.code, ended.out) == (1, "")
    assert said in " ".join(ended.err.split())


async def test_a_device_that_is_no_printer_is_called_so(agent: Agent) -> None:
    agent.add("127.31.0.8", Device({"1.3.6.1.2.1.1.1.0": (4, "a switch")}))
    ended = await run("test", "127.31.0.8", "2", "--port", str(agent.port))
    assert ended.code == 1
    assert "a switch" in ended.out
    assert "Is it the right device?" in ended.err


@pytest.mark.parametrize("host", ["127.0.0.0/24", "127.0.0.1-127.0.0.9", "a b", "999.1.1.1", "", "\x1b[2J"])
def test_host_that_is_none(host: str, here: Here) -> None:
    ended = here("test", host)
    assert ended.code == 2
    assert "\x1b" not in ended.complaint


def test_name_that_leads_nowhere(here: Here) -> None:
    ended = here("test", "printer.invalid")  # RFC 6761: never resolves
    assert ended.code == 2
    assert "printer.invalid" in ended.complaint


async def test_a_canon_is_asked_for_the_echo(agent: Agent) -> None:
    agent.add("127.31.0.8", Device(MODELS["canon_mf657"].rows()))
    arguments = ("test", "127.31.0.8", "--port", str(agent.port))
    async with Cpca("127.31.0.8", canon_cpca.PORT) as printer:
        shown, document = await asyncio.gather(run(*arguments), run(*arguments, "--json"))

    assert "CPCA           answers the echo in " in shown.out
    assert json.loads(document.out)["cpca"].startswith("answers the echo in ")
    assert printer.wrong == []
    assert len(printer.requests) == 2


async def test_a_canon_that_does_not_answer_the_echo(agent: Agent) -> None:
    agent.add("127.31.0.8", Device(MODELS["canon_mf657"].rows()))
    ended = await run("test", "127.31.0.8", "--port", str(agent.port))

    assert ended.code == 0
    assert "no answer: port 47545 is closed" in ended.out


async def test_nobody_else_is_sent_an_echo(agent: Agent) -> None:
    agent.add("127.31.0.8", Device(MODELS[MODEL].rows()))
    async with Cpca("127.31.0.8", canon_cpca.PORT) as printer:
        ended = await run("test", "127.31.0.8", "--port", str(agent.port))

    assert "CPCA" not in ended.out
    assert printer.requests == []


async def test_notes_are_shown(agent: Agent) -> None:
    agent.add("127.31.0.8", Device(MODELS["brother_hl_l2375"].rows()))
    ended = await run("test", "127.31.0.8", "--port", str(agent.port))

    assert ended.code == 0
    assert "Notes\n" in ended.out  # its page is not there: nobody listens, or somebody else does
