"""Small facts outlive a restart."""

from appliance.store import meta

from .readings import NOW


def test_remembers_and_forgets(db):
    assert meta.get(db, "last") is None
    meta.put(db, "last", "one")
    meta.put(db, "last", "two")
    assert meta.get(db, "last") == "two"
    meta.put(db, "last", None)
    assert meta.get(db, "last") is None


def test_remembers_times(db):
    assert meta.get_time(db, "last_discover") is None
    meta.put_time(db, "last_discover", NOW)
    assert meta.get_time(db, "last_discover") == NOW


def test_writes_nothing_for_what_is_the_same(db):
    meta.put(db, "last", "one")
    written = db.total_changes
    meta.put(db, "last", "one")
    assert db.total_changes == written
