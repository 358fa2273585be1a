"""Canon's dcounter.cgi."""

import pytest

from appliance.domain.model import CounterName
from appliance.ews import canon
from tests.ews.scraping import ADDRESS, visited
from tests.fakes.pages import Canon
from tests.fakes.website import Website

COUNTED = {
    CounterName.TOTAL: 67_911,
    CounterName.LARGE: 1_204,
    CounterName.DUPLEX: 20_400,
    CounterName.TOTAL_BLACK: 50_111,
    CounterName.COPY_TOTAL: 17_000,
    CounterName.COPY_BLACK: 12_500,
    CounterName.COPY_FULL_COLOR: 4_500,
    CounterName.PRINT_TOTAL: 50_911,
    CounterName.PRINT_BLACK: 37_611,
    CounterName.PRINT_FULL_COLOR: 13_300,
    CounterName.SCAN: 8_002,
    CounterName.FAX: 33,
}


async def test_counters() -> None:
    async with Website(Canon(), ADDRESS) as site:
        found = await visited("Canon", site)

    assert found.data
    assert found.data.counters == COUNTED
    assert site.paths() == ["GET /", "GET /dcounter.cgi"]


async def test_counters_behind_a_login() -> None:
    printer = Canon(large=True)
    async with Website(printer, ADDRESS) as site:
        found = await visited("Canon", site, "4711", "7")

    assert found.data
    assert found.data.counters == COUNTED
    assert found.data.path == "/rps/dcounter.cgi"
    assert printer.logins == ["4711"]


async def test_wrong_pin() -> None:
    printer = Canon(large=True)
    async with Website(printer, ADDRESS) as site:
        found = await visited("Canon", site, "1111", "7")
        await visited("Canon", site, "1111", "7", refused=found.credentials_rejected)

    assert (found.data, found.credentials_rejected, printer.logins) == (None, True, ["1111"])


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("write_value(\"101\", 5);write_value( '103' ,6 )", {101: 5, 103: 6}),
        ('write_value("101", -5); write_value("102", "x"); write_value("1", 99999999999999999999);', {}),
        ('write_value("101", 9223372036854775808);', {}),
        ('write_value("101", 1); write_value("101", 2);', {101: 1}),
        ("write_value(" * 80_000, {}),
    ],
)
def test_values(page: str, found: dict[int, int]) -> None:
    assert canon.parse_values(page) == found
