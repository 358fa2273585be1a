"""Parse labels with values, form fields and counts from the HTML of printers.

A page has at most a megabyte (http_client.py), which may still be a million tags: rows and tags are limited.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from html.parser import HTMLParser

MAX_ROWS = 4_000  # a statistics page has hundreds
MAX_TAGS = 60_000  # and some thousands of tags
MAX_CELL_CHARS = 400
MAX_INDENT = 10_000
MAX_COUNT = 2**63 - 1

_GROUP_SEPARATOR = "[.,' \N{RIGHT SINGLE QUOTATION MARK}\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]"
_COUNT_PATTERN = re.compile(
    rf"([0-9]{{1,3}}(?:{_GROUP_SEPARATOR}[0-9]{{3}})+|[0-9]{{1,19}})(?:\s*[^\W\d_]{{1,20}})?"
)


@dataclass(frozen=True, slots=True)
class HtmlRow:
    """A row of a table, or a term with its description."""

    label: str
    value: str
    indent: int = 0  # of the label, in the unit of the page
    group: str = ""  # the heading above


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a form."""

    type: str
    name: str
    value: str


def parse_table_rows(html: str) -> list[HtmlRow]:
    """Return the rows of all tables: the first cell with its indent, and the second cell."""
    parser = _TableParser()
    parser.parse_document(html)
    return parser.rows


def parse_definition_lists(html: str) -> list[HtmlRow]:
    """Return the pairs of all definition lists with the heading above them."""
    parser = _DefinitionListParser()
    parser.parse_document(html)
    return parser.rows


def parse_form_fields(html: str) -> list[FormField]:
    """Return the fields of all forms."""
    parser = _FormParser()
    parser.parse_document(html)
    return parser.fields


def parse_count(text: str) -> int | None:
    """Return a count such as `12,345 pages` or `1'234'567`; None for percentages, dates and words."""
    match = _COUNT_PATTERN.fullmatch(text.strip())
    if match is None:
        return None
    value = int(re.sub(_GROUP_SEPARATOR, "", match[1]))
    return value if value <= MAX_COUNT else None


class _HtmlLimitError(Exception):
    """The page has more rows or tags than a printer's page can have."""


TagAttributes = list[tuple[str, str | None]]


class _BoundedParser(HTMLParser):
    """Stop after MAX_TAGS tags."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._tags = 0

    def parse_document(self, html: str) -> None:
        # Without close(), which searches for the end of unclosed comments from each character again. The
        # standard library's parser raises AssertionError for HTML that it cannot parse.
        with suppress(_HtmlLimitError, AssertionError):
            self.feed(html)
            self.handle_document_end()

    def handle_starttag(self, tag: str, attrs: TagAttributes) -> None:
        self._tags += 1
        if self._tags > MAX_TAGS:
            raise _HtmlLimitError
        self.handle_open_tag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self._tags += 1
        if self._tags > MAX_TAGS:
            raise _HtmlLimitError
        self.handle_close_tag(tag)

    def handle_open_tag(self, tag: str, attributes: TagAttributes, /) -> None:
        """Handle a start tag."""

    def handle_close_tag(self, tag: str, /) -> None:
        """Handle an end tag."""

    def handle_document_end(self) -> None:
        """Complete an element that the page leaves open."""


class _TableParser(_BoundedParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[HtmlRow] = []
        self._cells: list[str] = []
        self._indent = 0

    def handle_open_tag(self, tag: str, attributes: TagAttributes, /) -> None:
        if tag == "tr":
            self.end_row()
        elif tag in ("td", "th"):
            if len(self._cells) < 3:
                self._cells.append("")
        elif tag == "p" and len(self._cells) == 1 and not self._cells[0].strip():
            self._indent = _parse_indent(dict(attributes).get("style") or "")

    def handle_close_tag(self, tag: str, /) -> None:
        if tag in ("tr", "table"):
            self.end_row()

    def handle_data(self, data: str) -> None:
        if self._cells:
            self._cells[-1] = (self._cells[-1] + data)[:MAX_CELL_CHARS]

    def handle_document_end(self) -> None:
        self.end_row()

    def end_row(self) -> None:
        if self._cells:
            label, value = (*map(_collapse_spaces, self._cells), "")[:2]
            _append_row(self.rows, HtmlRow(label, value, self._indent))
        self._cells, self._indent = [], 0


class _DefinitionListParser(_BoundedParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[HtmlRow] = []
        self._texts = {"h3": "", "dt": "", "dd": ""}
        self._current_tag = ""

    def handle_open_tag(self, tag: str, _: TagAttributes, /) -> None:
        if tag in ("dt", "h3"):
            self.end_term()
        if tag in self._texts:
            self._current_tag = tag
            self._texts[tag] = ""

    def handle_close_tag(self, tag: str, /) -> None:
        if tag == "dd":
            self.end_term()
        if tag == self._current_tag:
            self._current_tag = ""

    def handle_data(self, data: str) -> None:
        if self._current_tag:
            self._texts[self._current_tag] = (self._texts[self._current_tag] + " " + data)[:MAX_CELL_CHARS]

    def handle_document_end(self) -> None:
        self.end_term()

    def end_term(self) -> None:
        label, value = _collapse_spaces(self._texts["dt"]), _collapse_spaces(self._texts["dd"])
        if label and value:
            _append_row(self.rows, HtmlRow(label, value, group=_collapse_spaces(self._texts["h3"])))
        self._texts["dt"] = self._texts["dd"] = ""


class _FormParser(_BoundedParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: list[FormField] = []

    def handle_open_tag(self, tag: str, attributes: TagAttributes, /) -> None:
        if tag == "input":
            values = {name: value or "" for name, value in attributes}
            if len(self.fields) >= MAX_ROWS:
                raise _HtmlLimitError
            self.fields.append(
                FormField(
                    values.get("type", "text").lower(),
                    values.get("name", "")[:MAX_CELL_CHARS],
                    values.get("value", ""),
                )
            )


def _append_row(rows: list[HtmlRow], row: HtmlRow) -> None:
    if len(rows) >= MAX_ROWS:
        raise _HtmlLimitError
    rows.append(row)


def _collapse_spaces(text: str) -> str:
    return " ".join(text.split())


def _parse_indent(style: str) -> int:
    """Return the number of `margin-left: 30;`, with or without a unit."""
    for declaration in style.split(";"):
        name, _, value = declaration.partition(":")
        digits = value.strip().removesuffix("px")
        if name.strip().lower() == "margin-left" and digits.isascii() and digits.isdecimal():
            return min(int(digits[:6]), MAX_INDENT)
    return 0
