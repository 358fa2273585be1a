"""Records survive the way to text and back, also between versions."""

import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.domain.model import Cost, Details, InputTray, Supply, Target, Vague
from appliance.storage import json_codec
from tests.storage.readings import TONER, WASTE, reading

SOME = reading()


@pytest.mark.parametrize(
    "record",
    [
        *(TONER, WASTE, SOME.target, SOME.identity, SOME.details, SOME.cost),
        *(SOME.alerts[0], SOME.inputs[0], SOME.outputs[0], SOME.storages[0]),
        *(Details(), Cost(), Target("::1", port=1161, http_password='p"\\ä\udc80\x00')),
    ],
    ids=lambda record: type(record).__name__,
)
def test_gives_back_what_it_was_given(record):
    assert json_codec.decode(type(record), json_codec.encode(record)) == record


amounts = st.none() | st.sampled_from(Vague) | st.integers(0, 2**80)
texts = st.none() | st.text(st.characters())  # surrogates included


@given(st.builds(Supply, st.integers(0, 2**40), description=texts, max_capacity=amounts, level=amounts))
def test_gives_back_any_supply(supply):
    text = json_codec.encode(supply)
    text.encode("ascii")
    assert json_codec.decode(Supply, text) == supply


def test_vague_amounts_are_their_numbers_and_defaults_are_left_out():
    assert json.loads(json_codec.encode(WASTE)) == {
        "index": 2,
        "class_": 4,
        "type": 4,
        "max_capacity": -2,
        "level": -3,
    }


def test_a_number_that_is_no_amount_stays_a_number():
    tray = json_codec.decode(InputTray, '{"index":1,"status":-1,"current_level":-1}')
    assert tray.status == -1
    assert tray.current_level is Vague.OTHER


def test_an_older_record_lacks_a_field_and_a_newer_one_has_more():
    assert json_codec.decode(Supply, '{"index": 7}') == Supply(7)
    assert json_codec.decode(Supply, '{"index": 7, "smell": {"of": [-1]}, "level": 5}') == Supply(7, level=5)


def test_a_record_of_a_newer_model_reads_as_the_older_one():
    @dataclass(frozen=True)
    class NewerCost(Cost):
        watts: int = 0

    assert json_codec.decode(Cost, json_codec.encode(NewerCost(packets=3, watts=9))) == Cost(packets=3)
