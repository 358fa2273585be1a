"""Brother's maintenance information: its CSV, its page, its login."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.domain.model import CounterName
from appliance.ews import brother
from tests.conftest import NO_RECORDINGS, RECORDINGS
from tests.ews.scraping import ADDRESS, visited
from tests.fakes.pages import MFC, PRINT_ONLY, Brother
from tests.fakes.website import Website

COUNTED = {
    CounterName.TOTAL: 51_482,
    CounterName.DUPLEX: 8_110,
    CounterName.COPY_TOTAL: 12_087,
    CounterName.COPY_BLACK: 12_087,
    CounterName.PRINT_TOTAL: 39_300,
    CounterName.PRINT_BLACK: 39_300,
    CounterName.FAX: 89,
    CounterName.SCAN: 12_107,
}
LISTED = {
    name: value for name, value in COUNTED.items() if name not in (CounterName.DUPLEX, CounterName.SCAN)
}


async def test_the_csv_takes_one_request() -> None:
    async with Website(Brother(), ADDRESS) as site:
        found = await visited("Brother", site)

    assert found.data
    assert found.data.counters == COUNTED
    assert (found.data.serial_number, found.data.firmware) == ("E71833C4J372261", "ZC")
    assert site.paths() == ["GET /etc/mnt_info.csv"]


async def test_a_printer_that_only_prints() -> None:
    async with Website(Brother(dict(PRINT_ONLY)), ADDRESS) as site:
        found = await visited("Brother", site)

    assert found.data
    assert found.data.counters == {CounterName.TOTAL: 14_228}


async def test_four_toners_leave_the_colours_open() -> None:
    columns = {**MFC, "Replace Count(Toner Black (BK))": "3"}
    del columns["Replace Count(Toner)"]
    async with Website(Brother(columns), ADDRESS) as site:
        found = await visited("Brother", site)

    assert found.data
    assert CounterName.COPY_TOTAL in found.data.counters
    assert CounterName.COPY_BLACK not in found.data.counters


async def test_the_page_where_there_is_no_csv() -> None:
    async with Website(Brother(csv=False), ADDRESS) as site:
        found = await visited("Brother", site)
        again = await visited("Brother", site, path=found.data.path if found.data else "")

    assert found.data
    assert found.data.counters == LISTED
    assert found.data.path == brother.INFORMATION_PATH
    assert again.data == found.data
    assert len(site.requests) == 3  # the second time it is known where


@pytest.mark.parametrize("box", ["B126", "B15bd", "B1859"])
@pytest.mark.parametrize("login", ["old", "new"])
async def test_login(login: str, box: str) -> None:
    printer = Brother(login=login, box=box)
    async with Website(printer, ADDRESS) as site:
        found = await visited("Brother", site, "initpass")

    assert found.data
    assert found.data.counters == COUNTED
    assert printer.logins == ["initpass"]
    assert all(request.secure for request in site.requests if request.method == "POST")


async def test_login_before_a_page() -> None:
    async with Website(Brother(login="new", csv=False), ADDRESS, tls=False) as site:
        found = await visited("Brother", site, "initpass")

    assert found.data
    assert found.data.counters == LISTED


async def test_only_the_forms_own_fields_are_sent() -> None:
    async with Website(Brother(login="new"), ADDRESS) as site:
        await visited("Brother", site, "initpass")

    (form,) = (request.form for request in site.requests if request.method == "POST")
    assert form == {"B126": "initpass", "CSRFToken": "t1", "loginurl": brother.INFORMATION_PATH}


async def test_wrong_password() -> None:
    printer = Brother(login="new")
    async with Website(printer, ADDRESS) as site:
        found = await visited("Brother", site, "guess")
        again = await visited("Brother", site, "guess", credentials_rejected=found.credentials_rejected)

    assert found.data is again.data is None
    assert "does not accept the password" in again.reason
    assert printer.logins == ["guess"]


async def test_no_password() -> None:
    printer = Brother(login="old")
    async with Website(printer, ADDRESS) as site:
        found = await visited("Brother", site)

    assert (found.data, found.credentials_rejected, printer.logins) == (None, False, [])
    assert "requires a password" in found.reason


async def test_another_server() -> None:
    from tests.fakes.pages import NOT_FOUND  # noqa: PLC0415

    async with Website(lambda _: NOT_FOUND, ADDRESS) as site:
        found = await visited("Brother", site)

    assert found.data is None
    assert "web pages show no counters" in found.reason


def test_charset_and_trailing_commas() -> None:
    body = '"Page Counter","Location","Copy",\r\n"7","étage ""2"", bureau","3",\r\n'.encode("hp-roman8")
    assert brother.parse_csv(body) == {"pagecounter": "7", "location": 'étage "2", bureau', "copy": "3"}


@pytest.mark.parametrize(
    "body", [b"", b"x", b"<html>", b"a,b\n1,2", b'"Page Counter",\n', b"\x00" * 100, b'"' * 300_000]
)
def test_no_csv(body: bytes) -> None:
    assert brother.parse_csv(body) is None


def test_the_first_column_of_a_name_counts() -> None:
    assert brother.parse_csv(b"Page Counter,Copy,Copy\n5,2,9\n") == {"pagecounter": "5", "copy": "2"}


@given(st.binary(max_size=400))
def test_no_bytes_break_the_csv(body: bytes) -> None:
    values = brother.parse_csv(b"Page Counter,Copy\n" + body)
    assert values is None or all(count >= 0 for count in brother.extract_counters(values).values())


WEB = RECORDINGS / "web"
needs_web = pytest.mark.skipif(not WEB.exists(), reason=NO_RECORDINGS)


@needs_web
@pytest.mark.parametrize("total", [14_154, 14_228, 14_238])
def test_real_csv(total: int) -> None:
    values = brother.parse_csv((WEB / f"mnt_info_hl-1210w_{total}.csv").read_bytes())
    assert values
    assert brother.extract_counters(values) == {CounterName.TOTAL: total}
    assert values["serialno."] == "U63982L6N626296"


@needs_web
def test_real_page() -> None:
    values = brother.parse_information_html(Path(WEB / "fx_docuprint_m115w_information.html").read_text())
    assert values
    assert brother.extract_counters(values) == {
        CounterName.TOTAL: 51_482,
        CounterName.COPY_TOTAL: 12_087,
        CounterName.COPY_BLACK: 12_087,
        CounterName.PRINT_TOTAL: 39_389,
        CounterName.PRINT_BLACK: 39_389,
    }
