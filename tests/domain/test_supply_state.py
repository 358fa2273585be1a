import pytest

from appliance.domain.model import Amount, Details, Supply, Vague
from appliance.domain.supply_state import assess_supply, lowest_supply, printer_state
from appliance.host import passwords


@pytest.mark.parametrize(
    ("level", "capacity", "class_", "unit", "said"),
    [
        (60, 100, 3, 19, (60, "ok")),
        (10, 100, 3, 19, (10, "low")),
        (0, 100, 3, 19, (0, "empty")),
        (150, 100, 3, 19, (100, "ok")),
        (5_000, 20_000, 3, 7, (25, "ok")),
        (30, None, 3, 19, (30, "ok")),
        (30, Vague.UNKNOWN, 3, 7, (None, "some-left")),
        (0, None, 3, 7, (None, "empty")),
        (Vague.SOME_LEFT, 100, 3, 19, (None, "some-left")),
        (Vague.UNKNOWN, 100, 3, 19, (None, "unknown")),
        (Vague.OTHER, 100, 3, 19, (None, "unknown")),
        (None, 100, 3, 19, (None, "unknown")),
        (20, 100, 4, 19, (20, "ok")),
        (95, 100, 4, 19, (95, "nearly-full")),
        (100, 100, 4, 19, (100, "full")),
        (Vague.SOME_LEFT, 100, 4, 19, (None, "some-left")),
        (0, 100, 4, 19, (0, "ok")),
    ],
)
def test_levels_are_what_they_say(
    level: Amount | None, capacity: Amount | None, class_: int, unit: int, said: tuple[float | None, str]
) -> None:
    judged = assess_supply(Supply(1, class_, 3, "black", "Toner", unit, capacity, level))
    assert (judged.percent, judged.state) == said


def test_a_waste_box_is_known_without_its_class() -> None:
    assert assess_supply(Supply(1, None, 4, None, "Waste", 19, 100, 95)).state == "nearly-full"


def test_the_lowest_is_what_ends_first() -> None:
    supplies = [
        assess_supply(Supply(1, 3, 3, level=40, max_capacity=100)),
        assess_supply(Supply(2, 4, 4, level=80, max_capacity=100)),
    ]
    found = lowest_supply(supplies)
    assert found
    assert (found.supply.index, found.percent_left) == (2, 20)
    assert lowest_supply([assess_supply(Supply(1, level=Vague.SOME_LEFT))]) is None


@pytest.mark.parametrize(
    ("details", "silent", "ignore", "state"),
    [
        (Details(), False, False, "ok"),
        (Details(errors=("lowPaper",)), False, False, "warning"),
        (Details(errors=("lowPaper", "jammed")), False, False, "error"),
        (Details(device_status=5), False, False, "error"),
        (Details(device_status=3), False, False, "warning"),
        (Details(errors=("jammed",)), True, False, "silent"),
        (Details(errors=("jammed",)), True, True, "ignored"),
    ],
)
def test_a_printer_is_in_one_state(details: Details, silent: bool, ignore: bool, state: str) -> None:
    assert printer_state(details, [], silent=silent, ignore=ignore) == state


def test_passwords_are_salted_and_slow() -> None:
    one, two = passwords.hash_password("some password"), passwords.hash_password("some password")
    assert one != two
    assert passwords.verify_password("some password", one)
    assert passwords.verify_password("some password", two)
    assert not passwords.verify_password("some passwore", one)
    assert int(one.split("$")[1]) >= 2**14


def test_the_factory_password_holds_until_there_is_another() -> None:
    assert passwords.verify_password("printmonitor", "")
    assert not passwords.verify_password("", "")
    assert not passwords.verify_password("printmonitor", passwords.hash_password("some password"))


@pytest.mark.parametrize(
    "wanted",
    [
        "x",
        "scrypt$16384$8$1$$",
        "scrypt$0$8$1$AA==$AA==",
        "scrypt$1073741824$8$1$AA==$AA==",
        "md5$1$1$1$AA==$AA==",
    ],
)
def test_a_hash_that_is_none_opens_nothing(wanted: str) -> None:
    assert not passwords.verify_password("printmonitor", wanted)
