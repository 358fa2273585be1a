"""The database in a thread of its own: nothing that is asked of it holds up the page."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from appliance.storage import database

Params = ParamSpec("Params")
Result = TypeVar("Result")


class DatabaseThread:
    """One connection, used in turn."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="database")
        self._db: sqlite3.Connection | None = None

    async def call(
        self,
        function: Callable[Concatenate[sqlite3.Connection, Params], Result],
        *args: Params.args,
        **kwargs: Params.kwargs,
    ) -> Result:
        """What a function of a database gives. Raises Unusable besides what the function raises."""
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, lambda: self._call_with_connection(lambda db: function(db, *args, **kwargs))
        )

    async def data_version(self) -> tuple[int, int]:
        """Moves with everything that is written, by whomever."""
        return await self.call(_read_version)

    async def close(self) -> None:
        """Let go of the file."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close_connection)
        self._thread.shutdown(wait=False)

    def _call_with_connection(self, function: Callable[[sqlite3.Connection], Result]) -> Result:
        if self._db is None:
            self._db = database.open_database(self._path)
        try:
            return function(self._db)
        except sqlite3.DatabaseError as error:
            raise database.DatabaseUnavailableError(str(error)) from error

    def _close_connection(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None


def _read_version(db: sqlite3.Connection) -> tuple[int, int]:
    return database.get_data_version(db), db.total_changes
