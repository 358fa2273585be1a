"""What went wrong, in one line for the person who typed the command."""

import errno
import sqlite3

from appliance.host import file_lock
from appliance.settings import schema
from appliance.storage import database


class CommandError(Exception):
    """The command cannot be done as asked; its text says why in one line."""


def format_error(error: Exception) -> list[str]:
    """Return what to tell about an error that a person can do something about; [] for a fault of ours."""
    match error:
        case schema.SettingsError():
            return [f"settings: {problem}" for problem in error.problems]
        case CommandError() | database.DatabaseUnavailableError() | file_lock.LockBusyError():
            return [str(error)]
        case sqlite3.Error():
            return [f"database: {error}"]
        case OSError():
            return [_format_os_error(error)]
    return []


def _format_os_error(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return f"{_filename_prefix(error)}the disk is full"
    return f"{_filename_prefix(error)}{error.strerror or error}"


def _filename_prefix(error: OSError) -> str:
    return f"{error.filename}: " if error.filename else ""
