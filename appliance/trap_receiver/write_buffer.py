"""Traps on their way to the disk: what there was no room for is written down as soon as there is."""

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence

from appliance.storage import database, traps
from appliance.storage.traps import ReceivedTrap

MAX_BUFFERED_TRAPS = 1_000  # different ones, as many as are kept at all
DROPPED_DISK_FULL = "no room on the disk"


class TrapWriteBuffer:
    """What waits, and what was counted."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._pending: list[ReceivedTrap] = []
        self._dropped: Counter[str] = Counter()

    @property
    def has_pending(self) -> bool:
        """Whether something waits for a database that could not be written."""
        return bool(self._pending)

    def write(self, received: Sequence[ReceivedTrap]) -> None:
        """Keep these, after those that wait. Raises Unusable: then they wait."""
        self._pending += received
        if not self._pending:
            return
        try:
            traps.save_traps(self._db, self._pending)
        except database.DatabaseUnavailableError:
            self._dropped[DROPPED_DISK_FULL] += sum(
                each.times for each in self._pending[:-MAX_BUFFERED_TRAPS]
            )
            self._pending = self._pending[-MAX_BUFFERED_TRAPS:]
            raise
        self._pending = []

    def add_dropped(self, dropped: Mapping[str, int]) -> None:
        """Write down how many were dropped, by reason. Raises Unusable: then they are counted later."""
        self._dropped.update(dropped)
        if found := +self._dropped:
            traps.add_dropped(self._db, found)
            self._dropped.clear()
