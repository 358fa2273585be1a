"""Konica Minolta: counters by colour and function; the same objects under Develop's name."""

from dataclasses import replace

from tests.fakes.models.life import Life, Who, weights
from tests.fakes.models.model import Model
from tests.fakes.models.parts import (
    A3,
    A4_LEF,
    ANY,
    FIXED_DISK,
    OTHER,
    SOME_LEFT,
    UNKNOWN,
    Alert,
    Bin,
    Looks,
    Rows,
    Storage,
    Supply,
    Tray,
)
from tests.fakes.models.printer_mib import printer, scalars

PRIVATE = "1.3.6.1.4.1.18334.1.1.1"


def _private(life: Life, model: str) -> Rows:
    """5.7.2.2.1.5: [1 black, 2 colour].[1 copy, 2 print]."""
    return scalars(
        PRIVATE,
        {
            "1.6.2.1.0": model,
            "5.5.1.1.2.1": "MFP Controller",
            "5.5.1.1.3.1": "AA2J0Y0-F000-G00-R4",
            "5.7.2.1.1.0": life.total,
            "5.7.2.1.3.0": life.duplex,
            "5.7.2.1.5.0": life.scans,
            "5.7.2.2.1.5.1.1": life.pages("Ck"),
            "5.7.2.2.1.5.1.2": life.pages("Pk"),
            "5.7.2.2.1.5.2.1": life.pages("Cc"),
            "5.7.2.2.1.5.2.2": life.pages("Pc"),
        },
    )


def _bizhub(who: Who, life: Life, looks: Looks) -> Rows:
    toners = [
        Supply(f"Toner ({color.title()})", color, type=21, life=life_time, offset=n * 2_100, steps=1)
        for n, (color, life_time) in enumerate(
            {"yellow": 26_000, "magenta": 26_000, "cyan": 26_000, "black": 28_000}.items()
        )
    ]
    drums = [
        Supply(f"Drum Unit ({one.color})", type=9, life=120_000, offset=n * 11_000)
        for n, one in enumerate(toners)
    ]
    rest = [
        Supply("Waste Toner Box", type=4, max=OTHER, level=SOME_LEFT, filled=True),
        Supply("Fuser Unit", type=15, life=600_000),
        Supply("Transfer Belt Unit", type=20, life=600_000),
    ]
    return printer(
        who,
        life,
        looks,
        supplies=[*toners, *drums, *rest],
        trays=[
            Tray("Tray1", 500, 500, A4_LEF),
            Tray("Tray2", 500, 125, A3, "iso_a3_297x420mm"),
            Tray("Bypass", 150, 0, ANY, "", type=5, index=7),
        ],
        bins=[Bin("Main Tray", UNKNOWN), Bin("Finisher Tray 1", 0, UNKNOWN, type=3)],
        alerts=[Alert(2, 1, 1, "", 5, -1), Alert(9, 4, 1104, "Toner Low (Y)", 10, 1)],
        storages=[Storage("Hard Disk Drive", FIXED_DISK, 1_024, 244_198_584, 10_223_616)],
        extra=_private(life, looks.model),
    )


def bizhub_c301i(who: Who, life: Life) -> Rows:
    model = "KONICA MINOLTA bizhub C301i"
    object_id = "1.3.6.1.4.1.18334.1.1.1.2.1.189.2.3"
    return _bizhub(who, life, Looks(model, object_id, model, "bizhub C301i", console=("Ready to copy.",)))


def ineo_250(who: Who, life: Life) -> Rows:
    model = "Develop ineo+ 250i"
    object_id = "1.3.6.1.4.1.18334.1.2.1.2.1.181.2.4"
    looks = Looks(model, object_id, model, "ineo+ 250i", console=("Kopierbereit",), language="de")
    return _bizhub(replace(who, contact="Frau Böhm"), life, looks)


COPIER = weights(Pk=26, Pc=14, Ck=14, Cc=6)
MODELS = (
    Model(
        "konica_bizhub_c301i",
        "Konica Minolta",
        "bizhub C301i",
        COPIER,
        "AA9K999999999",
        "00206B",
        bizhub_c301i,
        5_000,
    ),
    Model("develop_ineo_250i", "Develop", "ineo+ 250i", COPIER, "AA9J999999999", "00206B", ineo_250),
)
