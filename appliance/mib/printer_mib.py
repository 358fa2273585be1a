"""The tables that a printer is asked for: their columns, how large a value is, and which columns move.

Sizes are what recordings of real printers hold (texts a little above their median): they only decide how many
objects are put into one request, so that its response stays below the MTU.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from appliance.mib import oids
from appliance.mib.oids import Oid

CellValue = int | bytes | Oid | None
Cells = Mapping[Oid, CellValue]


@dataclass(frozen=True, slots=True)
class MibTable:
    """A conceptual table; `moving` columns are asked at each query, the others when something was rebuilt."""

    name: str
    part: str  # its name in Reading.failures
    entry: Oid
    columns: Mapping[int, int]  # column → typical size of its values in bytes
    volatile: tuple[int, ...] = ()
    discovery_column: int = 2  # an integer column that agents fill: from it the rows are learned
    is_indexed_by_device: bool = True  # the first index is hrDeviceIndex
    expected_rows: tuple[Oid, ...] = ()  # rows, in their order, where they are not numbered from 1
    # Where only some rows or columns are worth asking: decides by what the first column says.
    select_columns: Callable[[Cells, Oid], Collection[int]] | None = None

    @property
    def prefix(self) -> Oid:
        return self.entry[:9]

    def column(self, number: int) -> Oid:
        return (*self.entry, number)


def _printer_row_columns(cells: Cells, row: Oid) -> Collection[int]:
    kind = cells.get((*oids.HR_DEVICE_TYPE, *row))
    return (3, 5) if kind == oids.HR_DEVICE_PRINTER or kind is None else ()


INTERFACES = MibTable(
    "interfaces", "details", oids.IF_ENTRY, {3: 1, 6: 6}, discovery_column=3, is_indexed_by_device=False
)
STORAGES = MibTable(
    "storages",
    "storages",
    oids.HR_STORAGE_ENTRY,
    {2: 9, 3: 14, 4: 2, 5: 4, 6: 4, 7: 1},
    volatile=(6, 7),
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
INPUTS = MibTable(
    "inputs",
    "inputs",
    oids.PRT_INPUT_ENTRY,
    dict.fromkeys(range(2, 26), 2)
    | {4: 4, 5: 4, 6: 4, 7: 4}
    | {12: 10, 13: 12, 14: 8, 15: 6, 16: 6, 17: 8, 18: 16, 21: 10, 22: 8},
    volatile=(10, 11),
)
OUTPUTS = MibTable(
    "outputs",
    "outputs",
    oids.PRT_OUTPUT_ENTRY,
    dict.fromkeys(range(2, 25), 2) | {7: 12, 8: 8, 9: 6, 10: 6, 11: 8, 12: 16, 15: 4, 16: 4, 17: 4, 18: 4},
    volatile=(5, 6),
)
MARKERS = MibTable(
    "markers", "counters", oids.PRT_MARKER_ENTRY, {3: 1, 4: 4}, volatile=(4,), discovery_column=3
)
SUPPLIES = MibTable(
    "supplies",
    "supplies",
    oids.PRT_MARKER_SUPPLIES_ENTRY,
    {3: 1, 4: 1, 5: 1, 6: 28, 7: 1, 8: 3, 9: 3},
    volatile=(9, 8),
    discovery_column=3,
)
COLORANTS = MibTable("colorants", "supplies", oids.PRT_MARKER_COLORANT_ENTRY, {4: 7}, discovery_column=3)
CONSOLE = MibTable("console", "details", oids.PRT_CONSOLE_DISPLAY_BUFFER_ENTRY, {2: 20}, volatile=(2,))
ALERTS = MibTable(
    "alerts",
    "alerts",
    oids.PRT_ALERT_ENTRY,
    {2: 1, 3: 1, 4: 1, 5: 1, 6: 3, 7: 2, 8: 30, 9: 4},
    # All that tells one alert from another: an agent may give an old row's number to a new alert.
    volatile=(2, 7, 9, 8),
)

STANDARD_TABLES = (
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


def group_by_table(cells: Cells) -> Mapping[Oid, Cells]:
    """The cells of each table, under `Table.key`: nine arcs tell all standard tables apart."""
    groups: dict[Oid, dict[Oid, CellValue]] = {}
    for oid, value in cells.items():
        groups.setdefault(oid[:9], {})[oid] = value
    return groups


def row_indexes(table: MibTable, cells: Cells) -> list[Oid]:
    """The rows of a table that the cells hold."""
    length = len(table.entry)
    rows = {oid[length + 1 :] for oid in cells if oid[:length] == table.entry and len(oid) > length + 1}
    return sorted(rows)
