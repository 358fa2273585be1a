"""Toshiba TEC: a multifunction printer whose counters have a category, and which answers in Japanese."""

from tests.fakes.models.life import Life, Who, weights
from tests.fakes.models.model import Model
from tests.fakes.models.parts import (
    A3,
    A4_LEF,
    SOME_LEFT,
    UNKNOWN,
    Alert,
    Bin,
    Content,
    Looks,
    Rows,
    Supply,
    Tray,
)
from tests.fakes.models.printer_mib import printer, scalars

COUNTERS = "1.3.6.1.4.1.1129.2.3.50.1.3.21.6.1"


def estudio_2525(who: Who, life: Life) -> Rows:
    """Texts in Shift_JIS; counters: [2 all, 3 print, 4 copy, 207 large].1.[1 colour, 2 two, 3 black]."""
    values: dict[str, Content] = {
        "2.1.1": life.pages("c"),
        "2.1.2": life.pages("s"),
        "2.1.3": life.black,
        "3.1.1": life.pages("Pc"),
        "3.1.3": life.pages("Pk"),
        "4.1.1": life.pages("Cc"),
        "4.1.2": life.pages("Cs"),
        "4.1.3": life.pages("Ck"),
        "207.1.1": life.color // 24,
        "207.1.3": life.black // 24,
    }
    looks = Looks(
        description="TOSHIBA e-STUDIO2525AC",
        object_id="1.3.6.1.4.1.1129.2.3.59.2",
        model="TOSHIBA e-STUDIO2525AC",
        printer_name="e-STUDIO2525AC",
        encoding="shift_jis",
        charset=17,
        language="ja",
        console=("印刷できます",),
    )
    toners = [
        Supply(f"{name}トナー", color, type=21, life=28_000, offset=n * 3_100)
        for n, (color, name) in enumerate(
            {"yellow": "イエロー", "magenta": "マゼンタ", "cyan": "シアン", "black": "ブラック"}.items()
        )
    ]
    return printer(
        who,
        life,
        looks,
        supplies=[*toners, Supply("廃トナーボックス", type=4, max=UNKNOWN, level=SOME_LEFT, filled=True)],
        trays=[
            Tray("カセット1", 600, 420, A4_LEF),
            Tray("カセット2", 600, 600, A3),
            Tray("手差し", 100, 0, type=5),
        ],
        bins=[Bin("胴内トレイ", 550, UNKNOWN)],
        alerts=[Alert(88, 1, 1, "スリープ", 1, -1)],
        extra=scalars(COUNTERS, values),
    )


MODELS = (
    Model(
        "toshiba_estudio_2525",
        "Toshiba",
        "e-STUDIO2525AC",
        weights(Pk=20, Pc=12, Ck=16, Cs=2, Cc=10),
        "CAAA99999",
        "008091",
        estudio_2525,
        3_500,
    ),
)
