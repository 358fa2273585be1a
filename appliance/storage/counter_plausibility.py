"""Whether a page counter can be what it says: no printer counts backwards, none prints faster than it can."""

from dataclasses import dataclass
from datetime import timedelta

from appliance.domain.messages import Message
from appliance.storage.database import MILLISECOND

MS_PER_MINUTE = timedelta(minutes=1) // MILLISECOND
MAX_PAGES_PER_MINUTE = 200  # pages a minute; office engines print up to 150
MAX_BURST_PAGES = (
    1_000  # pages at once: some printers add up a large job, or all since they were read last, at its end
)
CONFIRM_AFTER_MS = (
    timedelta(minutes=5) // MILLISECOND
)  # a printer that is starting up tells nonsense for a while
RETURN_WINDOW_MS = (
    timedelta(days=1) // MILLISECOND
)  # how long before it was held the last good reading may be
COUNTER32_RANGE = 2**32  # Counter32


@dataclass(frozen=True, slots=True)
class HeldValue:
    """A value that was read but is not believed yet; times in milliseconds."""

    value: int
    source: str
    reason: str
    since: int


def implausible_reason(before: int, after: int, elapsed_ms: int) -> str | None:
    """Why nobody should believe this step yet; `elapsed` milliseconds lie between the two."""
    if after < before:
        if (
            before > COUNTER32_RANGE // 2
            and before < COUNTER32_RANGE
            and COUNTER32_RANGE - before + after <= _max_plausible_step(elapsed_ms)
        ):
            return None  # it began anew at its largest number
        return Message("counter.backwards", before=before, after=after)
    if after - before > _max_plausible_step(elapsed_ms):
        minutes = max(1, elapsed_ms // MS_PER_MINUTE)
        return Message("counter.leap", pages=after - before, minutes=minutes)
    return None


def is_return_to_previous(before: int, held: HeldValue, value: int, moment_ms: int) -> bool:
    """Whether a later reading goes on from the value before the held one rather than from that."""
    if held.value > before and value >= held.value:
        return False
    return implausible_reason(before, value, moment_ms - held.since + RETURN_WINDOW_MS) is None


def _max_plausible_step(elapsed_ms: int) -> int:
    return MAX_BURST_PAGES + MAX_PAGES_PER_MINUTE * max(0, elapsed_ms) // MS_PER_MINUTE
