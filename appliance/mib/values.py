"""Convert the values of cells to what the MIB means by them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from appliance.domain.model import Amount, VagueAmount
from appliance.mib.charsets import decode_text
from appliance.mib.oids import Oid, format_oid

CellValue = int | bytes | Oid | None
Cells = Mapping[Oid, CellValue]
FieldValue = int | str | VagueAmount | None


@dataclass(slots=True)
class RowContext:
    """What the values of a row depend on."""

    index: int
    charset: int | None  # prtLocalizationCharacterSet
    colorants: Mapping[int, str]  # by prtMarkerColorantIndex


Converter = Callable[[CellValue, RowContext], FieldValue]


def parse_amount(value: int) -> Amount:
    """Return an amount of zero and more; a negative number that RFC 3805 does not know is UNKNOWN."""
    if value >= 0:
        return value
    return VagueAmount(value) if value in {-1, -2, -3} else VagueAmount.UNKNOWN


def number(value: CellValue, _context: RowContext) -> int | None:
    """Convert an INTEGER that is a plain number or the number of an enumeration."""
    return value if isinstance(value, int) else None


def amount(value: CellValue, _context: RowContext) -> Amount | None:
    """Convert an INTEGER that may be -1, -2 or -3 instead of an amount."""
    return parse_amount(value) if isinstance(value, int) else None


def text(value: CellValue, context: RowContext) -> str | None:
    """Convert an OCTET STRING that holds text."""
    return decode_text(value, context.charset) if isinstance(value, bytes) else None


def oid_text(value: CellValue, _context: RowContext) -> str | None:
    """Convert an OBJECT IDENTIFIER to dotted text."""
    return format_oid(value) if isinstance(value, tuple) else None


def colorant(value: CellValue, context: RowContext) -> str | None:
    """Convert a prtMarkerColorantIndex to the colorant's name; 0 is "other"."""
    if not isinstance(value, int):
        return None
    return context.colorants.get(value) if value > 0 else "other"


def row_index(_value: CellValue, context: RowContext) -> int:
    """Return the last arc of the row's index."""
    return context.index
