"""OKI: the network card introduces the printer; levels as percentages in two places."""

from tests.fakes.models.life import Life, Who, weights
from tests.fakes.models.model import Model
from tests.fakes.models.parts import (
    A3,
    ANY,
    RAM,
    SOME_LEFT,
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
from tests.fakes.models.printer_mib import level, printer, scalars

PRIVATE = "1.3.6.1.4.1.2001.1.1.1.1"


def c844(who: Who, life: Life) -> Rows:
    toners = [
        Supply(f"{color.title()} Toner Cartridge", color, life=10_000, offset=n * 777)
        for n, color in enumerate(("black", "cyan", "magenta", "yellow"))
    ]
    drums = [Supply(f"{one.color} Image Drum", one.color, type=9, life=30_000, offset=900) for one in toners]
    belts = [Supply("Transfer Belt Unit", type=20, life=80_000), Supply("Fuser Unit", type=15, life=100_000)]
    private: dict[str, Content] = {
        "100.1.1.1.3.1": life.total,
        "11.1.10.170.1.8.3": life.color,
        "11.1.10.170.1.7.3": life.black,
        "11.1.10.25.0": "C844",
        "11.1.10.45.0": who.serial,
        **{f"100.3.1.1.3.{n}": level(toner, life) for n, toner in enumerate(toners, 1)},
        **{f"100.4.1.1.3.{n}": (life.total + 900) % 30_000 for n in range(1, 5)},
        **{f"100.4.1.1.4.{n}": 30_000 for n in range(1, 5)},
    }
    device_id = f"MANUFACTURE:OKI DATA CORP;COMMAND SET:PCL,XPS,POSTSCRIPT,PJL;MODEL:C844;SN:{who.serial};"
    looks = Looks(
        description="OKI OkiLAN 8450e Rev.02.11 1000BASE Ethernet PrintServer: Attached to C844 Rev.01.30",
        object_id=PRIVATE,
        model="C844",
        printer_name="C844",
        technology=3,
        addressability=1_200,
        console=("ONLINE", "A4"),
    )
    return printer(
        who,
        life,
        looks,
        supplies=[*toners, *drums, *belts],
        trays=[
            Tray("Tray 1", 300, SOME_LEFT),
            Tray("Tray 2", 535, SOME_LEFT, A3),
            Tray("MP Tray", 100, 0, ANY, "", type=5),
        ],
        bins=[Bin("Face Down Stacker", 250), Bin("Face Up Stacker", 100)],
        alerts=[Alert(12, 4, 1104, "Toner Low. Magenta", 10, 1)],
        storages=[Storage("RAM", RAM, 1, 536_870_912, 201_326_592)],
        interfaces=[Interface("OKI Ethernet", mac=who.mac), Interface("lo0", 24)],
        extra={**scalars(PRIVATE, private), **scalars("1.3.6.1.4.1.11.2.3.9.1.1.7", {"0": device_id})},
    )


MODELS = (Model("oki_c844", "OKI", "C844", weights(Pk=13, Pc=7), "AL99999999A9", "002536", c844, 2_000),)
