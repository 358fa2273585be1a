"""What a simulated printer knows, as the cells that the reader works on."""

from collections.abc import Mapping

from appliance.mib.values import CellValue
from tests.fakes import ber
from tests.fakes.mib import Cell


def cells(rows: Mapping[str, Cell]) -> dict[tuple[int, ...], CellValue]:
    """Every object of a recording or of an authored printer."""
    return {ber.parse_oid(oid): _value(*cell) for oid, cell in rows.items()}


def _value(tag: int, raw: ber.Raw) -> CellValue:
    if isinstance(raw, str):
        return ber.parse_oid(raw) if tag == ber.OID else raw.encode()
    return raw
