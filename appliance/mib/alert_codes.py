"""prtAlertCode (PrtAlertCodeTC of IANA-PRINTER-MIB) by name: what a trap says where it has no text."""

from appliance.mib.enums import split_camel_case

_NAMES_BY_FIRST_CODE = {
    1: "other unknown coverOpen coverClosed interlockOpen interlockClosed configurationChange jam"
    " subunitMissing subunitLifeAlmostOver subunitLifeOver subunitAlmostEmpty subunitEmpty"
    " subunitAlmostFull subunitFull subunitNearLimit subunitAtLimit subunitOpened subunitClosed"
    " subunitTurnedOn subunitTurnedOff"
    " subunitOffline subunitPowerSaver subunitWarmingUp subunitAdded subunitRemoved subunitResourceAdded"
    " subunitResourceRemoved subunitRecoverableFailure subunitUnrecoverableFailure"
    " subunitRecoverableStorageError subunitUnrecoverableStorageError subunitMotorFailure"
    " subunitMemoryExhausted subunitUnderTemperature subunitOverTemperature subunitTimingFailure"
    " subunitThermistorFailure",
    501: "doorOpen doorClosed powerUp powerDown printerNMSReset printerManualReset printerReadyToPrint",
    801: "inputMediaTrayMissing inputMediaSizeChange inputMediaWeightChange inputMediaTypeChange"
    " inputMediaColorChange inputMediaFormPartsChange inputMediaSupplyLow inputMediaSupplyEmpty"
    " inputMediaChangeRequest inputManualInputRequest inputTrayPositionFailure inputTrayElevationFailure"
    " inputCannotFeedSizeSelected",
    901: "outputMediaTrayMissing outputMediaTrayAlmostFull outputMediaTrayFull outputMailboxSelectFailure",
    1001: "markerFuserUnderTemperature markerFuserOverTemperature markerFuserTimingFailure"
    " markerFuserThermistorFailure markerAdjustingPrintQuality",
    1101: "markerTonerEmpty markerInkEmpty markerPrintRibbonEmpty markerTonerAlmostEmpty markerInkAlmostEmpty"
    " markerPrintRibbonAlmostEmpty markerWasteTonerReceptacleAlmostFull markerWasteInkReceptacleAlmostFull"
    " markerWasteTonerReceptacleFull markerWasteInkReceptacleFull markerOpcLifeAlmostOver markerOpcLifeOver"
    " markerDeveloperAlmostEmpty markerDeveloperEmpty markerTonerCartridgeMissing",
    1301: "mediaPathMediaTrayMissing mediaPathMediaTrayAlmostFull mediaPathMediaTrayFull"
    " mediaPathCannotDuplexMediaSelected",
    1501: "interpreterMemoryIncrease interpreterMemoryDecrease interpreterCartridgeAdded"
    " interpreterCartridgeDeleted interpreterResourceAdded interpreterResourceDeleted"
    " interpreterResourceUnavailable",
    1509: "interpreterComplexPageEncountered",
    1801: "alertRemovalOfBinaryChangeEntry",
}
ALERT_CODE_NAMES = {
    code: name
    for first, names in _NAMES_BY_FIRST_CODE.items()
    for code, name in enumerate(names.split(), start=first)
}


def describe_alert_code(code: int) -> str | None:
    """Return the name of an alert code in words: inputMediaSupplyLow as "input media supply low"."""
    name = ALERT_CODE_NAMES.get(code)
    return split_camel_case(name) if name else None
