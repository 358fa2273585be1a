"""The hours in which the Plug may restart."""

from datetime import UTC, datetime, time

import pytest

from appliance.updates import maintenance_window


@pytest.mark.parametrize(
    ("begin", "end", "opened", "closed"),
    [
        ("02:00", "04:00", ("02:00", "03:59"), ("01:59", "04:00", "14:00")),
        ("22:00", "05:00", ("22:00", "23:59", "00:00", "04:59"), ("05:00", "21:59")),
    ],
)
def test_it_is_open_from_its_begin_to_before_its_end(
    begin: str, end: str, opened: tuple[str, ...], closed: tuple[str, ...]
) -> None:
    hours = time.fromisoformat(begin), time.fromisoformat(end)
    for texts, expected in ((opened, True), (closed, False)):
        for text in texts:
            now = datetime.combine(datetime(2026, 11, 22, tzinfo=UTC), time.fromisoformat(text), UTC)
            assert maintenance_window.is_open(hours, now) is expected, text


def test_without_one_it_is_always_open() -> None:
    assert maintenance_window.is_open(None, datetime(2026, 11, 22, 14, 0, tzinfo=UTC))
