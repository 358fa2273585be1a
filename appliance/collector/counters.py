"""Derive a printer's page counters from its cells by the rules of its vendor, with sources and disputes.

The first available choice of a rule counts; other sums of the same meaning are compared with it, as are
totals with their parts. A disagreement is reported as a dispute, never settled by adding or averaging.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from appliance.collector.printer_identity import PrinterContext
from appliance.domain.model import Counter, CounterName
from appliance.vendors import counter_rules
from appliance.vendors.counter_rules import LIFE_COUNT_KEY, CounterRule, RuleChoice, VendorCounters
from appliance.vendors.counter_sources import RawCounter

TOLERANCE_SHARE = 0.005  # pages printed between two answers, reports that only one of two counters includes
TOLERANCE_PAGES = 10  # the smallest tolerance

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
    """prtMarkerLifeCount, whose unit may differ from that of the vendor's counters."""

    total: Counter
    counts_impressions: bool  # False: in sheets


def derive_counters(
    printer: PrinterContext,
    life: LifeCount | None,
    colorants: Collection[str] = (),
    failed: Collection[str] = (),
) -> tuple[Counter, ...]:
    """Return all counters of a printer, without those of tables whose part could not be read."""
    counters: CountersByName = {}
    for vendor_counters in printer.vendor.counters if printer.vendor else ():
        raw = _extract_raw_counters(vendor_counters, printer, life, failed)
        _drop_unproved(vendor_counters, raw)
        for name, rule in vendor_counters.rules.items():
            counter = _apply_rule(name, rule, raw, life)
            if counter is not None:
                counters.setdefault(name, counter)
    if CounterName.TOTAL not in counters and life is not None:
        counters[CounterName.TOTAL] = life.total
    _derive_missing(counters, colorants)
    _check_all_sums(counters)
    return tuple(counters[name] for name in CounterName if name in counters)


def _extract_raw_counters(
    vendor_counters: VendorCounters, printer: PrinterContext, life: LifeCount | None, failed: Collection[str]
) -> dict[str, RawCounter]:
    raw: dict[str, RawCounter] = {}
    for source in vendor_counters.sources:
        if not any(table.part in failed for table in source.tables()):
            raw = source.extract(printer.cells, printer.charset) | raw  # the first source of a key counts
    if life is not None:
        raw[LIFE_COUNT_KEY] = RawCounter(life.total.value, life.total.source, life.total.source)
    return raw


def _drop_unproved(vendor_counters: VendorCounters, raw: dict[str, RawCounter]) -> None:
    """Remove the keys of each proof whose sum does not give the total."""
    totals = [
        value
        for choice in vendor_counters.rules[CounterName.TOTAL].choices
        for value, _ in _available_sums(choice, raw)
    ]
    for proof in vendor_counters.proofs:
        sum_ = counter_rules.sum_terms(proof.terms, raw)
        if sum_ is None or not any(is_within_tolerance(sum_[0], total) for total in totals):
            for key in proof.keys:
                raw.pop(key, None)


def _available_sums(choice: RuleChoice, raw: Mapping[str, RawCounter]) -> Iterator[SourcedCount]:
    return (count for terms in choice if (count := counter_rules.sum_terms(terms, raw)) is not None)


def _apply_rule(
    name: CounterName, rule: CounterRule, raw: Mapping[str, RawCounter], life: LifeCount | None
) -> Counter | None:
    """Return the first available choice of a rule, disputed by other sums of the same choice."""
    for choice in rule.choices:
        alternatives = list(_available_sums(choice, raw))
        if alternatives:
            (value, source), *others = alternatives
            if life is not None and not life.counts_impressions:  # sheets are not comparable with pages
                others = [other for other in others if other[1] != life.total.source]
            against = [
                f"{other} by {origin}" for other, origin in others if not is_within_tolerance(value, other)
            ]
            dispute = f"{value} by {source}, but {' and '.join(against)}" if against else None
            return Counter(name, value, source, dispute=dispute)
    return None


def is_within_tolerance(first: int, second: int) -> bool:
    """Return True if two counts differ by no more than they do in a working printer."""
    return abs(first - second) <= max(TOLERANCE_PAGES, TOLERANCE_SHARE * max(first, second))


def _derive_missing(counters: CountersByName, colorants: Collection[str]) -> None:
    """Derive the total from its parts, and counters by colour of a monochrome or print-only printer."""
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
        for pages, name in ((black, CounterName.PRINT_BLACK), (color, CounterName.PRINT_FULL_COLOR)):
            if pages and name not in counters:
                _set_counter(counters, name, pages.value, f"{pages.source} (prints only)")


def _set_counter(counters: CountersByName, name: CounterName, value: int, source: str) -> None:
    counters[name] = Counter(name, value, source)


def _is_monochrome(counters: CountersByName, colorants: Collection[str]) -> bool:
    """Return True if all pages are black, or all colorants are and no page is in colour."""
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
        counter and counter.value for counter in others
    )


def _check_all_sums(counters: CountersByName) -> None:
    """Mark totals as disputed whose parts do not add up to them."""
    _check_sum(counters, CounterName.TOTAL, (CounterName.TOTAL_BLACK, CounterName.TOTAL_COLOR))
    for function, names in COLOR_PARTS.items():
        _check_sum(counters, CounterName(f"{function}_total"), names)


def _check_sum(counters: CountersByName, name: CounterName, parts: tuple[CounterName, ...]) -> None:
    """Check one total if its first and last part are known; a printer may lack those between."""
    total, known_parts = counters.get(name), [counters[part] for part in parts if part in counters]
    if total is None or total.dispute or parts[0] not in counters or parts[-1] not in counters:
        return
    sum_ = sum(part.value for part in known_parts)
    if not is_within_tolerance(sum_, total.value):
        words = " + ".join(f"{part.name.value.replace('_', ' ')} {part.value}" for part in known_parts)
        dispute = f"{total.value} by {total.source}, but {sum_} by {words}"
        counters[name] = replace(total, dispute=dispute)
