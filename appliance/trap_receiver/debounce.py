"""When a printer is read after its traps: at once, but fifty traps in a minute are one or two readings."""

from dataclasses import dataclass

SETTLE = 0.3  # seconds that the printer has to bring its alert table up to date
QUIET = 1.4  # seconds without a further trap: then the printer has said what there is to say
MOST_WAIT = 60.0  # for one that is never quiet
AT_ONCE = 2  # readings
EVERY = 60.0  # seconds for each further one
MOST = 10_000  # printers


@dataclass(slots=True)
class _Bundle:
    left: float = AT_ONCE  # readings that may be made now
    at: float = 0.0  # when that was so
    first: float | None = None  # the first trap since the last reading; None: there was none
    last: float = 0.0
    full: bool = False

    def due_at(self) -> float | None:
        if self.first is None:
            return None
        if self.left >= AT_ONCE:
            return self.first + SETTLE
        quiet = min(self.last + QUIET, self.first + MOST_WAIT)
        return max(quiet, self.at + max(0.0, 1 - self.left) * EVERY)

    def refill(self, now: float) -> None:
        self.left = min(AT_ONCE, self.left + (now - self.at) / EVERY)
        self.at = now


class Bundles:
    """The printers that sent traps; times are those of one steady clock."""

    def __init__(self) -> None:
        self._bundles: dict[int, _Bundle] = {}

    def trap(self, printer_id: int, now: float, *, full: bool = False) -> None:
        """A printer sent something; `full`: it may be another one than before, everything is to be read."""
        bundle = self._bundles.get(printer_id)
        if bundle is None:
            if len(self._bundles) >= MOST:
                self._forget(now)
            bundle = self._bundles[printer_id] = _Bundle(at=now)
        bundle.refill(now)
        if bundle.first is None:
            bundle.first = now
        bundle.last = now
        bundle.full |= full

    def next_at(self) -> float | None:
        """When somebody is to be read next."""
        return min((at for each in self._bundles.values() if (at := each.due_at()) is not None), default=None)

    def take(self, now: float) -> list[tuple[int, bool]]:
        """Who is to be read now, and whether in full."""
        due = []
        for printer_id, bundle in self._bundles.items():
            at = bundle.due_at()
            if at is not None and at <= now:
                due.append((printer_id, bundle.full))
                bundle.refill(now)
                bundle.left -= 1
                bundle.first, bundle.full = None, False
        return due

    def _forget(self, now: float) -> None:
        """Let go of printers that have been quiet."""
        for printer_id, bundle in list(self._bundles.items()):
            bundle.refill(now)
            if bundle.first is None and bundle.left >= AT_ONCE:
                del self._bundles[printer_id]
