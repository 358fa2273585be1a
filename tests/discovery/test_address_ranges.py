"""What people write, and the addresses that it means."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.discovery.address_ranges import (
    AddressRange,
    AddressRangeSet,
    InvalidEntryError,
    normalize_notation,
    parse_addresses,
)


def ends(text: str) -> list[str | tuple[str, str]]:
    """Names as they are, spans as their first and last address."""
    return [
        part
        if isinstance(part, str)
        else (next(part.hosts()), next(AddressRange(part.version, part.last, part.last).hosts()))
        for part in parse_addresses(text)
    ]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("192.168.1.1-192.168.1.254", [("192.168.1.1", "192.168.1.254")]),
        ("192.168.1.1 - 192.168.2.254", [("192.168.1.1", "192.168.2.254")]),
        ("192.168.1.1 \u2013 192.168.2.254", [("192.168.1.1", "192.168.2.254")]),  # as the manual prints it
        ("192.168.1.10-50", [("192.168.1.10", "192.168.1.50")]),
        ("192.168.1.111", [("192.168.1.111", "192.168.1.111")]),
        ("192. 168. 1. 15", [("192.168.1.15", "192.168.1.15")]),
        ("192.168.1.0/24", [("192.168.1.1", "192.168.1.254")]),
        ("192.168.1.77/24", [("192.168.1.1", "192.168.1.254")]),
        ("192.168.1.0 / 255.255.255.0", [("192.168.1.1", "192.168.1.254")]),
        ("192.168.1.8/30", [("192.168.1.9", "192.168.1.10")]),
        ("192.168.1.8/31", [("192.168.1.8", "192.168.1.9")]),
        ("192.168.1.8/32", [("192.168.1.8", "192.168.1.8")]),
        ("fd00::17", [("fd00::17", "fd00::17")]),
        ("fd00::1-fd00::9", [("fd00::1", "fd00::9")]),
        ("fd00::/120", [("fd00::1", "fd00::ff")]),
        ("fd00::4/127", [("fd00::4", "fd00::5")]),
        ("printer1", ["printer1"]),
        ("Printer-1.example.com.", ["Printer-1.example.com"]),
        ("druck_er.büro.example", ["druck_er.büro.example"]),
        ("10-und-20", ["10-und-20"]),
        ("10.0.0.1, printer1 ,10.0.0.3-4;10.0.1.1,", None),
    ],
)
def test_every_form_is_understood(text: str, meant: list[object] | None) -> None:
    if meant is None:
        meant = [("10.0.0.1", "10.0.0.1"), "printer1", ("10.0.0.3", "10.0.0.4"), ("10.0.1.1", "10.0.1.1")]
    assert ends(text) == meant


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "no address given"),
        (" , ", "no address given"),
        (
            "192.168.1.9-192.168.1.1",
            '"192.168.1.9-192.168.1.1" runs backwards; '
            "write the lower address first: 192.168.1.1-192.168.1.9",
        ),
        ("192.168.1.50-10", "runs backwards"),
        ("192.168.1.1-fd00::1", "mixes IPv4 and IPv6"),
        ("192.168.1.1-192.168.1.256", '"192.168.1.256" is not an address'),
        ("192.168.1.1-256", '"192.168.1.256" is not an address'),
        ("192.168.1.1-", "is not a range"),
        ("192.168.1.1-printer", "is not a range"),
        ("192.168.1.300", '"192.168.1.300" is not a valid address; write 192.168.1.1-192.168.1.254'),
        ("192.168.1", "is not a valid address"),
        ("192.168.1.*", "is neither an address nor a DNS name"),
        ("4711", "is not a valid address"),  # which a name service would take for 0.0.18.103
        ("0x7f.0x1", "is not a valid address"),
        ("192.168.1.0/33", "is not a network"),
        ("printer/24", "is not a network"),
        ("224.0.0.5", "not an address that a printer can have"),
        ("0.0.0.0", "not an address that a printer can have"),
        ("255.255.255.255", "not an address that a printer can have"),
        ("ff02::1", "not an address that a printer can have"),
        ("fe80::1%eth0", "names an interface"),
        ("http://printer", "is not a network"),
        ("printer one", "neither an address nor a DNS name"),
        ("a..b", "neither an address nor a DNS name"),
        ("-a", "neither an address nor a DNS name"),
        ("a" * 64, "neither an address nor a DNS name"),
        (".".join(["a" * 60] * 5), "neither an address nor a DNS name"),
        ("prin\nter", "neither an address nor a DNS name"),
        ("fd00:::1", "is not a valid address"),
    ],
)
def test_what_is_wrong_is_one_clear_line(text: str, line: str) -> None:
    with pytest.raises(InvalidEntryError) as caught:
        parse_addresses(text)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=40) | st.text("0123456789abcf.:-/, %", max_size=40))
def test_no_text_whatever_does_harm(text: str) -> None:
    said = ""
    try:
        assert all(isinstance(part, str) or part.first <= part.last for part in parse_addresses(text))
    except InvalidEntryError as error:
        said = str(error)
    assert said.isprintable()


def test_tidied_text_is_spelt_one_way() -> None:
    assert normalize_notation(" 192. 168. 1. 15 \u2013  192.168 .1.20 , a ") == "192.168.1.15-192.168.1.20,a"


span = st.tuples(st.integers(1, 60), st.integers(0, 12)).map(
    lambda pair: AddressRange(4, pair[0], pair[0] + pair[1])
)


@given(st.lists(span, max_size=8), span)
def test_spans_are_a_set_of_addresses(added: list[AddressRange], asked: AddressRange) -> None:
    spans, expected = AddressRangeSet(), set()
    for each in added:
        spans.add(each)
        expected |= set(range(each.first, each.last + 1))
    assert {number for number in range(90) if ip_address(number) in spans} == expected
    gaps = [number for gap in spans.gaps(asked) for number in range(gap.first, gap.last + 1)]
    assert gaps == [number for number in range(asked.first, asked.last + 1) if number not in expected]


def test_families_do_not_mix() -> None:
    spans = AddressRangeSet()
    spans.add(AddressRange(4, 1, 9))
    assert ip_address("::5") not in spans
    assert list(spans.gaps(AddressRange(6, 1, 9))) == [AddressRange(6, 1, 9)]
