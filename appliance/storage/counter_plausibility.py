"""Whether a page counter can be what it says: no printer counts backwards, none prints faster than it can."""

from dataclasses import dataclass
from datetime import timedelta

from appliance.storage.database import MILLISECOND

MINUTE = timedelta(minutes=1) // MILLISECOND
FASTEST = 200  # pages a minute; office engines print up to 150
SLACK = 1_000  # pages at once: some printers add up a large job, or all since they were read last, at its end
CONFIRMED_AFTER = (
    timedelta(minutes=5) // MILLISECOND
)  # a printer that is starting up tells nonsense for a while
RETURNS_WITHIN = timedelta(days=1) // MILLISECOND  # how long before it was held the last good reading may be
WRAPS_AT = 2**32  # Counter32


@dataclass(frozen=True, slots=True)
class Held:
    """A value that was read but is not believed yet; times in milliseconds."""

    value: int
    source: str
    reason: str
    since: int


def doubt(before: int, after: int, elapsed: int) -> str | None:
    """Why nobody should believe this step yet; `elapsed` milliseconds lie between the two."""
    if after < before:
        if before > WRAPS_AT // 2 and before < WRAPS_AT and WRAPS_AT - before + after <= _most(elapsed):
            return None  # it began anew at its largest number
        return f"counts backwards, from {before} to {after}"
    if after - before > _most(elapsed):
        minutes = max(1, elapsed // MINUTE)
        return f"leaps by {after - before} pages in {minutes} minutes"
    return None


def returns(before: int, held: Held, value: int, moment: int) -> bool:
    """Whether a later reading goes on from the value before the held one rather than from that."""
    if held.value > before and value >= held.value:
        return False
    return doubt(before, value, moment - held.since + RETURNS_WITHIN) is None


def _most(elapsed: int) -> int:
    return SLACK + FASTEST * max(0, elapsed) // MINUTE
