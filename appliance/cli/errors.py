"""Format errors of a command in one line for its user."""

import errno
import sqlite3

from appliance.host import file_lock
from appliance.settings import schema
from appliance.storage import database


class CommandError(Exception):
    """The command cannot be carried out; the text says why in one line."""


def format_error(error: Exception) -> list[str]:
    """Return the lines about an error that the user can act on; [] for a defect of the software."""
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
