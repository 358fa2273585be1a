from dataclasses import fields

import pytest

from appliance.domain.model import Alert, InputTray, OutputTray, Storage, Supply, VagueAmount
from appliance.mib.printer_mib import (
    ALERTS,
    INPUTS,
    OUTPUTS,
    STANDARD_TABLES,
    STORAGES,
    SUPPLIES,
    Column,
    RecordTable,
    declare_table,
)
from appliance.mib.row_parser import parse_rows
from appliance.mib.values import number

SUPPLY_CELLS = {
    (*SUPPLIES.column(3), 1, 1): 2,
    (*SUPPLIES.column(6), 1, 1): b"Black",
    (*SUPPLIES.column(8), 1, 1): 100,
    (*SUPPLIES.column(9), 1, 1): -3,
    (*SUPPLIES.column(3), 1, 2): 0,
    (*SUPPLIES.column(9), 1, 2): b"no number",
    (*SUPPLIES.column(3), 2, 1): 1,
}


@pytest.mark.parametrize(
    ("table", "record"),
    [(SUPPLIES, Supply), (ALERTS, Alert), (INPUTS, InputTray), (OUTPUTS, OutputTray), (STORAGES, Storage)],
)
def test_each_field_has_a_column(table: RecordTable[object], record: type):
    assert {column.field for column in table.declared} == {field.name for field in fields(record)}
    assert len({column.number for column in table.declared}) == len(table.declared)


def test_the_columns_that_change_are_polled():
    assert {table.name: table.volatile for table in STANDARD_TABLES if table.volatile} == {
        "storages": (6, 7),
        "devices": (5,),
        "inputs": (10, 11),
        "outputs": (5, 6),
        "markers": (4,),
        "supplies": (8, 9),
        "console": (2,),
        "alerts": (2, 7, 8, 9),
    }


def test_a_column_without_a_field_is_refused():
    with pytest.raises(ValueError, match="not the fields of Supply"):
        declare_table("supplies", "supplies", (1, 3), Supply, (Column(2, "levle", number, 1),))


def test_rows_become_records():
    assert parse_rows(SUPPLIES, SUPPLY_CELLS, (1,), colorants={2: "black"}) == [
        Supply(1, color="black", description="Black", max_capacity=100, level=VagueAmount.SOME_LEFT),
        Supply(2, color="other"),
    ]


def test_without_rows_of_the_printer_those_of_the_first_device_count():
    assert [supply.index for supply in parse_rows(SUPPLIES, SUPPLY_CELLS, (7,))] == [1, 2]


def test_a_column_is_found_by_its_field():
    assert SUPPLIES.column_of("level") == (1, 3, 6, 1, 2, 1, 43, 11, 1, 1, 9)
