from datetime import UTC, datetime, timedelta

import pytest

from appliance.domain import sending
from appliance.domain.sending import PARCEL_OVERDUE_AFTER, ParcelCounts

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("mode", "has_key", "licence", "missing", "code"),
    [
        ("https", True, None, None, None),
        ("off", False, "expired", "transmission.https.url", "transmission-off"),
        ("https", False, "expired", "transmission.https.url", "licence"),
        ("https", False, None, "transmission.https.url", "no-key"),
        ("mail", True, None, "transmission.mail.host", "no-destination"),
    ],
)
def test_the_first_obstacle_is_named(
    mode: str, has_key: bool, licence: str | None, missing: str | None, code: str | None
) -> None:
    obstacle = sending.find_obstacle(
        mode=mode, has_key=has_key, licence_obstacle=licence, missing_setting=missing
    )
    assert (obstacle.code if obstacle else None) == code


def test_a_parcel_is_made_although_it_cannot_be_sent_yet() -> None:
    assert sending.find_packing_obstacle(mode="https", has_key=True) is None
    off = sending.find_packing_obstacle(mode="off", has_key=True)
    keyless = sending.find_packing_obstacle(mode="https", has_key=False)
    assert off
    assert keyless
    assert (off.code, keyless.code) == ("transmission-off", "no-key")


@pytest.mark.parametrize(
    ("waiting", "age", "overdue", "backlog", "over"),
    [
        (0, None, False, False, True),
        (1, PARCEL_OVERDUE_AFTER, False, False, True),
        (1, PARCEL_OVERDUE_AFTER + timedelta(seconds=1), True, True, False),
        (51, timedelta(minutes=1), False, True, False),
        (50, timedelta(minutes=1), False, False, False),
        (25, timedelta(minutes=1), False, False, True),
    ],
)
def test_a_backlog_begins_and_ends(
    waiting: int, age: timedelta | None, overdue: bool, backlog: bool, over: bool
) -> None:
    parcels = ParcelCounts(waiting, oldest_waiting_at=NOW - age if age is not None else None)
    assert sending.is_overdue(parcels, NOW) == overdue
    assert sending.is_backlog(parcels, NOW) == backlog
    assert sending.is_backlog_over(parcels, NOW) == over
