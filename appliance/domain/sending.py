"""Judge why nothing is sent, and when a waiting parcel is overdue."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from appliance.domain.messages import Message

ObstacleCode = Literal["transmission-off", "no-key", "licence", "no-destination"]

# Two hours: the longest back-off is one hour, so at least two tries in a row have failed by then, and the
# longest wait that a server may ask for (Retry-After) has passed.
PARCEL_OVERDUE_AFTER = timedelta(hours=2)
MAX_WAITING_PARCELS = 50  # more is a backlog, however young: a schedule makes one parcel an hour
RECOVERED_WAITING_PARCELS = MAX_WAITING_PARCELS // 2


@dataclass(frozen=True, slots=True)
class SendingObstacle:
    """Why nothing is sent; `text` is a Message."""

    code: ObstacleCode
    text: str


@dataclass(frozen=True, slots=True)
class ParcelCounts:
    """The outbox in figures; `error` is the last error of the parcel that is first in line."""

    waiting: int = 0
    refused: int = 0
    oldest_waiting_at: datetime | None = None
    error: str | None = None


NO_PARCELS = ParcelCounts()


def find_packing_obstacle(*, mode: str, has_key: bool) -> SendingObstacle | None:
    """Return why no parcel is made; a parcel that only cannot be sent is made, and kept in the outbox."""
    if mode == "off":
        return SendingObstacle("transmission-off", Message("attention.transmission_off"))
    return None if has_key else SendingObstacle("no-key", Message("attention.no_key"))


def find_obstacle(
    *, mode: str, has_key: bool, licence_obstacle: str | None, missing_setting: str | None
) -> SendingObstacle | None:
    """Return the first reason why nothing is sent, or None.

    `licence_obstacle` is the text of a licence that forbids sending; `missing_setting` is the name of the
    first setting of the destination that is not set. Key and settings are those with the licence applied.
    """
    if mode != "off" and licence_obstacle is not None:
        return SendingObstacle("licence", licence_obstacle)
    if obstacle := find_packing_obstacle(mode=mode, has_key=has_key):
        return obstacle
    if missing_setting is not None:
        text = Message("attention.no_destination", setting=missing_setting)
        return SendingObstacle("no-destination", text)
    return None


def is_overdue(parcels: ParcelCounts, now: datetime) -> bool:
    """Return True if the oldest waiting parcel has waited for too long."""
    oldest = parcels.oldest_waiting_at
    return oldest is not None and now - oldest > PARCEL_OVERDUE_AFTER


def is_backlog(parcels: ParcelCounts, now: datetime) -> bool:
    """Return True if a parcel is overdue or too many wait."""
    return is_overdue(parcels, now) or parcels.waiting > MAX_WAITING_PARCELS


def is_backlog_over(parcels: ParcelCounts, now: datetime) -> bool:
    """Return True once an earlier backlog is worked off; between the two limits nothing changes."""
    return not is_overdue(parcels, now) and parcels.waiting <= RECOVERED_WAITING_PARCELS
