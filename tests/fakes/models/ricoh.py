"""Ricoh: counters and toner in private tables, keyed by type; this one speaks German."""

from dataclasses import replace

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
    TENTHS_GRAMS,
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
from tests.fakes.models.printer_mib import level, printer, scalars, table

PRIVATE = "1.3.6.1.4.1.367.3.2.1"
PARTS = "{0} Network Printer C model / {0} Network Scanner C model / {0} Network Facsimile C model"
TONERS = [
    Supply("Toner Schwarz", "black", life=29_500, max=UNKNOWN, level=SOME_LEFT),
    Supply("Toner Cyan", "cyan", life=18_000, offset=700, max=UNKNOWN, level=SOME_LEFT),
    Supply("Toner Magenta", "magenta", life=18_000, offset=3_300, max=UNKNOWN, level=SOME_LEFT),
    Supply("Toner Gelb", "yellow", life=18_000, offset=9_100, max=UNKNOWN, level=SOME_LEFT),
]


def _counters(life: Life) -> Rows:
    """Type code, English name, German name, value; the rows' numbers mean nothing."""
    rows: list[tuple[int, str, str, int]] = [
        (10, "Counter: Machine Total", "Zähler: Gesamt", life.total),
        (200, "Counter:Copy:Total", "Zähler:Kopie:Gesamt", life.pages("C")),
        (201, "Counter:Copy:Black & White", "Zähler:Kopie:Schwarzweiß", life.pages("Ck")),
        (202, "Counter:Copy:Single/Two-color", "Zähler:Kopie:Ein-/Zweifarbig", life.pages("Cs")),
        (203, "Counter:Copy:Full Color", "Zähler:Kopie:Vollfarbe", life.pages("Cc")),
        (300, "Counter:FAX:Total", "Zähler:Fax:Gesamt", life.pages("F")),
        (301, "Counter:FAX:Black & White", "Zähler:Fax:Schwarzweiß", life.pages("Fk")),
        (400, "Counter:Print:Total", "Zähler:Druck:Gesamt", life.pages("P")),
        (401, "Counter:Print:Black & White", "Zähler:Druck:Schwarzweiß", life.pages("Pk")),
        (402, "Counter:Print:Single/Two-color", "Zähler:Druck:Ein-/Zweifarbig", life.pages("Ps")),
        (403, "Counter:Print:Full Color", "Zähler:Druck:Vollfarbe", life.pages("Pc")),
        (870, "Counter:Transmission:Total", "Zähler:Senden:Gesamt", life.scans),
        (0, "Counter:A3/DLT", "Zähler:A3/DLT", life.large),
        (0, "Counter:Duplex", "Zähler:Duplex", life.duplex),
    ]
    cells: dict[int, list[Content]] = {
        index: [index, kind, 1, 8, english, german, None, None, (COUNTER32, value)]
        for index, (kind, english, german, value) in zip((*range(1, 12), 21, 138, 142), rows, strict=True)
    }
    return table(f"{PRIVATE}.2.19.5.1", cells)


def _private(who: Who, life: Life, model: str, firmware: str, toners: list[Supply]) -> Rows:
    colors = {"black": 3, "cyan": 10, "magenta": 11, "yellow": 12}
    real = [replace(toner, level=None, max=100) for toner in toners]
    levels: dict[int, list[Content]] = {
        index: [toner.description, None, colors[toner.color or "black"], level(toner, life)]
        for index, toner in enumerate(real, 1)
    }
    machine = {
        "1.1.1.0": model,
        "1.1.2.0": firmware,
        "1.1.7.0": "RICOH",
        "2.1.4.0": who.serial,
        "6.1.1.7.1": who.name,
    }
    totals = {
        "1.0": (COUNTER32, life.total),
        "2.0": (COUNTER32, life.pages("P")),
        "4.0": (COUNTER32, life.pages("C")),
    }
    return {
        **scalars(PRIVATE, machine),
        **scalars(f"{PRIVATE}.2.19", totals),
        **_counters(life),
        **table(f"{PRIVATE}.2.24.1.1", levels, first=2),
    }


def im_c3010(who: Who, life: Life) -> Rows:
    looks = Looks(
        description=f"RICOH IM C3010 1.12 / {PARTS.format('RICOH')}",
        object_id="1.3.6.1.4.1.367.1.1",
        model="RICOH IM C3010",
        printer_name="IM C3010",
        language="de",
        console=("Bereit", "Papier nachfüllen: Magazin 3"),
        device_status=3,
        errors=b"\x80\x00",
        covers=("Vordere Abdeckung", "Rechte Abdeckung", "Obere Abdeckung ADF"),
    )
    waste = Supply("Tonerabfallflasche", type=4, max=UNKNOWN, level=SOME_LEFT, filled=True)
    return printer(
        who,
        life,
        looks,
        supplies=[*TONERS, waste],
        trays=[
            Tray("Magazin 1", 550, 385, A4_LEF),
            Tray("Magazin 2", 550, 220, A3, "iso_a3_297x420mm"),
            Tray("Magazin 3", 550, 0, A4_LEF, status=9),
            Tray("Magazin 4", 550, 55, A4_LEF),
            Tray("Bypass-Fach", 100, 0, ANY, "", type=5, status=9),
        ],
        bins=[Bin("Ausgabefach Standard", 500, UNKNOWN), Bin("Internes Fach 2", 125, 0, index=3)],
        alerts=[
            Alert(1835, 3, 808, "Kein Papier: Magazin 3", 8, 3, ago=5_000),
            Alert(1836, 4, 1104, "Toner fast leer: Gelb", 10, 1, ago=900),
            Alert(1840, 1, 0, "Energiesparmodus", 5, -1, ago=60),
        ],
        storages=[
            Storage("Hard Disk", FIXED_DISK, 1_048_576, 305_245, 18_231),
            Storage("RAM", RAM, 1_024, 2_097_152, 1_204_224),
        ],
        interfaces=[Interface("lo0", 24), Interface("ncmac0", mac=who.mac), Interface("WLAN", 71, up=False)],
        extra=_private(who, life, "IM C3010", "1.12", TONERS),
    )


def lanier_mp_c305(who: Who, life: Life) -> Rows:
    """The same machine under another brand, with levels in tenths of grams."""
    looks = Looks(
        description=f"LANIER MP C305 1.08 / {PARTS.format('LANIER')}",
        object_id="1.3.6.1.4.1.367.1.1",
        model="LANIER MP C305",
        printer_name="MP C305",
        console=("Ready",),
    )
    toners = [
        replace(toner, description=name, max=2_400, level=None, unit=TENTHS_GRAMS)
        for toner, name in zip(
            TONERS, ("Black Toner", "Cyan Toner", "Magenta Toner", "Yellow Toner"), strict=True
        )
    ]
    return printer(
        who,
        life,
        looks,
        supplies=toners,
        trays=[Tray("Tray 1", 250, 175), Tray("Bypass Tray", 100, SOME_LEFT, type=5)],
        bins=[Bin("Standard Tray", 100)],
        storages=[Storage("RAM", RAM, 1_024, 1_048_576, 734_003)],
        extra=_private(who, life, "MP C305", "1.08", toners),
    )


OFFICE = weights(Pk=24, Ps=1, Pc=13, Ck=12, Cs=1, Cc=7, Fk=2)
MODELS = (
    Model("ricoh_im_c3010", "Ricoh", "IM C3010", OFFICE, "3099A99999", "002673", im_c3010, a_month=6_000),
    Model("lanier_mp_c305", "Lanier", "MP C305", OFFICE, "W999A999999", "002673", lanier_mp_c305),
)
