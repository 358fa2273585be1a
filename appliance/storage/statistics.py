"""Count and summarise what the database holds, for metrics, the overview and diagnostics."""

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from appliance.storage import database

MAX_MODELS = 500
MAX_FAILURES = 100

# What changes with each of the topics of the web UI, by the cheapest query that shows it.
TOPIC_QUERIES: Mapping[str, str] = {
    "printers": (
        "SELECT (SELECT count(*) FROM printers), (SELECT max(changed_at) FROM printers),"
        " (SELECT max(seen_at) FROM sightings), (SELECT max(failed_at) FROM sightings),"
        " (SELECT count(*) FROM sightings WHERE failure IS NOT NULL),"
        " (SELECT sum(ignore) + sum(device_group) FROM printers)"
    ),
    "jobs": "SELECT max(id), count(finished_at), sum(state = 'running') FROM jobs",
    "outbox": "SELECT max(sequence), sum(attempts), group_concat(state || n) FROM"
    " (SELECT state, count(*) AS n, max(sequence) AS sequence, sum(attempts) AS attempts"
    " FROM parcels GROUP BY state)",
    "events": "SELECT max(id), count(ended_at) FROM events",
    "traps": "SELECT max(id), max(last_at), sum(times) FROM traps",
}


@dataclass(frozen=True, slots=True)
class ParcelStatistics:
    count_by_state: Mapping[str, int] = field(default_factory=dict)
    last_delivered_at: datetime | None = None
    oldest_waiting_at: datetime | None = None

    @property
    def waiting(self) -> int:
        return self.count_by_state.get("waiting", 0)


@dataclass(frozen=True, slots=True)
class ModelStatistics:
    """Printers of one model."""

    manufacturer: str | None
    model: str | None
    object_id: str | None
    printers: int
    silent: int


def read_parcel_statistics(db: sqlite3.Connection) -> ParcelStatistics:
    rows = db.execute(
        "SELECT state, count(*), max(delivered_at), min(created_at) FROM parcels GROUP BY state"
    ).fetchall()
    return ParcelStatistics(
        {state: count for state, count, _, _ in rows},
        database.from_ms_or_none(max((row[2] for row in rows if row[2] is not None), default=None)),
        database.from_ms_or_none(next((row[3] for row in rows if row[0] == "waiting"), None)),
    )


def iter_counter_values(db: sqlite3.Connection) -> Iterator[tuple[int, str, int]]:
    """Yield printer id, counter name and value of every page counter."""
    yield from db.execute("SELECT printer_id, name, value FROM counters ORDER BY printer_id, name")


def list_last_job_ends(db: sqlite3.Connection) -> list[tuple[str, str, datetime]]:
    """Return kind, state and end of the last job of each kind and state."""
    rows = db.execute(
        "SELECT kind, state, max(finished_at) FROM jobs WHERE finished_at IS NOT NULL GROUP BY kind, state"
    )
    return [(kind, state, database.from_ms(finished_at)) for kind, state, finished_at in rows]


def read_topic_marks(db: sqlite3.Connection) -> dict[str, tuple[object, ...]]:
    """Return for each topic values that differ after a change."""
    return {topic: tuple(db.execute(query).fetchone()) for topic, query in TOPIC_QUERIES.items()}


def list_model_statistics(db: sqlite3.Connection) -> list[ModelStatistics]:
    """Return the most frequent models first."""
    rows = db.execute(
        "SELECT json_extract(identity, '$.manufacturer'), json_extract(identity, '$.model'),"
        " json_extract(identity, '$.object_id'), count(*), sum(failed_at IS NOT NULL)"
        " FROM printers JOIN sightings ON printer_id = id GROUP BY 1, 2, 3 ORDER BY 4 DESC LIMIT ?",
        (MAX_MODELS,),
    )
    return [ModelStatistics(*row) for row in rows]


def count_failures(db: sqlite3.Connection) -> dict[str, int]:
    """Return how many printers failed for each reason."""
    query = "SELECT failure, count(*) FROM sightings WHERE failure IS NOT NULL GROUP BY 1 LIMIT ?"
    return dict(db.execute(query, (MAX_FAILURES,)).fetchall())


def count_rows(db: sqlite3.Connection, tables: Collection[str]) -> dict[str, int]:
    return {
        table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608  own names only
        for table in tables
    }


def schema_version(db: sqlite3.Connection) -> int:
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    return version
