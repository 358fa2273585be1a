"""The settings as the page sees them: read again when the file changed, written back whole or not at all."""

import asyncio
import contextlib
import os
from collections.abc import Callable

from appliance.domain.messages import Message
from appliance.host import atomic_file, file_lock
from appliance.settings import schema
from appliance.settings.schema import Config, Home
from appliance.web.errors import ApiError


class SettingsStore:
    """settings.toml of one Plug."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._lock = asyncio.Lock()
        self._stamp: tuple[int, ...] | None = None
        self._config = Config()
        self._problems: list[str] = []

    def file_stamp(self) -> tuple[int, ...]:
        """Moves when the file does."""
        try:
            status = os.stat(self._home.settings)
        except OSError:
            return ()
        return (status.st_mtime_ns, status.st_size, status.st_ino)

    @property
    def current(self) -> Config:
        """The settings that hold just now, the last good ones if the file is broken."""
        stamp = self.file_stamp()
        if stamp != self._stamp:
            self._config, self._problems = schema.load_last_good_settings(self._home)
            self._stamp = stamp
        return self._config

    @property
    def problems(self) -> list[str]:
        """What is wrong with the file."""
        _ = self.current
        return self._problems

    async def update(self, change: Callable[[Config], Config], section: str = "") -> Config:
        """Save what `change` makes of the settings. Raises Trouble; its field is relative to `section`."""
        async with self._lock:
            try:
                await asyncio.to_thread(self._update_file, change)
            except schema.SettingsError as error:
                raise settings_error(error.problems[0], section) from error
            except file_lock.LockBusyError as error:
                raise ApiError(503, Message("settings.locked"), code="busy") from error
            return self.current

    def _update_file(self, change: Callable[[Config], Config]) -> None:
        """In a thread: it may have to wait for another process, and reads what that one has saved."""
        with schema.lock_settings(self._home):
            before, problems = schema.load_last_good_settings(self._home)
            changed = change(before)
            if changed == before and not problems:
                return
            if problems:  # a file that somebody wrote by hand is not lost to a good one
                with contextlib.suppress(OSError):
                    broken = self._home.settings
                    atomic_file.write(broken.with_name("settings.broken.toml"), broken.read_bytes())
            schema.save_settings(self._home, changed)


def settings_error(problem: str, section: str) -> ApiError:
    """A line of config.problems as an error of the field that the request named."""
    if not isinstance(problem, Message) or problem.code != "field_problem":
        return ApiError(422, problem, code="settings")
    where = str(problem.params["field"]).removeprefix(f"{section}.")
    text = Message("field_problem", field=where, problem=problem.params["problem"])
    return ApiError(422, text, field=where.split(" ")[0], code="settings")
