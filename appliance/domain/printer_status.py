"""Judge the state of a printer: can it print, and does it need attention."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from appliance.domain.model import Details
from appliance.domain.supplies import STATES_NOW, STATES_SOON, AssessedSupply

PrinterState = Literal["ok", "warning", "error", "silent", "ignored"]  # silent: it does not respond
PRINTER_STATES: tuple[PrinterState, ...] = ("ok", "warning", "error", "silent", "ignored")

DEVICE_STATUS_DOWN, DEVICE_STATUS_WARNING = 5, 3  # hrDeviceStatus

# Bits of hrPrinterDetectedErrorState that stop the printer.
BLOCKING_ERRORS = frozenset(
    {
        *("noPaper", "noToner", "doorOpen", "jammed", "offline", "serviceRequested"),
        *("inputTrayMissing", "outputTrayMissing", "markerSupplyMissing", "outputFull"),
    }
)


@dataclass(frozen=True, slots=True)
class AssessedPrinter:
    """A printer with its judgement; `name` is what people call it."""

    id: int
    name: str
    details: Details
    supplies: tuple[AssessedSupply, ...]
    state: PrinterState
    failure: str | None  # why it did not respond
    seen_at: datetime


def assess_printer(
    details: Details, supplies: Iterable[AssessedSupply], *, responding: bool, ignored: bool
) -> PrinterState:
    """Return a printer's state.

    An empty consumable or a full receptacle is an error, as a blocking error of the printer is: it has to be
    replaced now. One that is low or nearly full is a warning.
    """
    if ignored:
        return "ignored"
    if not responding:
        return "silent"
    states = {assessed.state for assessed in supplies}
    if cannot_print(details) or states & STATES_NOW:
        return "error"
    if details.errors or details.device_status == DEVICE_STATUS_WARNING or states & STATES_SOON:
        return "warning"
    return "ok"


def cannot_print(details: Details) -> bool:
    """Return True if the printer itself reports a condition that stops it."""
    return bool(BLOCKING_ERRORS.intersection(details.errors)) or details.device_status == DEVICE_STATUS_DOWN
