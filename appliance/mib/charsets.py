"""Bytes of a printer as the text that a person would read: decoded, without padding, safe for XML 1.0."""

import re
from functools import lru_cache

UTF_8_MIBENUM = 106
TWO_OCTET_CODECS = {1000: "utf-16-be", 1013: "utf-16-be", 1014: "utf-16-le", 1015: "utf-16"}
# IANAcharset (RFC 3808) → Python's codec. UTF-8 is tried first in any case: it cannot be mistaken.
CODECS_BY_MIBENUM = {
    3: "latin-1",  # ASCII by name; what is beyond it was Latin-1 wherever it was seen
    4: "latin-1",
    5: "iso8859-2",
    6: "iso8859-3",
    7: "iso8859-4",
    8: "iso8859-5",
    9: "iso8859-6",
    10: "iso8859-7",
    11: "iso8859-8",
    12: "iso8859-9",
    13: "iso8859-10",
    17: "cp932",  # Shift_JIS as printers fill it
    18: "euc-jp",
    38: "euc-kr",
    109: "iso8859-13",
    110: "iso8859-14",
    111: "iso8859-15",
    112: "iso8859-16",
    113: "gbk",
    114: "gb18030",
    2004: "hp-roman8",
    2009: "cp850",
    2010: "cp852",
    2011: "cp437",
    2024: "cp932",
    2025: "gb2312",
    2026: "big5",
    2084: "koi8-r",
    2250: "cp1250",
    2251: "cp1251",
    2252: "cp1252",
    2253: "cp1253",
    2254: "cp1254",
    2255: "cp1255",
    2256: "cp1256",
    2257: "cp1257",
    2258: "cp1258",
    2259: "cp874",
}

LINE_BREAK_PATTERN = re.compile(r"\s*[\t\n\v\f\r\x85\u2028\u2029]+\s*")
# What XML 1.0 cannot hold; the two octets before a string of HP's PML (01 15) are among it.
XML_FORBIDDEN_PATTERN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
PADDING_CHARS = " \N{NO-BREAK SPACE}\N{REPLACEMENT CHARACTER}"


@lru_cache(maxsize=4096)  # a fleet says "Black Toner" a thousand times
def decode_text(value: bytes, charset: int | None = None) -> str:
    """The text of a value; `charset` is the printer's own word for it (prtLocalizationCharacterSet)."""
    text = _decode_two_octet(value, charset) or _decode_single_octet(value.split(b"\0", 1)[0], charset)
    return XML_FORBIDDEN_PATTERN.sub("", LINE_BREAK_PATTERN.sub(" ", text)).strip(PADDING_CHARS)


def _decode_two_octet(value: bytes, charset: int | None) -> str | None:
    if charset not in TWO_OCTET_CODECS or b"\0" not in value:  # some claim UCS-2 and send ASCII
        return None
    return value.decode(TWO_OCTET_CODECS[charset], "replace").split("\0", 1)[0]


def _decode_single_octet(value: bytes, charset: int | None) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        cut_off = error.end == len(value) and error.reason == "unexpected end of data"
        whole = value[: error.start]
        if cut_off and (charset == UTF_8_MIBENUM or not whole.isascii()):
            return whole.decode("utf-8")
    if charset == UTF_8_MIBENUM:
        return value.decode("utf-8", "replace").replace("\N{REPLACEMENT CHARACTER}", "?")
    return value.decode(CODECS_BY_MIBENUM.get(charset or 0, "latin-1"), "replace")
