"""What is remembered of a printer survives as text; what is not understood is forgotten."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.collector import poll_cache as plans
from appliance.collector.poll_cache import PollCache
from appliance.collector.request_batcher import MAX_OBJECTS_PER_REQUEST, MAX_RESPONSE_BYTES, AgentLimits
from appliance.collector.web_counters import EMPTY_EWS_STATE, EwsState
from appliance.mib import oids
from appliance.mib.printer_mib import STANDARD_TABLES, SUPPLIES

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SERIAL = (*oids.PRT_GENERAL_SERIAL_NUMBER, 1)
CHANGES = (*oids.PRT_GENERAL_CONFIG_CHANGES, 1)
OBJECT_ID = (*oids.SYS_OBJECT_ID, 0)
LEVEL = SUPPLIES.column(9)
UNIT = SUPPLIES.column(7)


def known() -> PollCache:
    return PollCache(
        version="1",
        limits=AgentLimits(supports_bulk=False, max_response_bytes=300, max_objects=20),
        full_at=NOW,
        rows={"supplies": ((1, 1), (1, 4)), "alerts": ()},
        failed={"inputs": "more than 200 rows"},
        cells={
            SERIAL: b"V1\xfc\x00",
            OBJECT_ID: (1, 3, 6, 1, 4, 1, 367),
            (*LEVEL, 1, 1): -3,
            (*LEVEL, 1, 4): 80,
            (*UNIT, 1, 1): 19,
            (*UNIT, 1, 4): None,  # a hole
        },
        get_only=frozenset({(1, 3, 6, 1, 4, 1, 11, 0)}),
        ews_state=EwsState("/etc/mnt_info.csv", "https", adds=True, refused="0a" * 16 + ":" + "1b" * 16),
    )


def test_what_is_kept_comes_back() -> None:
    back = plans.load(plans.dump(known(), STANDARD_TABLES))

    assert (back.version, back.limits, back.full_at) == ("1", AgentLimits(False, 300, 20), NOW)
    assert back.rows == known().rows
    assert back.failed == known().failed
    assert back.get_only == known().get_only
    assert back.ews_state == known().ews_state
    assert {oid: value for oid, value in back.cells.items() if value is not None} == {
        oid: value for oid, value in known().cells.items() if value is not None
    }


def test_holes_are_remembered_so_that_nobody_asks_again() -> None:
    back = plans.load(plans.dump(known(), STANDARD_TABLES))

    assert (*UNIT, 1, 4) in back.cells
    assert all(
        (*SUPPLIES.column(6), 1, row) in back.cells for row in (1, 4)
    )  # a column that it does not have


def test_a_text_is_no_longer_than_needed() -> None:
    assert len(plans.dump(known(), STANDARD_TABLES)) < 700


@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", "7", '{"form":1}', '{"form":99,"tables":{}}', "x" * 99]
)
def test_what_cannot_be_understood_is_an_empty_plan(text: str) -> None:
    assert plans.load(text) == PollCache()


@given(st.data())
def test_a_damaged_text_is_an_empty_plan_or_a_sound_one(data: st.DataObject) -> None:
    text = plans.dump(known(), STANDARD_TABLES)
    at = data.draw(st.integers(0, len(text) - 1))
    damaged = text[:at] + data.draw(st.text(max_size=3)) + text[at + data.draw(st.integers(0, 4)) :]

    plan = plans.load(damaged)

    assert 1 <= plan.limits.max_response_bytes <= MAX_RESPONSE_BYTES
    plans.dump(plan, STANDARD_TABLES)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("size", 0),
        ("size", True),
        ("size", "9"),
        ("most", 10**9),
        ("full", "2026-03-01T12:00:00"),
        ("get_only", [7]),
    ],
)
def test_impossible_values_are_not_believed(member: str, value: object) -> None:
    data = json.loads(plans.dump(known(), STANDARD_TABLES))
    data[member] = value

    assert plans.load(json.dumps(data)) == PollCache()


@pytest.mark.parametrize(
    ("age", "due"),
    [
        (timedelta(0), False),
        (timedelta(hours=23), False),
        (timedelta(hours=24), True),
        (timedelta(days=400), True),
        (timedelta(hours=-1), True),  # the clock was wrong then, or is now
    ],
)
def test_everything_is_read_daily(age: timedelta, due: bool) -> None:
    assert plans.is_full_poll_due(PollCache(full_at=NOW - age), NOW) is due


def test_a_printer_that_was_never_read_is_due() -> None:
    assert plans.is_full_poll_due(PollCache(), NOW)


@pytest.mark.parametrize(
    ("old", "new", "rebuilt"),
    [
        ({plans.UPTIME_OID: 500, CHANGES: 3}, {plans.UPTIME_OID: 900, CHANGES: 3}, False),
        ({plans.UPTIME_OID: 500}, {plans.UPTIME_OID: 20}, True),
        ({plans.UPTIME_OID: 500, CHANGES: 3}, {plans.UPTIME_OID: 900, CHANGES: 4}, True),
        ({plans.UPTIME_OID: 500, CHANGES: 3}, {plans.UPTIME_OID: 900}, False),  # it did not say this time
        ({}, {plans.UPTIME_OID: 20, CHANGES: 4}, False),
    ],
)
def test_rebuilt(old: dict[tuple[int, ...], int], new: dict[tuple[int, ...], int], rebuilt: bool) -> None:
    assert plans.is_restarted_or_reconfigured(old, new) is rebuilt


def test_more_is_tried_again_daily() -> None:
    assert plans.starting_limits(known(), full=False) == AgentLimits(False, 300, 20)
    assert plans.starting_limits(known(), full=True) == AgentLimits(False, 600, 40)
    assert plans.starting_limits(PollCache(), full=True) == AgentLimits(
        True, MAX_RESPONSE_BYTES, MAX_OBJECTS_PER_REQUEST
    )


@pytest.mark.parametrize(
    "door", [[], {"path": 5}, {"refused": "x"}, {"refused": "0a:1b"}, {"refused": None}, {"note": 5}]
)
def test_a_door_that_is_none_is_no_plan(door: object) -> None:
    text = json.loads(plans.dump(known(), STANDARD_TABLES)) | {"door": door}
    assert plans.load(json.dumps(text)) == PollCache()


def test_a_note_is_remembered() -> None:
    noted = replace(known(), ews_state=EwsState(note="no web page"))
    assert plans.load(plans.dump(noted, STANDARD_TABLES)).ews_state == noted.ews_state


def test_a_plan_from_before_there_were_doors() -> None:
    text = json.loads(plans.dump(known(), STANDARD_TABLES))
    del text["door"]
    assert plans.load(json.dumps(text)).ews_state == EMPTY_EWS_STATE
