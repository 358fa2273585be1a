"""Brother: counters and wear as records of seven bytes; the alert table sleeps as well."""

from tests.fakes.models.life import Life, Who, weights
from tests.fakes.models.model import Model
from tests.fakes.models.parts import (
    SOME_LEFT,
    UNKNOWN,
    Alert,
    Bin,
    Content,
    Interface,
    Looks,
    Rows,
    Supply,
    Tray,
)
from tests.fakes.models.printer_mib import level, printer, scalars

PRIVATE = "1.3.6.1.4.1.2435.2"


def _records(values: dict[int, int]) -> bytes:
    """Code, 01, 04, four bytes of value; the end is FF."""
    return (
        b"".join(bytes((code, 1, 4)) + value.to_bytes(4, "big") for code, value in values.items()) + b"\xff"
    )


def _private(who: Who, life: Life, model: str, toners: list[Supply], panel: str) -> Rows:
    counters = {0x00: life.total, 0x01: life.black, 0x02: life.color, 0x06: life.duplex}
    if not life.color:
        counters = {0x00: life.total}
    wear = {0x11: life.total % 18_000, 0x41: round(100 * (100 - life.used(18_000) * 100))}
    wear |= {
        code: level(toner, life) * 100 for code, toner in zip((0x6F, 0x70, 0x71, 0x72), toners, strict=False)
    }
    rows: dict[str, Content] = {
        "3.9.1.1.7.0": f"MFG:Brother;CMD:PJL,PCL,PCLXL,URF;MDL:{model};CLS:PRINTER;CID:Brother Laser Type1;",
        "3.9.4.2.1.5.4.5.2.0": f"{panel:<16}",
        "3.9.4.2.1.5.5.1.0": who.serial,
        "3.9.4.2.1.5.5.8.0": _records(wear),
        "3.9.4.2.1.5.5.10.0": _records(counters),
        "3.9.4.2.1.5.5.11.0": _records({0x82: 18_000 - life.total % 18_000}),
        "3.9.4.2.1.5.5.17.0": "1.32",
        "4.3.1240.1.1.0": who.name,
    }
    functions = {1: life.pages("P"), 2: life.pages("F"), 3: life.pages("C"), 898: life.total}
    for row, (kind, value) in enumerate(functions.items(), 1):
        rows[f"3.9.4.2.1.5.5.52.21.1.2.{row}"] = kind
        rows[f"3.9.4.2.1.5.5.52.21.1.3.{row}"] = value
    rows["3.9.4.2.1.5.5.54.2.2.1.3.3"] = life.scans
    return scalars(PRIVATE, rows)


def _looks(model: str, panel: str, card: str) -> Looks:
    return Looks(
        description=f"Brother {card}, Firmware Ver.1.09  (22.03.17),MID 8CE-F11,FID 2",
        object_id=f"{PRIVATE}.3.9.1",
        model=f"Brother {model}",
        printer_name=f"Brother {model}",
        console=(f"{panel:<16}",),
        serial=True,
        errors=b"\x00\x00",
    )


def mfc_l3780(who: Who, life: Life) -> Rows:
    model = "MFC-L3780CDW series"
    toners = [
        Supply(f"{color.title()} Toner Cartridge", color, type=21, life=life_time, offset=n * 250)
        for n, (color, life_time) in enumerate(
            {"black": 3_000, "cyan": 2_300, "magenta": 2_300, "yellow": 2_300}.items()
        )
    ]
    vague = [Supply(one.description, one.color, type=21, max=UNKNOWN, level=SOME_LEFT) for one in toners]
    rest = [
        Supply("Drum Unit", type=9, life=20_000),
        Supply("Waste Toner Box", type=4, max=UNKNOWN, level=SOME_LEFT, filled=True),
    ]
    return printer(
        who,
        life,
        _looks(model, "Sleep", "NC-8900w"),
        supplies=[*vague, *rest],
        trays=[
            Tray("MP TRAY", 30, UNKNOWN, media="PLAIN", type=5),
            Tray("TRAY1", 250, UNKNOWN, media="PLAIN"),
        ],
        bins=[Bin("", UNKNOWN, UNKNOWN)],
        alerts=[Alert(1, 0, 0, "Sleep", 0, 0, 0, 40_000)],
        interfaces=[
            Interface("Brother NC-8900w", mac=who.mac),
            Interface("Brother NC-8900w wireless", 71, mac=b"\x02" + who.mac[1:], up=False),
        ],
        extra=_private(who, life, model, toners, "Sleep"),
    )


def hl_l2375(who: Who, life: Life) -> Rows:
    model = "HL-L2375DW series"
    toner = Supply("Black Toner Cartridge", "black", type=21, life=3_000, max=UNKNOWN, level=SOME_LEFT)
    return printer(
        who,
        life,
        _looks(model, "Bereit", "NC-8800w"),
        supplies=[toner, Supply("Drum Unit", type=9, life=12_000)],
        trays=[Tray("MANUAL", 1, UNKNOWN, media="PLAIN", type=5), Tray("TRAY1", 250, UNKNOWN, media="PLAIN")],
        bins=[Bin("", UNKNOWN, UNKNOWN)],
        interfaces=[Interface("Brother NC-8800w", mac=who.mac)],
        extra=_private(who, life, model, [Supply("", "black", life=3_000)], "Bereit"),
    )


MODELS = (
    Model(
        "brother_mfc_l3780",
        "Brother",
        "MFC-L3780CDW",
        weights(Pk=10, Pc=5, Ck=3, Cc=1, Fk=1),
        "E99999A9A999999",
        "3C2AF4",
        mfc_l3780,
        700,
    ),
    Model(
        "brother_hl_l2375", "Brother", "HL-L2375DW", weights(Pk=1), "E99999A9N999999", "3C2AF4", hl_l2375, 500
    ),
)
