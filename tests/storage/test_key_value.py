"""Small facts outlive a restart."""

from appliance.storage import key_value
from tests.storage.readings import NOW


def test_remembers_and_forgets(db):
    assert key_value.get(db, "last") is None
    key_value.put(db, "last", "one")
    key_value.put(db, "last", "two")
    assert key_value.get(db, "last") == "two"
    key_value.put(db, "last", None)
    assert key_value.get(db, "last") is None


def test_remembers_times(db):
    assert key_value.get_time(db, "last_discover") is None
    key_value.put_time(db, "last_discover", NOW)
    assert key_value.get_time(db, "last_discover") == NOW


def test_writes_nothing_for_what_is_the_same(db):
    key_value.put(db, "last", "one")
    written = db.total_changes
    key_value.put(db, "last", "one")
    assert db.total_changes == written
