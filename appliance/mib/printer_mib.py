"""Declare the tables of the Printer-MIB (RFC 3805) and the Host Resources MIB (RFC 2790) that are polled.

A column is declared once, with the field of the record that holds it: requests, row parsing, the elements of
the XML and the names in traps derive from it. Columns stand in the order of the XML.

Sizes are what recordings of real printers hold (texts a little above their median): they only decide how many
objects are put into one request, so that its response stays below the MTU.
"""

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from appliance.domain.model import Alert, InputTray, OutputTray, Storage, Supply
from appliance.mib import oids
from appliance.mib.oids import Oid
from appliance.mib.values import (
    Cells,
    CellValue,
    Converter,
    amount,
    colorant,
    number,
    oid_text,
    row_index,
    text,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)  # hashed by identity, as a key of caches
class MibTable:
    """A conceptual table; volatile columns are requested at each poll, the others at a full poll."""

    name: str
    part: str  # its name in Reading.failures
    entry: Oid
    columns: Mapping[int, int]  # column → typical size of its values in bytes
    volatile: tuple[int, ...] = ()
    discovery_column: int = 2  # an integer column that agents fill: from it the rows are learned
    is_indexed_by_device: bool = True  # the first index is hrDeviceIndex
    expected_rows: tuple[Oid, ...] = ()  # rows, in their order, where they are not numbered from 1
    # Where only some rows or columns are worth a request: decides by what the first column says.
    select_columns: Callable[[Cells, Oid], Collection[int]] | None = None

    @property
    def prefix(self) -> Oid:
        return self.entry[:9]

    def column(self, number: int) -> Oid:
        return (*self.entry, number)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table and the field of the record that holds it.

    The XML element is named after the field unless the reference prints another name; `xml_mib_name` is the
    Printer-MIB's name where the reference's is wrong.
    """

    number: int
    field: str
    convert: Converter
    size_bytes: int
    polled: bool = False
    xml_name: str = ""
    xml_mib_name: str | None = None

    @property
    def camel_case_name(self) -> str:
        """Return the field's name as the MIB writes it: "group_index" as "GroupIndex"."""
        return "".join(word.capitalize() for word in self.field.split("_"))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecordTable(MibTable, Generic[T]):
    """A table whose rows are records; made by `declare_table`."""

    record: type[T]
    declared: tuple[Column, ...]
    field_converters: tuple[tuple[int, Converter], ...]  # in the order of the record's fields

    def column_of(self, field_name: str) -> Oid:
        """Return the OID of the column that fills a field."""
        return self.column(next(column.number for column in self.declared if column.field == field_name))


def declare_table(
    name: str,
    part: str,
    entry: Oid,
    record: type[T],
    columns: Sequence[Column],
    *,
    discovery_column: int = 2,
    is_indexed_by_device: bool = True,
    select_columns: Callable[[Cells, Oid], Collection[int]] | None = None,
) -> RecordTable[T]:
    """Return the table; raise ValueError where the columns are not the fields of the record."""
    by_field = {column.field: column for column in columns}
    requested = sorted((column for column in columns if column.size_bytes), key=lambda column: column.number)
    order = tuple(inspect.signature(record).parameters)
    if set(order) != set(by_field):
        raise ValueError(f"columns of {name} are not the fields of {record.__name__}")
    return RecordTable(
        name,
        part,
        entry,
        {column.number: column.size_bytes for column in requested},
        volatile=tuple(column.number for column in requested if column.polled),
        discovery_column=discovery_column,
        is_indexed_by_device=is_indexed_by_device,
        select_columns=select_columns,
        record=record,
        declared=tuple(columns),
        field_converters=tuple((by_field[field].number, by_field[field].convert) for field in order),
    )


@dataclass(frozen=True, slots=True)
class Marker:
    """A row of prtMarkerTable."""

    index: int
    counter_unit: int | None
    life_count: int | None


@dataclass(frozen=True, slots=True)
class Colorant:
    """A row of prtMarkerColorantTable."""

    index: int
    value: str | None


@dataclass(frozen=True, slots=True)
class ConsoleLine:
    """A row of prtConsoleDisplayBufferTable."""

    text: str | None


INDEX = Column(1, "index", row_index, 0)


def _printer_row_columns(cells: Cells, row: Oid) -> Collection[int]:
    device_type = cells.get((*HR_DEVICE_TYPE, *row))
    return (3, 5) if device_type == oids.HR_DEVICE_PRINTER or device_type is None else ()


INTERFACES = MibTable(
    "interfaces", "details", oids.IF_ENTRY, {3: 1, 6: 6}, discovery_column=3, is_indexed_by_device=False
)
STORAGES = declare_table(
    "storages",
    "storages",
    oids.HR_STORAGE_ENTRY,
    Storage,
    (
        INDEX,
        Column(2, "type", oid_text, 9),
        Column(3, "description", text, 14),
        Column(4, "allocation_units", number, 2),
        Column(5, "size", number, 4),
        Column(6, "used", number, 4, polled=True),
        Column(7, "allocation_failures", number, 1, polled=True),
    ),
    discovery_column=4,
    is_indexed_by_device=False,
)
DEVICES = MibTable(
    "devices",
    "details",
    oids.HR_DEVICE_ENTRY,
    {2: 9, 3: 26, 5: 1},
    volatile=(5,),
    is_indexed_by_device=False,
    select_columns=_printer_row_columns,
)
INPUTS = declare_table(
    "inputs",
    "inputs",
    oids.PRT_INPUT_ENTRY,
    InputTray,
    (
        INDEX,
        Column(2, "type", number, 2),
        Column(3, "dim_unit", number, 2),
        Column(4, "media_dim_feed_dir_declared", amount, 4),
        Column(
            5,
            "media_dim_xfeed_dir_declared",
            amount,
            4,
            xml_name="MediaDimFeedDirDeclared",
            xml_mib_name="MediaDimXFeedDirDeclared",
        ),
        Column(6, "media_dim_feed_dir_chosen", amount, 4),
        Column(
            7,
            "media_dim_xfeed_dir_chosen",
            amount,
            4,
            xml_name="MediaDimFeedDirChosen",
            xml_mib_name="MediaDimXFeedDirChosen",
        ),
        Column(8, "capacity_unit", number, 2),
        Column(9, "max_capacity", amount, 2),
        Column(10, "current_level", amount, 2, polled=True),
        Column(11, "status", number, 2, polled=True),
        Column(12, "media_name", text, 10),
        Column(13, "name", text, 12, xml_name="Names"),
        Column(14, "vendor_name", text, 8),
        Column(15, "model", text, 6),
        Column(16, "version", text, 6),
        Column(17, "serial_number", text, 8, xml_name="Serialnumber"),
        Column(18, "description", text, 16),
        Column(19, "security", number, 2),
        Column(20, "media_weight", amount, 2, xml_name="MediaWeights"),
        Column(21, "media_type", text, 10),
        Column(22, "media_color", text, 8),
        Column(23, "media_form_parts", amount, 2),
        Column(24, "media_load_timeout", amount, 2),
        Column(25, "next_index", amount, 2),
    ),
)
OUTPUTS = declare_table(
    "outputs",
    "outputs",
    oids.PRT_OUTPUT_ENTRY,
    OutputTray,
    (
        INDEX,
        Column(2, "type", number, 2),
        Column(3, "capacity_unit", number, 2),
        Column(4, "max_capacity", amount, 2),
        Column(5, "remaining_capacity", amount, 2, polled=True),
        Column(6, "status", number, 2, polled=True),
        Column(7, "name", text, 12),
        Column(8, "vendor_name", text, 8),
        Column(9, "model", text, 6),
        Column(10, "version", text, 6),
        Column(11, "serial_number", text, 8, xml_name="Serialnumber"),
        Column(12, "description", text, 16),
        Column(13, "security", number, 2),
        Column(14, "dim_unit", number, 2),
        Column(15, "max_dim_feed_dir", amount, 4),
        Column(16, "max_dim_xfeed_dir", amount, 4, xml_name="MaxDimFeedDir", xml_mib_name="MaxDimXFeedDir"),
        Column(17, "min_dim_feed_dir", amount, 4),
        Column(18, "min_dim_xfeed_dir", amount, 4, xml_name="MinDimFeedDir", xml_mib_name="MinDimXFeedDir"),
        Column(19, "stacking_order", number, 2),
        Column(20, "page_delivery_orientation", number, 2),
        Column(21, "bursting", number, 2),
        Column(22, "decollating", number, 2),
        Column(23, "page_collated", number, 2),
        Column(24, "offset_stacking", number, 2),
    ),
)
MARKERS = declare_table(
    "markers",
    "counters",
    oids.PRT_MARKER_ENTRY,
    Marker,
    (INDEX, Column(3, "counter_unit", number, 1), Column(4, "life_count", number, 4, polled=True)),
    discovery_column=3,
)
SUPPLIES = declare_table(
    "supplies",
    "supplies",
    oids.PRT_MARKER_SUPPLIES_ENTRY,
    Supply,
    (
        Column(5, "type", number, 1),
        Column(3, "color", colorant, 1),
        Column(4, "class_", number, 1),
        Column(6, "description", text, 28),
        Column(7, "unit", number, 1),
        Column(8, "max_capacity", amount, 3, polled=True, xml_name="Capacity"),
        Column(9, "level", amount, 3, polled=True),
        INDEX,
    ),
    discovery_column=3,
)
COLORANTS = declare_table(
    "colorants",
    "supplies",
    oids.PRT_MARKER_COLORANT_ENTRY,
    Colorant,
    (INDEX, Column(4, "value", text, 7)),
    discovery_column=3,
)
CONSOLE = declare_table(
    "console",
    "details",
    oids.PRT_CONSOLE_DISPLAY_BUFFER_ENTRY,
    ConsoleLine,
    (Column(2, "text", text, 20, polled=True),),
)
# Polled is all that tells one alert from another: an agent may give an old row's number to a new alert.
ALERTS = declare_table(
    "alerts",
    "alerts",
    oids.PRT_ALERT_ENTRY,
    Alert,
    (
        Column(7, "code", number, 2, polled=True),
        Column(2, "severity_level", number, 1, polled=True),
        Column(3, "training_level", number, 1),
        Column(4, "group", number, 1),
        Column(5, "group_index", number, 1),
        Column(6, "location", number, 3),
        Column(8, "description", text, 30, polled=True),
        Column(9, "time", number, 4, polled=True),
        INDEX,
    ),
)

STANDARD_TABLES: tuple[MibTable, ...] = (
    INTERFACES,
    STORAGES,
    DEVICES,
    INPUTS,
    OUTPUTS,
    MARKERS,
    SUPPLIES,
    COLORANTS,
    CONSOLE,
    ALERTS,
)

IF_TYPE = INTERFACES.column(3)
IF_PHYS_ADDRESS = INTERFACES.column(6)
HR_DEVICE_TYPE = DEVICES.column(2)
HR_DEVICE_DESCR = DEVICES.column(3)
HR_DEVICE_STATUS = DEVICES.column(5)


def group_by_table(cells: Cells) -> Mapping[Oid, Cells]:
    """Return the cells of each table, under `MibTable.prefix`: nine arcs tell all standard tables apart."""
    groups: dict[Oid, dict[Oid, CellValue]] = {}
    prefix: Oid = ()
    group: dict[Oid, CellValue] = {}
    for oid, value in cells.items():
        if oid[:9] != prefix:  # neighbours mostly belong to the same table
            prefix = oid[:9]
            group = groups.setdefault(prefix, {})
        group[oid] = value
    return groups


@lru_cache(maxsize=1_024)  # printers of one model have the same rows
def cell_oids(entry: Oid, columns: tuple[int, ...], rows: tuple[Oid, ...]) -> tuple[tuple[Oid, ...], ...]:
    """Return the OIDs of a table's cells, by column, in the order of the rows."""
    return tuple(tuple((*entry, column, *row) for row in rows) for column in columns)


def row_indexes(table: MibTable, cells: Cells) -> list[Oid]:
    """Return the rows of a table that the cells hold."""
    length = len(table.entry)
    rows = {oid[length + 1 :] for oid in cells if oid[:length] == table.entry and len(oid) > length + 1}
    return sorted(rows)
