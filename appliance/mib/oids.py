"""The objects that the reader knows, under the names of their MIBs (RFC 2790, 2863, 3418, 3805).

A constant is the object, never an instance: a scalar is asked as `(*SYS_DESCR, 0)`, a column as
`(*IF_TYPE, row)`.
"""

from functools import lru_cache

Oid = tuple[int, ...]

MAX_CACHED = 4_096  # the scalars and rows of a fleet are the same few hundred

MIB_2: Oid = (1, 3, 6, 1, 2, 1)
ENTERPRISES: Oid = (1, 3, 6, 1, 4, 1)

# RFC 3418, system group
SYSTEM: Oid = (*MIB_2, 1)
SYS_DESCR: Oid = (*SYSTEM, 1)
SYS_OBJECT_ID: Oid = (*SYSTEM, 2)
SYS_UP_TIME: Oid = (*SYSTEM, 3)
SYS_CONTACT: Oid = (*SYSTEM, 4)
SYS_NAME: Oid = (*SYSTEM, 5)
SYS_LOCATION: Oid = (*SYSTEM, 6)

# RFC 2863, ifTable: indexed by ifIndex
IF_ENTRY: Oid = (*MIB_2, 2, 2, 1)
IF_DESCR: Oid = (*IF_ENTRY, 2)

HOST: Oid = (*MIB_2, 25)

# RFC 2790, hrStorageTable: indexed by hrStorageIndex
HR_STORAGE_ENTRY: Oid = (*HOST, 2, 3, 1)

# RFC 2790, hrDeviceTable: indexed by hrDeviceIndex
HR_DEVICE_ENTRY: Oid = (*HOST, 3, 2, 1)
HR_DEVICE_PRINTER: Oid = (*HOST, 3, 1, 5)  # a value of hrDeviceType

# RFC 2790, hrPrinterTable: indexed by hrDeviceIndex
HR_PRINTER_ENTRY: Oid = (*HOST, 3, 5, 1)
HR_PRINTER_STATUS: Oid = (*HR_PRINTER_ENTRY, 1)
HR_PRINTER_DETECTED_ERROR_STATE: Oid = (*HR_PRINTER_ENTRY, 2)

PRINTER_MIB: Oid = (*MIB_2, 43)

# RFC 3805, prtGeneralTable: indexed by hrDeviceIndex
PRT_GENERAL_ENTRY: Oid = (*PRINTER_MIB, 5, 1, 1)
PRT_GENERAL_CONFIG_CHANGES: Oid = (*PRT_GENERAL_ENTRY, 1)
PRT_GENERAL_CURRENT_LOCALIZATION: Oid = (*PRT_GENERAL_ENTRY, 2)
PRT_GENERAL_CONSOLE_LOCALIZATION: Oid = (*PRT_GENERAL_ENTRY, 10)
PRT_GENERAL_PRINTER_NAME: Oid = (*PRT_GENERAL_ENTRY, 16)
PRT_GENERAL_SERIAL_NUMBER: Oid = (*PRT_GENERAL_ENTRY, 17)

# RFC 3805, prtLocalizationTable: indexed by hrDeviceIndex, prtLocalizationIndex
PRT_LOCALIZATION_ENTRY: Oid = (*PRINTER_MIB, 7, 1, 1)
PRT_LOCALIZATION_CHARACTER_SET: Oid = (*PRT_LOCALIZATION_ENTRY, 4)

# RFC 3805, prtInputTable: indexed by hrDeviceIndex, prtInputIndex
PRT_INPUT_ENTRY: Oid = (*PRINTER_MIB, 8, 2, 1)

# RFC 3805, prtOutputTable: indexed by hrDeviceIndex, prtOutputIndex
PRT_OUTPUT_ENTRY: Oid = (*PRINTER_MIB, 9, 2, 1)

# RFC 3805, prtMarkerTable: indexed by hrDeviceIndex, prtMarkerIndex
PRT_MARKER_ENTRY: Oid = (*PRINTER_MIB, 10, 2, 1)

# RFC 3805, prtMarkerSuppliesTable: indexed by hrDeviceIndex, prtMarkerSuppliesIndex
PRT_MARKER_SUPPLIES_ENTRY: Oid = (*PRINTER_MIB, 11, 1, 1)

# RFC 3805, prtMarkerColorantTable: indexed by hrDeviceIndex, prtMarkerColorantIndex
PRT_MARKER_COLORANT_ENTRY: Oid = (*PRINTER_MIB, 12, 1, 1)

# RFC 3805, prtConsoleDisplayBufferTable: indexed by hrDeviceIndex, prtConsoleDisplayBufferIndex
PRT_CONSOLE_DISPLAY_BUFFER_ENTRY: Oid = (*PRINTER_MIB, 16, 5, 1)

# RFC 3805, prtAlertTable: indexed by hrDeviceIndex, prtAlertIndex
PRT_ALERT_ENTRY: Oid = (*PRINTER_MIB, 18, 1, 1)


@lru_cache(maxsize=MAX_CACHED)
def format_oid(oid: Oid) -> str:
    """Return an OID as dotted text."""
    return ".".join(map(str, oid))


@lru_cache(maxsize=MAX_CACHED)
def parse_oid(text: str) -> Oid:
    """Return the OID of a dotted text, with or without a leading dot; raise ValueError."""
    text = text.removeprefix(".")
    return tuple(map(int, text.split("."))) if text else ()
