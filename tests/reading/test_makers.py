"""One table of makers: whose printer it is, and what its private counters say."""

import random

import pytest

from appliance.model import CounterName
from appliance.reading import makers
from appliance.reading.makers import MAKERS, RICOH_METERS
from appliance.reading.tables import Value
from tests.fakes.models import MODELS
from tests.reading.cells import cells

RICOH = (1, 3, 6, 1, 4, 1, 367, 1, 1)


def number(dotted: str) -> tuple[int, ...]:
    return (1, 3, 6, 1, 4, 1, *map(int, dotted.split(".")))


@pytest.mark.parametrize(
    ("object_id", "description", "name", "manufacturer"),
    [
        ("367.1.1", "RICOH Aficio MP 201 1.04 / RICOH Network Printer", "Ricoh", "Ricoh"),
        ("367.1.1", "LANIER MP C3501 2.01 / LANIER Network Printer", "Ricoh", "Lanier"),
        ("367.1.1", "Aficio, rebranded by Xerox", "Ricoh", "Ricoh"),
        ("641.1", "IBM Infoprint 1130", "Lexmark", "IBM"),
        ("641.2.71", "Dell 2330dn Laser Printer", "Lexmark", "Dell"),
        ("1347.41", "TA_UTAX Printing System", "Kyocera", "UTAX"),
        ("18334.1.2", "Develop ineo 280", "Konica Minolta", "Develop"),
        ("18334.1.2", "Olivetti d-Color MF283", "Konica Minolta", "Olivetti"),
        ("1347.41", "Olivetti d-Copia 4003MF", "Kyocera", "Olivetti"),
        ("297.1", "FUJI XEROX ApeosPort-V C3375", "FUJIFILM", "Fuji Xerox"),
        ("297.1", "FUJIFILM Apeos C3070", "FUJIFILM", "FUJIFILM"),
        ("11.2.3.9.1", "OKI C844 / HP ETHERNET MULTI-ENVIRONMENT", "HP", "OKI"),
        ("99999.1", "Kyocera FS-1020D", "Kyocera", "Kyocera"),  # nobody's number: the words decide
        ("1602.4.7", "iR-ADV C5235", "Canon", "Canon"),
    ],
)
def test_maker(object_id: str, description: str, name: str, manufacturer: str) -> None:
    found = makers.maker(number(object_id), description)

    assert found is not None
    assert found.name == name
    assert makers.manufacturer(number(object_id), description) == manufacturer


@pytest.mark.parametrize("description", [None, "", "Some box", "shipshape", "hpx 12", "sharpener"])
def test_nobodys_device_has_no_maker(description: str | None) -> None:
    assert makers.maker(number("99999.1"), description) is None
    assert makers.maker(None, description) is None
    assert makers.manufacturer((), description) is None


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_printers_are_told_by_their_number(model) -> None:
    object_id = cells(model.rows())[(1, 3, 6, 1, 2, 1, 1, 2, 0)]

    assert isinstance(object_id, tuple)
    assert makers.is_printer(object_id) is model.is_printer


def test_numbers_of_makers_are_told_apart() -> None:
    enterprises = [number for maker in MAKERS for number in maker.enterprises]

    assert len(enterprises) == len(set(enterprises))
    assert not makers.is_printer(number("11.2.3.7.11"))  # an HP switch
    assert not makers.is_printer(())


def ricoh_table(rows: list[tuple[int, str, int]]) -> dict[tuple[int, ...], Value]:
    """Type, English name, value; the numbers of the rows mean nothing."""
    said: dict[tuple[int, ...], Value] = {}
    for index, (kind, name, value) in zip(
        random.Random(7).sample(range(1, 200), len(rows)), rows, strict=True
    ):
        said[(*RICOH_METERS.entry, 2, index)] = kind
        said[(*RICOH_METERS.entry, 5, index)] = name.encode()
        said[(*RICOH_METERS.entry, 9, index)] = value
    return said


def test_ricoh_counters_are_told_by_type_then_by_name() -> None:
    said = ricoh_table(
        [
            (10, "Counter: Machine Total", 3068),
            (1, "Counter:A3/DLT", 553),
            (1, "Counter: Duplex", 5277),
            (201, "anything", 863),
            (202, "", 0),
            (203, "", 17),
            (300, "", 4),
            (401, "", 1907),
            (402, "", 230),
            (403, "", 2765),
            (1, "Counter:Coverage", 99),
            (800, "Counter: Machine Total(2)", 9999),
        ]
    )

    found = {counter.name: counter.value for counter in makers.counters(makers.maker(RICOH), said)}

    assert found == {
        CounterName.TOTAL: 3068,
        CounterName.LARGE: 553,
        CounterName.DUPLEX: 5277,
        CounterName.COPY_BLACK: 863,
        CounterName.COPY_SINGLE_COLOR: 0,
        CounterName.COPY_FULL_COLOR: 17,
        CounterName.FAX: 4,
        CounterName.PRINT_BLACK: 1907,
        CounterName.PRINT_SINGLE_COLOR: 230,
        CounterName.PRINT_FULL_COLOR: 2765,
    }


def test_each_counter_says_where_it_comes_from() -> None:
    said = ricoh_table([(10, "Counter: Machine Total", 3068), (1, "Counter:Duplex", 5277)])

    assert [counter.source for counter in makers.counters(makers.maker(RICOH), said)] == [
        "ricohEngCounterValue type 10",
        'ricohEngCounterValue "Counter:Duplex"',
    ]


def test_what_is_no_count_is_left_out() -> None:
    said = ricoh_table([(10, "", -1), (201, "", 5)])
    said[(*RICOH_METERS.entry, 2, 250)] = 203  # without a value

    assert [counter.value for counter in makers.counters(makers.maker(RICOH), said)] == [5]
    assert makers.counters(None, said) == ()
    assert makers.counters(makers.maker(number("1602.4.7")), said) == ()


def test_only_telling_rows_of_a_counter_table_are_asked() -> None:
    (table,) = makers.tables(makers.maker(RICOH))
    said = ricoh_table([(10, "", 1), (870, "", 2), (1, "Counter:Duplex", 3), (1, "Counter:Coverage", 4)])
    types = {oid: value for oid, value in said.items() if oid[-2] == 2}
    assert table.wanted is not None

    by_type = {value: set(table.wanted(types, oid[-1:])) for oid, value in types.items()}
    later = [set(table.wanted(said, oid[-1:])) for oid, value in types.items() if value == 1]

    assert by_type == {10: {9}, 870: set(), 1: {5, 9}}
    assert later == [{5, 9}, set()]


def test_every_row_names_objects_that_exist() -> None:
    for maker in MAKERS:
        for oid in makers.scalars(maker):
            assert oid[:6] == (1, 3, 6, 1, 4, 1)
        assert set(makers.moving_scalars(maker)) <= set(makers.scalars(maker))
