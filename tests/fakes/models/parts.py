"""What a printer is declared of: its looks, supplies, trays, bins, alerts, storages, interfaces."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.fakes.mib import Cell

MIB_2 = "1.3.6.1.2.1"
PRINTER, PROCESSOR, NETWORK, DISK = (f"{MIB_2}.25.3.1.{kind}" for kind in (5, 3, 4, 6))
RAM, FIXED_DISK, FLASH, OTHER_STORAGE = (f"{MIB_2}.25.2.1.{kind}" for kind in (2, 4, 9, 1))
OTHER, UNKNOWN, SOME_LEFT = -1, -2, -3
IMPRESSIONS, SHEETS, TENTHS_GRAMS, TENTHS_MILLILITRES, ITEMS, PERCENT = 7, 8, 13, 15, 18, 19
# Feed direction, then across it, in micrometres; LEF is the long edge first.
A4, A4_LEF, A3, A5, ANY = (
    (297_000, 210_000),
    (210_000, 297_000),
    (420_000, 297_000),
    (210_000, 148_000),
    (-2, -2),
)

Rows = dict[str, Cell]
Content = int | str | bytes | Cell | None  # of a cell; a pair is (BER tag, value)


@dataclass(frozen=True)
class Supply:
    description: str
    color: str | None = None  # the name of its colorant
    type: int = (
        3  # 3 toner, 4 waste toner, 5 ink, 6 ink cartridge, 9 opc, 15 fuser, 20 transfer, 21 cartridge
    )
    unit: int = PERCENT
    max: int = 100
    level: int | None = None  # where it is fixed; else it follows from the pages
    life: int = 10_000  # pages until it is replaced
    offset: int = 0  # pages that the current one had printed when the counters began
    filled: bool = False  # a receptacle: it fills instead of running out
    steps: int = 1  # levels are multiples of this
    index: int | None = None


@dataclass(frozen=True)
class Tray:
    name: str
    max: int = 550
    level: int = 400
    size: tuple[int, int] = A4
    media: str = "iso_a4_210x297mm"
    description: str | None = None
    type: int = 3  # 3 removable tray, 4 fixed tray, 5 manual feed
    status: int = 0
    weight: int = 80  # g/m²
    kind: str = "stationery"
    color: str = "white"
    index: int | None = None


@dataclass(frozen=True)
class Bin:
    name: str
    max: int = 500
    remaining: int = SOME_LEFT
    type: int = 4
    status: int = 0
    description: str | None = None
    index: int | None = None


@dataclass(frozen=True)
class Alert:
    index: int
    severity: int  # 1 other, 3 critical, 4 warning, 5 warning that ends a binary change
    code: int
    description: str
    group: int = 5
    group_index: int = 1
    training: int = 3
    location: int = 0
    ago: int = 3_600  # seconds


@dataclass(frozen=True)
class Storage:
    description: str
    type: str
    units: int
    size: int
    used: int


@dataclass(frozen=True)
class Interface:
    description: str
    type: int = 6  # 6 ethernet, 24 loopback, 71 wireless
    mac: bytes = b""
    speed: int = 1_000_000_000
    up: bool = True


@dataclass(frozen=True)
class Looks:
    """What a printer shows of itself besides its tables; every maker differs here."""

    description: str  # sysDescr
    object_id: str
    model: str  # hrDeviceDescr
    printer_name: str | None = ""  # prtGeneralPrinterName; None: no such object
    serial: bool = True  # False: prtGeneralSerialNumber does not exist
    device: int = 1  # hrDeviceIndex
    encoding: str = "utf-8"
    charset: int = 106  # IANA MIBenum: 106 UTF-8, 4 Latin-1, 17 Shift_JIS, 2004 HP Roman-8
    language: str = "en"
    status: int = 3  # hrPrinterStatus
    device_status: int = 2
    errors: bytes = b"\x00"
    console: Sequence[str] = ("Ready",)
    technology: int = 4  # prtMarkerMarkTech: 3 LED, 4 laser, 12 ink, 16 thermal transfer
    unit: int = IMPRESSIONS  # prtMarkerCounterUnit
    addressability: int = 600
    covers: Sequence[str] = ("Front Cover",)
    changes: int = 3  # prtGeneralConfigChanges
    names: bool = True  # False: sysName, sysLocation and sysContact stay empty
