import pytest

from appliance.ews.number_parser import parse_count


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("51482", 51_482),
        (" 0 ", 0),
        ("12,345", 12_345),
        ("1.234.567", 1_234_567),
        ("1'234", 1_234),
        ("1\N{RIGHT SINGLE QUOTATION MARK}234", 1_234),
        ("12\N{NO-BREAK SPACE}087 pages", 12_087),
        ("12 087", 12_087),
        ("6230pages", 6_230),
        ("50235 strán", 50_235),
    ],
)
def test_a_count(text: str, value: int) -> None:
    assert parse_count(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "63.00%",
        "(63.00%)",
        "4.01",
        "12,34",
        "-5",
        "1.17",
        "9" * 20,
        "12/03",
        "x",
        "1 2",
        "٣",
        "100%",
    ],
)
def test_no_count(text: str) -> None:
    assert parse_count(text) is None
