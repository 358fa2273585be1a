"""What metrics, overview and diagnostics count."""

from datetime import UTC, datetime, timedelta

from appliance.storage import database, statistics

NOW = datetime(2026, 11, 22, 12, 0, 0, 123_000, tzinfo=UTC)


def add_parcel(db, name: str, state: str, age: timedelta, delivered: timedelta | None = None) -> None:
    db.execute(
        "INSERT INTO parcels (id, name, created_at, size, digest, state, delivered_at)"
        " VALUES (?, ?, ?, 1, 'x', ?, ?)",
        (
            name,
            name,
            database.to_ms(NOW - age),
            state,
            None if delivered is None else database.to_ms(NOW - delivered),
        ),
    )


def test_an_empty_outbox(db) -> None:
    assert statistics.read_parcel_statistics(db) == statistics.ParcelStatistics()
    assert statistics.read_parcel_statistics(db).waiting == 0


def test_parcels(db) -> None:
    hour = timedelta(hours=1)
    add_parcel(db, "a", "waiting", 3 * hour)
    add_parcel(db, "b", "waiting", 5 * hour, delivered=4 * hour)  # to be sent again
    add_parcel(db, "c", "delivered", 9 * hour, delivered=2 * hour)
    add_parcel(db, "d", "refused", 8 * hour)
    found = statistics.read_parcel_statistics(db)
    assert found.count_by_state == {"waiting": 2, "delivered": 1, "refused": 1}
    assert found.waiting == 2
    assert found.last_delivered_at == NOW - 2 * hour
    assert found.oldest_waiting_at == NOW - 5 * hour


def test_every_topic_changes_with_its_table(db) -> None:
    before = statistics.read_topic_marks(db)
    assert before.keys() == statistics.TOPIC_QUERIES.keys()
    add_parcel(db, "a", "waiting", timedelta())
    after = statistics.read_topic_marks(db)
    assert [topic for topic in before if before[topic] != after[topic]] == ["outbox"]


def test_rows_and_schema(db) -> None:
    add_parcel(db, "a", "waiting", timedelta())
    assert statistics.count_rows(db, ("parcels", "printers")) == {"parcels": 1, "printers": 0}
    assert statistics.schema_version(db) > 0
