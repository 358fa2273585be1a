"""Open the state folder and its database for a command."""

import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from appliance.cli.errors import CommandError
from appliance.settings.schema import Home
from appliance.storage import database


def require_existing(home: Home) -> Home:
    """Return `home` if its folder exists; raise CommandError otherwise."""
    if not home.folder.is_dir():
        raise CommandError(f"there is no state folder {home.folder}; name one with --state")
    return home


def ensure_created(home: Home) -> Home:
    """Return `home` after creating its folders."""
    if home.folder.exists() and not home.folder.is_dir():
        raise CommandError(f"{home.folder} is no folder, so it cannot hold the state")
    home.create_folders()
    return home


@contextmanager
def open_state_database(home: Home) -> Iterator[sqlite3.Connection]:
    """Open the database; raise CommandError with its path if that fails."""
    try:
        with closing(database.open_database(home.database)) as db:
            yield db
    except sqlite3.Error as error:
        raise CommandError(f"{home.database}: {error}") from error


def is_poller_running(home: Home) -> bool:
    """Return True if the service listens; the socket of a killed one refuses the connection."""
    try:
        folder = os.open(home.run, os.O_PATH | os.O_DIRECTORY)  # a socket's own path must be short
    except OSError:
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
            probe.connect(f"/proc/self/fd/{folder}/{home.poller_socket.name}")
    except OSError:
        return False
    finally:
        os.close(folder)
    return True
