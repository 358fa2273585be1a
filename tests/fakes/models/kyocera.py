"""Kyocera: no names in the system group, no storages, a sysDescr that fits any model; UTAX is the same."""

from tests.fakes.models.life import Life, Who, weights
from tests.fakes.models.model import Model
from tests.fakes.models.parts import ANY, SOME_LEFT, Alert, Bin, Content, Interface, Looks, Rows, Supply, Tray
from tests.fakes.models.printer_mib import printer, scalars

PRIVATE = "1.3.6.1.4.1.1347"


def _private(who: Who, life: Life, model: str, maker: str) -> Rows:
    """42.3.1.2.1.1: [1 print, 2 copy, 4 fax].[1 black, 2 single colour, 3 full colour]."""
    device_id = f"ID:{model};MFG:{maker};CMD:PCLXL,PCL5E,PJL;MDL:{model};CLS:PRINTER;SER:{who.serial};"
    rows: dict[str, Content] = {
        "40.1.1.1.8.1": device_id,
        "40.10.1.1.5.1": who.name,
        "43.5.1.1.1.1": model,
        "43.5.1.1.28.1": who.serial,
        "43.5.4.1.5.1.1": "2ZS_S000.004.101",
        "43.10.1.1.12.1.1": life.total,
        "42.3.1.1.1.1.1": life.pages("P"),
        "42.3.1.1.1.1.2": life.pages("C"),
        "42.3.1.1.1.1.4": life.pages("F"),
        "42.2.5.1.1.1.1": life.total - life.duplex,
        "42.2.5.1.1.2.1": life.duplex,
        "42.2.5.1.1.3.1": life.total,
        "42.3.1.3.1.1.2": life.pages("C"),
        "42.3.1.4.1.1.1": life.scans - life.pages("C"),
        "46.10.1.1.5.3": life.scans,
    }
    for function, letter in ((1, "P"), (2, "C"), (4, "F")):
        for color, kind in enumerate("ksc", 1):
            rows[f"42.3.1.2.1.1.{function}.{color}"] = life.pages(letter + kind)
    return scalars(PRIVATE, rows)


def ecosys_ma2100(who: Who, life: Life) -> Rows:
    model = "ECOSYS MA2100cfx"
    looks = Looks(
        description="KYOCERA Document Solutions Printing System",
        object_id=f"{PRIVATE}.41",
        model=model,
        printer_name=model,
        names=False,
        console=("Ready.",),
        errors=b"",
    )
    toners = [
        Supply(f"TK-5440{letter}", color, life=2_400, offset=n * 310)
        for n, (letter, color) in enumerate(
            {"C": "cyan", "M": "magenta", "Y": "yellow", "K": "black"}.items()
        )
    ]
    return printer(
        who,
        life,
        looks,
        supplies=[*toners, Supply("Waste Toner Box", type=4, max=100, level=SOME_LEFT, filled=True)],
        trays=[Tray("Cassette 1", 250, 75), Tray("MP Tray", 50, 0, ANY, "", type=5)],
        bins=[Bin("Inner Tray", 150, 110)],
        alerts=[
            Alert(2, 4, 8, "Paper jam cleared", 5, 1, 6),
            Alert(23, 5, 1104, "Toner low: TK-5440Y", 10, 1),
        ],
        interfaces=[
            Interface("eth0", mac=who.mac),
            Interface("wlan0", 71, mac=who.mac[:5] + b"\xfe", up=False),
        ],
        extra=_private(who, life, model, "Kyocera"),
    )


def utax_p4532(who: Who, life: Life) -> Rows:
    """A printer of an OEM brand; its serial number is known to the private tree alone."""
    model = "P-4532DN"
    looks = Looks(
        description="TA_UTAX Printing System",
        object_id=f"{PRIVATE}.41",
        model=model,
        printer_name=model,
        serial=False,
        names=False,
        language="de",
        console=("Energiesparmodus",),
        status=1,
    )
    rows = scalars(PRIVATE, {"42.2.2.1.1.3.1.1": life.black})
    return printer(
        who,
        life,
        looks,
        supplies=[Supply("PK-3012", "black", life=25_000)],
        trays=[
            Tray("Kassette 1", 500, 450),
            Tray("Kassette 2", 500, 500),
            Tray("Universalzufuhr", 100, 0, ANY, "", type=5),
        ],
        bins=[Bin("Obere Ablage", 500, 490)],
        interfaces=[Interface("eth0", mac=who.mac)],
        extra={**_private(who, life, model, "UTAX"), **rows},
    )


MODELS = (
    Model(
        "kyocera_ecosys_ma2100",
        "Kyocera",
        "ECOSYS MA2100cfx",
        weights(Pk=14, Pc=6, Ck=6, Cc=3, Fk=1),
        "AAA9999999",
        "0017C8",
        ecosys_ma2100,
        900,
    ),
    Model("utax_p4532", "UTAX", "P-4532DN", weights(Pk=1), "A9A9999999", "0017C8", utax_p4532, 4_000),
)
