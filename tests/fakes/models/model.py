"""A printer model: its name, and how its objects follow from a printer's identity and pages."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.fakes.mib import Cell
from tests.fakes.models.life import Life, Who

LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"


@dataclass(frozen=True)
class Model:
    key: str  # "ricoh_im_c3010"
    manufacturer: str  # as a person would write it
    name: str
    mix: str  # of pages, see Life
    serial: str  # a pattern: 9 is a digit, A a letter, anything else stands as it is
    oui: str  # the first six digits of its MAC addresses
    build: Callable[[Who, Life], dict[str, Cell]]
    a_month: int = 3_000  # pages
    is_printer: bool = True

    def who(self, copy: int = 0, address: str = "127.0.0.1") -> Who:
        """The same copy is the same printer, in every run."""
        chance = random.Random(f"{self.key} {copy}")
        given = {"9": "0123456789", "A": LETTERS}
        serial = "".join(chance.choice(given.get(sign, sign)) for sign in self.serial)
        mac = bytes.fromhex(self.oui) + chance.randbytes(3)
        floor, room = chance.randrange(5), chance.randrange(1, 40)
        name = f"{self.key.split('_')[0][:4].upper()}{mac[3:].hex().upper()}"
        return Who(
            serial, mac, name, address, f"Floor {floor}, room {floor}{room:02}", "Print desk, ext. 4711"
        )

    def life(self, copy: int = 0) -> Life:
        chance = random.Random(f"{self.key} {copy} life")
        return Life(
            self.mix,
            chance.randrange(2, 40) * self.a_month + chance.randrange(self.a_month),
            chance.randrange(90_000, 3_000_000),
        )

    def rows(self, copy: int = 0) -> dict[str, Cell]:
        return self.build(self.who(copy), self.life(copy))
