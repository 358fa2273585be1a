"""What systemd and its journal say, as this Plug reads it."""

from datetime import UTC, datetime

import pytest

from appliance.host import unit_status

SHOWN = """\
Id=printmonitor-poller.service
LoadState=loaded
ActiveState=active
SubState=running
ActiveEnterTimestamp=Sun 2026-03-01 09:30:00 UTC
MemoryCurrent=52428800
NRestarts=2

Id=printmonitor-traps.service
LoadState=not-found
ActiveState=inactive
SubState=dead
ActiveEnterTimestamp=
MemoryCurrent=[not set]
NRestarts=0
"""


def test_units_are_read() -> None:
    poller, traps = unit_status.parse_units(SHOWN)
    assert (poller.unit, poller.loaded, poller.state, poller.detail) == (
        "printmonitor-poller.service",
        True,
        "active",
        "running",
    )
    assert (poller.since, poller.memory, poller.restarts) == (
        datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
        52_428_800,
        2,
    )
    assert (traps.loaded, traps.since, traps.memory) == (False, None, None)


def test_log_lines_are_read_and_nonsense_is_left_out() -> None:
    said = (
        '{"__REALTIME_TIMESTAMP": "1772357400000000", "PRIORITY": "3", "MESSAGE": "10.0.0.5: silent"}\n'
        '{"__REALTIME_TIMESTAMP": "1772357400000000", "MESSAGE": [104, 105, 255]}\n'
        "no json\n[]\n"
        '{"__REALTIME_TIMESTAMP": "99999999999999999999999", "MESSAGE": "x"}\n'
    )
    lines = list(unit_status.parse_log_lines(said))
    assert [(line.priority, line.text) for line in lines] == [(3, "10.0.0.5: silent"), (6, "hi\ufffd")]
    assert lines[0].at == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


@pytest.mark.skipif(unit_status.is_systemd_running(), reason="systemd runs this machine")
async def test_without_systemd_it_says_so() -> None:
    with pytest.raises(unit_status.UnitQueryError, match="do not run under systemd"):
        await unit_status.query_units()
