"""Each maker's counters: told by what its objects mean, with their sources, doubted where two disagree."""

import random
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.collector import reading_builder
from appliance.domain.model import Counter, CounterName, Target
from appliance.mib.values import CellValue
from appliance.vendors import vendors
from appliance.vendors.counter_sources import enterprise_oid, parse_records
from tests.collector.cells import cells
from tests.fakes.models import MODELS
from tests.fakes.models.life import Life

TARGET = Target("192.0.2.7", snmp_version="2")
LIFE = "1.3.6.1.2.1.43.10.2.1"
SUPPLY_COLOR = "1.3.6.1.2.1.43.12.1.1.4"

Own = Mapping[str, int | bytes]  # private objects below enterprises


def counted(number: str, own: Own, life: int | None = None, unit: int = 7, **more: str) -> dict[str, Counter]:
    """What a printer with this sysObjectID and these private objects has counted, by name."""
    rows: dict[str, tuple[int, int | bytes | str]] = {"1.3.6.1.2.1.1.2.0": (6, f"1.3.6.1.4.1.{number}")}
    rows |= {
        f"1.3.6.1.4.1.{oid}": (4 if isinstance(value, bytes) else 65, value) for oid, value in own.items()
    }
    rows |= {oid: (4, text) for oid, text in more.items()}
    if life is not None:
        rows |= {f"{LIFE}.3.1.1": (2, unit), f"{LIFE}.4.1.1": (65, life)}
    return {
        counter.name.value: counter for counter in reading_builder.build_reading(cells(rows), TARGET).counters
    }


def values(number: str, own: Own, life: int | None = None, **more: str) -> dict[str, int]:
    return {name: counter.value for name, counter in counted(number, own, life, **more).items()}


def table(entry: str, rows: list[dict[int, int | bytes]], first: str = "") -> dict[str, int | bytes]:
    """Rows under numbers that mean nothing."""
    chance = random.Random(7)
    numbers = chance.sample(range(1, 200), len(rows))
    return {
        f"{entry}.{column}.{first}{number}": value
        for number, row in zip(numbers, rows, strict=True)
        for column, value in row.items()
    }


def ricoh(*rows: tuple[int, str, int]) -> Own:
    cells_of = [{2: kind, 4: 8, 5: name.encode(), 9: value} for kind, name, value in rows]
    return table("367.3.2.1.2.19.5.1", cells_of)


RICOH_ROWS = (
    (10, "Counter: Machine Total", 5825),
    (1, "Counter:A3/DLT", 553),
    (1, "Counter: Duplex", 5277),
    (200, "", 880),
    (201, "anything", 863),
    (202, "", 0),
    (203, "", 17),
    (300, "", 43),
    (400, "", 4902),
    (401, "", 1907),
    (402, "", 230),
    (403, "", 2765),
    (1, "Counter:Coverage", 99),
    (800, "Counter: Machine Total(2)", 9999),
)


def lexmark(*rows: tuple[int, int, int]) -> Own:
    return table("641.6.4.2.1.1", [{2: kind, 3: unit, 4: value} for kind, unit, value in rows], "1.")


def blob(values: Mapping[int, int], length: int = 4) -> bytes:
    return b"".join(
        bytes((code, 1, length)) + value.to_bytes(length, "big") for code, value in values.items()
    )


def samsung(*rows: tuple[int, int, int, int, int, int]) -> Own:
    """Job, size, unit, duplex, colour, count."""
    return table("236.11.5.11.53.11.2.1", [dict(enumerate(row, 2)) for row in rows])


def named(entry: str, name: int, value: int, rows: Mapping[str, int], encoding: str = "ascii") -> Own:
    return table(entry, [{name: text.encode(encoding), value: count} for text, count in rows.items()])


KONICA = "18334.1.1.1.5.7.2"
XCMI = "253.8.53.13.2.1.6"
KYOCERA = "1347.42.3.1"
TOSHIBA = "1129.2.3.50.1.3.21.6.1"
CASES: dict[str, tuple[str, Own, int | None, dict[str, int]]] = {
    "Ricoh by type, then by English name": (
        "367.1.1",
        ricoh(*RICOH_ROWS),
        5825,
        {
            **{
                "total": 5825,
                "large": 553,
                "duplex": 5277,
                "fax": 43,
                "print_total": 4902,
                "copy_total": 880,
            },
            **{"print_black": 1907, "print_single_color": 230, "print_full_color": 2765},
            **{"copy_black": 863, "copy_single_color": 0, "copy_full_color": 17},
        },
    ),
    "Ricoh without the table": ("367.1.1", {"367.3.2.1.2.19.1.0": 900}, None, {"total": 900}),
    "Konica Minolta": (
        "18334.1.1.1.2.1.181.2.4",
        {
            f"{KONICA}.1.1.0": 33_810,
            f"{KONICA}.1.3.0": 7_357,
            f"{KONICA}.1.5.0": 5_653,
            **{f"{KONICA}.2.1.5.{color}.1": value for color, value in ((1, 3_672), (2, 544), (3, 0), (4, 0))},
            **{
                f"{KONICA}.2.1.5.{color}.2": value
                for color, value in ((1, 22_876), (2, 6_711), (3, 4), (4, 3))
            },
            **{f"{KONICA}.2.1.7.{color}.1": value for color, value in ((1, 10), (2, 20))},
            **{f"{KONICA}.2.1.7.{color}.2": value for color, value in ((1, 300), (2, 400), (4, 5))},
        },
        33_810,
        {
            **{"total": 33_810, "large": 735, "duplex": 7_357, "scan": 5_653},
            **{"print_black": 22_876, "print_single_color": 7, "print_full_color": 6_711},
            **{"copy_black": 3_672, "copy_single_color": 0, "copy_full_color": 544},
        },
    ),
    "Canon by number": (
        "1602.4.7",
        {
            f"1602.1.11.1.3.1.4.{n}": value
            for n, value in (
                *(
                    (101, 1000),
                    (112, 30),
                    (113, 570),
                    (122, 20),
                    (123, 380),
                    (114, 250),
                    (201, 300),
                    (301, 660),
                ),
                *(
                    (313, 400),
                    (309, 250),
                    (311, 10),
                    (221, 200),
                    (217, 100),
                    (501, 777),
                    (701, 40),
                    (102, 1050),
                ),
            )
        },
        1000,
        {
            **{"total": 1000, "large": 50, "duplex": 250, "fax": 40, "scan": 777},
            **{"print_black": 400, "print_single_color": 10, "print_full_color": 250, "print_total": 660},
            **{"copy_black": 200, "copy_full_color": 100, "copy_total": 300},
            **{"total_black": 600, "total_color": 400},
        },
    ),
    "Canon on the other branch, colour told as one": (
        "1602.4.7",
        {
            f"1602.1.11.1.4.1.4.{n}": value
            for n, value in (
                (101, 90),
                (227, 1),
                (228, 9),
                (229, 2),
                (230, 18),
                (319, 5),
                (320, 15),
                (324, 40),
            )
        },
        None,
        {"total": 90, "copy_black": 10, "copy_full_color": 20, "print_black": 20, "print_full_color": 40},
    ),
    "Canon's panel names": (
        "1602.4.7",
        named(
            "1602.1.11.2.1.1",
            2,
            3,
            {
                "Total 1": 100,
                "Total (Black/Large)": 4,
                "Total (Black/Small)": 56,
                "Total (Full Color + Single Color/Large)": 6,
                "Total (Full Color + Single Color/Small)": 34,
                "Copy (Total 1)": 30,
                "Print (Total 1)": 70,
                "Print (Black & White 1)": 41,
                "Print (Full Color 1)": 29,
            },
        ),
        100,
        {
            **{"total": 100, "large": 10, "total_black": 60, "total_color": 40, "copy_total": 30},
            **{"print_total": 70, "print_black": 41, "print_full_color": 29},
        },
    ),
    "Kyocera": (
        "1347.41",
        {
            "1347.43.10.1.1.12.1.1": 1_000,
            "1347.42.2.5.1.1.1.1": 700,
            "1347.42.2.5.1.1.2.1": 300,
            "1347.42.2.5.1.1.3.1": 1_000,
            **{f"{KYOCERA}.1.1.1.{function}": value for function, value in ((1, 600), (2, 380), (4, 20))},
            **{f"{KYOCERA}.2.1.1.1.{color}": value for color, value in ((1, 400), (2, 5), (3, 195))},
            **{f"{KYOCERA}.2.1.1.2.{color}": value for color, value in ((1, 300), (2, 6), (3, 74))},
            f"{KYOCERA}.2.1.1.4.1": 20,
            "1347.46.10.1.1.5.3": 412,
            **{
                f"1347.42.2.1.1.1.{column}.1.{row}": value
                for row, (name, count) in enumerate((("A4", 900), ("A3", 60), ("Ledger", 40)), 1)
                for column, value in ((2, name.encode()), (6, count))
            },
        },
        1_000,
        {
            **{"total": 1_000, "large": 100, "duplex": 300, "fax": 20, "scan": 412},
            **{"print_black": 400, "print_single_color": 5, "print_full_color": 195, "print_total": 600},
            **{"copy_black": 300, "copy_single_color": 6, "copy_full_color": 74, "copy_total": 380},
        },
    ),
    "Xerox": (
        "253.8.62.1.35.2.3.1.1",
        {
            f"{XCMI}.{key}": value
            for key, value in (
                *(("1.20.1", 30_734), ("1.20.7", 16_733), ("1.20.29", 10_272), ("1.20.33", 10_999)),
                *(("1.20.34", 19_735), ("1.20.43", 11), ("1.20.44", 22), ("1.20.71", 5)),
                *(("103.20.3", 3_002), ("103.20.25", 727), ("102.20.11", 99)),
            )
        },
        30_734,
        {
            **{
                "total": 30_734,
                "large": 33,
                "fax": 5,
                "total_black": 19_735,
                "total_color": 10_999,
                "scan": 99,
            },
            **{
                "print_black": 16_733,
                "print_full_color": 10_272,
                "copy_black": 3_002,
                "copy_full_color": 727,
            },
        },
    ),
    "Fuji Xerox answers Xerox's objects": (
        "297.1.11.93.1.25.4.2.1",
        {f"{XCMI}.1.20.33": 10, f"{XCMI}.1.20.34": 90, f"{XCMI}.11.20.3": 30},
        100,
        {"total": 100, "total_black": 90, "total_color": 10, "copy_black": 30},
    ),
    "Lexmark in sides": (
        "641.6.2.3.1.4",
        lexmark(
            *((2, 5, 600), (2, 4, 1_000), (3, 4, 700), (4, 4, 300), (16, 4, 640), (16, 5, 400)),
            *((17, 4, 400), (18, 4, 240), (32, 4, 350), (33, 4, 290), (34, 4, 60), (48, 4, 10), (64, 4, 9)),
        )
        | table(
            "641.6.4.2.2.1",
            [
                {2: size, 3: 3, 4: 9, 5: 9, 6: black, 7: color}
                for size, black, color in ((67, 5, 6), (68, 7, 8), (14, 1, 0))
            ],
            "1.",
        ),
        1_000,
        {
            **{"total": 1_000, "total_black": 700, "total_color": 300, "large": 12, "fax": 10},
            **{"print_black": 400, "print_full_color": 240, "print_total": 640},
            **{"copy_black": 290, "copy_full_color": 60, "copy_total": 350},
        },
    ),
    "Lexmark before MPS": (
        "641.1",
        {"641.2.1.5.1.0": 100, "641.2.1.5.2.0": 60, "641.2.1.5.3.0": 40},
        None,
        {"total": 100, "total_black": 60, "total_color": 40},
    ),
    "Brother": (
        "2435.2.3.9.1",
        {
            "2435.2.3.9.4.2.1.5.5.10.0": blob({0: 3384, 2: 3199, 1: 185, 6: 1445, 8: 1439, 7: 6}) + b"\xff",
            **table(
                "2435.2.3.9.4.2.1.5.5.52.21.1",
                [
                    {2: kind, 3: value}
                    for kind, value in ((1, 3000), (2, 84), (3, 300), (11, 1400), (898, 3384))
                ],
            ),
        },
        3384,
        {
            **{"total": 3384, "total_black": 185, "total_color": 3199, "duplex": 1445},
            **{"print_total": 3000, "copy_total": 300, "fax": 84},
        },
    ),
    "Brother without a total": (
        "2435.2.3.9.1",
        {"2435.2.3.9.4.2.1.5.5.10.0": blob({1: 461, 2: 491}) + b"\xff"},
        None,
        {"total": 952, "total_black": 461, "total_color": 491},
    ),
    "Brother that only prints": (
        "2435.2.3.9.1",
        {
            "2435.2.3.9.4.2.1.5.5.10.0": blob({0: 500, 1: 400, 2: 100}) + b"\xff",
            **table("2435.2.3.9.4.2.1.5.5.52.21.1", [{2: 1, 3: 498}, {2: 3, 3: 0}]),
        },
        500,
        {
            **{"total": 500, "total_black": 400, "total_color": 100, "print_total": 498, "copy_total": 0},
            **{"print_black": 400, "print_full_color": 100},
        },
    ),
    "Epson": (
        "1248.1.1.2",
        {
            "1248.1.2.2.27.1.1.3.1.1": 60,
            "1248.1.2.2.27.1.1.4.1.1": 40,
            "1248.1.2.2.27.1.1.33.1.1": 2,  # on some models it is no page count
            **{
                f"1248.1.2.2.27.6.1.{column}.1.1.{row}": value
                for row, cells_of in ((5, (b"Copy", 10, 15, 5)), (9, (b"Print from Computer", 50, 85, 35)))
                for column, value in enumerate(cells_of, 2)
            },
        },
        100,
        {
            **{"total": 100, "total_black": 60, "total_color": 40, "print_total": 85, "copy_total": 15},
            **{"print_black": 50, "print_full_color": 35, "copy_black": 10, "copy_full_color": 5},
        },
    ),
    "OKI": (
        "2001.1.1.1.1",
        {
            "2001.1.1.1.1.100.1.1.1.3.1": 90,
            "2001.1.1.1.1.11.1.10.170.1.7.3": 60,
            "2001.1.1.1.1.11.1.10.170.1.8.3": 30,
        },
        None,
        {"total": 90, "total_black": 60, "total_color": 30},
    ),
    "Sharp by name": (
        "2385.3.1.112.1.2",
        named(
            "2385.1.1.19.2.1",
            4,
            3,
            {
                "Prints": 82214,
                "Black & White Print Count": 53631,
                "Full Color Print Count": 28583,
                "Duplex": 41020,
                "Copies": 38804,
                "Black & White Copy Count": 37485,
                "Full Color Copy Count": 1319,
                "Two Color Copy Count": 2,
                "Single Color Copy Count": 3,
                "Black & White Total Count": 91164,
                "Full Color Total Count": 29940,
                "Document Feeder": 12441,
            },
        ),
        121_104,
        {
            **{"total": 121_104, "duplex": 41020, "total_black": 91164, "total_color": 29940},
            **{"print_black": 53631, "print_full_color": 28583, "print_total": 82214},
            **{"copy_black": 37485, "copy_single_color": 5, "copy_full_color": 1319, "copy_total": 38804},
        },
    ),
    "Toshiba": (
        "1129.2.3.58.2",
        {
            f"{TOSHIBA}.{category}.1.{color}": value
            for category, counts in (
                (2, {1: 40, 2: 5, 3: 155, 4: 200}),
                (3, {1: 30, 2: 4, 3: 66, 4: 100}),
                (4, {1: 10, 2: 1, 3: 79, 4: 90}),
                (7, {3: 10}),
                (207, {1: 2, 3: 3}),
            )
            for color, value in counts.items()
        },
        200,
        {
            **{"total": 200, "large": 5, "fax": 10, "total_black": 155, "total_color": 45},
            **{"print_black": 66, "print_single_color": 4, "print_full_color": 30, "print_total": 100},
            **{"copy_black": 79, "copy_single_color": 1, "copy_full_color": 10, "copy_total": 90},
        },
    ),
    "Samsung": (
        "236.11.5.1",
        samsung(
            *((1, 5, 7, 1, 3, 500), (1, 5, 7, 2, 3, 200), (1, 20, 7, 1, 1, 30), (1, 5, 7, 1, 1, 70)),
            *((1, 5, 8, 1, 3, 650), (2, 5, 7, 1, 3, 90), (2, 5, 7, 2, 2, 10), (3, 5, 7, 1, 3, 25)),
            *((4, 5, 7, 1, 3, 999), (5, 1, 7, 1, 3, 333), (6, 5, 7, 1, 3, 5)),
        ),
        931,
        {
            **{"total": 931, "large": 30, "duplex": 210, "fax": 25, "scan": 333},
            **{"print_black": 700, "print_full_color": 100, "print_total": 800},
            **{"copy_black": 90, "copy_single_color": 10, "copy_total": 100},
            **{"total_black": 820, "total_color": 110},
        },
    ),
    "HP": (
        "11.2.3.9.1",
        {f"11.2.3.9.4.2.1.4.1.2.{n}.0": value for n, value in ((5, 100), (6, 60), (7, 40), (22, 30))},
        100,
        {"total": 100, "total_black": 60, "total_color": 40, "duplex": 30},
    ),
    "HP of Samsung's make": (
        "11.2.3.9.1",
        samsung((1, 3, 7, 1, 3, 81), (1, 5, 7, 1, 3, 68_042), (2, 5, 7, 1, 3, 4_143), (6, 5, 7, 1, 3, 50)),
        72_347,
        {
            **{"total": 72_347, "print_black": 68_123, "print_total": 68_123, "copy_black": 4_143},
            **{"copy_total": 4_143, "total_black": 72_316},
        },
    ),
    "Pantum, proved by the sum": (
        "40093.1",
        {"40093.10.3.1.1": 100, "40093.1.1.3.12": 80, "40093.1.1.3.9": 20, "40093.1.1.3.1": 30},
        None,
        {"total": 100, "print_total": 80, "copy_total": 20, "duplex": 30},
    ),
    "Pantum, not proved": (
        "40093.1",
        {"40093.10.3.1.1": 8501, "40093.1.1.3.12": 7, "40093.1.1.3.9": 3},
        8501,
        {"total": 8501},
    ),
    "nobody's": ("99999.1", {"99999.3.0": 5}, 100, {"total": 100}),
    "nobody's number, but Ricoh's objects": ("99999.1", {"367.3.2.1.2.19.1.0": 99}, 100, {"total": 99}),
}


@pytest.mark.parametrize("case", CASES)
def test_counters_of_each_maker(case: str) -> None:
    number, own, life, expected = CASES[case]

    found = counted(number, own, life)

    assert {name: counter.value for name, counter in found.items()} == expected
    assert not [counter.dispute for counter in found.values() if counter.dispute]
    assert all(counter.source for counter in found.values())


def test_each_counter_says_where_it_comes_from() -> None:
    by_type = counted("367.1.1", ricoh(*RICOH_ROWS))
    by_sum = counted("253.8.62.1", {f"{XCMI}.1.20.43": 1, f"{XCMI}.1.20.44": 2})

    assert by_type["total"].source == "ricohEngCounterValue type 10"
    assert by_type["duplex"].source == 'ricohEngCounterValue "Counter: Duplex"'
    assert by_sum["large"].source == f"enterprises.{XCMI}.1.20.43 + 1.20.44"


@pytest.mark.parametrize(
    ("life", "disputed"), [(5825, False), (5835, False), (5854, False), (5900, True), (3068, True)]
)
def test_two_sources_that_disagree_are_told(life: int, disputed: bool) -> None:
    total = counted("367.1.1", ricoh(*RICOH_ROWS), life)["total"]

    assert total.value == 5825
    assert (total.dispute is not None) is disputed
    if total.dispute:
        assert total.dispute == (
            f"5825 by ricohEngCounterValue type 10, but {life} by prtMarkerLifeCount.1.1 (impressions)"
        )


def test_sheets_are_not_compared_with_pages() -> None:
    assert counted("367.1.1", ricoh(*RICOH_ROWS), 3000, unit=8)["total"].dispute is None


def test_parts_that_do_not_add_up_are_told() -> None:
    own = {f"11.2.3.9.4.2.1.4.1.2.{n}.0": value for n, value in ((5, 1000), (6, 600), (7, 300))}

    dispute = counted("11.2.3.9.1", own)["total"].dispute

    assert dispute is not None
    assert dispute.endswith("but 900 by total black 600 + total color 300")


def test_counts_of_prints_and_copies_are_never_added_to_a_total_that_holds_them() -> None:
    found = values(
        "1602.4.7", {f"1602.1.11.1.3.1.4.{n}": value for n, value in ((101, 90), (201, 30), (301, 60))}
    )

    assert found == {"total": 90, "copy_total": 30, "print_total": 60}


@pytest.mark.parametrize("bad", [-1, -2, 2**32 - 1, 2**31 - 1])
def test_what_is_no_count_is_left_out(bad: int) -> None:
    assert values("367.1.1", ricoh((10, "", bad), (201, "", 5))) == {"copy_black": 5}


def test_of_two_rows_of_a_type_the_first_counts() -> None:
    own = {f"367.3.2.1.2.19.5.1.{c}.{row}": v for row, n in ((1, 7), (2, 9)) for c, v in ((2, 10), (9, n))}

    assert values("367.1.1", own) == {"total": 7}


@pytest.mark.parametrize("encoding", ["ascii", "utf-16-be", "utf-16-le", "shift_jis"])
def test_names_are_known_in_every_character_set(encoding: str) -> None:
    rows = {"Total 1": 70, "Print (Total 1)": 70}

    assert values("1602.4.7", named("1602.1.11.2.1.1", 2, 3, rows, encoding)) == {
        "total": 70,
        "print_total": 70,
    }


def test_where_no_name_is_known_sharps_rows_tell() -> None:
    own: dict[str, int | bytes] = {}
    for row, (name, value) in {
        "1.4.61": ("Nombre d'impressions N&B", 5),
        "4.4.61": ("Copies N&B", 6),
    }.items():
        own |= {f"2385.1.1.19.2.1.3.{row}": value, f"2385.1.1.19.2.1.4.{row}": name.encode("latin-1")}

    assert values("2385.3.1", own) == {"print_black": 5, "copy_black": 6}


def test_a_black_printer_prints_black() -> None:
    own = {f"{KYOCERA}.1.1.1.1": 80, f"{KYOCERA}.1.1.1.2": 20}

    black = counted("1347.41", own, 100, **{f"{SUPPLY_COLOR}.1.1": "black"})
    color = counted("1347.41", own, 100, **{f"{SUPPLY_COLOR}.1.1": "black", f"{SUPPLY_COLOR}.1.2": "cyan"})

    assert (black["print_black"].value, black["copy_black"].value, black["total_black"].value) == (
        80,
        20,
        100,
    )
    assert black["print_black"].source == f"enterprises.{KYOCERA}.1.1.1.1 (black only)"
    assert "print_black" not in color


# Brother's records


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (blob({0: 3384, 2: 3199}) + b"\xff", {0: 3384, 2: 3199}),
        (blob({0: 3384, 2: 3199}), {0: 3384, 2: 3199}),  # without its end
        (blob({0: 250}, 1) + blob({6: 70_000}, 3) + blob({1: 5}, 2) + b"\xff", {0: 250, 6: 70_000, 1: 5}),
        (blob({0: 3384, 2: 3199})[:-1], {0: 3384}),  # cut off
        (blob({0: 3384}) + b"\x02\x07\x04\x00\x00\x00\x01", {0: 3384}),  # no record
        (blob({0: 3384}) + b"\x02\x01\x00", {0: 3384}),
        (b"\xff", {}),
        (b"", {}),
        (b"\x00", {}),
        (b"\x00\x01\x04", {}),
    ],
)
def test_records(raw: bytes, expected: dict[int, int]) -> None:
    assert dict(parse_records(raw)) == expected


@given(st.binary(max_size=60))
def test_no_bytes_break_the_records(raw: bytes) -> None:
    assert sum(3 + 1 for _ in parse_records(raw)) <= len(raw)


# Rules


def test_only_telling_rows_of_a_counter_table_are_asked() -> None:
    (asked,) = (
        table
        for table in vendors.vendor_tables(vendors.find_vendor(enterprise_oid("367.1.1")))
        if table.part == "counters"
    )
    own = ricoh((10, "", 1), (870, "", 2), (1, "Counter:Duplex", 3), (1, "Counter:Coverage", 4))
    said: dict[tuple[int, ...], CellValue] = {enterprise_oid(oid): value for oid, value in own.items()}
    types = {oid: value for oid, value in said.items() if oid[-2] == 2}
    assert asked.select_columns is not None

    by_type = {value: set(asked.select_columns(types, oid[-1:])) for oid, value in types.items()}
    later = [set(asked.select_columns(said, oid[-1:])) for oid, value in types.items() if value == 1]

    assert by_type == {10: {9}, 870: set(), 1: {5, 9}}
    assert later == [{5, 9}, set()]


# Authored printers: what their pages were is known


def truth(life: Life) -> dict[str, int]:
    return {
        "total": life.total,
        "large": life.large,
        "duplex": life.duplex,
        "print_black": life.pages("Pk"),
        "print_single_color": life.pages("Ps"),
        "print_full_color": life.pages("Pc"),
        "copy_black": life.pages("Ck"),
        "copy_single_color": life.pages("Cs"),
        "copy_full_color": life.pages("Cc"),
        "fax": life.pages("F"),
        "total_black": life.black,
        "total_color": life.color,
        "print_total": life.pages("P"),
        "copy_total": life.pages("C"),
    }


ALL = frozenset(truth(replace(MODELS["ricoh_im_c3010"].life())))
TEN = ALL - {"total_black", "total_color", "print_total", "copy_total"}
AUTHORED = {
    "ricoh_im_c3010": ALL - {"total_black", "total_color"},
    "lanier_mp_c305": ALL - {"total_black", "total_color"},
    "konica_bizhub_c301i": {
        "total",
        "duplex",
        "print_black",
        "print_full_color",
        "copy_black",
        "copy_full_color",
    },
    "canon_ir_adv_c3930": {"total", "large", "total_black", "total_color", "print_total", "copy_total"},
    "canon_mf657": {"total", "total_black", "total_color", "print_total", "copy_total"},
    "kyocera_ecosys_ma2100": ALL - {"large", "total_black", "total_color"},
    "utax_p4532": {"total", "print_black", "print_total", "total_black"},
    "xerox_altalink_c8245": {"total", "large", "print_full_color", "copy_black", "copy_full_color", "fax"},
    "lexmark_cx735": {
        "total",
        "print_black",
        "print_full_color",
        "copy_black",
        "copy_full_color",
        "fax",
        "print_total",
    },
    "brother_mfc_l3780": {
        "total",
        "duplex",
        "fax",
        "total_black",
        "total_color",
        "print_total",
        "copy_total",
    },
    "brother_hl_l2375": {"total", "print_black", "total_black", "print_total"},
    "epson_wf_c5890": {
        "total",
        "print_black",
        "print_full_color",
        "copy_black",
        "copy_full_color",
        "copy_total",
    },
    "oki_c844": {"total", "total_black", "total_color"},
    "sharp_bp_70c31": {
        "total",
        "duplex",
        "print_black",
        "print_full_color",
        "copy_black",
        "copy_single_color",
    },
    "samsung_m4075": {"total", "print_black", "copy_black", "fax", "print_total", "copy_total"},
    "toshiba_estudio_2525": ALL - {"duplex", "print_single_color", "fax", "print_total", "copy_total"},
    "hp_color_mfp_m480": {"total", "duplex", "total_black", "total_color"},
}


@pytest.mark.parametrize("key", AUTHORED)
def test_authored_printers_have_counted_what_they_printed(key: str) -> None:
    model = MODELS[key]
    life = truth(model.life())

    found = reading_builder.build_reading(cells(model.rows()), TARGET).counters

    said = {counter.name.value: counter.value for counter in found}
    assert {name: said.get(name) for name in AUTHORED[key]} == {name: life[name] for name in AUTHORED[key]}
    assert {name for name in said if name in TEN and said[name] != life[name]} <= {"print_black", "duplex"}
    assert not [counter for counter in found if counter.dispute and counter.name is CounterName.TOTAL]
