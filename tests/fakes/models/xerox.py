"""Xerox: usage counters by group and item, and twenty-two supplies."""

from tests.fakes.models.life import Life, Who, weights
from tests.fakes.models.model import Model
from tests.fakes.models.parts import (
    A3,
    A4_LEF,
    FIXED_DISK,
    OTHER_STORAGE,
    RAM,
    SOME_LEFT,
    TENTHS_GRAMS,
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
from tests.fakes.models.printer_mib import printer, scalars

PRIVATE = "1.3.6.1.4.1.253.8.53"


def _private(who: Who, life: Life) -> Rows:
    """13.2.1.6: [1 usage, 103 copy, 102 network scanning].20.[item]."""
    copied_black, copied_color = life.pages("Ck"), life.pages("Cc", "Cs")
    items: dict[str, Content] = {
        "1.20.1": life.total,
        "1.20.7": life.black - copied_black,
        "1.20.29": life.color - copied_color,
        "1.20.33": life.color,
        "1.20.34": life.black,
        "1.20.43": life.color // 24,
        "1.20.44": life.black // 24,
        "1.20.71": life.pages("F"),
        "103.20.3": copied_black,
        "103.20.25": copied_color,
        "102.20.11": life.scans - life.pages("C"),
    }
    return {**scalars(f"{PRIVATE}.13.2.1.6", items), **scalars(PRIVATE, {"3.2.1.3.1": who.serial})}


def _supplies() -> list[Supply]:
    colors = ("black", "cyan", "magenta", "yellow")
    toners = [
        Supply(
            f"{color.title()} Toner Cartridge, PN 006R9000{n};SN{n}9B2D41C77",
            color,
            type=21,
            unit=TENTHS_GRAMS,
            max=6_000 if color == "black" else 3_400,
            life=30_000 if color == "black" else 16_000,
            offset=n * 3_500,
            steps=10,
        )
        for n, color in enumerate(colors)
    ]
    drums = [
        Supply(f"Drum Cartridge (R{n}), PN 013R90010;SN7C{n}1A04B2", type=9, life=180_000, offset=n * 20_000)
        for n in (1, 2, 3, 4)
    ]
    developers = [Supply(f"Developer ({color.title()})", type=10, life=600_000) for color in colors]
    parts = {
        "Fuser, PN unknown;SNunknown": (15, 360_000),
        "Transfer Belt Cleaner, PN 001R90013;SNunknown": (18, 200_000),
        "Second Bias Transfer Roll, PN 008R90064;SNunknown": (20, 200_000),
        "Document Feeder Feed Roll": (1, 100_000),
        "Tray 1 Feed Roll": (1, 300_000),
        "Tray 2 Feed Roll": (1, 300_000),
        "Bypass Tray Feed Roll": (1, 50_000),
    }
    rest = [Supply(text, type=kind, life=life_time) for text, (kind, life_time) in parts.items()]
    waste = Supply("Waste Toner Container, PN 008R90061;SNunknown", type=4, life=43_000, filled=True)
    staples = [Supply(f"Staple Cartridge {n}", type=32, max=UNKNOWN, level=SOME_LEFT) for n in (1, 2)]
    return [*toners, *drums, *developers, *rest, waste, *staples]


def altalink_c8245(who: Who, life: Life) -> Rows:
    model = "Xerox AltaLink C8245"
    versions = "SS 121.012.004.10206, NC 121.012.10206, UI 121.012.10206, ME 071.004.000, CC 121.012.10206"
    looks = Looks(
        description=f"{model}; {versions}, DF 025.019.000, FI 032.057.000, FA 003.015.004",
        object_id="1.3.6.1.4.1.253.8.62.1.35.9.3.1.1",
        model=f"{model}; {versions}",
        printer_name=model,
        console=("Ready to scan your job", "", "Tray 2: A3"),
        covers=("Front Door", "Left Door", "Document Feeder Cover", "Finisher Front Door"),
        addressability=1_200,
    )
    return printer(
        who,
        life,
        looks,
        supplies=_supplies(),
        trays=[
            Tray("Tray 1", 520, 312, A4_LEF),
            Tray("Tray 2", 520, 104, A3, "iso_a3_297x420mm"),
            Tray("Tray 3", 867, 867, A4_LEF),
            Tray("Tray 4", 1_133, UNKNOWN, A4_LEF),
            Tray("Tray 5 (Bypass)", 100, SOME_LEFT, type=5),
        ],
        bins=[
            Bin("Center Tray", 500, SOME_LEFT),
            Bin("Finisher Top Tray", 500, SOME_LEFT),
            Bin("Finisher Main Tray", 2_000, SOME_LEFT),
        ],
        alerts=[
            Alert(61, 4, 1104, "Replace Cyan Toner Cartridge soon. 09-594-00", 11, 2, ago=86_000),
            Alert(276, 1, 1, "Power Saver", 1, -1, ago=400),
        ],
        storages=[
            Storage("RAM", RAM, 1_024, 8_388_608, 3_145_728),
            Storage("Hard Disk", FIXED_DISK, 4_096, 61_049_646, 9_157_446),
            Storage("Spool", OTHER_STORAGE, 4_096, 10_485_760, 12_000),
        ],
        extra=_private(who, life),
    )


MODELS = (
    Model(
        "xerox_altalink_c8245",
        "Xerox",
        "AltaLink C8245",
        weights(Pk=24, Pc=14, Ck=12, Cc=8, Fk=2),
        "AHA999999",
        "9C934E",
        altalink_c8245,
        9_000,
    ),
)
