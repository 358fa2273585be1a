"""Pages of printers are read in bounded time, whatever they hold."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.ews import html_tables
from appliance.ews.html_tables import FormField, HtmlRow, parse_count

MEGABYTE = 1 << 20
HOSTILE = [
    *("<b>", "<tr><td>x", "<!--", "<!", "<a ", "<a x=", "</", "<?", "&", "<![CDATA[", "<a b='", '<a "'),
    *("<script>", "<dt>a<dd>b", "<input type=password>", "<a a a a", "<x/", "&#9;"),
    "<p style='margin-left:" + "9" * 50 + "'>",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_megabyte_of_rubbish(piece: str) -> None:
    page = piece * (MEGABYTE // len(piece))
    started = time.process_time()
    found = [
        *html_tables.parse_table_rows(page),
        *html_tables.parse_definition_lists(page),
        *html_tables.parse_form_fields(page),
    ]
    assert time.process_time() - started < 3
    assert len(found) <= 3 * html_tables.MAX_ROWS


def test_what_comes_after_too_many_tags_is_not_read() -> None:
    row = "<tr><td>x</td><td>1</td></tr>"
    assert html_tables.parse_table_rows("<b>" * 1_000 + row) == [HtmlRow("x", "1")]
    assert html_tables.parse_table_rows("<b>" * html_tables.MAX_TAGS + row) == []
    assert len(html_tables.parse_table_rows(row * (2 * html_tables.MAX_ROWS))) == html_tables.MAX_ROWS


@given(st.text(alphabet=st.sampled_from("<>/tdrph3 ='\"&#;!-a1\n"), max_size=300))
def test_nothing_escapes(page: str) -> None:
    html_tables.parse_table_rows(page)
    html_tables.parse_definition_lists(page)
    html_tables.parse_form_fields(page)


def test_rows() -> None:
    page = (
        '<TABLE><TR><td><p align="left" style="margin-left: 20;"><b>Head</b></p></td><td><p></p></td></TR>'
        '<TR><td><p style="color:red; MARGIN-LEFT:30px">A &amp; B</p></td><td><p> 1,2 </p></td></TR></TABLE>'
    )
    assert html_tables.parse_table_rows(page) == [HtmlRow("Head", "", 20), HtmlRow("A & B", "1,2", 30)]


def test_terms() -> None:
    page = (
        "<h3>Total&#32;Pages</h3><dl><dt>Copy<!-- x --></dt><dd>12<span class='unit'>pages</span></dd></dl>"
    )
    assert html_tables.parse_definition_lists(page) == [HtmlRow("Copy", "12 pages", group="Total Pages")]


def test_inputs() -> None:
    page = '<input type="PASSWORD" id="LogBox" name="B126"><input name=x value="&quot;"/>'
    assert html_tables.parse_form_fields(page) == [
        FormField("password", "B126", ""),
        FormField("text", "x", '"'),
    ]


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
