"""Samsung: one table of counts, every row told apart by job, size, duplex and colour."""

from tests.fakes.ber import COUNTER32
from tests.fakes.models.life import Life, Who, weights
from tests.fakes.models.model import Model
from tests.fakes.models.parts import (
    IMPRESSIONS,
    RAM,
    SOME_LEFT,
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

PRIVATE = "1.3.6.1.4.1.236.11.5"
MONO = 3
PRINT, COPY, FAX_IN, SCAN = 1, 2, 3, 5


def _private(who: Who, life: Life, model: str) -> Rows:
    """Columns: job type, media size, unit, duplex, colour, count."""
    jobs = ((PRINT, "P"), (COPY, "C"), (FAX_IN, "F"))
    rows: dict[int, list[Content]] = {}
    for job, letter in jobs:
        both = life.pages(letter) * 2 // 5
        rows[len(rows) + 1] = [job, 5, IMPRESSIONS, 1, MONO, (COUNTER32, life.pages(letter) - both)]
        rows[len(rows) + 1] = [job, 5, IMPRESSIONS, 2, MONO, (COUNTER32, both)]
    rows[len(rows) + 1] = [SCAN, 5, IMPRESSIONS, 1, MONO, (COUNTER32, life.scans)]
    names: dict[str, Content] = {
        "1.1.1.1.0": model,
        "1.1.1.2.0": "V11.01.07.12",
        "1.1.1.4.0": who.serial,
        "1.1.3.22.0": round(100 - 100 * life.used(10_000)),
    }
    return {**scalars(PRIVATE, names), **table(f"{PRIVATE}.11.53.11.2.1", rows, first=2)}


def m4075(who: Who, life: Life) -> Rows:
    model = "Samsung M407x Series"
    looks = Looks(
        description=f"{model}; V11.01.07.12_10-30-2018;Engine V1.00.09;NIC V6.01.01;S/N {who.serial}",
        object_id=f"{PRIVATE}.1",
        model=model,
        printer_name=f" {model}",
        console=("Ready...",),
    )
    supplies = [
        Supply(
            "Black Toner S/N:CRUM-21051500101", "black", type=21, unit=IMPRESSIONS, max=10_000, life=10_000
        ),
        Supply("Imaging Unit", type=9, unit=IMPRESSIONS, max=30_000, life=30_000),
        Supply("Fuser Life", type=15, unit=IMPRESSIONS, max=90_000, life=90_000),
    ]
    return printer(
        who,
        life,
        looks,
        supplies=supplies,
        trays=[Tray("Tray 1", 250, SOME_LEFT), Tray("MP Tray", 50, SOME_LEFT, type=5)],
        bins=[Bin("Output Tray", 150)],
        alerts=[Alert(7, 3, 808, "Tray 1 paper empty", 8, 1)],
        storages=[Storage("Random Access Memory", RAM, 1_024, 262_144, 180_224)],
        extra=_private(who, life, model),
    )


MODELS = (
    Model(
        "samsung_m4075",
        "Samsung",
        "M4075FR",
        weights(Pk=14, Ck=4, Fk=2),
        "ZA9ABJAA9999999A",
        "001599",
        m4075,
        1_500,
    ),
)
