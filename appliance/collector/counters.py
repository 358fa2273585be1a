"""Which pages a printer has counted: its maker's rules applied to what it said, with sources and doubts.

The first choice of a rule that is there counts; others of the same meaning are compared with it, as are sums
that must come out. A disagreement is told, never settled by adding or averaging.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from appliance.collector.printer_identity import Subject
from appliance.domain.model import Counter, CounterName
from appliance.vendors import counter_rules
from appliance.vendors.counter_rules import Choice, Meters
from appliance.vendors.counter_sources import Meter

TOLERANCE = 0.005  # of a counter: pages that were printed between two answers, reports that one leaves out;
TOLERANCE_PAGES = 10  # at least so many
LIFE = "life"  # the key of prtMarkerLifeCount

Count = tuple[int, str]  # value, source
Found = dict[CounterName, Counter]

COLORS = {
    "print": (CounterName.PRINT_BLACK, CounterName.PRINT_SINGLE_COLOR, CounterName.PRINT_FULL_COLOR),
    "copy": (CounterName.COPY_BLACK, CounterName.COPY_SINGLE_COLOR, CounterName.COPY_FULL_COLOR),
}
OF_COLOR = (
    CounterName.TOTAL_COLOR,
    CounterName.PRINT_SINGLE_COLOR,
    CounterName.PRINT_FULL_COLOR,
    CounterName.COPY_SINGLE_COLOR,
    CounterName.COPY_FULL_COLOR,
)


class Life(NamedTuple):
    """prtMarkerLifeCount, whose unit may be another than the maker's."""

    total: Counter
    pages: bool  # counted in impressions, as makers do; False: in sheets


def counters(
    printer: Subject, life: Life | None, colorants: Collection[str] = (), failed: Collection[str] = ()
) -> tuple[Counter, ...]:
    """All counters of a printer; tables of a part that failed are left out."""
    found: Found = {}
    for each in printer.builder.meters if printer.builder else ():
        said = _said(each, printer, life, failed)
        _unproved_out(each, said)
        for name, rule in each.rules.items():
            counter = _counter(name, rule, said, life)
            if counter is not None:
                found.setdefault(name, counter)
    if CounterName.TOTAL not in found and life is not None:
        found[CounterName.TOTAL] = life.total
    _conclude(found, colorants)
    _check_sums(found)
    return tuple(found[name] for name in CounterName if name in found)


def _said(each: Meters, printer: Subject, life: Life | None, failed: Collection[str]) -> dict[str, Meter]:
    said: dict[str, Meter] = {}
    for group in each.groups:
        if not any(table.part in failed for table in group.tables()):
            said = group.found(printer.cells, printer.charset) | said  # the first group that says it counts
    if life is not None:
        said[LIFE] = Meter(life.total.value, life.total.source, life.total.source)
    return said


def _unproved_out(each: Meters, said: dict[str, Meter]) -> None:
    """Drops what means what we think only where a sum gives the total, and it does not."""
    totals = [
        value
        for choice in counter_rules.choices(each.rules[CounterName.TOTAL])
        for value, _ in _all(choice, said)
    ]
    for proof, keys in each.proofs.items():
        (terms,) = counter_rules.choices(proof)[0]
        sum_ = counter_rules.add(terms, said)
        if sum_ is None or not any(agree(sum_[0], total) for total in totals):
            for key in keys.split():
                said.pop(key, None)


def _all(choice: Choice, said: Mapping[str, Meter]) -> Iterator[Count]:
    return (count for terms in choice if (count := counter_rules.add(terms, said)) is not None)


def _counter(name: CounterName, rule: str, said: Mapping[str, Meter], life: Life | None) -> Counter | None:
    """What a rule gives: the first choice that is there, with what others say against it."""
    for choice in counter_rules.choices(rule):
        alternatives = list(_all(choice, said))
        if alternatives:
            (value, source), *others = alternatives
            if life is not None and not life.pages:  # sheets are not comparable with pages
                others = [other for other in others if other[1] != life.total.source]
            against = [f"{other} by {by}" for other, by in others if not agree(value, other)]
            dispute = f"{value} by {source}, but {' and '.join(against)}" if against else None
            return Counter(name, value, source, dispute=dispute)
    return None


def agree(one: int, other: int) -> bool:
    """Whether two counts of the same thing differ by no more than what happens in a working printer."""
    return abs(one - other) <= max(TOLERANCE_PAGES, TOLERANCE * max(one, other))


def _conclude(found: Found, colorants: Collection[str]) -> None:
    """What follows: the total of its parts; all pages of a black printer, or of one that only prints."""
    black, color = found.get(CounterName.TOTAL_BLACK), found.get(CounterName.TOTAL_COLOR)
    if CounterName.TOTAL not in found and black and color:
        _put(found, CounterName.TOTAL, black.value + color.value, f"{black.source} + {color.source}")
    total = found.get(CounterName.TOTAL)
    if _prints_black_only(found, colorants):
        for function in ("print", "copy"):
            pages = found.get(CounterName(f"{function}_total"))
            if pages and COLORS[function][0] not in found:
                _put(found, COLORS[function][0], pages.value, f"{pages.source} (black only)")
        if total and black is None:
            _put(found, CounterName.TOTAL_BLACK, total.value, f"{total.source} (black only)")
    elif total and _only_prints(found, total):
        for each, name in ((black, CounterName.PRINT_BLACK), (color, CounterName.PRINT_FULL_COLOR)):
            if each and name not in found:
                _put(found, name, each.value, f"{each.source} (prints only)")


def _put(found: Found, name: CounterName, value: int, source: str) -> None:
    found[name] = Counter(name, value, source)


def _prints_black_only(found: Found, colorants: Collection[str]) -> bool:
    """Proved by its colorants, or by black pages that are all pages; a colour page is the counter-proof."""
    if any(name in found and found[name].value for name in OF_COLOR):
        return False
    total, black = found.get(CounterName.TOTAL), found.get(CounterName.TOTAL_BLACK)
    if total and black:
        return agree(total.value, black.value)
    return bool(colorants) and set(colorants) == {"black"}


def _only_prints(found: Found, total: Counter) -> bool:
    prints = found.get(CounterName.PRINT_TOTAL)
    others = (found.get(CounterName.COPY_TOTAL), found.get(CounterName.FAX))
    return bool(prints and agree(prints.value, total.value)) and not any(
        each and each.value for each in others
    )


def _check_sums(found: Found) -> None:
    """Where parts do not add up to their total, that is said of the total."""
    _check(found, CounterName.TOTAL, (CounterName.TOTAL_BLACK, CounterName.TOTAL_COLOR))
    for function, names in COLORS.items():
        _check(found, CounterName(f"{function}_total"), names)


def _check(found: Found, name: CounterName, parts: tuple[CounterName, ...]) -> None:
    """The first and the last part have to be known; a printer may lack what is between."""
    total, told = found.get(name), [found[part] for part in parts if part in found]
    if total is None or total.dispute or parts[0] not in found or parts[-1] not in found:
        return
    sum_ = sum(part.value for part in told)
    if not agree(sum_, total.value):
        words = " + ".join(f"{part.name.value.replace('_', ' ')} {part.value}" for part in told)
        dispute = f"{total.value} by {total.source}, but {sum_} by {words}"
        found[name] = replace(total, dispute=dispute)
