"""Traps on their way to the disk: what there was no room for is written down as soon as there is."""

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence

from appliance.storage import database, traps
from appliance.storage.traps import ReceivedTrap

MOST_WAITING = 1_000  # different ones, as many as are kept at all
NOT_WRITTEN = "no room on the disk"


class Book:
    """What waits, and what was counted."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._waiting: list[ReceivedTrap] = []
        self._dropped: Counter[str] = Counter()

    @property
    def is_behind(self) -> bool:
        """Whether something waits for a database that could not be written."""
        return bool(self._waiting)

    def write(self, came: Sequence[ReceivedTrap]) -> None:
        """Keep these, after those that wait. Raises Unusable: then they wait."""
        self._waiting += came
        if not self._waiting:
            return
        try:
            traps.save_traps(self._db, self._waiting)
        except database.DatabaseUnavailableError:
            self._dropped[NOT_WRITTEN] += sum(each.times for each in self._waiting[:-MOST_WAITING])
            self._waiting = self._waiting[-MOST_WAITING:]
            raise
        self._waiting = []

    def count(self, dropped: Mapping[str, int]) -> None:
        """Write down how many were dropped, by reason. Raises Unusable: then they are counted later."""
        self._dropped.update(dropped)
        if found := +self._dropped:
            traps.add_dropped(self._db, found)
            self._dropped.clear()
