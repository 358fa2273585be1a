"""The numbers of Printer-MIB (RFC 3805) and Host Resources (RFC 2790) by their names, to be translated."""

from collections.abc import Mapping

from appliance.domain.model import Amount, VagueAmount

PRINTER_STATUS = {1: "other", 2: "unknown", 3: "idle", 4: "printing", 5: "warmup"}
SEVERITY = {1: "other", 3: "critical", 4: "warning", 5: "warningBinaryChangeEvent"}
TRAINING = {
    1: "other",
    2: "unknown",
    3: "untrained",
    4: "trained",
    5: "fieldService",
    6: "management",
    7: "noInterventionRequired",
}
ALERT_GROUP = {
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
}
SUPPLY_TYPE = dict(
    enumerate(
        (
            *(
                "other",
                "unknown",
                "toner",
                "wasteToner",
                "ink",
                "inkCartridge",
                "inkRibbon",
                "wasteInk",
                "opc",
            ),
            *(
                "developer",
                "fuserOil",
                "solidWax",
                "ribbonWax",
                "wasteWax",
                "fuser",
                "coronaWire",
                "fuserOilWick",
            ),
            *("cleanerUnit", "fuserCleaningPad", "transferUnit", "tonerCartridge", "fuserOiler", "water"),
            *(
                "wasteWater",
                "glueWaterAdditive",
                "wastePaper",
                "bindingSupply",
                "bandingSupply",
                "stitchingWire",
            ),
            *("shrinkWrap", "paperWrap", "staples", "inserts", "covers"),
        ),
        1,
    )
)
CAPACITY_UNIT = {
    3: "tenThousandthsOfInches",
    4: "micrometers",
    8: "sheets",
    16: "feet",
    17: "meters",
    18: "items",
    19: "percent",
}
SUPPLY_UNIT = {
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
}
INPUT_TYPE = {
    1: "other",
    2: "unknown",
    3: "sheetFeedAutoRemovableTray",
    4: "sheetFeedAutoNonRemovableTray",
    5: "sheetFeedManual",
    6: "continuousRoll",
    7: "continuousFanFold",
}
OUTPUT_TYPE = {
    1: "other",
    2: "unknown",
    3: "removableBin",
    4: "unRemovableBin",
    5: "continuousRollDevice",
    6: "mailBox",
    7: "continuousFanFold",
}
STORAGE_TYPE = {
    "1.3.6.1.2.1.25.2.1.1": "hrStorageOther",
    "1.3.6.1.2.1.25.2.1.2": "hrStorageRam",
    "1.3.6.1.2.1.25.2.1.3": "hrStorageVirtualMemory",
    "1.3.6.1.2.1.25.2.1.4": "hrStorageFixedDisk",
    "1.3.6.1.2.1.25.2.1.5": "hrStorageRemovableDisk",
    "1.3.6.1.2.1.25.2.1.6": "hrStorageFloppyDisk",
    "1.3.6.1.2.1.25.2.1.7": "hrStorageCompactDisc",
    "1.3.6.1.2.1.25.2.1.8": "hrStorageRamDisk",
    "1.3.6.1.2.1.25.2.1.9": "hrStorageFlashMemory",
    "1.3.6.1.2.1.25.2.1.10": "hrStorageNetworkDisk",
}
AVAILABILITY = {
    0: "available-idle",
    1: "unavailable-on-request",
    2: "available-standby",
    3: "unavailable-broken",
    4: "available-active",
    5: "unknown",
    6: "available-busy",
}
AMOUNT_KEYWORDS = {
    VagueAmount.OTHER: "other",
    VagueAmount.UNKNOWN: "unknown",
    VagueAmount.SOME_LEFT: "some left",
}
MILLIMETRES_PER_UNIT = {3: 0.00254, 4: 0.001}  # prtInputDimUnit


def enum_name(table: Mapping[int, str], number: int | None) -> str | None:
    """The number's name, the number itself where the MIB has none; None: the printer did not say."""
    return None if number is None else table.get(number, str(number))


def amount_or_keyword(value: Amount | None) -> int | str | None:
    """An amount, or the word for what is said instead of one."""
    return AMOUNT_KEYWORDS[value] if isinstance(value, VagueAmount) else value


def decode_subunit_status(bits: int | None) -> dict[str, str | bool] | None:
    """PrtSubUnitStatusTC taken apart."""
    if bits is None or bits < 0:
        return None
    return {
        "availability": AVAILABILITY.get(bits & 7, "unknown"),
        "noncritical_alerts": bool(bits & 8),
        "critical_alerts": bool(bits & 16),
        "offline": bool(bits & 32),
        "transitioning": bool(bits & 64),
    }


def to_millimetres(value: Amount | None, unit: int | None) -> float | None:
    """A length of a medium."""
    factor = MILLIMETRES_PER_UNIT.get(unit or 0)
    return round(value * factor, 1) if isinstance(value, int) and value >= 0 and factor else None
