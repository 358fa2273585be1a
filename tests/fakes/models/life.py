"""One printer of a model: who it is, what it has printed so far."""

from dataclasses import dataclass, replace
from itertools import accumulate

# What a page was: P print, C copy, F fax; k black, s single colour, c full colour.
KINDS = ("Pk", "Ps", "Pc", "Ck", "Cs", "Cc", "Fk")


@dataclass(frozen=True)
class Who:
    """What differs between two printers of one model."""

    serial: str
    mac: bytes
    name: str
    address: str = "127.0.0.1"
    location: str = ""
    contact: str = ""


@dataclass(frozen=True)
class Life:
    """All counters follow from the pages: they only grow, and their sums are right."""

    mix: str  # the kinds of twenty pages in a row, "Pk Pk Pc Ck ..."
    total: int
    seconds: int = 250_000  # since it was switched on
    fresh: int = 120  # pages since then

    def later(self, seconds: int, pages: int) -> "Life":
        return Life(self.mix, self.total + pages, self.seconds + seconds, self.fresh + pages)

    def restarted(self) -> "Life":
        return replace(self, seconds=0, fresh=0)

    def pages(self, *kinds: str) -> int:
        """Pages of these kinds; "P" stands for all prints, "k" for everything black."""
        cycle = self.mix.split()
        rounds, rest = divmod(self.total, len(cycle))
        wanted = [any(kind in page for kind in kinds) for page in cycle]
        return rounds * sum(wanted) + sum(wanted[:rest])

    @property
    def ticks(self) -> int:
        """sysUpTime: hundredths of a second, back to nothing after 497 days."""
        return self.seconds * 100 % 2**32

    @property
    def black(self) -> int:
        return self.pages("k")

    @property
    def color(self) -> int:
        """Full colour and single colour."""
        return self.total - self.black

    @property
    def scans(self) -> int:
        return self.pages("C") + self.total // 6

    @property
    def duplex(self) -> int:
        return self.total * 2 // 5

    @property
    def large(self) -> int:
        """A3 and larger, counted once."""
        return self.black // 24 + self.color // 24

    def used(self, life_time: int, colored: bool = False, offset: int = 0) -> float:
        """The share of a supply that is used up, when it is replaced after so many pages."""
        done = (self.color if colored else self.total) + offset
        return done % life_time / life_time


def weights(**shares: int) -> str:
    """Return a mix of pages, evenly interleaved: `Pk=5, Pc=3, Ck=2`."""
    count = sum(shares.values())
    slots = sorted(
        (number * count / share, kind) for kind, share in shares.items() for number in range(share)
    )
    assert set(shares) <= set(KINDS)
    assert list(accumulate(shares.values()))[-1] == len(slots)
    return " ".join(kind for _, kind in slots)
