"""What people read: texts of printers made harmless, tables that fit, a progress line on a terminal only."""

import json
import shutil
import sys
import unicodedata
from collections.abc import Collection, Mapping, Sequence

GAP = "  "
NARROWEST = 6  # a column is not squeezed below this, even if the table then passes the terminal's edge

# Escape sequences, bidirectional overrides, line separators, half characters: whatever could move the cursor,
# recolour the screen or turn a line around. Tabs and line ends become blanks before this is asked.
UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

Json = str | int | float | bool | None | Mapping[str, "Json"] | Sequence["Json"]


def clean(text: str) -> str:
    """Return `text` on one line, with everything that a terminal could obey shown as `\\x1b` or `\\u202e`."""
    return "".join(map(_visible, text)).strip()


def clean_line(line: str) -> str:
    """The same for a line whose indent says something."""
    return " " * (len(line) - len(line.lstrip(" "))) + clean(line)


def _visible(character: str) -> str:
    if character in "\t\n\r\v\f":
        return " "
    if unicodedata.category(character) not in UNSAFE:
        return character
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def say(text: str = "") -> None:
    """Write one line that the caller composed of harmless parts."""
    print(text)  # noqa: T201  this is the one place that writes to standard output


def tell(text: str) -> None:
    """Write a message for the person to standard error, where it does not disturb the output."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def document(value: Json) -> None:
    """Write one JSON document; every character beyond ASCII is escaped, so none reaches the terminal raw."""
    say(json.dumps(value, indent=2))


def raw(data: bytes) -> None:
    """Write a file's bytes: unchanged into a pipe or a file, made harmless on a terminal."""
    if not sys.stdout or sys.stdout.isatty():
        for line in data.decode("utf-8", "replace").splitlines():
            say(clean_line(line))
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def columns() -> int:
    """Return how wide the terminal is; 80 where there is none."""
    return shutil.get_terminal_size((80, 24)).columns


def show_table(
    titles: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[str] = (), indent: str = ""
) -> None:
    """Write rows under their titles; the columns named in `right` hold numbers."""
    for line in table(titles, rows, right, columns() - len(indent)):
        say(indent + line)


def table(
    titles: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[str] = (), width: int = 80
) -> list[str]:
    """Return the lines of a table no wider than `width`: cells are made harmless and wrapped, never cut."""
    cells = [[clean(cell) for cell in row] for row in [titles, *rows]]
    widths = _fit(list(zip(*cells, strict=True)), width)
    to_the_right = [title in right for title in titles]
    heading, *body = [_row(row, widths, to_the_right) for row in cells]
    return [*heading, GAP.join("-" * room for room in widths), *(line for row in body for line in row)]


def wrapped(text: str, width: int) -> list[str]:
    """Return a text made harmless, in lines no wider than `width`."""
    return _wrap(clean(text), max(width, NARROWEST))


def _fit(columns_of: Sequence[Sequence[str]], width: int) -> list[int]:
    """Take from the widest columns until the table fits; words are broken only where nothing else helps."""
    widths = [max(map(measure, column)) for column in columns_of]
    words = [max(measure(word) for cell in column for word in cell.split(" ")) for column in columns_of]
    for floors in (words, [NARROWEST] * len(widths)):
        while sum(widths) + len(GAP) * (len(widths) - 1) > width:
            spare = [room - floor for room, floor in zip(widths, floors, strict=True)]
            if max(spare) <= 0:
                break
            widest = max((room, number) for number, room in enumerate(widths) if spare[number] > 0)[1]
            widths[widest] -= 1
    return widths


def _row(cells: Sequence[str], widths: list[int], to_the_right: list[bool]) -> list[str]:
    wrapped = [_wrap(cell, room) for cell, room in zip(cells, widths, strict=True)]
    lines = []
    for number in range(max(map(len, wrapped))):
        parts = [lines_of[number] if number < len(lines_of) else "" for lines_of in wrapped]
        placed = [_place(*part) for part in zip(parts, widths, to_the_right, strict=True)]
        lines.append(GAP.join(placed).rstrip())
    return lines


def _place(text: str, width: int, to_the_right: bool) -> str:
    blanks = " " * (width - measure(text))
    return blanks + text if to_the_right else text + blanks


def _wrap(text: str, width: int) -> list[str]:
    """Break at blanks where there are any, else in the middle of a word."""
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if measure(joined) <= width:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        for character in word:
            if measure(lines[-1] + character) > width:
                lines.append("")
            lines[-1] += character
    return lines


def measure(text: str) -> int:
    """Return how many cells of the terminal a text takes."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


class Progress:
    """One line that is rewritten in place; silent where standard error is no terminal."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._length = 0

    def show(self, text: str) -> None:
        """Replace the line."""
        if not self._shown:
            return
        text = clean(text)[: columns() - 1]
        sys.stderr.write("\r" + text.ljust(self._length))
        sys.stderr.flush()
        self._length = len(text)

    def end(self) -> None:
        """Take the line away."""
        if self._length:
            sys.stderr.write("\r" + " " * self._length + "\r")
            sys.stderr.flush()
            self._length = 0
