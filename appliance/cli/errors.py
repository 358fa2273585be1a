"""What went wrong, in one line for the person who typed the command."""

import errno
import sqlite3

from appliance.host import file_lock
from appliance.settings import schema
from appliance.storage import database


class Wrong(Exception):
    """The command cannot be done as asked; its text says why in one line."""


def lines(error: Exception) -> list[str]:
    """Return what to tell about an error that a person can do something about; [] for a fault of ours."""
    match error:
        case schema.BadSettings():
            return [f"settings: {problem}" for problem in error.problems]
        case Wrong() | database.DatabaseUnavailableError() | file_lock.Busy():
            return [str(error)]
        case sqlite3.Error():
            return [f"database: {error}"]
        case OSError():
            return [_system(error)]
    return []


def _system(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return f"{_subject(error)}the disk is full"
    return f"{_subject(error)}{error.strerror or error}"


def _subject(error: OSError) -> str:
    return f"{error.filename}: " if error.filename else ""
