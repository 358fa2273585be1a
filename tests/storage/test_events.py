"""Each trouble is said once when it begins, once when it ends."""

from appliance.storage import events
from tests.storage.readings import DAY, HOUR, NOW


def test_says_once_that_it_began_and_once_that_it_ended(db):
    assert events.begin(db, "disk", "/data", "the disk is nearly full", NOW)
    assert not events.begin(db, "disk", "/data", "the disk is nearly full: 1 MB", NOW + HOUR)
    assert events.begin(db, "disk", "/other", "the disk is nearly full", NOW)
    assert [event.subject for event in events.list_ongoing(db)] == ["/other", "/data"]
    assert events.end(db, "disk", "/data", NOW + 2 * HOUR)
    assert not events.end(db, "disk", "/data", NOW + 3 * HOUR)
    assert [event.subject for event in events.list_ongoing(db)] == ["/other"]
    told = events.list_recent(db)[1]
    assert (told.text, told.begun_at, told.ended_at) == ("the disk is nearly full", NOW, NOW + 2 * HOUR)


def test_begins_anew_after_its_end(db):
    for hour in range(3):
        assert events.begin(db, "disk", "/data", "again", NOW + hour * HOUR)
        assert events.end(db, "disk", "/data", NOW + hour * HOUR)
    assert len(events.list_recent(db)) == 3
    assert len(events.list_recent(db, limit=2)) == 2


def test_never_ends_before_it_began(db):
    events.begin(db, "clock", "", "the clock jumped", NOW)
    events.end(db, "clock", "", NOW - DAY)
    assert events.list_recent(db)[0].ended_at == NOW


def test_notes_what_has_no_end(db):
    events.note(db, "moved", "7", "moved \udc80", NOW)
    events.note(db, "moved", "7", "moved", NOW)
    assert [(event.begun_at, event.ended_at) for event in events.list_recent(db)] == [(NOW, NOW)] * 2
    assert events.list_ongoing(db) == []


def test_forgets_what_ended_long_ago_and_never_what_goes_on(db):
    events.begin(db, "old", "", "goes on", NOW)
    events.note(db, "old", "", "over", NOW)
    events.note(db, "new", "", "over", NOW + 300 * DAY)
    events.prune(db, NOW + 400 * DAY)
    assert [(event.kind, event.text) for event in events.list_recent(db)] == [
        ("new", "over"),
        ("old", "goes on"),
    ]


def test_a_trouble_that_flaps_does_not_fill_the_card(db):
    events.begin(db, "first", "", "goes on", NOW)
    db.execute("BEGIN")
    for _ in range(events.MAX_EVENTS + 50):
        events.note(db, "flaps", "", "again", NOW)
    db.execute("COMMIT")
    events.prune(db, NOW)
    left = events.list_recent(db, limit=10_000)
    assert len(left) == events.MAX_EVENTS + 1
    assert left[-1].text == "goes on"
