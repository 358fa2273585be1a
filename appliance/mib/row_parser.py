"""Rows of a printer's tables as the records of the model: each value as what the MIB means by it."""

from collections.abc import Mapping

from appliance.domain.model import Alert, Amount, InputTray, OutputTray, Storage, Supply, Vague
from appliance.mib.charsets import decode_text
from appliance.mib.oids import Oid, format_oid
from appliance.mib.printer_mib import Cells, CellValue, MibTable


class TableRow:
    """One row of a table: its values as what the MIB means by them."""

    def __init__(self, values: Mapping[int, CellValue], index: Oid, charset: int | None) -> None:
        self._values = values
        self._charset = charset
        self.index = index[-1]

    def number(self, column: int) -> int | None:
        value = self._values.get(column)
        return value if isinstance(value, int) else None

    def amount(self, column: int) -> Amount | None:
        value = self._values.get(column)
        return parse_amount(value) if isinstance(value, int) else None

    def text(self, column: int) -> str | None:
        value = self._values.get(column)
        return decode_text(value, self._charset) if isinstance(value, bytes) else None

    def oid_text(self, column: int) -> str | None:
        value = self._values.get(column)
        return format_oid(value) if isinstance(value, tuple) else None


def parse_amount(value: int) -> Amount:
    """Only zero and more is an amount; a negative number that RFC 3805 does not know says nothing."""
    if value >= 0:
        return value
    return Vague(value) if value in {-1, -2, -3} else Vague.UNKNOWN


def printer_rows(table: MibTable, cells: Cells, device: Oid, charset: int | None) -> list[TableRow]:
    """The rows of a table that belong to the printer, or to the first device if none does."""
    length = len(table.entry)
    values: dict[Oid, dict[int, CellValue]] = {}
    for oid, value in cells.items():
        if value is not None and oid[:length] == table.entry and len(oid) > length + 1:
            values.setdefault(oid[length + 1 :], {})[oid[length]] = value
    indexes = sorted(values)
    if table.is_indexed_by_device and indexes:
        first = device if any(index[:1] == device for index in indexes) else indexes[0][:1]
        indexes = [index for index in indexes if index[:1] == first]
    return [TableRow(values[index], index, charset) for index in indexes]


def parse_supply(row: TableRow, colors: Mapping[int, str]) -> Supply:
    """`colors` are the colorants by their index; a row without one is of another colour."""
    colorant = row.number(3)
    color = None if colorant is None else "other" if colorant <= 0 else colors.get(colorant)
    return Supply(
        index=row.index,
        class_=row.number(4),
        type=row.number(5),
        color=color,
        description=row.text(6),
        unit=row.number(7),
        max_capacity=row.amount(8),
        level=row.amount(9),
    )


def parse_alert(row: TableRow) -> Alert:
    return Alert(
        index=row.index,
        severity_level=row.number(2),
        training_level=row.number(3),
        group=row.number(4),
        group_index=row.number(5),
        location=row.number(6),
        code=row.number(7),
        description=row.text(8),
        time=row.number(9),
    )


def parse_input_tray(row: TableRow) -> InputTray:
    return InputTray(
        index=row.index,
        type=row.number(2),
        dim_unit=row.number(3),
        media_dim_feed_dir_declared=row.amount(4),
        media_dim_xfeed_dir_declared=row.amount(5),
        media_dim_feed_dir_chosen=row.amount(6),
        media_dim_xfeed_dir_chosen=row.amount(7),
        capacity_unit=row.number(8),
        max_capacity=row.amount(9),
        current_level=row.amount(10),
        status=row.number(11),
        media_name=row.text(12),
        name=row.text(13),
        vendor_name=row.text(14),
        model=row.text(15),
        version=row.text(16),
        serial_number=row.text(17),
        description=row.text(18),
        security=row.number(19),
        media_weight=row.amount(20),
        media_type=row.text(21),
        media_color=row.text(22),
        media_form_parts=row.amount(23),
        media_load_timeout=row.amount(24),
        next_index=row.amount(25),
    )


def parse_output_tray(row: TableRow) -> OutputTray:
    return OutputTray(
        index=row.index,
        type=row.number(2),
        capacity_unit=row.number(3),
        max_capacity=row.amount(4),
        remaining_capacity=row.amount(5),
        status=row.number(6),
        name=row.text(7),
        vendor_name=row.text(8),
        model=row.text(9),
        version=row.text(10),
        serial_number=row.text(11),
        description=row.text(12),
        security=row.number(13),
        dim_unit=row.number(14),
        max_dim_feed_dir=row.amount(15),
        max_dim_xfeed_dir=row.amount(16),
        min_dim_feed_dir=row.amount(17),
        min_dim_xfeed_dir=row.amount(18),
        stacking_order=row.number(19),
        page_delivery_orientation=row.number(20),
        bursting=row.number(21),
        decollating=row.number(22),
        page_collated=row.number(23),
        offset_stacking=row.number(24),
    )


def parse_storage(row: TableRow) -> Storage:
    return Storage(
        index=row.index,
        type=row.oid_text(2),
        description=row.text(3),
        allocation_units=row.number(4),
        size=row.number(5),
        used=row.number(6),
        allocation_failures=row.number(7),
    )
