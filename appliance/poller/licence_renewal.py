"""The licence is renewed before it ends, by nobody's hand; what is wrong with it is said once."""

import asyncio
import logging
import sqlite3
from contextlib import suppress
from datetime import datetime, timedelta

from appliance.delivery import enrolment_client, outbox
from appliance.delivery.errors import DeliveryDeferredError, DeliveryError
from appliance.host import file_lock
from appliance.licensing import csr, pending, status
from appliance.licensing.claims import InvalidLicenceError, Licence
from appliance.licensing.status import LicenceStatus
from appliance.settings.schema import Config, Home
from appliance.storage import events, key_value, printers

log = logging.getLogger(__name__)

LOOK_SECONDS = 60.0  # between two calls of look()
AGAIN = timedelta(days=1)  # after a renewal that failed
UNDECIDED = timedelta(hours=1)  # where the provider says nothing else
SOONEST = timedelta(minutes=5)

KIND = "licence"
NEXT, SEEN = "licence.next", "licence.seen"
TOLD = ("ending", "expired", "early", "revoked", "broken")


async def look(
    db: sqlite3.Connection,
    home: Home,
    config: Config,
    now: datetime,
    *,
    turned_down: bool = False,
    settled: bool = True,
) -> None:
    """Do what is due; `turned_down` is whether the receiver of parcels does not accept this Plug.

    Nothing is judged by a clock that is not `settled`.
    """
    if settled:
        await _install_waiting(db, home, now)
    standing = await asyncio.to_thread(status.get_status, home.folder, now)
    if settled and _is_wanted(home, standing, turned_down) and _may_ask(db, now):
        await _ask(db, home, config, standing, now)
        standing = await asyncio.to_thread(status.get_status, home.folder, now)
    _say(db, "licence", standing.text if standing.state in TOLD else None, now)
    _say(db, "printers", too_many(db, standing), now)
    _let_parcels_go(db, home, standing, now)


def too_many(db: sqlite3.Connection, standing: LicenceStatus) -> str | None:
    """The warning where more printers are reported than the licence covers; none is dropped for that."""
    most = standing.licence.printers if standing.licence else None
    if most is None or sum(not each.ignore for each in printers.list_known(db)) <= most:
        return None
    return f"there are more printers than the licence covers ({most:,}); all are read and reported"


async def _install_waiting(db: sqlite3.Connection, home: Home, now: datetime) -> None:
    """The licence that a provisioning file brought."""
    try:
        found = await asyncio.to_thread(pending.install_pending, home.folder, now)
    except (InvalidLicenceError, file_lock.Busy, OSError) as error:
        _say(db, "provisioning", f"the licence of the provisioning file is not installed: {error}", now)
        return
    if found:
        _say(db, "provisioning", None, now)
        _tell_new(db, found, now)


def _tell_new(db: sqlite3.Connection, found: Licence, now: datetime) -> None:
    events.note(db, KIND, "licence", f"there is a new licence, valid until {found.valid_until:%Y-%m-%d}", now)
    log.info("licence: there is a new one, valid until %s", f"{found.valid_until:%Y-%m-%d}")


def _is_wanted(home: Home, standing: LicenceStatus, turned_down: bool) -> bool:
    if standing.licence is None:
        return standing.state == "requested" and csr.load_enrolment(home.folder) is not None
    # Whoever turns the Plug down may have a new licence for it, or the news that it is revoked.
    ending = standing.state in ("ending", "expired", "revoked") or turned_down
    return ending and bool(standing.licence.enrolment_url)


def _may_ask(db: sqlite3.Connection, now: datetime) -> bool:
    at = key_value.get_time(db, NEXT)
    return at is None or at <= now or at > now + AGAIN  # the last: the clock was set back


async def _ask(
    db: sqlite3.Connection, home: Home, config: Config, standing: LicenceStatus, now: datetime
) -> None:
    key_value.put_time(db, NEXT, now + AGAIN)
    before, waiting = standing.licence, csr.load_enrolment(home.folder)
    try:
        if before:
            found = await enrolment_client.renew(home, config, before, now)
        elif waiting:
            found = await enrolment_client.enrol(home, config, waiting, now)
        else:
            return
    except enrolment_client.EnrolmentPendingError as error:
        wait = timedelta(seconds=error.retry_after) if error.retry_after else UNDECIDED
        key_value.put_time(db, NEXT, now + min(max(wait, SOONEST), AGAIN))
        return
    except (DeliveryError, InvalidLicenceError) as error:
        text = f"no new licence: {error}; it is asked for again daily"
        if before is None and isinstance(error, DeliveryDeferredError):  # a Plug that was just plugged in
            key_value.put_time(db, NEXT, now + SOONEST)
            text = f"no new licence: {error}; it is asked for again every few minutes"
        _say(db, "renewal", text, now)
        return
    key_value.put(db, NEXT, None)
    _say(db, "renewal", None, now)
    _tell_new(db, found, now)


def _say(db: sqlite3.Connection, subject: str, text: str | None, now: datetime) -> None:
    """Once when it begins, once when it ends or becomes something else."""
    going_on = (each.text for each in events.list_ongoing(db) if (each.kind, each.subject) == (KIND, subject))
    told = next(going_on, None)
    if told == text:
        return
    if told is not None:
        events.end(db, KIND, subject, now)
    if text is None:
        log.info("licence: %s: in order again", subject)
    else:
        events.begin(db, KIND, subject, text, now)
        log.warning("licence: %s", text)


def _let_parcels_go(db: sqlite3.Connection, home: Home, standing: LicenceStatus, now: datetime) -> None:
    """With another licence, parcels that the receiver turned down are sent at once."""
    found = standing.licence
    if found is None or not standing.allows_sending or key_value.get(db, SEEN) == found.fingerprint:
        return
    key_value.put(db, SEEN, found.fingerprint)
    for last in [each for each in outbox.list_parcels(db) if each.state == "waiting"][-1:]:
        with suppress(outbox.ParcelRetryError):
            outbox.retry(db, home.outbox, last.id, now)  # and all that wait before it
