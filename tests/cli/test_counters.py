"""`printmonitor counters`: sources, what speaks against a counter, and a person's word for it."""

import json
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.domain.model import Counter, CounterName
from appliance.storage import database, save_reading
from tests.command_line import Here
from tests.storage.readings import NOW, reading

DISPUTED = Counter(CounterName.COPY_BLACK, 5, "copies", dispute="5 by copies, but 500 by others")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A Plug that holds two counters of printer 1, and knows printer 2 at another address."""
    with closing(database.open_database(tmp_path / "printmonitor.db")) as db:
        fax = Counter(CounterName.FAX, 90, "faxes")
        save_reading.store_reading(db, reading(total=1000, counters=(*reading().counters, fax)), NOW)
        low = (
            Counter(CounterName.TOTAL, 12, "a new board"),
            Counter(CounterName.FAX, 0, "faxes"),
            DISPUTED,
        )
        save_reading.store_reading(db, reading(counters=low), NOW + timedelta(hours=1))
        save_reading.store_reading(db, reading("127.0.0.11", "W2", "002673AABBDD", counters=()), NOW)
    return tmp_path


@pytest.mark.parametrize("printer", ["1", "V1234567890", "127.0.0.10"])
def test_a_printers_counters_with_what_speaks_against_them(here: Here, folder: Path, printer: str) -> None:
    ended = here("counters", printer, state=folder)

    assert ended.code == 0
    lines = [" ".join(line.split()) for line in ended.out.splitlines()]
    assert "total 1,000 prtMarkerLifeCount.1.1" in lines
    assert "(12) held, not sent: counts backwards, from 1000 to 12" in lines
    assert "disputed: 5 by copies, but 500 by others" in lines


def test_a_person_believes_one_then_the_rest(here: Here, folder: Path) -> None:
    one = here("counters", "1", "--confirm", "total", "--json", state=folder)
    held = {each["name"]: each["held"] for each in json.loads(one.out)}
    rest = here("counters", "1", "--json", "--confirm", state=folder)

    assert one.err == "believed from now on: total\n"
    assert held == {"total": None, "copy_black": None, "fax": 0}
    assert rest.err == "believed from now on: fax\n"
    assert {each["name"]: each["value"] for each in json.loads(rest.out)} == {
        "total": 12,
        "copy_black": 5,
        "fax": 0,
    }


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["9"], "there is no printer 9; give its number, serial number or address"),
        (["1", "--confirm", "copy-black"], "copy_black is not held; held are: total, fax"),
        (["2", "--confirm"], "nothing is held"),
    ],
)
def test_what_cannot_be_done(here: Here, folder: Path, arguments: list[str], complaint: str) -> None:
    ended = here("counters", *arguments, state=folder)

    assert ended.code == 2
    assert ended.complaint == f"printmonitor: {complaint}"


def test_a_printer_without_counters(here: Here, folder: Path) -> None:
    assert here("counters", "2", state=folder).out == "no counters\n"
