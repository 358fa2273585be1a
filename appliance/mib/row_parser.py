"""Parse the rows of declared tables into records."""

from collections.abc import Mapping
from itertools import starmap
from typing import TypeVar

from appliance.mib.oids import Oid
from appliance.mib.printer_mib import RecordTable
from appliance.mib.values import Cells, CellValue, RowContext

T = TypeVar("T")
NO_COLORANTS: Mapping[int, str] = {}


def parse_rows(
    table: RecordTable[T],
    cells: Cells,
    device: Oid,
    charset: int | None = None,
    colorants: Mapping[int, str] = NO_COLORANTS,
) -> list[T]:
    """Return the rows that belong to the printer, or to the first device if none does."""
    rows = (
        (values, RowContext(index[-1], charset, colorants))
        for index, values in _rows_of_device(table, cells, device)
    )
    fields = (
        [convert(values.get(column), context) for column, convert in table.field_converters]
        for values, context in rows
    )
    return list(starmap(table.record, fields))


def _rows_of_device(
    table: RecordTable[T], cells: Cells, device: Oid
) -> list[tuple[Oid, Mapping[int, CellValue]]]:
    length = len(table.entry)
    rows: dict[Oid, dict[int, CellValue]] = {}
    for oid, value in cells.items():
        if value is not None and oid[:length] == table.entry and len(oid) > length + 1:
            rows.setdefault(oid[length + 1 :], {})[oid[length]] = value
    indexes = sorted(rows)
    if table.is_indexed_by_device and indexes:
        first = device if any(index[:1] == device for index in indexes) else indexes[0][:1]
        indexes = [index for index in indexes if index[:1] == first]
    return [(index, rows[index]) for index in indexes]
