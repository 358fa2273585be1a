import pytest

from appliance.domain.model import Alert, Amount, Supply, VagueAmount
from appliance.domain.supplies import (
    AssessedSupply,
    assess_supplies,
    assess_supply,
    format_state,
    lowest_supply,
)

SOME_LEFT, UNKNOWN, OTHER = VagueAmount.SOME_LEFT, VagueAmount.UNKNOWN, VagueAmount.OTHER
PERCENT, IMPRESSIONS = 19, 7


def toner(level: Amount | None, capacity: Amount | None = 100, unit: int = PERCENT) -> Supply:
    return Supply(1, 3, 3, "black", "Toner", unit, capacity, level)


def waste_box(level: Amount | None, capacity: Amount | None = 100, unit: int = PERCENT) -> Supply:
    return Supply(9, 4, 4, None, "Waste Toner Box", unit, capacity, level)


@pytest.mark.parametrize(
    ("supply", "percent", "state", "text"),
    [
        (toner(60), 60, "ok", "60 % left"),
        (toner(10), 10, "low", "10 % left, low"),
        (toner(0), 0, "empty", "0 % left, empty"),
        (toner(150), 100, "ok", "100 % left"),
        (toner(5_000, 20_000, IMPRESSIONS), 25, "ok", "25 % left"),
        (toner(1, 250), 0.4, "low", "0.4 % left, low"),
        (toner(1, 100_000), 0.1, "low", "0.1 % left, low"),  # rounding never empties a cartridge
        (toner(30, None), 30, "ok", "30 % left"),
        (toner(40, UNKNOWN), 40, "ok", "40 % left"),
        (toner(30, UNKNOWN, IMPRESSIONS), None, "some-left", "some left"),
        (toner(0, None, IMPRESSIONS), None, "empty", "empty"),
        (toner(SOME_LEFT), None, "some-left", "some left"),
        (toner(UNKNOWN), None, "unknown", "unknown"),
        (toner(OTHER, OTHER), None, "unknown", "unknown"),
        (toner(-100), None, "unknown", "unknown"),
        (toner(None), None, "unknown", "unknown"),
    ],
)
def test_a_consumable_is_judged_by_what_is_left(
    supply: Supply, percent: float | None, state: str, text: str
) -> None:
    assessed = assess_supply(supply)
    assert (assessed.percent_left, assessed.percent_full, assessed.state) == (percent, None, state)
    assert (assessed.percent, format_state(assessed)) == (percent, text)


@pytest.mark.parametrize(
    ("supply", "percent", "state", "text"),
    [
        (waste_box(35_000, 35_000, IMPRESSIONS), 0, "ok", "0 % full"),  # Xerox WorkCentre, a new box
        (waste_box(25_000, 25_000, IMPRESSIONS), 0, "ok", "0 % full"),  # Konica Minolta, a new box
        (waste_box(6_700, 6_030, IMPRESSIONS), 0, "ok", "0 % full"),
        (waste_box(80), 20, "ok", "20 % full"),
        (waste_box(5), 95, "nearly-full", "95 % full, nearly full"),
        (waste_box(1, 100_000), 99.9, "nearly-full", "99.9 % full, nearly full"),
        (waste_box(0), 100, "full", "100 % full, full"),
        (waste_box(SOME_LEFT, UNKNOWN), None, "some-left", "some space left"),
        (waste_box(500, UNKNOWN, IMPRESSIONS), None, "some-left", "some space left"),
        (waste_box(0, UNKNOWN, IMPRESSIONS), None, "unknown", "unknown"),
        (waste_box(UNKNOWN), None, "unknown", "unknown"),
    ],
)
def test_the_level_of_a_receptacle_is_the_space_that_remains(
    supply: Supply, percent: float | None, state: str, text: str
) -> None:
    assessed = assess_supply(supply)
    assert (assessed.percent_left, assessed.percent_full, assessed.state) == (None, percent, state)
    assert (assessed.percent, format_state(assessed)) == (percent, text)


def test_a_waste_box_is_recognised_without_its_class() -> None:
    assert assess_supply(Supply(1, None, 4, None, "Waste", PERCENT, 100, 5)).state == "nearly-full"


@pytest.mark.parametrize(
    ("supply", "code", "percent", "state"),
    [
        (waste_box(100), 1109, 100, "full"),  # this printer counts the fill, and says so
        (waste_box(95), 1107, 95, "nearly-full"),
        (waste_box(0), 1107, 100, "nearly-full"),
        (waste_box(50), 1110, None, "full"),
        (waste_box(SOME_LEFT, UNKNOWN), 1108, None, "nearly-full"),
        (waste_box(100), 1104, 0, "ok"),  # toner almost empty: of another supply
    ],
)
def test_the_printers_own_alert_beats_the_level(
    supply: Supply, code: int, percent: float | None, state: str
) -> None:
    black, box = assess_supplies([toner(60), supply], [Alert(1, code=code)])
    assert (box.percent_full, box.state) == (percent, state)
    assert black.state == "ok"


def test_an_alert_that_names_its_receptacle_is_about_no_other() -> None:
    other = Supply(8, 4, 8, None, "Waste ink", PERCENT, 100, 90)
    ink, box = assess_supplies([other, waste_box(90)], [Alert(1, group=11, group_index=9, code=1109)])
    assert (ink.state, box.state) == ("ok", "full")


def test_the_lowest_supply_will_need_replacement_first() -> None:
    lowest = lowest_supply(assess_supplies([toner(40), waste_box(20)]))
    assert lowest
    assert (lowest.supply.index, lowest.remaining_percent, lowest.percent) == (9, 20, 80)
    assert lowest_supply([assess_supply(toner(SOME_LEFT))]) is None


def every_judgement() -> list[AssessedSupply]:
    amounts: list[Amount | None] = [None, *VagueAmount, -100, 0, 1, 50, 100, 101, 10**9]
    return [
        assess_supply(Supply(1, class_, type_, unit=unit, max_capacity=capacity, level=level))
        for class_ in (None, 1, 3, 4)
        for type_ in (None, 3, 4)
        for unit in (None, IMPRESSIONS, PERCENT)
        for capacity in amounts
        for level in amounts
    ]


def test_no_judgement_leaves_0_to_100_or_contradicts_its_state() -> None:
    for assessed in every_judgement():
        percent = assessed.percent
        assert percent is None or 0 <= percent <= 100
        assert percent is not None or assessed.state in ("some-left", "unknown", "empty")
        assert (percent == 0) == (assessed.state == "empty") or assessed.kind == "filled" or percent is None
        assert assessed.state not in (
            ("full", "nearly-full") if assessed.kind == "consumed" else ("empty", "low")
        )
