"""HP: scalars of PML, whose texts begin with two bytes; German texts in Roman-8; one with hrDeviceIndex 0."""

from dataclasses import replace

from tests.fakes.models.life import Life, Who, weights
from tests.fakes.models.model import Model
from tests.fakes.models.parts import (
    A4,
    FLASH,
    RAM,
    SOME_LEFT,
    UNKNOWN,
    Alert,
    Bin,
    Content,
    Interface,
    Looks,
    Rows,
    Storage,
    Supply,
    Tray,
)
from tests.fakes.models.printer_mib import printer, scalars

PML = "1.3.6.1.4.1.11.2.3.9.4.2.1"
OBJECT_ID = "1.3.6.1.4.1.11.2.3.9.1"


def _pml(value: str) -> bytes:
    return b"\x01\x15" + value.encode("hp-roman8")


def _private(who: Who, life: Life, model: str, *, color: bool, scanner: bool) -> Rows:
    """1.1.3: who it is; 4.1.2: the engine; 2.2.1.74: pages scanned."""
    rows: dict[str, Content] = {
        "1.1.3.2.0": _pml(model),
        "1.1.3.3.0": _pml(who.serial),
        "1.1.3.5.0": _pml("20240117"),
        "1.1.3.6.0": _pml("002_2403A"),
        "4.1.2.5.0": life.total,
        "4.1.2.6.0": life.black,
        "4.1.2.22.0": life.duplex,
        "4.1.2.34.0": life.total // 4_000,
    }
    if color:
        rows["4.1.2.7.0"] = life.color
    if scanner:
        rows["2.2.1.74.0"] = life.scans
    device_id = f"MFG:HP;MDL:{model};CMD:PJL,PML,PCL,POSTSCRIPT;CLS:PRINTER;DES:{model};SN:{who.serial};"
    return {**scalars(PML, rows), **scalars("1.3.6.1.4.1.11.2.3.9.1.1.7", {"0": device_id})}


def _description(who: Who, model: str) -> str:
    return f"HP ETHERNET MULTI-ENVIRONMENT,SN:{who.serial},FN:K7A21B0,SVCID:30024,PID:{model}"


def laserjet_m404(who: Who, life: Life) -> Rows:
    model = "HP LaserJet Pro M404dn"
    looks = Looks(
        description=_description(who, model),
        object_id=OBJECT_ID,
        model=model,
        printer_name=None,
        encoding="hp-roman8",
        charset=2004,
        language="de",
        console=("Bereit - Fach 2 prüfen",),
    )
    return printer(
        replace(who, location="Büro Süd, 2. Stock"),
        life,
        looks,
        supplies=[Supply("Schwarze Druckpatrone HP CF259A", "black", type=21, life=3_000)],
        trays=[Tray("Fach 1", 100, SOME_LEFT, type=5), Tray("Fach 2", 250, SOME_LEFT)],
        bins=[Bin("Ausgabefach", 150, UNKNOWN)],
        interfaces=[Interface("HP ETHERNET MULTI-ENVIRONMENT", mac=who.mac)],
        extra=_private(who, life, model, color=False, scanner=False),
    )


def color_mfp_m480(who: Who, life: Life) -> Rows:
    model = "HP Color LaserJet MFP M480f"
    looks = Looks(
        description=_description(who, model),
        object_id=OBJECT_ID,
        model=model,
        printer_name=model,
        encoding="latin-1",
        charset=4,
        console=("Ready",),
        device_status=3,
        errors=b"\x20",
    )
    cartridge = Supply("Black Cartridge HP W2410A\x00", "black", type=21, life=7_500)
    colors = [
        replace(
            cartridge,
            description=f"{color.title()} Cartridge HP W241{n}A",
            color=color,
            life=6_000,
            offset=n * 900,
        )
        for n, color in enumerate(("cyan", "yellow", "magenta"), 1)
    ]
    return printer(
        who,
        life,
        looks,
        supplies=[cartridge, *colors, Supply("Toner Collection Unit", type=4, filled=True, life=40_000)],
        trays=[
            Tray("Tray 1", 50, 0, type=5, status=9),
            Tray("Tray 2", 250, 120),
            Tray("Tray 3", 550, UNKNOWN),
        ],
        bins=[Bin("Standard Output Bin", 150)],
        alerts=[Alert(61, 4, 1104, "Yellow cartridge low", 11, 3), Alert(276, 1, 1, "Sleep mode on", 1, -1)],
        storages=[
            Storage("RAM Disk", RAM, 1, 536_870_912, 55_000_064),
            Storage("eMMC", FLASH, 4_096, 1_953_125, 87_012),
        ],
        extra=_private(who, life, model, color=True, scanner=True),
    )


def officejet_8730(who: Who, life: Life) -> Rows:
    """Its hrDeviceIndex is 0, its serial number is known to PML alone, and it never names its trays."""
    model = "HP OfficeJet Pro 8730"
    looks = Looks(
        description=_description(who, model),
        object_id=OBJECT_ID,
        model=model,
        printer_name=None,
        serial=False,
        device=0,
        technology=12,
        console=(),
    )
    inks = [
        Supply(f"{color.title()} ink", color, type=6, life=life_time, offset=n * 333)
        for n, (color, life_time) in enumerate(
            {"black": 2_000, "cyan": 1_600, "magenta": 1_600, "yellow": 1_600}.items()
        )
    ]
    return printer(
        who,
        life,
        looks,
        supplies=inks,
        trays=[Tray("", 250, UNKNOWN, A4, media="", description="")],
        interfaces=[
            Interface("eth0", mac=who.mac),
            Interface("wifi0", 71, mac=b"\x02" + who.mac[1:], up=False),
        ],
        extra=_private(who, life, model, color=True, scanner=True),
    )


DESK, COLOR = weights(Pk=1), weights(Pk=26, Pc=16, Ck=10, Cc=6, Fk=2)
MODELS = (
    Model(
        "hp_laserjet_m404", "HP", "LaserJet Pro M404dn", DESK, "PHAA999999", "A0D3C1", laserjet_m404, 1_200
    ),
    Model(
        "hp_color_mfp_m480", "HP", "Color LaserJet MFP M480f", COLOR, "CNAA9A99A9", "A0D3C1", color_mfp_m480
    ),
    Model(
        "hp_officejet_8730", "HP", "OfficeJet Pro 8730", COLOR, "TH9A9AA9A9", "A0D3C1", officejet_8730, 500
    ),
)
