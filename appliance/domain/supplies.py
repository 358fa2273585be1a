"""Judge the state of a supply from its row in prtMarkerSuppliesTable and from the printer's alerts."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from appliance.domain.model import Alert, Amount, Supply, VagueAmount

SupplyKind = Literal["consumed", "filled"]
SupplyState = Literal["ok", "low", "empty", "nearly-full", "full", "some-left", "unknown"]

LOW_PERCENT = 10.0  # percent left of a consumable, or of the space in a receptacle; most printers warn here
UNIT_PERCENT = 19  # prtMarkerSuppliesSupplyUnit percent(19)
CLASS_RECEPTACLE = 4  # prtMarkerSuppliesClass receptacleThatIsFilled(4)
GROUP_MARKER_SUPPLIES = 11  # prtAlertGroup markerSupplies(11)
# prtMarkerSuppliesType wasteToner, wasteInk, wasteWax, wasteWater, wastePaper: for agents without a class
RECEPTACLE_TYPES = frozenset({4, 8, 14, 24, 26})

# prtAlertCode: markerWaste(Toner|Ink)Receptacle(AlmostFull|Full)
NEARLY_FULL_ALERT_CODES = frozenset({1107, 1108})
FULL_ALERT_CODES = frozenset({1109, 1110})
RECEPTACLE_ALERT_CODES = NEARLY_FULL_ALERT_CODES | FULL_ALERT_CODES

STATES_NOW = frozenset({"empty", "full"})  # something has to be replaced now
STATES_SOON = frozenset({"low", "nearly-full"})  # something has to be replaced soon


@dataclass(frozen=True, slots=True)
class AssessedSupply:
    """A supply with its judgement.

    `remaining_percent` is what is left of a consumable, or of the space in a receptacle, 0 to 100 with one
    decimal; None where the printer does not give it.
    """

    supply: Supply
    kind: SupplyKind
    remaining_percent: float | None
    state: SupplyState

    @property
    def percent_left(self) -> float | None:
        """Return how much is left of a consumable; None for a receptacle."""
        return self.remaining_percent if self.kind == "consumed" else None

    @property
    def percent_full(self) -> float | None:
        """Return how full a receptacle is; None for a consumable."""
        if self.kind == "consumed" or self.remaining_percent is None:
            return None
        return round(100 - self.remaining_percent, 1)

    @property
    def percent(self) -> float | None:
        """Return `percent_left` of a consumable, `percent_full` of a receptacle."""
        return self.percent_left if self.kind == "consumed" else self.percent_full


def assess_supplies(supplies: Iterable[Supply], alerts: Iterable[Alert] = ()) -> list[AssessedSupply]:
    """Judge all supplies of one printer, in their order.

    RFC 3805: of a receptacle, prtMarkerSuppliesLevel is the space that remains. No recording and no vendor's
    document proves another direction yet. An alert of the printer about a full receptacle beats the level.
    """
    rows = tuple(supplies)
    receptacles = {row.index for row in rows if is_receptacle(row)}
    codes: dict[int, set[int]] = {}
    for alert in alerts:
        if alert.code in RECEPTACLE_ALERT_CODES:
            named = alert.group == GROUP_MARKER_SUPPLIES and alert.group_index in receptacles
            for index in (alert.group_index,) if named else receptacles:
                codes.setdefault(index or 0, set()).add(alert.code or 0)
    return [assess_supply(row, codes.get(row.index, ())) for row in rows]


def assess_supply(supply: Supply, alert_codes: Iterable[int] = ()) -> AssessedSupply:
    """Judge one supply; `alert_codes` are the printer's alerts (prtAlertCode) about this supply."""
    remaining = percent_of_capacity(supply.level, supply.max_capacity, is_percent=supply.unit == UNIT_PERCENT)
    if is_receptacle(supply):
        return _assess_receptacle(supply, remaining, frozenset(alert_codes))
    return AssessedSupply(supply, "consumed", remaining, _consumable_state(supply, remaining))


def is_receptacle(supply: Supply) -> bool:
    """Return True for a supply that is filled, such as a waste toner box."""
    return supply.class_ == CLASS_RECEPTACLE or (supply.class_ is None and supply.type in RECEPTACLE_TYPES)


def lowest_supply(supplies: Iterable[AssessedSupply]) -> AssessedSupply | None:
    """Return the supply that will need replacement first; None where no percentage is known."""
    known = [
        (assessed.remaining_percent, assessed)
        for assessed in supplies
        if assessed.remaining_percent is not None
    ]
    return min(known, key=lambda pair: pair[0])[1] if known else None


def percent_of_capacity(
    level: Amount | None, capacity: Amount | None, *, is_percent: bool = False
) -> float | None:
    """Return the level as 0 to 100 percent of the capacity; None where either is not known.

    A level above 0 never becomes 0 by rounding.
    """
    if not isinstance(level, int) or level < 0:
        return None
    if isinstance(capacity, int) and capacity > 0:
        share = min(100.0, round(100 * level / capacity, 1))
        return max(share, 0.1) if level else 0.0
    return float(level) if is_percent and level <= 100 else None


def format_state(assessed: AssessedSupply) -> str:
    """Return the judgement in words: "80 % left", "3 % left, low", "35 % full", "some left", "unknown"."""
    state = assessed.state.replace("-", " ")
    if assessed.percent is None:
        return "some space left" if assessed.kind == "filled" and assessed.state == "some-left" else state
    share = f"{assessed.percent:g} % {'left' if assessed.kind == 'consumed' else 'full'}"
    return share if assessed.state == "ok" else f"{share}, {state}"


def _consumable_state(supply: Supply, remaining: float | None) -> SupplyState:
    if remaining is not None:
        return "empty" if remaining <= 0 else "low" if remaining <= LOW_PERCENT else "ok"
    return "empty" if supply.level == 0 else _state_without_percent(supply)


def _assess_receptacle(
    supply: Supply, remaining: float | None, alert_codes: frozenset[int]
) -> AssessedSupply:
    state: SupplyState
    if alert_codes & RECEPTACLE_ALERT_CODES:
        state = "full" if alert_codes & FULL_ALERT_CODES else "nearly-full"
        return AssessedSupply(supply, "filled", _remaining_despite_alert(remaining), state)
    if remaining is None:
        return AssessedSupply(supply, "filled", None, _state_without_percent(supply))
    state = "full" if remaining <= 0 else "nearly-full" if remaining <= LOW_PERCENT else "ok"
    return AssessedSupply(supply, "filled", remaining, state)


def _remaining_despite_alert(remaining: float | None) -> float | None:
    """Return the remaining space of a receptacle that the printer reports as (nearly) full.

    A level that says "nearly all space remains" then counts the fill; one in between says nothing.
    """
    if remaining is None or remaining <= LOW_PERCENT:
        return remaining
    return round(100 - remaining, 1) if remaining >= 100 - LOW_PERCENT else None


def _state_without_percent(supply: Supply) -> SupplyState:
    if supply.level is VagueAmount.SOME_LEFT or (isinstance(supply.level, int) and supply.level > 0):
        return "some-left"
    return "unknown"
