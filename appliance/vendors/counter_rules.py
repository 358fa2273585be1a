"""Which of a maker's keys is which counter: sums of keys, and what to take where they are missing."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from appliance.domain.model import CounterName
from appliance.vendors.counter_sources import Meter, Objects, Records
from appliance.vendors.counter_tables import ByName, ByNumber, BySum, ByType

Group = Objects | ByNumber | ByType | ByName | BySum | Records
Sum = tuple[tuple[str, bool], ...]  # keys to add up; True: absent is nothing
Choice = tuple[Sum, ...]  # these say the same: the first that is there counts, the others are compared

OBJECT = re.compile(r"\d[\d.]*")
TERM = re.compile(r"([\w.:-]+)(\?)?")


@lru_cache(maxsize=1024)
def choices(rule: str) -> tuple[Choice, ...]:
    """A rule as the table of makers writes it, the most trusted choice first.

    `a + b | c ; d`: the sum of a and b; else c, which says the same; else d, which says it less exactly.
    A key with a question mark may be missing from its sum.
    """
    return tuple(
        tuple(
            tuple((key, bool(mark)) for key, mark in TERM.findall(alternative))
            for alternative in choice.split("|")
        )
        for choice in rule.split(";")
    )


def keys(rule: str) -> set[str]:
    """All keys that a rule names."""
    return {key for choice in choices(rule) for alternative in choice for key, _ in alternative}


def add(terms: Sum, found: Mapping[str, Meter]) -> tuple[int, str] | None:
    """The sum and its sources; None where a part of it is missing."""
    parts = [found[key] for key, _ in terms if key in found]
    if not parts or any(key not in found and not optional for key, optional in terms):
        return None
    return sum(part.value for part in parts), " + ".join(
        (parts[0].source, *(part.short for part in parts[1:]))
    )


@dataclass(frozen=True, slots=True)
class Meters:
    """Where a maker keeps its counts, and which of them is which counter."""

    groups: tuple[Group, ...]
    rules: Mapping[CounterName, str]
    proofs: Mapping[str, str]  # a sum that must give the total → the keys that count only then


def meters(*groups: Group, proofs: Mapping[str, str] | None = None, **rules: str) -> Meters:
    """The rules are named as the counters; objects, numbers and types are asked for what the rules name."""
    proofs = proofs or {}
    named = set().union(*(keys(rule) for rule in (*rules.values(), *proofs)))
    return Meters(
        tuple(_asking(group, named) for group in groups),
        {CounterName(name): rule for name, rule in rules.items()},
        proofs,
    )


def _asking(group: Group, named: Collection[str]) -> Group:
    """The group with what is to be asked of it."""
    if isinstance(group, Objects):
        found = (key.removeprefix(group.prefix) for key in named if key.startswith(group.prefix))
        return replace(group, keys=tuple(sorted(key for key in found if OBJECT.fullmatch(key))))
    if isinstance(group, ByNumber):
        return replace(group, numbers=frozenset(int(key) for key in named if key.isdecimal()))
    if isinstance(group, ByType):
        codes = (key.removeprefix(group.prefix) for key in named if key.startswith(group.prefix))
        return replace(group, types=frozenset(int(code) for code in codes if code.isdecimal()))
    return group
