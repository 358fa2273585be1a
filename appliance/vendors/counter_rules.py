"""Which of a maker's keys is which counter: sums of keys, and what to take where they are missing."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from appliance.domain.model import CounterName
from appliance.vendors.counter_sources import PackedRecords, RawCounter, ScalarCounters
from appliance.vendors.counter_tables import NamedRows, NumberedRows, SummedRows, TypedRows

CounterSource = ScalarCounters | NumberedRows | TypedRows | NamedRows | SummedRows | PackedRecords
SumTerms = tuple[tuple[str, bool], ...]  # keys to add up; True: absent is nothing
RuleChoice = tuple[
    SumTerms, ...
]  # these say the same: the first that is there counts, the others are compared

OBJECT_KEY_PATTERN = re.compile(r"\d[\d.]*")
TERM_PATTERN = re.compile(r"([\w.:-]+)(\?)?")


@lru_cache(maxsize=1024)
def parse_rule(rule: str) -> tuple[RuleChoice, ...]:
    """A rule as the table of makers writes it, the most trusted choice first.

    `a + b | c ; d`: the sum of a and b; else c, which says the same; else d, which says it less exactly.
    A key with a question mark may be missing from its sum.
    """
    return tuple(
        tuple(
            tuple((key, bool(mark)) for key, mark in TERM_PATTERN.findall(alternative))
            for alternative in choice.split("|")
        )
        for choice in rule.split(";")
    )


def rule_keys(rule: str) -> set[str]:
    """All keys that a rule names."""
    return {key for choice in parse_rule(rule) for alternative in choice for key, _ in alternative}


def sum_terms(terms: SumTerms, raw: Mapping[str, RawCounter]) -> tuple[int, str] | None:
    """The sum and its sources; None where a part of it is missing."""
    parts = [raw[key] for key, _ in terms if key in raw]
    if not parts or any(key not in raw and not optional for key, optional in terms):
        return None
    return sum(part.value for part in parts), " + ".join(
        (parts[0].source, *(part.short_source for part in parts[1:]))
    )


@dataclass(frozen=True, slots=True)
class VendorCounters:
    """Where a maker keeps its counts, and which of them is which counter."""

    sources: tuple[CounterSource, ...]
    rules: Mapping[CounterName, str]
    proofs: Mapping[str, str]  # a sum that must give the total → the keys that count only then


def define_counters(
    *sources: CounterSource, proofs: Mapping[str, str] | None = None, **rules: str
) -> VendorCounters:
    """The rules are named as the counters; objects, numbers and types are asked for what the rules name."""
    proofs = proofs or {}
    named = set().union(*(rule_keys(rule) for rule in (*rules.values(), *proofs)))
    return VendorCounters(
        tuple(_bind_keys(group, named) for group in sources),
        {CounterName(name): rule for name, rule in rules.items()},
        proofs,
    )


def _bind_keys(source: CounterSource, rule_key_names: Collection[str]) -> CounterSource:
    """The group with what is to be asked of it."""
    if isinstance(source, ScalarCounters):
        found = (key.removeprefix(source.prefix) for key in rule_key_names if key.startswith(source.prefix))
        return replace(source, keys=tuple(sorted(key for key in found if OBJECT_KEY_PATTERN.fullmatch(key))))
    if isinstance(source, NumberedRows):
        return replace(source, numbers=frozenset(int(key) for key in rule_key_names if key.isdecimal()))
    if isinstance(source, TypedRows):
        codes = (key.removeprefix(source.prefix) for key in rule_key_names if key.startswith(source.prefix))
        return replace(source, types=frozenset(int(code) for code in codes if code.isdecimal()))
    return source
