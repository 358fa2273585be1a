"""Name the numbers of the Printer-MIB (RFC 3805) and the Host Resources MIB (RFC 2790).

Each enumeration is declared once, by the names of the MIB: the API gives a name, the command line its English
label, the web UI the label of its own catalogue, which `tests/mib/test_enums.py` holds to the same English.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from appliance.domain.model import Amount, VagueAmount


@dataclass(frozen=True, slots=True)
class MibEnum:
    """Numbers with their names in the MIB; a label is the name in words unless another one is given."""

    names: Mapping[int, str]
    labels: Mapping[str, str] = field(default_factory=dict)

    def name(self, number: int | None) -> str | None:
        """Return the name of a number, the number as text where the MIB has none, None for None."""
        return None if number is None else self.names.get(number, str(number))

    def label(self, number: int | None) -> str:
        """Return the label of a number, the number as text where the MIB has none, a dash for None."""
        if number is None:
            return "-"
        name = self.names.get(number)
        return str(number) if name is None else self.label_of(name)

    def label_of(self, name: str) -> str:
        """Return the label of a name."""
        return self.labels.get(name) or split_camel_case(name)

    def subset(self, *numbers: int) -> "MibEnum":
        """Return the enumeration with some of its numbers."""
        return MibEnum({number: self.names[number] for number in numbers}, self.labels)


def split_camel_case(name: str) -> str:
    """Return a name of a MIB in words: "inputMediaSupplyLow" as "input media supply low"."""
    return re.sub("[A-Z]+", lambda match: f" {match[0].lower()}", name)


def _numbered(names: str) -> dict[int, str]:
    return dict(enumerate(names.split(), start=1))


PRINTER_STATUS = MibEnum(_numbered("other unknown idle printing warmup"), {"warmup": "warming up"})
DEVICE_STATUS = MibEnum(_numbered("unknown running warning testing down"))
SEVERITY = MibEnum(
    {1: "other", 3: "critical", 4: "warning", 5: "warningBinaryChangeEvent"},
    {"warningBinaryChangeEvent": "change"},
)
TRAINING = MibEnum(
    _numbered("other unknown untrained trained fieldService management noInterventionRequired"),
    {
        "untrained": "anyone",
        "trained": "trained user",
        "fieldService": "service technician",
        "noInterventionRequired": "none needed",
    },
)
ALERT_GROUP = MibEnum(
    {
        1: "other",
        3: "hostResourcesMIBStorageTable",
        4: "hostResourcesMIBDeviceTable",
        5: "generalPrinter",
        6: "cover",
        7: "localization",
        8: "input",
        9: "output",
        10: "marker",
        11: "markerSupplies",
        12: "markerColorant",
        13: "mediaPath",
        14: "channel",
        15: "interpreter",
        16: "consoleDisplayBuffer",
        17: "consoleLights",
        18: "alert",
        30: "finDevice",
        31: "finSupply",
        32: "finSupplyMediaInput",
        33: "finAttribute",
    },
    {
        "hostResourcesMIBStorageTable": "storage",
        "hostResourcesMIBDeviceTable": "device",
        "generalPrinter": "printer",
        "localization": "language settings",
        "markerSupplies": "supplies",
        "markerColorant": "colorant",
        "consoleDisplayBuffer": "display",
        "consoleLights": "lights",
        "alert": "alert table",
        "finDevice": "finisher",
        "finSupply": "finisher supply",
        "finSupplyMediaInput": "finisher input",
        "finAttribute": "finisher attribute",
    },
)
SUPPLY_TYPE = MibEnum(
    _numbered(
        "other unknown toner wasteToner ink inkCartridge inkRibbon wasteInk opc developer fuserOil solidWax"
        " ribbonWax wasteWax fuser coronaWire fuserOilWick cleanerUnit fuserCleaningPad transferUnit"
        " tonerCartridge fuserOiler water wasteWater glueWaterAdditive wastePaper bindingSupply bandingSupply"
        " stitchingWire shrinkWrap paperWrap staples inserts covers"
    ),
    {"opc": "drum"},
)
SUPPLY_UNIT = MibEnum(
    {
        1: "other",
        2: "unknown",
        3: "tenThousandthsOfInches",
        4: "micrometers",
        7: "impressions",
        8: "sheets",
        11: "hours",
        12: "thousandthsOfOunces",
        13: "tenthsOfGrams",
        14: "hundrethsOfFluidOunces",  # as the MIB spells it
        15: "tenthsOfMilliliters",
        16: "feet",
        17: "meters",
        18: "items",
        19: "percent",
    },
    {
        "other": "of another unit",
        "unknown": "of an unknown unit",
        "tenThousandthsOfInches": "inches",
        "micrometers": "µm",
        "thousandthsOfOunces": "oz",
        "tenthsOfGrams": "g",
        "hundrethsOfFluidOunces": "fl oz",
        "tenthsOfMilliliters": "ml",
        "meters": "m",
        "percent": "%",
    },
)
UNIT_DIVISORS = {3: 10_000, 12: 1_000, 13: 10, 14: 100, 15: 10}  # of SUPPLY_UNIT: parts of the label's unit
CAPACITY_UNIT = SUPPLY_UNIT.subset(3, 4, 8, 16, 17, 18, 19)
INPUT_TYPE = MibEnum(
    _numbered(
        "other unknown sheetFeedAutoRemovableTray sheetFeedAutoNonRemovableTray sheetFeedManual"
        " continuousRoll continuousFanFold"
    ),
    {
        "sheetFeedAutoRemovableTray": "removable tray",
        "sheetFeedAutoNonRemovableTray": "fixed tray",
        "sheetFeedManual": "manual feed",
        "continuousRoll": "roll",
        "continuousFanFold": "fan-fold",
    },
)
OUTPUT_TYPE = MibEnum(
    _numbered("other unknown removableBin unRemovableBin continuousRollDevice mailBox continuousFanFold"),
    {
        "unRemovableBin": "fixed bin",
        "continuousRollDevice": "roll",
        "mailBox": "mailbox",
        "continuousFanFold": "fan-fold",
    },
)
STORAGE_TYPE = MibEnum(  # by the last arc of hrStorageTypes
    _numbered(
        "hrStorageOther hrStorageRam hrStorageVirtualMemory hrStorageFixedDisk hrStorageRemovableDisk"
        " hrStorageFloppyDisk hrStorageCompactDisc hrStorageRamDisk hrStorageFlashMemory hrStorageNetworkDisk"
    ),
    {
        "hrStorageOther": "other",
        "hrStorageRam": "RAM",
        "hrStorageVirtualMemory": "virtual memory",
        "hrStorageFixedDisk": "fixed disk",
        "hrStorageRemovableDisk": "removable disk",
        "hrStorageFloppyDisk": "floppy disk",
        "hrStorageCompactDisc": "compact disc",
        "hrStorageRamDisk": "RAM disk",
        "hrStorageFlashMemory": "flash memory",
        "hrStorageNetworkDisk": "network disk",
    },
)
STORAGE_TYPE_PREFIX = "1.3.6.1.2.1.25.2.1."
AVAILABILITY = MibEnum(  # PrtSubUnitStatusTC, the lowest three bits
    {
        0: "available-idle",
        1: "unavailable-on-request",
        2: "available-standby",
        3: "unavailable-broken",
        4: "available-active",
        5: "unknown",
        6: "available-busy",
    },
    {
        "available-idle": "available",
        "unavailable-on-request": "unavailable",
        "available-standby": "standby",
        "unavailable-broken": "broken",
        "available-active": "active",
        "available-busy": "busy",
    },
)
AMOUNT_KEYWORDS = {
    VagueAmount.OTHER: "other",
    VagueAmount.UNKNOWN: "unknown",
    VagueAmount.SOME_LEFT: "some left",
}
MILLIMETRES_PER_UNIT = {3: 0.00254, 4: 0.001}  # prtInputDimUnit


def storage_type_name(type_oid: str | None) -> str | None:
    """Return the name of an hrStorageType, the OID itself where the MIB has none."""
    number = _storage_type_number(type_oid)
    return type_oid if number is None else STORAGE_TYPE.name(number)


def storage_type_label(type_oid: str | None) -> str:
    """Return the label of an hrStorageType, the OID itself where the MIB has none, a dash for None."""
    number = _storage_type_number(type_oid)
    return type_oid or "-" if number is None else STORAGE_TYPE.label(number)


def _storage_type_number(type_oid: str | None) -> int | None:
    prefix, _, last = (type_oid or "").rpartition(".")
    number = int(last) if last.isdecimal() else 0
    return number if f"{prefix}." == STORAGE_TYPE_PREFIX and number in STORAGE_TYPE.names else None


def unit_label(number: int | None) -> str:
    """Return a unit as an undivided amount is given in it: "1/10 ml", "sheets"."""
    divisor = UNIT_DIVISORS.get(number or 0)
    label = SUPPLY_UNIT.label(number)
    return f"1/{divisor:,} {label}" if divisor else label


def amount_or_keyword(value: Amount | None) -> int | str | None:
    """Return an amount, or the keyword that stands instead of one."""
    return AMOUNT_KEYWORDS[value] if isinstance(value, VagueAmount) else value


def amount_label(value: Amount | None) -> str:
    """Return an amount with its thousands separated, the keyword instead of one, a dash for None."""
    shown = amount_or_keyword(value)
    return "-" if shown is None else f"{shown:,}" if isinstance(shown, int) else shown


def decode_subunit_status(bits: int | None) -> dict[str, str | bool] | None:
    """Return the parts of a PrtSubUnitStatusTC."""
    if bits is None or bits < 0:
        return None
    return {
        "availability": AVAILABILITY.names.get(bits & 7, "unknown"),
        "noncritical_alerts": bool(bits & 8),
        "critical_alerts": bool(bits & 16),
        "offline": bool(bits & 32),
        "transitioning": bool(bits & 64),
    }


def subunit_status_label(bits: int | None) -> str:
    """Return a PrtSubUnitStatusTC in words: availability, then alerts, off-line, transition."""
    status = decode_subunit_status(bits)
    if status is None:
        return "-"
    flags = {
        "critical_alerts": "critical alert",
        "noncritical_alerts": "alert",
        "offline": "offline",
        "transitioning": "changing",
    }
    availability = AVAILABILITY.label_of(str(status["availability"]))
    return ", ".join([availability, *(label for flag, label in flags.items() if status[flag])])


def to_millimetres(value: Amount | None, unit: int | None) -> float | None:
    """Return a length of a medium in millimetres."""
    factor = MILLIMETRES_PER_UNIT.get(unit or 0)
    return round(value * factor, 1) if isinstance(value, int) and value >= 0 and factor else None
