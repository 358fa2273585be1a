"""The authored printers: whole, different from each other, and with counters that add up."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import ber, lan, snmprec
from tests.fakes.agent import Agent
from tests.fakes.mib import Cell, Mib
from tests.fakes.models import MODELS, PRINTERS
from tests.fakes.models.life import Life, weights
from tests.fakes.models.model import Model

WITH_PRINTER_MIB = [model for key, model in PRINTERS.items() if key != "zebra_zt411"]
OBJECT_ID, SERIAL = "1.3.6.1.2.1.1.2.0", "1.3.6.1.2.1.43.5.1.1.17.1"
LIFE_COUNT, LEVELS, COUNTERS = "1.3.6.1.2.1.43.10.2.1.4", "1.3.6.1.2.1.43.11.1.1.9", 65


def below(rows: dict[str, Cell], prefix: str) -> Iterator[ber.Raw]:
    return (value for oid, (_, value) in rows.items() if oid.startswith(f"{prefix}."))


def by_model(models: list[Model]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("model", models, ids=[model.key for model in models])


def test_there_is_variety() -> None:
    assert len(PRINTERS) >= 14
    assert len({model.manufacturer for model in PRINTERS.values()}) >= 9
    assert any(not model.is_printer for model in MODELS.values())


@by_model(list(MODELS.values()))
def test_every_object_can_be_sent(model: Model) -> None:
    rows = model.rows()
    assert all(ber.encode_value(*cell) for cell in rows.values())
    assert list(Mib(rows)) == sorted(rows, key=ber.parse_oid)


@by_model(WITH_PRINTER_MIB)
def test_tables_are_whole(model: Model) -> None:
    rows = model.rows()
    for table, columns in {
        "8.2.1": range(2, 26),
        "9.2.1": range(2, 25),
        "11.1.1": range(2, 10),
        "18.1.1": range(2, 10),
    }.items():
        counts = {len(list(below(rows, f"1.3.6.1.2.1.43.{table}.{column}"))) for column in columns}
        assert len(counts) == 1, f"a row of {table} lacks a cell"
    assert sum(1 for value in below(rows, LIFE_COUNT)) == 1


@by_model(WITH_PRINTER_MIB)
def test_time_only_adds_pages(model: Model) -> None:
    who, life = model.who(), model.life()
    before = model.build(who, life)
    for pages in (*[1] * 60, 2, 7, 500):
        life = life.later(60, pages)
        after = model.build(who, life)
        assert next(below(after, LIFE_COUNT)) == life.total
        assert after.keys() == before.keys()
        for oid, (tag, value) in before.items():
            if tag == COUNTERS:
                assert after[oid][1] >= value, f"{oid} runs backwards"
        before = after


@by_model(list(MODELS.values()))
def test_copies_are_somebody_else(model: Model) -> None:
    one, same, other = model.who(0), model.who(0), model.who(1)
    assert one == same
    assert one.serial != other.serial
    assert one.mac != other.mac
    assert one.name != other.name


def test_pages_add_up() -> None:
    life = Life(weights(Pk=7, Ps=1, Pc=4, Ck=3, Cc=2, Fk=1), 12_347)
    assert life.pages("P") + life.pages("C") + life.pages("F") == life.total
    assert life.pages("k") + life.pages("s") + life.pages("c") == life.black + life.color == life.total
    assert life.pages("Pk") + life.pages("Ps") + life.pages("Pc") == life.pages("P")


def test_quirks() -> None:
    assert len(list(below(PRINTERS["xerox_altalink_c8245"].rows(), LEVELS))) == 22
    assert "1.3.6.1.2.1.43.11.1.1.9.0.1" in PRINTERS["hp_officejet_8730"].rows()
    assert "Büro".encode("hp-roman8") in PRINTERS["hp_laserjet_m404"].rows()["1.3.6.1.2.1.1.6.0"][1]
    assert PRINTERS["kyocera_ecosys_ma2100"].rows()["1.3.6.1.2.1.1.5.0"][1] == b""
    assert -3 in below(PRINTERS["ricoh_im_c3010"].rows(), LEVELS)
    assert not [oid for oid in PRINTERS["zebra_zt411"].rows() if oid.startswith("1.3.6.1.2.1.43.")]


async def test_a_lan_of_them(agent: Agent) -> None:
    here = lan.Lan(agent)
    lan.fill(here, 2 * len(MODELS))
    assert len(agent.devices) == 2 * len(MODELS)
    assert len({place.who.serial for place in here.places}) == 2 * len(MODELS)
    place = here.places[0]
    before = place.device.mib["1.3.6.1.2.1.43.10.2.1.4.1.1"][1]
    here.advance(86_400)
    assert place.device.mib["1.3.6.1.2.1.43.10.2.1.4.1.1"] == (COUNTERS, place.life.total)
    assert place.life.total > before
    place.restart()
    assert place.device.mib["1.3.6.1.2.1.1.3.0"][1] == 0


async def test_a_lan_in_a_process_of_its_own() -> None:
    async with lan.Separate("--count", "30", "--first", "127.77.0.1") as separate:
        assert separate.addresses[0] == "127.77.0.1"
        assert len(separate.addresses) == 30
        await separate.advance(3_600)
        await separate.unplug("127.77.0.2")
        assert (await separate.counts())["requests"] == 0
    assert separate.ended_with == 0


async def test_a_lan_of_its_own_ends_when_told() -> None:
    async with lan.Separate("--count", "1", "--plain") as separate:
        separate.process.terminate()
        assert await separate.process.wait() == 0


def test_recordings_survive_writing_and_reading(tmp_path: Path) -> None:
    rows = PRINTERS["hp_laserjet_m404"].rows()
    path = tmp_path / "printer.snmprec"
    path.write_text(snmprec.write(rows) + "1.3.6.1.2.1.1.5.0|4|again\n1.3.6.1.2.1.9.1.0|2|damaged\nno line\n")
    again = snmprec.read(path)
    assert again.keys() == rows.keys()
    assert all(ber.encode_value(*again[oid]) == ber.encode_value(*rows[oid]) for oid in rows)
