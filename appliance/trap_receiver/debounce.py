"""When a printer is read after its traps: at once, but fifty traps in a minute are one or two readings."""

from dataclasses import dataclass

from appliance.net.rate_limit import TokenBucket

SETTLE_DELAY_S = 0.3  # seconds that the printer has to bring its alert table up to date
QUIET_PERIOD_S = 1.4  # seconds without a further trap: then the printer has said what there is to say
MAX_DELAY_S = 60.0  # for one that is never quiet
MAX_BURST_POLLS = 2  # readings
POLL_INTERVAL_S = 60.0  # seconds for each further one
MAX_PRINTERS = 10_000  # printers


@dataclass(slots=True)
class _PendingPoll:
    bucket: TokenBucket  # readings that may be made
    first_trap_at: float | None = None  # the first trap since the last reading; None: there was none
    last_trap_at: float = 0.0
    full: bool = False

    def due_at(self) -> float | None:
        if self.first_trap_at is None:
            return None
        if self.bucket.is_full:
            return self.first_trap_at + SETTLE_DELAY_S
        quiet = min(self.last_trap_at + QUIET_PERIOD_S, self.first_trap_at + MAX_DELAY_S)
        return max(quiet, self.bucket.available_at)


class PollDebouncer:
    """The printers that sent traps; times are those of one steady clock."""

    def __init__(self) -> None:
        self._pending_polls: dict[int, _PendingPoll] = {}

    def record_trap(self, printer_id: int, now: float, *, full: bool = False) -> None:
        """A printer sent something; `full`: it may be another one than before, everything is to be read."""
        bundle = self._pending_polls.get(printer_id)
        if bundle is None:
            if len(self._pending_polls) >= MAX_PRINTERS:
                self._evict_quiet(now)
            bucket = TokenBucket.full(MAX_BURST_POLLS, 1 / POLL_INTERVAL_S, now)
            bundle = self._pending_polls[printer_id] = _PendingPoll(bucket)
        bundle.bucket.refill(now)
        if bundle.first_trap_at is None:
            bundle.first_trap_at = now
        bundle.last_trap_at = now
        bundle.full |= full

    def next_due_at(self) -> float | None:
        """When somebody is to be read next."""
        return min(
            (at for each in self._pending_polls.values() if (at := each.due_at()) is not None), default=None
        )

    def take_due(self, now: float) -> list[tuple[int, bool]]:
        """Who is to be read now, and whether in full."""
        due = []
        for printer_id, bundle in self._pending_polls.items():
            at = bundle.due_at()
            if at is not None and at <= now:
                due.append((printer_id, bundle.full))
                bundle.bucket.drain(now)
                bundle.first_trap_at, bundle.full = None, False
        return due

    def _evict_quiet(self, now: float) -> None:
        """Let go of printers that have been quiet."""
        for printer_id, bundle in list(self._pending_polls.items()):
            bundle.bucket.refill(now)
            if bundle.first_trap_at is None and bundle.bucket.is_full:
                del self._pending_polls[printer_id]
