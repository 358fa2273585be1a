"""Who is who: the rules as a table of cases, then as a life of printers."""

from dataclasses import dataclass
from typing import Any

import pytest

from appliance.domain.model import Identity, Target
from appliance.storage import printer_matching
from appliance.storage.printer_matching import MatchCandidate

NOW = 1_700_000_000_000
MINUTES = 60_000
HOURS = 60 * MINUTES

A, B, C = "127.0.0.10", "127.0.0.11", "127.0.0.12"
M1, M2, M3 = "00267300000A", "00267300000B", "00267300000C"


@dataclass
class Said:
    """What a printer says of itself."""

    host: str = A
    serial: str | None = None
    mac: str | None = None
    maker: str | None = "Ricoh"
    model: str | None = "MP C4000"
    object_id: str | None = "1.3.6.1.4.1.367.1.1"
    name: str | None = None
    port: int = 161

    def claim(self) -> printer_matching.MatchKeys:
        return printer_matching.match_keys(
            Identity(self.maker, self.model, self.serial, self.mac, self.object_id),
            Target(self.host, name=self.name, port=self.port, address_by="name" if self.name else "ip"),
        )


@dataclass
class Was:
    """A printer that is known, numbered by its place in the list."""

    said: Said
    seen: int = -1 * HOURS
    silent: bool = False
    lost: bool = False
    created: int = -1000 * HOURS


def known(*printers: Was) -> list[MatchCandidate]:
    return [
        MatchCandidate(number, was.said.claim(), NOW + was.created, NOW + was.seen, was.silent, was.lost)
        for number, was in enumerate(printers, start=1)
    ]


HP: dict[str, Any] = {"maker": "HP", "model": "LaserJet", "object_id": "1.3.6.1.4.1.11.2.3.9.1"}

CASES = {
    # case: (what is known, what is said, the number of the printer that it is, None for a new one)
    "nobody is known": ([], Said(A, "S1", M1), None),
    "nothing changed": ([Was(Said(A, "S1", M1))], Said(A, "S1", M1), 1),
    "a new address": ([Was(Said(A, "S1", M1))], Said(B, "S1", M1), 1),
    "a new address, no MAC ever": ([Was(Said(A, "S1"))], Said(B, "S1"), 1),
    "a new address, MAC alone": ([Was(Said(A, None, M1))], Said(B, None, M1), 1),
    "serial number in another case, with blanks": ([Was(Said(A, "ab 12"))], Said(B, " AB12 "), 1),
    "maker in another case": ([Was(Said(A, "S1"))], Said(B, "S1", maker="RICOH"), 1),
    "maker with its company's form": ([Was(Said(A, "S1"))], Said(B, "S1", maker="Ricoh Co., Ltd."), 1),
    "maker not said this time": ([Was(Said(A, "S1"))], Said(B, "S1", maker=None), 1),
    "same serial number of another maker": ([Was(Said(A, "S1"))], Said(B, "S1", **HP), None),
    "maker renamed, at its address": ([Was(Said(A, "S1"))], Said(A, "S1", maker="Rex"), 1),
    "maker renamed, by its MAC": ([Was(Said(A, "S1", M1))], Said(B, "S1", M1, maker="Rex"), 1),
    "serial number learned": ([Was(Said(A))], Said(A, "S1", M1), 1),
    "serial number learned, MAC known": ([Was(Said(A, None, M1))], Said(B, "S1", M1), 1),
    "MAC learned": ([Was(Said(A, "S1"))], Said(B, "S1", M1), 1),
    "serial number not said this time": ([Was(Said(A, "S1", M1))], Said(B, None, M1), 1),
    "nothing said this time": ([Was(Said(A, "S1", M1))], Said(A), 1),
    "nothing said, but another model": ([Was(Said(A, "S1", M1))], Said(A, **HP), None),
    "only the model is written anew": ([Was(Said(A))], Said(A, model="Aficio MP C4000"), 1),
    "only sysObjectID is new": ([Was(Said(A))], Said(A, object_id="1.3.6.1.4.1.367.1.2"), 1),
    "another serial number at the address": ([Was(Said(A, "S1", M1))], Said(A, "S2", M2), None),
    "another serial number, no MACs": ([Was(Said(A, "S1"))], Said(A, "S2"), None),
    "another MAC at the address": ([Was(Said(A, None, M1))], Said(A, None, M2), None),
    "another MAC where an unnamed one was": ([Was(Said(A, None, M1))], Said(A, "S2", M2), None),
    "other port of the same address": ([Was(Said(A))], Said(A, port=1161), None),
    "address lost to another before": ([Was(Said(A), lost=True)], Said(A), None),
    "another serial number, same MAC": ([Was(Said(A, "S1", M1))], Said(A, "S2", M1), None),
    "new network card, same address": ([Was(Said(A, "S1", M1), seen=-MINUTES)], Said(A, "S1", M2), 1),
    "new network card, new address, was silent": (
        [Was(Said(A, "S1", M1), seen=-MINUTES, silent=True)],
        Said(B, "S1", M2),
        1,
    ),
    "new network card, new address, long unseen": (
        [Was(Said(A, "S1", M1), seen=-26 * HOURS)],
        Said(B, "S1", M2),
        1,
    ),
    "a double: same serial number, both there": ([Was(Said(A, "S1", M1))], Said(B, "S1", M2), None),
    "a double that is known, first": ([Was(Said(A, "S1", M1)), Was(Said(B, "S1", M2))], Said(A, "S1", M1), 1),
    "a double that is known, second": (
        [Was(Said(A, "S1", M1)), Was(Said(B, "S1", M2))],
        Said(B, "S1", M2),
        2,
    ),
    "doubles that swap addresses": ([Was(Said(A, "S1", M1)), Was(Said(B, "S1", M2))], Said(A, "S1", M2), 2),
    "a double that does not say its MAC": (
        [Was(Said(A, "S1", M1)), Was(Said(B, "S1", M2))],
        Said(B, "S1"),
        2,
    ),
    "a third double": ([Was(Said(A, "S1", M1)), Was(Said(B, "S1", M2))], Said(C, "S1", M3), None),
    "a double moves, one is silent": (
        [Was(Said(A, "S1", M1)), Was(Said(B, "S1", M2), silent=True)],
        Said(C, "S1", M3),
        2,
    ),
    "serial number before MAC": ([Was(Said(A, None, M1)), Was(Said(B, "S1"))], Said(A, "S1", M1), 2),
    "MAC before address": ([Was(Said(A, None, M1)), Was(Said(B, None, M2))], Said(A, None, M2), 2),
    "by its name, at a new address": ([Was(Said(A, name="p1"))], Said(B, name="P1"), 1),
    "name before address": ([Was(Said(A, name="p1")), Was(Said(B, name="p2"))], Said(B, name="p1"), 1),
    "name before address, the other way": (
        [Was(Said(A, name="p1")), Was(Said(B, name="p2"))],
        Said(A, name="p2"),
        2,
    ),
    "no MAC before another MAC": (
        [Was(Said(A, "S1", M1), silent=True), Was(Said(B, "S1"))],
        Said(C, "S1", M2),
        2,
    ),
    "the silent one has moved": (
        [Was(Said(A, "S1", M1)), Was(Said(B, "S1", M2), seen=-2 * HOURS, silent=True)],
        Said(C, "S1"),
        2,
    ),
    "MAC of a card that moved on": (
        [Was(Said(A, "S1", M1), seen=-9 * HOURS), Was(Said(B, "S2", M1))],
        Said(C, None, M1),
        2,
    ),
    "by its address, then by its name": ([Was(Said(A))], Said(A, name="p1"), 1),
    "by its name, then by its address": ([Was(Said(A, name="p1"))], Said(A), 1),
    "MAC of zeros identifies nobody": ([Was(Said(A, None, "0" * 12))], Said(B, None, "0" * 12), None),
    "clock ran back since": ([Was(Said(A, "S1", M1), seen=5 * HOURS)], Said(B, "S1", M2), None),
}


@pytest.mark.parametrize(("printers", "said", "expected"), CASES.values(), ids=CASES.keys())
def test_recognises(printers, said, expected):
    same = printer_matching.find_match(known(*printers), said.claim(), NOW)
    assert (same.id if same else None) == expected


@pytest.mark.parametrize(("printers", "said", "expected"), CASES.values(), ids=CASES.keys())
def test_recognises_the_same_in_any_order(printers, said, expected):
    same = printer_matching.find_match(known(*printers)[::-1], said.claim(), NOW)
    assert (same.id if same else None) == expected


def test_a_ghost_is_whoever_was_met_before_it_said_its_serial_number():
    printer = Was(Said(A, "S1", M1), seen=-5 * HOURS)
    by_mac = Was(Said(B, None, M1), created=-2 * HOURS)
    by_address = Was(Said(C), created=-2 * HOURS)
    older = Was(Said(C), created=-9 * HOURS)
    other = Was(Said(C, None, M2), created=-2 * HOURS)
    everyone = known(printer, by_mac, by_address, older, other)
    found = printer_matching.find_duplicates(everyone, Said(C, "S1", M1).claim(), everyone[0])
    assert [ghost.id for ghost in found] == [2, 3]


def test_evicts_whoever_is_asked_at_this_address_or_name():
    everyone = known(
        Was(Said(A, "S1")),
        Was(Said(A, "S2", name="p2")),
        Was(Said(B, "S3", name="p3")),
        Was(Said(A), lost=True),
    )
    by_address = printer_matching.find_displaced(everyone, Said(A, "S9").claim(), 9)
    assert [gone.id for gone in by_address] == [1]
    by_name = printer_matching.find_displaced(everyone, Said(C, "S9", name="p3").claim(), 9)
    assert [gone.id for gone in by_name] == [3]
