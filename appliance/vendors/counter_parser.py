"""Parse the counter part of a vendor file: sources, proofs, evidence and the rule of each counter."""

from collections.abc import Callable, Mapping

from appliance.domain.model import CounterName
from appliance.vendors.counter_rules import (
    LIFE_COUNT_KEY,
    Confidence,
    CounterRule,
    CounterSource,
    CountUnit,
    RuleChoice,
    SumProof,
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
from appliance.vendors.errors import VendorFileError
from appliance.vendors.toml_section import TomlSection, require

EVIDENCE_KEYS = ("unit", "confidence", "known_from")


def parse_counters(section: TomlSection) -> VendorCounters | None:
    """Return a file's counters, or None if it has none. Raises VendorFileError."""
    sources = [_parse_source(source) for source in section.sections("sources")]
    proofs = tuple(_parse_proof(proof) for proof in section.sections("proofs"))
    evidence = section.section("evidence")
    counters = section.section("counters")
    rules = {
        CounterName(name): parse_rule(counters.section(name), evidence)
        for name in counters.values
        if _is_counter(name, counters)
    }
    for key in EVIDENCE_KEYS:
        if key in evidence:
            evidence.take(key)
    evidence.reject_unknown_keys()
    if not rules:
        if sources or proofs:
            raise VendorFileError(f"{section.place}: sources or proofs without counters")
        return None
    if CounterName.TOTAL not in rules:
        raise VendorFileError(f"{counters.place}: the counter total is missing")
    _check_keys(sources, rules, proofs, counters.place)
    keys = {key for rule in rules.values() for key in rule_keys(rule)} | {
        key for proof in proofs for key, _ in proof.terms
    }
    return VendorCounters(tuple(source.with_keys(keys) for source in sources), rules, proofs)


def _is_counter(name: str, counters: TomlSection) -> bool:
    if name not in set(CounterName):
        raise VendorFileError(f"{counters.place}: {name} is not a counter: {', '.join(CounterName)}")
    return True


def parse_rule(section: TomlSection, evidence: TomlSection) -> CounterRule:
    """Return the rule of one counter; what it does not say of its evidence is that of the file."""
    choices = (
        _parse_choice(section.take("from"), f"{section.place}: from"),
        *(_parse_choice(choice, f"{section.place}: else_from") for choice in section.items("else_from")),
    )
    unit, confidence, known_from = (section if key in section else evidence for key in EVIDENCE_KEYS)
    rule = CounterRule(
        choices,
        CountUnit(unit.choice("unit", tuple(CountUnit))),
        Confidence(confidence.choice("confidence", tuple(Confidence))),
        known_from.texts("known_from"),
    )
    section.reject_unknown_keys()
    if not rule.known_from:
        raise VendorFileError(f"{section.place}: known_from is empty")
    return rule


def _parse_choice(value: object, place: str) -> RuleChoice:
    sums = require(value, list, place)
    if not sums:
        raise VendorFileError(f"{place}: the list is empty")
    return tuple(parse_terms(sum_ if isinstance(sum_, list) else [sum_], place) for sum_ in sums)


def parse_terms(terms: list[object], place: str) -> SumTerms:
    """Return the keys to add up: each a text, or `{ optional = "key" }` for one that may be missing."""
    return tuple(_parse_term(term, place) for term in terms)


def _parse_term(term: object, place: str) -> tuple[str, bool]:
    if not isinstance(term, dict):
        return require(term, str, place), False
    section = TomlSection(term, place)
    key = section.text("optional")
    section.reject_unknown_keys()
    return key, True


def _parse_proof(section: TomlSection) -> SumProof:
    proof = SumProof(parse_terms(section.items("sum"), f"{section.place}: sum"), section.texts("keys"))
    section.reject_unknown_keys()
    if not proof.terms or not proof.keys:
        raise VendorFileError(f"{section.place}: sum and keys are required")
    return proof


def rule_keys(rule: CounterRule) -> set[str]:
    """Return all keys that a rule names."""
    return {key for choice in rule.choices for terms in choice for key, _ in terms}


def _check_keys(
    sources: list[CounterSource],
    rules: Mapping[CounterName, CounterRule],
    proofs: tuple[SumProof, ...],
    place: str,
) -> None:
    """Reject keys that none of the sources can hold."""
    named = [(name.value, key) for name, rule in rules.items() for key in sorted(rule_keys(rule))]
    named += [("proofs", key) for proof in proofs for key in (*proof.keys, *(key for key, _ in proof.terms))]
    for name, key in named:
        if key != LIFE_COUNT_KEY and not any(source.provides(key) for source in sources):
            raise VendorFileError(f"{place}: {name}: no source has the key {key!r}")


def _parse_source(section: TomlSection) -> CounterSource:
    parse = SOURCE_PARSERS[section.choice("kind", tuple(SOURCE_PARSERS))]
    source = parse(section)
    section.reject_unknown_keys()
    return source


def _parse_scalars(section: TomlSection) -> ScalarCounters:
    return ScalarCounters(section.oid("root"))


def _parse_packed_records(section: TomlSection) -> PackedRecords:
    return PackedRecords(section.oid("object"), section.text("key_prefix"))


def _parse_numbered_rows(section: TomlSection) -> NumberedRows:
    return NumberedRows(
        section.text("table"), section.oid("entry"), section.text("object"), section.number("value_column")
    )


def _parse_typed_rows(section: TomlSection) -> TypedRows:
    return TypedRows(
        section.text("table"),
        section.oid("entry"),
        section.text("object"),
        type_column=section.number("type_column"),
        value_column=section.number("value_column"),
        key_prefix=section.text("key_prefix"),
        unit_column=_optional_number(section, "unit_column"),
        units=section.numbers("units"),
        name_column=_optional_number(section, "name_column"),
        names=_parse_names(section.section("names")),
        other_types=frozenset(section.numbers("other_types")),
    )


def _parse_named_rows(section: TomlSection) -> NamedRows:
    return NamedRows(
        section.text("table"),
        section.oid("entry"),
        section.text("object"),
        section.number("name_column"),
        _parse_value_columns(section),
        _parse_names(section.section("names")),
        _parse_row_numbers(section.section("rows")),
    )


def _parse_value_columns(section: TomlSection) -> Mapping[int, str]:
    """Return the columns of values with the suffixes of their keys."""
    if "value_column" in section:
        return {section.number("value_column"): ""}
    columns = section.section("value_columns")
    return {column: columns.text(key) for column, key in columns.number_keys()}


def _parse_names(section: TomlSection) -> Mapping[str, str]:
    """Return the names of rows, in lower case without blanks, with their keys."""
    return {"".join(name.lower().split()): key for key in section.values for name in section.texts(key)}


def _parse_row_numbers(section: TomlSection) -> Mapping[str, str]:
    return {row: key for key in section.values for row in section.oids(key)}


def _parse_summed_rows(section: TomlSection) -> SummedRows:
    columns = section.section("columns")
    numbers: dict[str, int] = {}
    sizes: dict[int, int] = {}
    for name in columns.values:
        column = columns.section(name)
        numbers[name] = column.number("column")
        sizes[numbers[name]] = column.number("bytes")
        column.reject_unknown_keys()
    sums = section.section("sums")
    return SummedRows(
        section.text("table"),
        section.oid("entry"),
        section.text("object"),
        sizes,
        section.numbers("value_columns"),
        {key: _parse_conditions(sums.section(key), numbers) for key in sums.values},
        section.number("discovery_column"),
        unit_column=_optional_number(section, "unit_column"),
        units=section.numbers("units"),
        part=section.text("part") if "part" in section else "counters",
    )


def _parse_conditions(section: TomlSection, columns: Mapping[str, int]) -> Mapping[int, frozenset[int | str]]:
    """Return the accepted values by the number of the column."""
    conditions: dict[int, frozenset[int | str]] = {}
    for name in section.values:
        if name not in columns:
            raise VendorFileError(f"{section.place}: {name} is not among the columns")
        conditions[columns[name]] = frozenset(
            value if isinstance(value, int) else require(value, str, f"{section.place}: {name}")
            for value in section.items(name)
        )
    return conditions


def _optional_number(section: TomlSection, key: str) -> int | None:
    return section.number(key) if key in section else None


SOURCE_PARSERS: Mapping[str, Callable[[TomlSection], CounterSource]] = {
    "scalars": _parse_scalars,
    "packed_records": _parse_packed_records,
    "numbered_rows": _parse_numbered_rows,
    "typed_rows": _parse_typed_rows,
    "named_rows": _parse_named_rows,
    "summed_rows": _parse_summed_rows,
}
