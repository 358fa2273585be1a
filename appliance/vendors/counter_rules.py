"""Define the rules by which a vendor's raw counts become page counters."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from appliance.domain.model import CounterName
from appliance.vendors.counter_sources import (
    NamedRows,
    NumberedRows,
    PackedRecords,
    RawCounter,
    ScalarCounters,
    SummedRows,
    TypedRows,
)

LIFE_COUNT_KEY = "life"  # prtMarkerLifeCount, which every printer may have

CounterSource = ScalarCounters | NumberedRows | TypedRows | NamedRows | SummedRows | PackedRecords
SumTerms = tuple[tuple[str, bool], ...]  # keys to add up; True: may be missing
RuleChoice = tuple[SumTerms, ...]  # sums of the same meaning: the first one available counts


class Confidence(StrEnum):
    """How well the meaning of an object is known."""

    VERIFIED = "verified"  # by a recording of a real printer in which the sums come out
    CORROBORATED = "corroborated"  # by a vendor's MIB or several independent descriptions
    REPORTED = "reported"  # by one description


class CountUnit(StrEnum):
    """What one count stands for."""

    PAGES = "pages"  # printed sides
    ORIGINALS = "originals"  # scanned sides
    UNSPECIFIED = "unspecified"  # the descriptions do not tell sides from sheets


@dataclass(frozen=True, slots=True)
class CounterRule:
    """The sums that give one counter, and where their meaning is known from.

    The first choice of which a sum is available counts; the other sums of that choice are compared with it.
    Later choices are less exact and not compared.
    """

    choices: tuple[RuleChoice, ...]
    unit: CountUnit
    confidence: Confidence
    known_from: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SumProof:
    """A sum that must give the total; otherwise the keys are discarded."""

    terms: SumTerms
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VendorCounters:
    """Where a vendor keeps its counts, and which of them is which counter."""

    sources: tuple[CounterSource, ...]
    rules: Mapping[CounterName, CounterRule]
    proofs: tuple[SumProof, ...]


def sum_terms(terms: SumTerms, raw: Mapping[str, RawCounter]) -> tuple[int, str] | None:
    """Return the sum and its sources, or None if a required term is missing."""
    parts = [raw[key] for key, _ in terms if key in raw]
    if not parts or any(key not in raw and not optional for key, optional in terms):
        return None
    return sum(part.value for part in parts), " + ".join(
        (parts[0].source, *(part.short_source for part in parts[1:]))
    )
