"""Canon: counters under Canon's own numbers, or as a table of names and values; levels in steps of fifty."""

from tests.fakes.ber import COUNTER32
from tests.fakes.models.life import Life, Who, weights
from tests.fakes.models.model import Model
from tests.fakes.models.parts import (
    A3,
    A4_LEF,
    ANY,
    FIXED_DISK,
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
from tests.fakes.models.printer_mib import printer, scalars, table

PRIVATE = "1.3.6.1.4.1.1602.1"
TONERS = [
    Supply("Canon GPR-97 Black Toner\r", "black", type=21, life=38_000, steps=50),
    Supply("Canon GPR-97 Cyan Toner\r", "cyan", type=21, life=21_000, offset=900, steps=50),
    Supply("Canon GPR-97 Magenta Toner\r", "magenta", type=21, life=21_000, offset=7_700, steps=50),
    Supply("Canon GPR-97 Yellow Toner\r", "yellow", type=21, life=21_000, offset=12_000, steps=50),
]


def _private(who: Who, model: str, version: str) -> Rows:
    return scalars(PRIVATE, {"1.1.1.0": model, "1.1.4.0": version, "2.1.4.0": who.serial})


def ir_adv_c3930(who: Who, life: Life) -> Rows:
    """Counter numbers as on its panel: 101 total, 112/113 black large/small, 122/123 colour large/small."""
    model = "Canon iR-ADV C3930"
    large_color = life.color // 24
    numbers = {
        101: life.total,
        102: life.total + life.large,
        108: life.black,
        112: life.black // 24,
        113: life.black - life.black // 24,
        122: large_color,
        123: life.color - large_color,
        201: life.pages("C"),
        301: life.pages("P"),
        501: life.scans,
    }
    counters = {number: [(COUNTER32, value)] for number, value in numbers.items()}
    looks = Looks(
        description=f"{model} /P",
        object_id="1.3.6.1.4.1.1602.4.7",
        model=f"{model} /P",
        printer_name="",
        console=("Ready to copy.",),
        errors=b"\x80",
        device_status=3,
    )
    return printer(
        who,
        life,
        looks,
        supplies=[*TONERS, Supply("WASTE TONER", type=4, max=UNKNOWN, level=SOME_LEFT, filled=True)],
        trays=[
            Tray("Multi-Purpose Tray", 100, 0, ANY, "", type=5, status=9),
            Tray("Drawer 1", 550, SOME_LEFT, A4_LEF),
            Tray("Drawer 2", 550, SOME_LEFT, A3, "iso_a3_297x420mm"),
        ],
        bins=[Bin("Center Tray", UNKNOWN, UNKNOWN)],
        alerts=[Alert(17, 5, 807, "Paper low: drawer 2", 8, 3), Alert(1835, 1, 1, "deleted", 1, -1)],
        storages=[
            Storage("System RAM", RAM, 1_024, 3_145_728, 1_966_080),
            Storage("SSD", FIXED_DISK, 1_024, 250_059_096, 7_501_772),
        ],
        extra={**_private(who, model, "R4.18"), **table(f"{PRIVATE}.11.1.3.1", counters, first=4)},
    )


def mf657(who: Who, life: Life) -> Rows:
    """The panel's counters in the order in which somebody switched them on."""
    model = "Canon MF657Cdw"
    named = {
        1: ("Total 1", life.total),
        5: ("Total (Black 1)", life.black),
        8: ("Total (Full Color + Single Color 1)", life.color),
        17: ("Copy (Total 1)", life.pages("C")),
        25: ("Print (Total 1)", life.pages("P")),
    }
    counters: dict[int, list[Content]] = {
        row: [name, (COUNTER32, value)] for row, (name, value) in named.items()
    }
    looks = Looks(f"{model} /P", "1.3.6.1.4.1.1602.4.7", model, "", console=("MF657Cdw",))
    toners = [
        Supply(f"Canon Cartridge 069 {color.title()}", color, type=21, life=2_100, offset=n * 190)
        for n, color in enumerate(("black", "cyan", "magenta", "yellow"))
    ]
    return printer(
        who,
        life,
        looks,
        supplies=toners,
        trays=[Tray("Multi-Purpose Tray", 1, 0, ANY, "", type=5), Tray("Drawer 1", 250, SOME_LEFT)],
        bins=[Bin("Output Tray", UNKNOWN)],
        extra={**_private(who, model, "05.09"), **table(f"{PRIVATE}.11.2.1.1", counters, first=2)},
    )


COPIER = weights(Pk=22, Pc=12, Ck=16, Cc=10)
MODELS = (
    Model("canon_ir_adv_c3930", "Canon", "iR-ADV C3930", COPIER, "3AA99999", "F4A997", ir_adv_c3930, 5_500),
    Model(
        "canon_mf657", "Canon", "MF657Cdw", weights(Pk=6, Pc=2, Ck=3, Cc=1), "4AA99999", "F4A997", mf657, 400
    ),
)
