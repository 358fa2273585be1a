"""A process of its own on one database: `python -m tests.storage.child PATH open|keep`."""

import sqlite3
import sys
from contextlib import closing
from itertools import count
from pathlib import Path

from appliance.storage import database, save_reading
from tests.storage.readings import MINUTE, NOW, reading

PRINTERS = 5


def main(path: Path, act: str) -> None:
    print("ready", flush=True)
    told = sys.stdin.readline()
    with closing(database.open_database(path)) as db:
        if act == "keep":
            keep_for_ever(db, int(told))
        print("open", flush=True)
        sys.stdin.readline()


def keep_for_ever(db: sqlite3.Connection, first: int) -> None:
    """Say each reading's number once it is kept; every number is a new total."""
    for number in count(first):
        host = f"127.0.0.{10 + number % PRINTERS}"
        read = reading(host, f"S{number % PRINTERS}", None, total=number, plan=f"{number} " * 2000)
        save_reading.store_reading(db, read, NOW + number * MINUTE)
        print(number, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
