"""The lines of an import list in their fields, whichever program and country it was saved by.

- The fields are parted by `;`, `,` or a tab: by the first of them in the line, since no address has one.
- Lines that begin with # or // are comments. `sep=;` at the top is a spreadsheet's.
- The first line that says something is a header if its first field says "IP", "Hostname" and the like, or if
  another one speaks of communities, or they are called "read" and "write". `Printer1; public` is none.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from appliance.domain.messages import Message

MAX_FILE_BYTES = 8 << 20  # a line for each of 65,536 addresses is 4 MB
MAX_LINE_CHARS = 2_000  # characters: a name has 253, each community 255, a few columns more

_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
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
_PRINTER_WORDS = frozenset(("name", "names", "printer", "printers", "drucker", "device", "devices", "gerät"))
_ACCESS_WORDS = frozenset(("read", "write", "lesen", "schreiben", "ro", "rw"))
_COMMUNITY_HEADER = re.compile(r"communit\w*[\W_]*(name|read|write|string|ro|rw)", re.IGNORECASE)
_SEPARATOR_LINE = re.compile("sep=.", re.IGNORECASE)


class InvalidListError(Exception):
    """The file is no list at all; the text is one clear line."""


@dataclass(frozen=True, slots=True)
class CsvField:
    text: str
    quoted: bool = False  # its blanks were meant


@dataclass(frozen=True, slots=True)
class CsvLine:
    number: int
    fields: Sequence[CsvField]
    problem: str | None = None  # there are no fields then


def iter_lines(data: bytes) -> Iterator[CsvLine]:
    """The lines that say something, the header aside. Raises NotAList."""
    first = True
    for number, line in enumerate(re.split("\r\n|\r|\n", _decode_file(data)), 1):
        if len(line) > MAX_LINE_CHARS:
            yield CsvLine(number, (), Message("import.line_too_long", length=len(line), limit=MAX_LINE_CHARS))
            first = False
            continue
        if _is_blank_or_comment(line) or (first and _SEPARATOR_LINE.fullmatch(line.strip())):
            continue
        fields = _split_fields(line)
        if not (first and _is_header(fields)):
            yield CsvLine(number, fields)
        first = False


def remove_blanks(text: str) -> str:
    return "".join(text.split())


def _is_blank_or_comment(line: str) -> bool:
    return not line.strip(' \t\xa0;,"') or line.lstrip().startswith(("#", "//"))


def _decode_file(data: bytes) -> str:
    if len(data) > MAX_FILE_BYTES:
        raise InvalidListError(Message("import.file_too_large", limit_mb=MAX_FILE_BYTES >> 20))
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    if encoding := _guess_utf16(data[:2000]):
        return data.decode(encoding, "replace")
    for encoding in ("utf-8", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _guess_utf16(start: bytes) -> str:
    """UTF-16 without its mark: of each two bytes, one is mostly zero."""
    even, odd = start[::2].count(0), start[1::2].count(0)
    if not start or 4 * max(even, odd) < len(start):
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _split_fields(line: str) -> list[CsvField]:
    separator, parts, start, quoted, empty = "", [], 0, False, True
    for at, character in enumerate(line):
        if character == '"' and (quoted or empty):
            quoted, empty = not quoted, False
        elif not quoted and (character == separator or (not separator and character in ";,\t")):
            parts.append(line[start:at])
            separator, start, empty = character, at + 1, True
        elif not character.isspace():
            empty = False
    return [_unquote_field(part.strip()) for part in [*parts, line[start:]]]


def _unquote_field(text: str) -> CsvField:
    if len(text) > 1 and text[0] == text[-1] == '"' and '"' not in text[1:-1].replace('""', ""):
        return CsvField(text[1:-1].replace('""', '"').strip(), quoted=True)
    return CsvField(text)


def _is_header(fields: Sequence[CsvField]) -> bool:
    words = {word for word in re.split(r"[\W_]+", fields[0].text.casefold()) if word}
    others = " ".join(field.text for field in fields[1:])
    if words and words <= _ADDRESS_WORDS:
        return True
    if words and words <= _ADDRESS_WORDS | _PRINTER_WORDS:
        accesses = {field.text.casefold() for field in fields[1:3]}
        if "communit" in others.casefold() or (accesses and accesses <= _ACCESS_WORDS):
            return True
    return bool(_COMMUNITY_HEADER.search(others))
