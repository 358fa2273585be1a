"""The state folder as a command finds it."""

import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from appliance.cli.errors import Wrong
from appliance.settings.schema import Home
from appliance.storage import database


def existing(home: Home) -> Home:
    """Return `home` if there is such a folder; a command that only looks makes none."""
    if not home.folder.is_dir():
        raise Wrong(f"there is no state folder {home.folder}; name one with --state")
    return home


def made(home: Home) -> Home:
    """Return `home` with its folders there; a run needs them."""
    if home.folder.exists() and not home.folder.is_dir():
        raise Wrong(f"{home.folder} is no folder, so it cannot hold the state")
    home.create()
    return home


@contextmanager
def opened(home: Home) -> Iterator[sqlite3.Connection]:
    """Open the database; what is wrong with the file is told with its path."""
    try:
        with closing(database.open_database(home.database)) as db:
            yield db
    except sqlite3.Error as error:
        raise Wrong(f"{home.database}: {error}") from error


def poller_runs(home: Home) -> bool:
    """Tell whether the service listens; the socket of one that was killed refuses."""
    try:
        folder = os.open(home.run, os.O_PATH | os.O_DIRECTORY)  # a socket's own path must be short
    except OSError:
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as knocking:
            knocking.connect(f"/proc/self/fd/{folder}/{home.wake.name}")
    except OSError:
        return False
    finally:
        os.close(folder)
    return True
