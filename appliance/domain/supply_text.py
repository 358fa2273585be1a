"""What the numbers of a supply say: how much is left, or how full a receptacle is."""

from appliance.domain.model import Printer, Supply, Vague
from appliance.mib import enum_labels

RECEPTACLE = 4  # prtMarkerSuppliesClass receptacleThatIsFilled
PERCENT = 19  # prtMarkerSuppliesSupplyUnit percent


def percent(supply: Supply) -> int | None:
    """Return how much is left, or how full a receptacle is: 0 to 100; None if the printer did not say."""
    level, capacity = supply.level, supply.max_capacity
    if not isinstance(level, int) or level < 0:
        return None
    if isinstance(capacity, int) and capacity > 0:
        return min(100, round(100 * level / capacity))
    return level if supply.unit == PERCENT and level <= 100 else None


def state(supply: Supply) -> str:
    """Return a supply's true state: "80 % left", "35 % full", "some left", "unknown"."""
    share = percent(supply)
    if share is not None:
        return f"{share} % {'full' if supply.class_ == RECEPTACLE else 'left'}"
    if supply.level is Vague.SOME_LEFT and supply.class_ == RECEPTACLE:
        return "some room left"
    if isinstance(supply.level, int):
        where = "in it" if supply.class_ == RECEPTACLE else "left"
        return f"{supply.level:,} {enum_labels.word(enum_labels.UNIT, supply.unit)} {where}"
    return enum_labels.amount(supply.level) if supply.level is not None else "not said"


def lowest(printer: Printer) -> str:
    """Return the consumable that ends first, as "cyan 12 %"; "some left" where no amounts are told."""
    consumables = [kept.row for kept in printer.supplies if kept.row.class_ != RECEPTACLE]
    told = [(share, supply) for supply in consumables if (share := percent(supply)) is not None]
    if told:
        share, supply = min(told, key=lambda pair: pair[0])
        return f"{_name(supply)} {share} %"
    return "some left" if any(supply.level is Vague.SOME_LEFT for supply in consumables) else "-"


def _name(supply: Supply) -> str:
    if supply.color and supply.color not in ("other", "unknown"):
        return supply.color
    return (
        enum_labels.word(enum_labels.SUPPLY_TYPE, supply.type)
        if supply.type
        else supply.description or "supply"
    )
