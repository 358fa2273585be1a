"""Epson: sysDescr names the network card, the pages are in a table of the printer's own."""

from tests.fakes.models.life import Life, Who, weights
from tests.fakes.models.model import Model
from tests.fakes.models.parts import UNKNOWN, Alert, Bin, Content, Interface, Looks, Rows, Supply, Tray
from tests.fakes.models.printer_mib import printer, scalars

PRIVATE = "1.3.6.1.4.1.1248.1.2.2"
PORT_MONITOR = "1.3.6.1.4.1.2699.1.2.1.2.1.1.2.1"  # PWG 5107.1, ppmPrinterName


def _private(who: Who, life: Life, model: str) -> Rows:
    """27.1.1: .3 black, .4 colour, .30 total; 27.6.1: functions (1 print from a computer, 2 copy)."""
    pages: dict[str, Content] = {
        "1.1.1.2.1": model,
        "1.1.1.5.1": who.serial,
        "2.1.1.2.1.1": "FZ06N1",
        "2.1.1.3.1.1": "Main",
        "27.1.1.3.1.1": life.black,
        "27.1.1.4.1.1": life.color,
        "27.1.1.30.1.1": life.total,
        "27.6.1.2.1.1.1": "Print from Computer",
        "27.6.1.2.1.1.2": "Copy",
    }
    for row, letter in ((1, "P"), (2, "C")):
        pages[f"27.6.1.3.1.1.{row}"] = life.pages(f"{letter}k")
        pages[f"27.6.1.4.1.1.{row}"] = life.pages(letter)
        pages[f"27.6.1.5.1.1.{row}"] = life.pages(f"{letter}c")
    return {**scalars(PRIVATE, pages), PORT_MONITOR: (4, model)}


def wf_c5890(who: Who, life: Life) -> Rows:
    model = "WF-C5890 Series"
    looks = Looks(
        description="EPSON Built-in 11b/g/n Print Server",
        object_id="1.3.6.1.4.1.1248.1.1.2.1.3.5.69.69.80.83.50",
        model=f"EPSON {model}",
        printer_name=model,
        technology=12,
        console=("Ready",),
        language="en",
    )
    inks = [
        Supply(
            f"{color.title()} Ink Supply Unit T11F{n}",
            color,
            type=6,
            life=10_000 if n == 1 else 5_000,
            offset=n * 613,
        )
        for n, color in enumerate(("black", "cyan", "magenta", "yellow"), 1)
    ]
    return printer(
        who,
        life,
        looks,
        supplies=[*inks, Supply("Maintenance Box", type=8, life=75_000, filled=True)],
        trays=[Tray("Rear Paper Feed", 50, UNKNOWN, type=5), Tray("Paper Cassette 1", 250, UNKNOWN)],
        bins=[Bin("Face-down tray", UNKNOWN)],
        alerts=[
            Alert(5, 5, 1105, "Magenta ink is getting low", 11, 3, location=-2),
            Alert(276, 1, 1, "Idle", 1, -1, 1, -2),
        ],
        interfaces=[
            Interface("EPSON Ethernet", mac=who.mac),
            Interface("EPSON Wireless", 71, mac=who.mac[:3] + b"\xff" + who.mac[4:], up=False),
        ],
        extra=_private(who, life, model),
    )


MODELS = (
    Model(
        "epson_wf_c5890",
        "Epson",
        "WF-C5890",
        weights(Pk=10, Pc=6, Ck=3, Cc=1),
        "AAAA999999",
        "381A52",
        wf_c5890,
        1_100,
    ),
)
