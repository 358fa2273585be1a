"""The lines of an import list in their fields, whichever program and country it was saved by.

- The fields are parted by `;`, `,` or a tab: by the first of them in the line, since no address has one.
- Lines that begin with # or // are comments. `sep=;` at the top is a spreadsheet's.
- The first line that says something is a header if its first field says "IP", "Hostname" and the like, or if
  another one speaks of communities, or they are called "read" and "write". `Printer1; public` is none.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MOST_BYTES = 8 << 20  # a line for each of 65,536 addresses is 4 MB
MOST_LINE = 2_000  # characters: a name has 253, each community 255, a few columns more

_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_ADDRESS_WORDS = frozenset(
    (
        *("ip", "ipv4", "ipv6", "host", "hostname", "hostnames", "hosts", "dns", "dnsname", "fqdn", "target"),
        *(
            "address",
            "addresses",
            "adresse",
            "adressen",
            "ipaddress",
            "ipadresse",
            "or",
            "oder",
            "und",
            "and",
        ),
    )
)
_THING_WORDS = frozenset(("name", "names", "printer", "printers", "drucker", "device", "devices", "gerät"))
_ACCESS_WORDS = frozenset(("read", "write", "lesen", "schreiben", "ro", "rw"))
_OF_COMMUNITIES = re.compile(r"communit\w*[\W_]*(name|read|write|string|ro|rw)", re.IGNORECASE)
_SEPARATOR_LINE = re.compile("sep=.", re.IGNORECASE)


class NotAList(Exception):
    """The file is no list at all; the text is one clear line."""


@dataclass(frozen=True, slots=True)
class Field:
    text: str
    quoted: bool = False  # its blanks were meant


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    fields: Sequence[Field]
    problem: str | None = None  # there are no fields then


def read(data: bytes) -> Iterator[Line]:
    """The lines that say something, the header aside. Raises NotAList."""
    first = True
    for number, line in enumerate(re.split("\r\n|\r|\n", _text(data)), 1):
        if len(line) > MOST_LINE:
            yield Line(number, (), f"is {len(line):,} characters long; at most {MOST_LINE:,} are read")
            first = False
            continue
        if _says_nothing(line) or (first and _SEPARATOR_LINE.fullmatch(line.strip())):
            continue
        fields = _fields(line)
        if not (first and _is_header(fields)):
            yield Line(number, fields)
        first = False


def without_blanks(text: str) -> str:
    return "".join(text.split())


def _says_nothing(line: str) -> bool:
    return not line.strip(' \t\xa0;,"') or line.lstrip().startswith(("#", "//"))


def _text(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise NotAList(f"is larger than {MOST_BYTES >> 20} MB, and no list of printers is")
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    if encoding := _wide(data[:2000]):
        return data.decode(encoding, "replace")
    for encoding in ("utf-8", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _wide(start: bytes) -> str:
    """UTF-16 without its mark: of each two bytes, one is mostly zero."""
    even, odd = start[::2].count(0), start[1::2].count(0)
    if not start or 4 * max(even, odd) < len(start):
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _fields(line: str) -> list[Field]:
    separator, parts, start, quoted, empty = "", [], 0, False, True
    for at, character in enumerate(line):
        if character == '"' and (quoted or empty):
            quoted, empty = not quoted, False
        elif not quoted and (character == separator or (not separator and character in ";,\t")):
            parts.append(line[start:at])
            separator, start, empty = character, at + 1, True
        elif not character.isspace():
            empty = False
    return [_field(part.strip()) for part in [*parts, line[start:]]]


def _field(text: str) -> Field:
    if len(text) > 1 and text[0] == text[-1] == '"' and '"' not in text[1:-1].replace('""', ""):
        return Field(text[1:-1].replace('""', '"').strip(), quoted=True)
    return Field(text)


def _is_header(fields: Sequence[Field]) -> bool:
    words = {word for word in re.split(r"[\W_]+", fields[0].text.casefold()) if word}
    others = " ".join(field.text for field in fields[1:])
    if words and words <= _ADDRESS_WORDS:
        return True
    if words and words <= _ADDRESS_WORDS | _THING_WORDS:
        accesses = {field.text.casefold() for field in fields[1:3]}
        if "communit" in others.casefold() or (accesses and accesses <= _ACCESS_WORDS):
            return True
    return bool(_OF_COMMUNITIES.search(others))
