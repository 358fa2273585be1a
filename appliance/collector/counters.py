"""Which pages a printer has counted: its maker's rules applied to what it said, with sources and doubts.

The first choice of a rule that is there counts; others of the same meaning are compared with it, as are sums
that must come out. A disagreement is told, never settled by adding or averaging.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from appliance.collector.printer_identity import PrinterContext
from appliance.domain.model import Counter, CounterName
from appliance.vendors import counter_rules
from appliance.vendors.counter_rules import RuleChoice, VendorCounters
from appliance.vendors.counter_sources import RawCounter

TOLERANCE_SHARE = (
    0.005  # of a counter: pages that were printed between two answers, reports that one leaves out;
)
TOLERANCE_PAGES = 10  # at least so many
LIFE_COUNT_KEY = "life"  # the key of prtMarkerLifeCount

SourcedCount = tuple[int, str]  # value, source
CountersByName = dict[CounterName, Counter]

COLOR_PARTS = {
    "print": (CounterName.PRINT_BLACK, CounterName.PRINT_SINGLE_COLOR, CounterName.PRINT_FULL_COLOR),
    "copy": (CounterName.COPY_BLACK, CounterName.COPY_SINGLE_COLOR, CounterName.COPY_FULL_COLOR),
}
COLOR_COUNTERS = (
    CounterName.TOTAL_COLOR,
    CounterName.PRINT_SINGLE_COLOR,
    CounterName.PRINT_FULL_COLOR,
    CounterName.COPY_SINGLE_COLOR,
    CounterName.COPY_FULL_COLOR,
)


class LifeCount(NamedTuple):
    """prtMarkerLifeCount, whose unit may be another than the maker's."""

    total: Counter
    counts_impressions: bool  # counted in impressions, as makers do; False: in sheets


def derive_counters(
    printer: PrinterContext,
    life: LifeCount | None,
    colorants: Collection[str] = (),
    failed: Collection[str] = (),
) -> tuple[Counter, ...]:
    """All counters of a printer; tables of a part that failed are left out."""
    found: CountersByName = {}
    for each in printer.vendor.counters if printer.vendor else ():
        said = _extract_raw_counters(each, printer, life, failed)
        _drop_unproved(each, said)
        for name, rule in each.rules.items():
            counter = _apply_rule(name, rule, said, life)
            if counter is not None:
                found.setdefault(name, counter)
    if CounterName.TOTAL not in found and life is not None:
        found[CounterName.TOTAL] = life.total
    _derive_missing(found, colorants)
    _check_all_sums(found)
    return tuple(found[name] for name in CounterName if name in found)


def _extract_raw_counters(
    vendor_rules: VendorCounters, printer: PrinterContext, life: LifeCount | None, failed: Collection[str]
) -> dict[str, RawCounter]:
    said: dict[str, RawCounter] = {}
    for group in vendor_rules.sources:
        if not any(table.part in failed for table in group.tables()):
            said = group.extract(printer.cells, printer.charset) | said  # the first group that says it counts
    if life is not None:
        said[LIFE_COUNT_KEY] = RawCounter(life.total.value, life.total.source, life.total.source)
    return said


def _drop_unproved(vendor_rules: VendorCounters, raw: dict[str, RawCounter]) -> None:
    """Drops what means what we think only where a sum gives the total, and it does not."""
    totals = [
        value
        for choice in counter_rules.parse_rule(vendor_rules.rules[CounterName.TOTAL])
        for value, _ in _available_sums(choice, raw)
    ]
    for proof, keys in vendor_rules.proofs.items():
        (terms,) = counter_rules.parse_rule(proof)[0]
        sum_ = counter_rules.sum_terms(terms, raw)
        if sum_ is None or not any(is_within_tolerance(sum_[0], total) for total in totals):
            for key in keys.split():
                raw.pop(key, None)


def _available_sums(choice: RuleChoice, raw: Mapping[str, RawCounter]) -> Iterator[SourcedCount]:
    return (count for terms in choice if (count := counter_rules.sum_terms(terms, raw)) is not None)


def _apply_rule(
    name: CounterName, rule: str, raw: Mapping[str, RawCounter], life: LifeCount | None
) -> Counter | None:
    """What a rule gives: the first choice that is there, with what others say against it."""
    for choice in counter_rules.parse_rule(rule):
        alternatives = list(_available_sums(choice, raw))
        if alternatives:
            (value, source), *others = alternatives
            if life is not None and not life.counts_impressions:  # sheets are not comparable with pages
                others = [other for other in others if other[1] != life.total.source]
            against = [f"{other} by {by}" for other, by in others if not is_within_tolerance(value, other)]
            dispute = f"{value} by {source}, but {' and '.join(against)}" if against else None
            return Counter(name, value, source, dispute=dispute)
    return None


def is_within_tolerance(first: int, second: int) -> bool:
    """Whether two counts of the same thing differ by no more than what happens in a working printer."""
    return abs(first - second) <= max(TOLERANCE_PAGES, TOLERANCE_SHARE * max(first, second))


def _derive_missing(counters: CountersByName, colorants: Collection[str]) -> None:
    """What follows: the total of its parts; all pages of a black printer, or of one that only prints."""
    black, color = counters.get(CounterName.TOTAL_BLACK), counters.get(CounterName.TOTAL_COLOR)
    if CounterName.TOTAL not in counters and black and color:
        _set_counter(
            counters, CounterName.TOTAL, black.value + color.value, f"{black.source} + {color.source}"
        )
    total = counters.get(CounterName.TOTAL)
    if _is_monochrome(counters, colorants):
        for function in ("print", "copy"):
            pages = counters.get(CounterName(f"{function}_total"))
            if pages and COLOR_PARTS[function][0] not in counters:
                _set_counter(counters, COLOR_PARTS[function][0], pages.value, f"{pages.source} (black only)")
        if total and black is None:
            _set_counter(counters, CounterName.TOTAL_BLACK, total.value, f"{total.source} (black only)")
    elif total and _is_print_only(counters, total):
        for each, name in ((black, CounterName.PRINT_BLACK), (color, CounterName.PRINT_FULL_COLOR)):
            if each and name not in counters:
                _set_counter(counters, name, each.value, f"{each.source} (prints only)")


def _set_counter(counters: CountersByName, name: CounterName, value: int, source: str) -> None:
    counters[name] = Counter(name, value, source)


def _is_monochrome(counters: CountersByName, colorants: Collection[str]) -> bool:
    """Proved by its colorants, or by black pages that are all pages; a colour page is the counter-proof."""
    if any(name in counters and counters[name].value for name in COLOR_COUNTERS):
        return False
    total, black = counters.get(CounterName.TOTAL), counters.get(CounterName.TOTAL_BLACK)
    if total and black:
        return is_within_tolerance(total.value, black.value)
    return bool(colorants) and set(colorants) == {"black"}


def _is_print_only(counters: CountersByName, total: Counter) -> bool:
    prints = counters.get(CounterName.PRINT_TOTAL)
    others = (counters.get(CounterName.COPY_TOTAL), counters.get(CounterName.FAX))
    return bool(prints and is_within_tolerance(prints.value, total.value)) and not any(
        each and each.value for each in others
    )


def _check_all_sums(counters: CountersByName) -> None:
    """Where parts do not add up to their total, that is said of the total."""
    _check_sum(counters, CounterName.TOTAL, (CounterName.TOTAL_BLACK, CounterName.TOTAL_COLOR))
    for function, names in COLOR_PARTS.items():
        _check_sum(counters, CounterName(f"{function}_total"), names)


def _check_sum(counters: CountersByName, name: CounterName, parts: tuple[CounterName, ...]) -> None:
    """The first and the last part have to be known; a printer may lack what is between."""
    total, told = counters.get(name), [counters[part] for part in parts if part in counters]
    if total is None or total.dispute or parts[0] not in counters or parts[-1] not in counters:
        return
    sum_ = sum(part.value for part in told)
    if not is_within_tolerance(sum_, total.value):
        words = " + ".join(f"{part.name.value.replace('_', ' ')} {part.value}" for part in told)
        dispute = f"{total.value} by {total.source}, but {sum_} by {words}"
        counters[name] = replace(total, dispute=dispute)
