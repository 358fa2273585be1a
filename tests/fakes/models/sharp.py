"""Sharp: counters as pairs of a name and a value under the same three numbers."""

from tests.fakes.ber import COUNTER32
from tests.fakes.models.life import Life, Who, weights
from tests.fakes.models.model import Model
from tests.fakes.models.parts import (
    A3,
    A4_LEF,
    FIXED_DISK,
    SHEETS,
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
from tests.fakes.models.printer_mib import printer, scalars

COUNTERS = "1.3.6.1.4.1.2385.1.1.19.2.1"


def _private(life: Life) -> Rows:
    named = {
        "1.4.60": ("Prints", life.pages("P")),
        "1.4.61": ("Black & White Print Count", life.pages("Pk")),
        "1.4.63": ("Full Color Print Count", life.pages("Pc")),
        "1.4.75": ("Duplex", life.duplex),
        "4.4.60": ("Copies", life.pages("C")),
        "4.4.61": ("Black & White Copy Count", life.pages("Ck")),
        "4.4.63": ("Full Color Copy Count", life.pages("Cc")),
        "4.4.80": ("Single Color Copy Count", life.pages("Cs")),
        "5.4.61": ("Black & White Total Count", life.black),
        "5.4.63": ("Full Color Total Count", life.pages("c")),
        "5.4.80": ("Single Color Total Count", life.pages("s")),
        "7.4.50": ("Scan to E-mail/FTP", life.scans),
    }
    rows: dict[str, Content] = {}
    for index, (name, value) in named.items():
        rows[f"3.{index}"] = (COUNTER32, value)
        rows[f"4.{index}"] = name
    return scalars(COUNTERS, rows)


def bp_70c31(who: Who, life: Life) -> Rows:
    """It counts sheets in prtMarkerLifeCount, and a level stands above its maximum."""
    looks = Looks(
        description="SHARP BP-70C31",
        object_id="1.3.6.1.4.1.2385.3.1.130.1.2",
        model="SHARP BP-70C31",
        printer_name="",
        console=("Ready to scan for copy.",),
        unit=SHEETS,
    )
    toners = [
        Supply(f"{color.title()} Toner", color, life=24_000, offset=n * 1_900, steps=25)
        for n, color in enumerate(("cyan", "magenta", "yellow", "black"))
    ]
    return printer(
        who,
        life,
        looks,
        supplies=[
            *toners,
            Supply("Toner Collection Container", type=4, max=UNKNOWN, level=SOME_LEFT, filled=True),
        ],
        trays=[
            Tray("Tray 1", 550, 560, A4_LEF),
            Tray("Tray 2", 550, 275, A3, "iso_a3_297x420mm"),
            Tray("Bypass Tray", 100, 0, type=5, index=9),
        ],
        bins=[Bin("Center Tray", 0, UNKNOWN), Bin("Job Separator", 100, UNKNOWN, index=4)],
        alerts=[Alert(3, 1, 1, "Ready", 5, -1), Alert(40, 4, 807, "Tray 2: paper low", 8, 2)],
        storages=[Storage("Document Filing", FIXED_DISK, 1_048_576, 121_000, 350)],
        extra=_private(life),
    )


MODELS = (
    Model(
        "sharp_bp_70c31",
        "Sharp",
        "BP-70C31",
        weights(Pk=20, Pc=10, Ck=16, Cs=2, Cc=10, Fk=2),
        "99999999",
        "00224D",
        bp_70c31,
        4_500,
    ),
)
