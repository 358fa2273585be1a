"""Write to the terminal: sanitised texts, tables that fit its width, a progress line."""

import json
import shutil
import sys
import unicodedata
from collections.abc import Collection, Mapping, Sequence

COLUMN_GAP = "  "
MIN_COLUMN_WIDTH = 6  # no column gets narrower, even if the table is then too wide

# Escape sequences, bidirectional overrides, line separators, half characters: whatever could move the cursor,
# recolour the screen or turn a line around. Tabs and line ends become blanks before this is asked.
UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

Json = str | int | float | bool | None | Mapping[str, "Json"] | Sequence["Json"]


def sanitize(text: str) -> str:
    r"""Return `text` on one line, with everything that a terminal could obey shown as `\x1b` or `\u202e`."""
    return "".join(map(_escape_character, text)).strip()


def sanitize_line(line: str) -> str:
    """Return the line sanitised, with its indent."""
    return " " * (len(line) - len(line.lstrip(" "))) + sanitize(line)


def _escape_character(character: str) -> str:
    if character in "\t\n\r\v\f":
        return " "
    if unicodedata.category(character) not in UNSAFE_CATEGORIES:
        return character
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def print_line(text: str = "") -> None:
    """Write one line, which the caller made of sanitised parts."""
    print(text)  # noqa: T201  this is the one place that writes to standard output


def print_message(text: str) -> None:
    """Write a message for the user to standard error, apart from the output."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def print_json(value: Json) -> None:
    """Write one JSON document, in ASCII with escapes, so that no control character gets through."""
    print_line(json.dumps(value, indent=2))


def print_bytes(data: bytes) -> None:
    """Write bytes: unchanged into a pipe or a file, sanitised on a terminal."""
    if not sys.stdout or sys.stdout.isatty():
        for line in data.decode("utf-8", "replace").splitlines():
            print_line(sanitize_line(line))
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def terminal_width() -> int:
    """Return the width of the terminal; 80 if there is none."""
    return shutil.get_terminal_size((80, 24)).columns


def print_table(
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    right_aligned: Collection[str] = (),
    indent: str = "",
) -> None:
    """Write rows under their titles; the columns named in `right` hold numbers."""
    for line in format_table(titles, rows, right_aligned, terminal_width() - len(indent)):
        print_line(indent + line)


def format_table(
    titles: Sequence[str], rows: Sequence[Sequence[str]], right_aligned: Collection[str] = (), width: int = 80
) -> list[str]:
    """Return the lines of a table no wider than `width`; cells are sanitised and wrapped, never cut."""
    cells = [[sanitize(cell) for cell in row] for row in [titles, *rows]]
    widths = _fit_column_widths(list(zip(*cells, strict=True)), width)
    to_the_right = [title in right_aligned for title in titles]
    heading, *body = [_format_row(row, widths, to_the_right) for row in cells]
    return [*heading, COLUMN_GAP.join("-" * room for room in widths), *(line for row in body for line in row)]


def wrap_text(text: str, width: int) -> list[str]:
    """Return a text sanitised, in lines no wider than `width`."""
    return _wrap_words(sanitize(text), max(width, MIN_COLUMN_WIDTH))


def _fit_column_widths(columns_of: Sequence[Sequence[str]], width: int) -> list[int]:
    """Return column widths that fit: narrow the widest columns first, breaking words only if needed."""
    widths = [max(map(display_width, column)) for column in columns_of]
    words = [max(display_width(word) for cell in column for word in cell.split(" ")) for column in columns_of]
    for floors in (words, [MIN_COLUMN_WIDTH] * len(widths)):
        while sum(widths) + len(COLUMN_GAP) * (len(widths) - 1) > width:
            spare = [room - floor for room, floor in zip(widths, floors, strict=True)]
            if max(spare) <= 0:
                break
            widest = max((room, number) for number, room in enumerate(widths) if spare[number] > 0)[1]
            widths[widest] -= 1
    return widths


def _format_row(cells: Sequence[str], widths: list[int], align_right: list[bool]) -> list[str]:
    wrapped = [_wrap_words(cell, room) for cell, room in zip(cells, widths, strict=True)]
    lines = []
    for number in range(max(map(len, wrapped))):
        parts = [lines_of[number] if number < len(lines_of) else "" for lines_of in wrapped]
        placed = [_align_cell(*part) for part in zip(parts, widths, align_right, strict=True)]
        lines.append(COLUMN_GAP.join(placed).rstrip())
    return lines


def _align_cell(text: str, width: int, align_right: bool) -> str:
    blanks = " " * (width - display_width(text))
    return blanks + text if align_right else text + blanks


def _wrap_words(text: str, width: int) -> list[str]:
    """Break at blanks where there are any, else in the middle of a word."""
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if display_width(joined) <= width:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        for character in word:
            if display_width(lines[-1] + character) > width:
                lines.append("")
            lines[-1] += character
    return lines


def display_width(text: str) -> int:
    """Return how many cells of the terminal a text takes."""
    return len(text) if text.isascii() else sum(map(_character_width, text))


def _character_width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


class ProgressLine:
    """One line that is rewritten in place; nothing is written if standard error is no terminal."""

    def __init__(self) -> None:
        self._is_visible = sys.stderr.isatty()
        self._length = 0

    def show(self, text: str) -> None:
        """Replace the line."""
        if not self._is_visible:
            return
        text = sanitize(text)[: terminal_width() - 1]
        sys.stderr.write("\r" + text.ljust(self._length))
        sys.stderr.flush()
        self._length = len(text)

    def end(self) -> None:
        """Remove the line."""
        if self._length:
            sys.stderr.write("\r" + " " * self._length + "\r")
            sys.stderr.flush()
            self._length = 0
