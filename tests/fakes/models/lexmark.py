"""Lexmark: the MPS tables, keyed by type; the row numbers differ by model."""

from tests.fakes.ber import COUNTER32
from tests.fakes.models.life import Life, Who, weights
from tests.fakes.models.model import Model
from tests.fakes.models.parts import (
    FLASH,
    IMPRESSIONS,
    RAM,
    SOME_LEFT,
    UNKNOWN,
    Alert,
    Bin,
    Content,
    Looks,
    Rows,
    Storage,
    Supply,
    Tray,
)
from tests.fakes.models.printer_mib import level, printer, scalars, table

PRIVATE = "1.3.6.1.4.1.641"
SIDES = 4
CARTRIDGES = [
    Supply("Cyan Cartridge", "cyan", type=21, unit=IMPRESSIONS, max=5_000, life=5_000),
    Supply("Magenta Cartridge", "magenta", type=21, unit=IMPRESSIONS, max=5_000, life=5_000, offset=410),
    Supply("Yellow Cartridge", "yellow", type=21, unit=IMPRESSIONS, max=5_000, life=5_000, offset=2_200),
    Supply("Black Cartridge", "black", type=21, unit=IMPRESSIONS, max=8_500, life=8_500),
]


def _private(who: Who, life: Life, model: str, first_row: int) -> Rows:
    by_type = {
        1: life.total + life.total // 500,
        2: life.total,
        3: life.black,
        4: life.color,
        16: life.pages("P"),
        17: life.pages("Pk"),
        18: life.pages("Pc"),
        32: life.pages("C"),
        33: life.pages("Ck"),
        34: life.pages("Cc"),
        48: life.pages("F"),
        64: life.total // 90,
    }
    counts: Rows = {}
    for row, (kind, value) in enumerate(by_type.items(), first_row):
        counts.update(
            scalars(
                f"{PRIVATE}.6.4.2.1.1",
                {f"2.1.{row}": kind, f"3.1.{row}": SIDES, f"4.1.{row}": (COUNTER32, value)},
            )
        )
    supplies: dict[int, list[Content]] = {}
    for row, one in enumerate(CARTRIDGES, 1):
        supplies[row] = [
            one.description,
            f"CA{row}0{who.serial[-5:]}",
            f"78C2{row}00",
            one.max,
            level(one, life),
        ]
    names: dict[str, Content] = {
        "2.1.2.1.2.1": model,
        "2.1.2.1.6.1": who.serial,
        "6.2.3.1.4.1": model,
        "2.1.5.1.0": life.total,
        "2.1.5.2.0": life.black,
        "2.1.5.3.0": life.color,
    }
    rows = scalars(PRIVATE, names)
    for column, at in ((5, 0), (6, 1), (7, 2), (14, 3), (16, 4)):
        rows.update(
            table(f"{PRIVATE}.6.4.4.1.1.{column}", {row: [cells[at]] for row, cells in supplies.items()})
        )
    return {**rows, **counts}


def cx735(who: Who, life: Life) -> Rows:
    model = "Lexmark CX735adse"
    looks = Looks(
        description=f"{model} version CXTMH.230.307 kernel 5.4.90-yocto-standard All-N-1",
        object_id=f"{PRIVATE}.6.2.3.1.4",
        model=f"{model} {who.serial} CXTMH.230.307",
        printer_name="",
        console=("Ready",),
    )
    kits = [
        Supply("Photoconductor Unit", type=9, unit=IMPRESSIONS, max=150_000, life=150_000),
        Supply("Fuser Maintenance Kit", type=15, unit=IMPRESSIONS, max=200_000, life=200_000),
        Supply("Waste Toner Bottle", type=4, unit=IMPRESSIONS, max=UNKNOWN, level=SOME_LEFT, filled=True),
    ]
    return printer(
        who,
        life,
        looks,
        supplies=[*CARTRIDGES, *kits],
        trays=[Tray("Tray 1", 550, 330), Tray("Multi-Purpose Feeder", 100, SOME_LEFT, type=5, index=5)],
        bins=[Bin("Standard Bin", 250, SOME_LEFT)],
        alerts=[Alert(1, 1, 1, "", 5, -1), Alert(4, 4, 1104, "88.10 Yellow Cartridge low", 11, 3)],
        storages=[
            Storage("RAM", RAM, 1_024, 2_097_152, 943_718),
            Storage("Flash", FLASH, 1_024, 7_634_944, 102_400),
        ],
        extra=_private(who, life, model, first_row=3),
    )


MODELS = (
    Model(
        "lexmark_cx735",
        "Lexmark",
        "CX735adse",
        weights(Pk=20, Pc=14, Ck=14, Cc=10, Fk=2),
        "7529999A9A9AA",
        "002000",
        cx735,
    ),
)
