"""Cells become a reading: the Printer-MIB as real printers fill it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.collector import reading_builder
from appliance.domain.model import Amount, CounterName, Failure, Reading, Target, Vague
from appliance.mib.printer_mib import STANDARD_TABLES
from tests.collector.cells import cells
from tests.fakes.models import MODELS

TARGET = Target("192.0.2.7", snmp_version="2")
MIB = "1.3.6.1.2.1.43"
SUPPLY = f"{MIB}.11.1.1"
Rows = dict[str, tuple[int, int | bytes | str]]


def built(rows: Rows, **more: object) -> Reading:
    return reading_builder.build_reading(cells(rows), TARGET, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raw", "amount"),
    [(0, 0), (80, 80), (-1, Vague.OTHER), (-2, Vague.UNKNOWN), (-3, Vague.SOME_LEFT), (-100, Vague.UNKNOWN)],
)
def test_negative_levels_are_no_amounts(raw: int, amount: Amount) -> None:
    reading = built({f"{SUPPLY}.8.1.1": (2, raw), f"{SUPPLY}.9.1.1": (2, raw)})

    assert (reading.supplies[0].max_capacity, reading.supplies[0].level) == (amount, amount)


def test_a_supply_takes_its_colour_from_its_colorant() -> None:
    rows: Rows = {
        f"{MIB}.12.1.1.4.1.1": (4, b"black"),
        f"{MIB}.12.1.1.4.1.3": (4, b"magenta"),
        f"{SUPPLY}.3.1.1": (2, 3),
        f"{SUPPLY}.3.1.2": (2, 0),  # a waste toner box
        f"{SUPPLY}.3.1.3": (2, 9),  # a colorant that the printer does not have
        f"{SUPPLY}.9.1.4": (2, 50),
    }

    assert [supply.color for supply in built(rows).supplies] == ["magenta", "other", None, None]


def test_rows_are_numbered_as_the_printer_numbers_them() -> None:
    rows: Rows = {f"{MIB}.18.1.1.7.1.{index}": (2, 808) for index in (1835, 61, 276)}

    assert [alert.index for alert in built(rows).alerts] == [61, 276, 1835]


def test_a_device_index_of_zero() -> None:
    rows: Rows = {
        f"{MIB}.5.1.1.17.0": (4, b"TH7U8YZ0G0"),
        f"{MIB}.10.2.1.4.0.1": (65, 815),
        f"{SUPPLY}.9.0.1": (2, 40),
        f"{SUPPLY}.9.0.2": (2, 60),
        "1.3.6.1.2.1.25.3.5.1.1.0": (2, 3),
    }

    reading = built(rows)

    assert reading.identity.serial_number == "TH7U8YZ0G0"
    assert [supply.level for supply in reading.supplies] == [40, 60]
    assert reading.counters[0].source == "prtMarkerLifeCount.0.1"
    assert reading.details.status == 3


def test_another_printer_in_the_same_agent_is_left_out() -> None:
    rows: Rows = {
        f"{MIB}.5.1.1.1.1": (65, 0),
        f"{SUPPLY}.9.1.1": (2, 40),
        f"{SUPPLY}.9.2.1": (2, 60),
    }

    assert [supply.level for supply in built(rows).supplies] == [40]


@pytest.mark.parametrize(
    ("state", "errors"),
    [
        (b"", ()),
        (b"\x00", ()),
        (b"\x40", ("noPaper",)),
        (b" ", ("lowToner",)),  # 0x20 is a blank in a recording
        (b"\x81\x01", ("lowPaper", "serviceRequested")),
        (b"\x00\x86", ("inputTrayMissing", "inputTrayEmpty", "overduePreventMaint")),
        (b"\x00\x00\xff\xff", ()),
    ],
)
def test_detected_error_state(state: bytes, errors: tuple[str, ...]) -> None:
    assert built({"1.3.6.1.2.1.25.3.5.1.2.1": (4, state)}).details.errors == errors


def test_console_lines_are_joined_in_the_consoles_language() -> None:
    rows: Rows = {
        f"{MIB}.5.1.1.2.1": (2, 1),
        f"{MIB}.5.1.1.10.1": (2, 2),
        f"{MIB}.7.1.1.4.1.1": (2, 106),
        f"{MIB}.7.1.1.4.1.2": (2, 2004),
        f"{MIB}.16.5.1.2.1.1": (4, b"Papier    "),
        f"{MIB}.16.5.1.2.1.2": (4, b"  nachf\xcfllen"),
        f"{MIB}.16.5.1.2.1.3": (4, b""),
    }

    assert built(rows).details.display_text == "Papier nachfüllen"
    assert built({f"{MIB}.16.5.1.2.1.1": (4, b"")}).details.display_text == ""
    assert built({}).details.display_text is None


def test_texts_are_in_the_charset_of_the_language_in_use() -> None:
    rows: Rows = {
        f"{MIB}.5.1.1.2.1": (2, 5),
        **{f"{MIB}.7.1.1.4.1.{index}": (2, 2004 if index == 5 else 106) for index in range(1, 8)},
        f"{SUPPLY}.6.1.1": (4, b"Schwarz f\xcfr alle"),
    }

    assert built(rows).supplies[0].description == "Schwarz für alle"


@pytest.mark.parametrize(
    ("markers", "total"),
    [
        ([(7, 500)], (500, "prtMarkerLifeCount.1.1 (impressions)")),
        ([(8, 500)], (500, "prtMarkerLifeCount.1.1 (sheets)")),
        ([(7, 500), (7, 900)], (900, "prtMarkerLifeCount.1.2 (impressions)")),  # never their sum
        ([(17, 90_000), (7, 500)], (500, "prtMarkerLifeCount.1.2 (impressions)")),  # metres are no pages
        ([(2, 500)], (500, "prtMarkerLifeCount.1.1")),
        ([(11, 500)], None),
        ([(7, -2)], None),
        ([], None),
    ],
)
def test_total_of_the_markers(markers: list[tuple[int, int]], total: tuple[int, str] | None) -> None:
    rows: Rows = {}
    for index, (unit, count) in enumerate(markers, 1):
        rows |= {f"{MIB}.10.2.1.3.1.{index}": (2, unit), f"{MIB}.10.2.1.4.1.{index}": (65, count)}

    counters = built(rows).counters

    assert [(counter.value, counter.source) for counter in counters] == ([total] if total else [])
    assert all(counter.name is CounterName.TOTAL for counter in counters)


def test_none_and_empty_are_different() -> None:
    reading = built({"1.3.6.1.2.1.1.4.0": (4, b""), f"{MIB}.8.2.1.12.1.1": (4, b"")})

    assert (reading.details.contact, reading.details.location) == ("", None)
    assert (reading.inputs[0].media_name, reading.inputs[0].name) == ("", None)


def test_kyoceras_name_stands_where_sys_name_is_empty() -> None:
    rows: Rows = {
        "1.3.6.1.2.1.1.2.0": (6, "1.3.6.1.4.1.1347.41"),
        "1.3.6.1.2.1.1.5.0": (4, b""),
        "1.3.6.1.4.1.1347.40.10.1.1.5.1": (4, b"KMB902DE"),
    }

    assert built(rows).details.name == "KMB902DE"


def test_nothing_at_all_is_a_reading_too() -> None:
    reading = built({})

    assert reading.identity.manufacturer is None
    assert (reading.supplies, reading.counters, reading.storages) == ((), (), ())


def test_a_part_that_failed_is_empty_and_named() -> None:
    failure = Failure("supplies", "more than 200 rows")
    rows: Rows = {f"{SUPPLY}.9.1.1": (2, 40), f"{MIB}.10.2.1.4.1.1": (65, 815)}

    reading = built(rows, failures=[failure])

    assert reading.supplies == ()
    assert reading.failures == (failure,)
    assert reading.counters[0].value == 815


def test_values_of_the_wrong_type_say_nothing() -> None:
    rows: Rows = {
        f"{SUPPLY}.9.1.1": (4, b"full"),
        f"{SUPPLY}.6.1.1": (2, 7),
        "1.3.6.1.2.1.1.3.0": (4, b"long"),
        "1.3.6.1.2.1.1.2.0": (4, b"odd"),
        f"{MIB}.10.2.1.4.1.1": (4, b"9"),
    }

    reading = built(rows)

    assert (reading.supplies[0].level, reading.supplies[0].description) == (None, None)
    assert (reading.details.uptime, reading.identity.object_id, reading.counters) == (None, None, ())


@given(
    st.dictionaries(
        st.builds(
            lambda table, column, row: (*table.entry, column, *row),
            st.sampled_from(STANDARD_TABLES),
            st.integers(1, 26),
            st.lists(st.integers(0, 3), max_size=3).map(tuple),
        ),
        st.one_of(st.none(), st.integers(-5, 2**64), st.binary(max_size=20), st.just((0, 0)), st.just(())),
        max_size=40,
    )
)
def test_no_cells_break_it(said: dict[tuple[int, ...], int | bytes | tuple[int, ...] | None]) -> None:
    reading_builder.build_reading(said, TARGET)


@pytest.mark.parametrize("key", [key for key, model in MODELS.items() if model.is_printer])
def test_authored_printers_are_known_for_what_they_are(key: str) -> None:
    model = MODELS[key]
    who = model.who()

    reading = built(model.rows())

    assert model.manufacturer in (reading.identity.manufacturer or "")
    assert reading.identity.mac_address == who.mac.hex().upper()
    if reading.identity.manufacturer != "Zebra":
        assert reading.identity.serial_number == who.serial
        assert {counter.name: counter.value for counter in reading.counters}[CounterName.TOTAL]


RICOH_TONERS = "1.3.6.1.4.1.367.3.2.1.2.24.1.1"
COLORS = ("black", "cyan", "magenta", "yellow")


def ricoh_toners(raw: int, percents: dict[int, int], *, kind: int = 3) -> Rows:
    """A Ricoh's toners with this level; its own table: code of the colour → percent, in any order."""
    rows: Rows = {"1.3.6.1.2.1.1.2.0": (6, "1.3.6.1.4.1.367.1.1")}
    for index, color in enumerate(COLORS, 1):
        rows |= {f"{MIB}.12.1.1.4.1.{index}": (4, color), f"{SUPPLY}.3.1.{index}": (2, index)}
        rows |= {f"{SUPPLY}.4.1.{index}": (2, 3), f"{SUPPLY}.5.1.{index}": (2, kind)}
        rows |= {f"{SUPPLY}.8.1.{index}": (2, -2), f"{SUPPLY}.9.1.{index}": (2, raw)}
    for row, (code, percent) in enumerate(percents.items(), 11):
        rows |= {f"{RICOH_TONERS}.4.{row}": (2, code), f"{RICOH_TONERS}.5.{row}": (2, percent)}
    return rows


@pytest.mark.parametrize("raw", [-3, -100, -2])
def test_ricohs_own_percentage_stands_for_a_level_in_words(raw: int) -> None:
    supplies = built(ricoh_toners(raw, {12: 5, 3: 80, 11: 20, 10: 0})).supplies

    assert [(supply.level, supply.max_capacity, supply.unit) for supply in supplies] == [
        (level, 100, 19) for level in (80, 0, 20, 5)
    ]


def test_an_amount_of_the_printer_mib_stands() -> None:
    assert {supply.level for supply in built(ricoh_toners(40, {3: 80})).supplies} == {40}


def test_a_percentage_that_is_none_or_stands_twice_tells_nothing() -> None:
    supplies = built(ricoh_toners(-3, {3: -100, 13: 70, 10: 101, 11: -3})).supplies
    twice = built(ricoh_toners(-3, {3: 10, 13: 70})).supplies
    drums = built(ricoh_toners(-3, {3: 10}, kind=9)).supplies

    assert [supply.level for supply in supplies] == [70, *[Vague.SOME_LEFT] * 3]
    assert {supply.level for supply in (*twice, *drums)} == {Vague.SOME_LEFT}
