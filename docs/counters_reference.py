"""Write the reference page of all vendors' counters from the vendor files; docs/generate.py calls it."""

from collections.abc import Iterator

from appliance.domain.model import CounterName
from appliance.vendors import vendors
from appliance.vendors.counter_rules import (
    LIFE_COUNT_KEY,
    Confidence,
    CounterRule,
    CounterSource,
    CountUnit,
    RuleChoice,
    SumTerms,
    VendorCounters,
)
from appliance.vendors.counter_sources import (
    NamedRows,
    NumberedRows,
    PackedRecords,
    ScalarCounters,
    SummedRows,
    TypedRows,
)
from appliance.vendors.loader import Vendor

INTRODUCTION = """\
# Counters by vendor

Written by `docs/generate.py` from the files in `appliance/vendors/`. The README explains how they are
read and extended: [Counters](../../README.md#counters), [Vendor files](../../README.md#vendor-files).

OIDs are below 1.3.6.1.4.1 (enterprises). `+` adds; a term in brackets is added if the printer has it.
Sums joined by "=" count the same: the first that is available is taken, the others are compared with it.
A sum after "else" is less exact and not compared. `prtMarkerLifeCount` is that of Printer-MIB (RFC 3805),
which also gives the total of printers of any other vendor. A counter that is not listed for a vendor
stays empty, never 0.
"""

CONFIDENCE_TEXTS = {
    Confidence.VERIFIED: "proved by a recording of a real printer in which the sums come out",
    Confidence.CORROBORATED: "described by the vendor's MIB or by several independent sources",
    Confidence.REPORTED: "described by one source",
}
UNIT_TEXTS = {
    CountUnit.PAGES: "printed sides",
    CountUnit.ORIGINALS: "scanned sides",
    CountUnit.UNSPECIFIED: "the sources do not tell sides from sheets",
}


def counters_by_vendor() -> str:
    lines = [INTRODUCTION, "| confidence | means |", "|---|---|"]
    lines += [f"| {name} | {text} |" for name, text in CONFIDENCE_TEXTS.items()]
    lines += ["", "| unit | means |", "|---|---|"]
    lines += [f"| {name} | {text} |" for name, text in UNIT_TEXTS.items()]
    lines += ["", "The letters stand for the confidence:", "", *_overview()]
    for vendor in vendors.all_vendors():
        lines += ["", *_vendor_section(vendor)]
    return "\n".join(lines) + "\n"


def _overview() -> Iterator[str]:
    """Yield a table of the vendors that have counters of their own, with the first letters of Confidence."""
    yield "| vendor | " + " | ".join(name.replace("_", " ") for name in CounterName) + " |"
    yield "|---|" + "---|" * len(CounterName)
    for vendor in vendors.all_vendors():
        counters = _own_counters(vendor)
        if counters:
            rules = counters.rules
            marks = (rules[name].confidence[0] if name in rules else "-" for name in CounterName)
            yield f"| [{vendor.name}](#{_anchor(vendor)}) | {' | '.join(marks)} |"


def _own_counters(vendor: Vendor) -> VendorCounters | None:
    return vendor.counters[0] if len(vendor.counters) > len(vendor.counters_like) else None


def _anchor(vendor: Vendor) -> str:
    return vendor.name.lower().replace(" ", "-")


def _vendor_section(vendor: Vendor) -> Iterator[str]:
    brands = dict.fromkeys([*vendor.brands.values(), *vendor.shared_brands.values()])
    yield f"## {vendor.name}"
    yield ""
    yield (
        f"`{vendor.file.name}`; enterprise {' and '.join(vendor.enterprises)}; brands: {', '.join(brands)}"
    )
    counters = _own_counters(vendor)
    others = {other.file.stem: other for other in vendors.all_vendors()}
    if vendor.counters_like:
        links = " and ".join(
            f"[{others[name].name}](#{_anchor(others[name])})" for name in vendor.counters_like
        )
        yield ""
        yield f"{'What these do not give: counted' if counters else 'Counted'} like {links}."
    if counters is None:
        if not vendor.counters_like:
            yield ""
            yield "No counters of its own: the total is `prtMarkerLifeCount`."
        return
    yield ""
    yield "| counter | from | unit | confidence | known from |"
    yield "|---|---|---|---|---|"
    for name, rule in counters.rules.items():
        yield (
            f"| {name.replace('_', ' ')} | {_rule_text(rule, counters)} | {rule.unit} | {rule.confidence} "
            f"| {'; '.join(rule.known_from)} |"
        )
    for proof in counters.proofs:
        keys = ", ".join(_key_text(key, counters) for key in proof.keys)
        yield ""
        yield f"Taken only if {_sum_text(proof.terms, counters)} gives the total: {keys}."


def _rule_text(rule: CounterRule, counters: VendorCounters) -> str:
    return " else ".join(_choice_text(choice, counters) for choice in rule.choices)


def _choice_text(choice: RuleChoice, counters: VendorCounters) -> str:
    return " = ".join(_sum_text(terms, counters) for terms in choice)


def _sum_text(terms: SumTerms, counters: VendorCounters) -> str:
    text = ""
    for key, optional in terms:
        added = f"+ {_key_text(key, counters)}" if text else _key_text(key, counters)
        text += f"{' ' if text else ''}{f'[{added}]' if optional else added}"
    return text


def _key_text(key: str, counters: VendorCounters) -> str:
    """Return what a key stands for, by the first source that has it."""
    if key == LIFE_COUNT_KEY:
        return "`prtMarkerLifeCount`"
    return _source_text(key, next(source for source in counters.sources if source.provides(key)))


def _source_text(key: str, source: CounterSource) -> str:
    match source:
        case ScalarCounters():
            return f"`{source.root}.{key}`"
        case PackedRecords():
            return f"`{source.instance}` record {key.removeprefix(source.key_prefix)}"
        case NumberedRows():
            return f"`{source.entry}.{source.value_column}.{key}`"
        case TypedRows():
            place = f"`{source.entry}.{source.value_column}`"
            names = [name for name, named_key in source.names.items() if named_key == key]
            return f'{place} "{names[0]}"' if names else f"{place} type {key.removeprefix(source.key_prefix)}"
        case NamedRows():
            column, name = next(
                (column, name)
                for column, suffix in source.value_columns.items()
                for name, named_key in source.names.items()
                if named_key + suffix == key
            )
            return f'`{source.entry}.{column}` "{name}"'
        case SummedRows():
            columns = ", ".join(f"`.{column}`" for column in source.value_columns)
            conditions = " and ".join(
                f"`.{column}` in {', '.join(map(str, sorted(accepted, key=_sort_key)))}"
                for column, accepted in source.sums[key].items()
            )
            return f"`{source.entry}` {columns} where {conditions}"


def _sort_key(value: int | str) -> tuple[int, str]:
    return (value, "") if isinstance(value, int) else (0, value)
