"""What the numbers of a supply say: how much is left, or how full a receptacle is."""

from appliance.domain.model import Printer, Supply, VagueAmount
from appliance.mib import enums

RECEPTACLE_CLASS = 4  # prtMarkerSuppliesClass receptacleThatIsFilled
PERCENT_UNIT = 19  # prtMarkerSuppliesSupplyUnit percent


def fill_percent(supply: Supply) -> int | None:
    """Return how much is left, or how full a receptacle is: 0 to 100; None if the printer did not say."""
    level, capacity = supply.level, supply.max_capacity
    if not isinstance(level, int) or level < 0:
        return None
    if isinstance(capacity, int) and capacity > 0:
        return min(100, round(100 * level / capacity))
    return level if supply.unit == PERCENT_UNIT and level <= 100 else None


def describe_level(supply: Supply) -> str:
    """Return a supply's true state: "80 % left", "35 % full", "some left", "unknown"."""
    share = fill_percent(supply)
    if share is not None:
        return f"{share} % {'full' if supply.class_ == RECEPTACLE_CLASS else 'left'}"
    if supply.level is VagueAmount.SOME_LEFT and supply.class_ == RECEPTACLE_CLASS:
        return "some room left"
    if isinstance(supply.level, int):
        where = "in it" if supply.class_ == RECEPTACLE_CLASS else "left"
        return f"{supply.level:,} {enums.unit_label(supply.unit)} {where}"
    return enums.amount_label(supply.level) if supply.level is not None else "not said"


def describe_lowest_supply(printer: Printer) -> str:
    """Return the consumable that ends first, as "cyan 12 %"; "some left" where no amounts are told."""
    consumables = [kept.row for kept in printer.supplies if kept.row.class_ != RECEPTACLE_CLASS]
    told = [(share, supply) for supply in consumables if (share := fill_percent(supply)) is not None]
    if told:
        share, supply = min(told, key=lambda pair: pair[0])
        return f"{_supply_name(supply)} {share} %"
    return "some left" if any(supply.level is VagueAmount.SOME_LEFT for supply in consumables) else "-"


def _supply_name(supply: Supply) -> str:
    if supply.color and supply.color not in ("other", "unknown"):
        return supply.color
    return enums.SUPPLY_TYPE.label(supply.type) if supply.type else supply.description or "supply"
