"""Lexmark's device statistics in any language, its JSON with and without guests."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.domain.model import CounterName
from appliance.ews import lexmark
from tests.ews.scraping import ADDRESS, visited
from tests.fakes.pages import CZECH, ENGLISH, LEXMARK_STATISTICS, Basic, LexmarkClassic, LexmarkJson
from tests.fakes.website import Response, Website

COLOR = {
    CounterName.PRINT_BLACK: 41_200,
    CounterName.PRINT_FULL_COLOR: 8_310,
    CounterName.PRINT_TOTAL: 49_510,
    CounterName.COPY_BLACK: 1_250,
    CounterName.COPY_FULL_COLOR: 96,
    CounterName.COPY_TOTAL: 1_346,
    CounterName.FAX: 77,
}
TOTAL = 49_510 + 1_346 + 77


async def test_the_old_page_takes_one_request() -> None:
    async with Website(LexmarkClassic(), ADDRESS) as site:
        found = await visited("Lexmark", site, total=TOTAL)

    assert found.data
    assert found.data.counters == COLOR
    assert site.paths() == [f"GET {LEXMARK_STATISTICS}"]


@pytest.mark.parametrize("words", [ENGLISH, CZECH])
@pytest.mark.parametrize("separator", [",", ".", "", "\N{NO-BREAK SPACE}"])
@pytest.mark.parametrize("shift", [-10, 0, 25])
def test_language_separator_and_indent_do_not_matter(
    words: tuple[str, ...], separator: str, shift: int
) -> None:
    page = LexmarkClassic(words=words, separator=separator, shift=shift).page()
    assert lexmark.parse_statistics(page, None) == COLOR


@pytest.mark.parametrize(
    ("functions", "found"),
    [
        (((900, None),), {CounterName.PRINT_BLACK: 900, CounterName.PRINT_TOTAL: 900}),
        (
            ((900, None), (40, None)),
            {
                CounterName.PRINT_BLACK: 900,
                CounterName.PRINT_TOTAL: 900,
                CounterName.COPY_BLACK: 40,
                CounterName.COPY_TOTAL: 40,
            },
        ),
        (
            ((5, 7),),
            {CounterName.PRINT_BLACK: 5, CounterName.PRINT_FULL_COLOR: 7, CounterName.PRINT_TOTAL: 12},
        ),
        (((0, 0), (0, 0), (0, 0)), {}),
    ],
)
def test_other_models(functions: tuple[tuple[int, int | None], ...], found: dict[CounterName, int]) -> None:
    assert lexmark.parse_statistics(LexmarkClassic(functions=functions, words=CZECH).page(), None) == found


def test_a_neighbour_with_other_words_is_no_function() -> None:
    def row(indent: int, label: str, value: str = "") -> str:
        return f'<tr><td><p style="margin-left: {indent};">{label}</p></td><td><p>{value}</p></td></tr>'

    prints = [row(30, "Tisk"), row(40, "Mono", "90"), row(40, "Celkem", "90")]
    sizes = [row(30, "Strany"), row(40, "Letter", "90"), row(40, "Celkem", "90")]
    page = "".join([row(20, "Média"), *prints, *sizes])
    assert lexmark.parse_statistics(page, None) == {CounterName.PRINT_BLACK: 90, CounterName.PRINT_TOTAL: 90}


def test_a_sum_that_is_not_the_printers_total_proves_nothing() -> None:
    page = LexmarkClassic().page()
    assert lexmark.parse_statistics(page, TOTAL + 60) == COLOR  # reports belong to no function
    assert lexmark.parse_statistics(page, 2 * TOTAL) == {}


def test_a_total_that_is_no_sum_is_not_taken() -> None:
    page = LexmarkClassic(functions=((41_200, 8_310),)).page().replace("49,510", "49,511")
    assert lexmark.parse_statistics(page, None) == {}


@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["", "0", "5", "10", "x"])), max_size=40))
def test_no_shape_breaks_it(rows: list[tuple[int, str]]) -> None:
    page = "".join(
        f'<tr><td><p style="margin-left: {indent};">l</p></td><td>{value}</td></tr>' for indent, value in rows
    )
    assert all(value >= 0 for value in lexmark.parse_statistics(page, None).values())


# JSON


@pytest.mark.parametrize(("guests", "username"), [(True, ""), (False, ""), (False, "admin")])
async def test_the_new_pages(guests: bool, username: str) -> None:
    printer = LexmarkJson(guests=guests, username=username)
    async with Website(printer, ADDRESS) as site:
        found = await visited("Lexmark", site, "s3cret", username)

    assert found.data
    assert (found.data.serial_number, found.data.firmware) == ("7464123456XYZ", "MXTGM.073.023")
    assert found.data.levels == {"Black Toner": 37}
    assert found.data.counters == {}
    assert printer.logins == ([] if guests else ["s3cret"])
    assert all(request.secure for request in site.requests if request.method == "POST")


async def test_a_name_where_the_printer_wants_none() -> None:
    async with Website(LexmarkJson(guests=False), ADDRESS) as site:
        found = await visited("Lexmark", site, "s3cret", "admin")

    assert found.data


async def test_a_session_without_a_key_is_a_wrong_password() -> None:
    printer = LexmarkJson(guests=False)
    async with Website(printer, ADDRESS) as site:
        found = await visited("Lexmark", site, "guess")
        again = await visited("Lexmark", site, "guess", credentials_rejected=found.credentials_rejected)

    assert (found.data, found.credentials_rejected, again.data) == (None, True, None)
    assert printer.logins == ["guess"]


async def test_no_guests_no_password() -> None:
    async with Website(LexmarkJson(guests=False), ADDRESS) as site:
        found = await visited("Lexmark", site)

    assert (found.data, found.credentials_rejected) == (None, False)
    assert "requires a password" in found.reason


async def test_a_printer_that_boots() -> None:
    async with Website(LexmarkJson(booting=True), ADDRESS) as site:
        assert (await visited("Lexmark", site)).data is None


async def test_http_authentication() -> None:
    guarded = Basic(LexmarkClassic())
    async with Website(guarded, ADDRESS) as site:
        assert (await visited("Lexmark", site, "s3cret", "admin")).data
        assert (await visited("Lexmark", site, "wrong", "admin")).credentials_rejected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["nodes", "supplies", "text", "DeviceSerialNumberLxk", "percentFull", "lms"]),
            inner,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_document_breaks_it(value: object) -> None:
    lexmark.parse_status(json.dumps(value).encode())


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[" * 500_000, b'{"a":' * 100_000, b"\xff", b"1" * 400_000, b"NaN"]
)
def test_no_json(body: bytes) -> None:
    assert lexmark.parse_status(body) is None


async def test_hostile_answers_to_a_login() -> None:
    async with Website(
        lambda request: Response(b"[" * 9_000, 401 if "Status" in request.target else 200), ADDRESS
    ) as site:
        assert (await visited("Lexmark", site, "s3cret")).data is None
