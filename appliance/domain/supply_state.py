"""What somebody should know first: the state of a printer, the true state of a supply."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from appliance.domain.model import Amount, Details, Supply, VagueAmount

PrinterState = Literal["ok", "warning", "error", "silent", "ignored"]
SupplyState = Literal["ok", "low", "empty", "nearly-full", "full", "some-left", "unknown"]

LOW_PERCENT = 10.0  # percent that are left, as most printers warn
UNIT_PERCENT = 19  # prtMarkerSuppliesSupplyUnit
DEVICE_STATUS_DOWN, DEVICE_STATUS_WARNING = 5, 3  # hrDeviceStatus
CLASS_RECEPTACLE = 4  # prtMarkerSuppliesClass
WASTE_SUPPLY_TYPES = {
    4,
    8,
    14,
    24,
    26,
}  # prtMarkerSuppliesType: receptacles, whatever their class

BLOCKING_ERRORS = frozenset(
    {
        *("noPaper", "noToner", "doorOpen", "jammed", "offline", "serviceRequested"),
        *("inputTrayMissing", "outputTrayMissing", "markerSupplyMissing", "outputFull"),
    }
)


@dataclass(frozen=True, slots=True)
class AssessedSupply:
    """A supply; `percent` is what is left, or how full a receptacle is; None: cannot be said."""

    supply: Supply
    kind: Literal["consumed", "filled"]
    percent: float | None
    state: SupplyState

    @property
    def percent_left(self) -> float | None:
        """What is left; of a receptacle the room that is left."""
        if self.percent is None:
            return None
        return self.percent if self.kind == "consumed" else round(100 - self.percent, 1)


def printer_state(
    details: Details, supplies: Iterable[AssessedSupply], *, silent: bool, ignore: bool
) -> PrinterState:
    """What a printer's line in a list says."""
    if ignore:
        return "ignored"
    if silent:
        return "silent"
    if BLOCKING_ERRORS.intersection(details.errors) or details.device_status == DEVICE_STATUS_DOWN:
        return "error"
    if (
        details.errors
        or details.device_status == DEVICE_STATUS_WARNING
        or any(needs_attention(each) for each in supplies)
    ):
        return "warning"
    return "ok"


def needs_attention(assessed: AssessedSupply) -> bool:
    """Now or soon."""
    return assessed.state in ("low", "empty", "nearly-full", "full")


def assess_supply(supply: Supply) -> AssessedSupply:
    """The true state of a supply."""
    filled = supply.class_ == CLASS_RECEPTACLE or (
        supply.class_ is None and supply.type in WASTE_SUPPLY_TYPES
    )
    share = percent_of_capacity(supply.level, supply.max_capacity, is_percent=supply.unit == UNIT_PERCENT)
    if share is None:
        return AssessedSupply(
            supply, "filled" if filled else "consumed", None, _state_without_percent(supply, filled=filled)
        )
    if filled:
        return AssessedSupply(
            supply,
            "filled",
            share,
            "full" if share >= 100 else "nearly-full" if share >= 100 - LOW_PERCENT else "ok",
        )
    return AssessedSupply(
        supply, "consumed", share, "empty" if share <= 0 else "low" if share <= LOW_PERCENT else "ok"
    )


def lowest_supply(supplies: Iterable[AssessedSupply]) -> AssessedSupply | None:
    """The supply that is closest to its end, where amounts are told."""
    told = [(left, judged) for judged in supplies if (left := judged.percent_left) is not None]
    return min(told, key=lambda pair: pair[0])[1] if told else None


def percent_of_capacity(
    level: Amount | None, capacity: Amount | None, *, is_percent: bool = False
) -> float | None:
    """A level as 0 to 100; None where it cannot be said."""
    if not isinstance(level, int) or level < 0:
        return None
    if isinstance(capacity, int) and capacity > 0:
        return min(100.0, round(100 * level / capacity, 1))
    return float(level) if is_percent and level <= 100 else None


def _state_without_percent(supply: Supply, *, filled: bool) -> SupplyState:
    if supply.level == 0 and not filled:
        return "empty"
    if supply.level is VagueAmount.SOME_LEFT or (
        isinstance(supply.level, int) and supply.level > 0 and not filled
    ):
        return "some-left"
    return "unknown"
