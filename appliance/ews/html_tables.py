"""HTML of printers, read as far as a counter needs it: pairs of a label with its value, then forms.

A page is at most a megabyte long (client.py), but that may be a million tags: all that is counted here has an
end.
"""

from contextlib import suppress
from dataclasses import dataclass
from html.parser import HTMLParser

MOST_ROWS = 4_000  # a statistics page has hundreds
MOST_TAGS = 60_000  # and some thousands of these
LONGEST = 400  # characters of one cell
MOST_INDENT = 10_000


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table, or a term with its description."""

    label: str
    value: str
    indent: int = 0  # of the label, in the page's own unit
    group: str = ""  # the heading above


@dataclass(frozen=True, slots=True)
class Input:
    """A form's field."""

    type: str
    name: str
    value: str


def rows(page: str) -> list[Row]:
    """The rows of all tables: the first cell, its indent, the second cell."""
    parser = _Rows()
    parser.take(page)
    return parser.rows


def terms(page: str) -> list[Row]:
    """The pairs of all definition lists, with the heading they stand under."""
    parser = _Terms()
    parser.take(page)
    return parser.rows


def inputs(page: str) -> list[Input]:
    """The fields of all forms."""
    parser = _Inputs()
    parser.take(page)
    return parser.inputs


class _Enough(Exception):
    """More than a page of a printer can have."""


Attributes = list[tuple[str, str | None]]


class _Bounded(HTMLParser):
    """Ends after so many tags."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._tags = 0

    def take(self, page: str) -> None:
        # Never close(): it would look for the ends of unclosed comments again from each character on.
        with suppress(_Enough, AssertionError):  # the latter is how the standard library's parser gives up
            self.feed(page)
            self.finish()

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        self._tags += 1
        if self._tags > MOST_TAGS:
            raise _Enough
        self.begin(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self._tags += 1
        if self._tags > MOST_TAGS:
            raise _Enough
        self.end(tag)

    def begin(self, tag: str, attributes: Attributes, /) -> None:
        """What a tag means here."""

    def end(self, tag: str, /) -> None:
        """The same for its end."""

    def finish(self) -> None:
        """What the page leaves unfinished."""


class _Rows(_Bounded):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self._cells: list[str] = []
        self._indent = 0

    def begin(self, tag: str, attributes: Attributes, /) -> None:
        if tag == "tr":
            self.end_row()
        elif tag in ("td", "th"):
            if len(self._cells) < 3:
                self._cells.append("")
        elif tag == "p" and len(self._cells) == 1 and not self._cells[0].strip():
            self._indent = _indent(dict(attributes).get("style") or "")

    def end(self, tag: str, /) -> None:
        if tag in ("tr", "table"):
            self.end_row()

    def handle_data(self, data: str) -> None:
        if self._cells:
            self._cells[-1] = (self._cells[-1] + data)[:LONGEST]

    def finish(self) -> None:
        self.end_row()

    def end_row(self) -> None:
        if self._cells:
            label, value = (*map(_plain, self._cells), "")[:2]
            _add(self.rows, Row(label, value, self._indent))
        self._cells, self._indent = [], 0


class _Terms(_Bounded):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self._texts = {"h3": "", "dt": "", "dd": ""}
        self._at = ""

    def begin(self, tag: str, _: Attributes, /) -> None:
        if tag in ("dt", "h3"):
            self.end_term()
        if tag in self._texts:
            self._at = tag
            self._texts[tag] = ""

    def end(self, tag: str, /) -> None:
        if tag == "dd":
            self.end_term()
        if tag == self._at:
            self._at = ""

    def handle_data(self, data: str) -> None:
        if self._at:
            self._texts[self._at] = (self._texts[self._at] + " " + data)[:LONGEST]

    def finish(self) -> None:
        self.end_term()

    def end_term(self) -> None:
        label, value = _plain(self._texts["dt"]), _plain(self._texts["dd"])
        if label and value:
            _add(self.rows, Row(label, value, group=_plain(self._texts["h3"])))
        self._texts["dt"] = self._texts["dd"] = ""


class _Inputs(_Bounded):
    def __init__(self) -> None:
        super().__init__()
        self.inputs: list[Input] = []

    def begin(self, tag: str, attributes: Attributes, /) -> None:
        if tag == "input":
            of = {name: value or "" for name, value in attributes}
            if len(self.inputs) >= MOST_ROWS:
                raise _Enough
            self.inputs.append(
                Input(of.get("type", "text").lower(), of.get("name", "")[:LONGEST], of.get("value", ""))
            )


def _add(found: list[Row], row: Row) -> None:
    if len(found) >= MOST_ROWS:
        raise _Enough
    found.append(row)


def _plain(text: str) -> str:
    return " ".join(text.split())


def _indent(style: str) -> int:
    """The number of `margin-left: 30;`, with or without a unit."""
    for declaration in style.split(";"):
        name, _, value = declaration.partition(":")
        digits = value.strip().removesuffix("px")
        if name.strip().lower() == "margin-left" and digits.isascii() and digits.isdecimal():
            return min(int(digits[:6]), MOST_INDENT)
    return 0
