"""The licence is renewed before it ends, by nobody's hand; what is wrong with it is said once."""

import asyncio
import logging
import sqlite3
from contextlib import suppress
from datetime import datetime, timedelta

from appliance.delivery import enrolment_client, outbox
from appliance.delivery.errors import DeliveryDeferredError, DeliveryError
from appliance.domain.messages import Message
from appliance.host import file_lock
from appliance.licensing import csr, pending, status
from appliance.licensing.claims import InvalidLicenceError, Licence
from appliance.licensing.status import LicenceStatus
from appliance.settings.schema import Config, Home
from appliance.storage import events, key_value, printers

log = logging.getLogger(__name__)

CHECK_INTERVAL_S = 60.0  # between two calls of look()
RETRY_INTERVAL = timedelta(days=1)  # after a renewal that failed
PENDING_RETRY_INTERVAL = timedelta(hours=1)  # where the provider says nothing else
MIN_RETRY_INTERVAL = timedelta(minutes=5)

EVENT_KIND = "licence"
NEXT_ATTEMPT_KEY, ACTIVATED_LICENCE_KEY = "licence.next", "licence.seen"
REPORTED_STATES = ("ending", "expired", "early", "revoked", "broken")


async def check_licence(
    db: sqlite3.Connection,
    home: Home,
    config: Config,
    now: datetime,
    *,
    plug_rejected: bool = False,
    clock_settled: bool = True,
) -> None:
    """Do what is due; `turned_down` is whether the receiver of parcels does not accept this Plug.

    Nothing is judged by a clock that is not `settled`.
    """
    if clock_settled:
        await _install_pending_licence(db, home, now)
    standing = await asyncio.to_thread(status.get_status, home.folder, now)
    if clock_settled and _should_request(home, standing, plug_rejected) and _is_attempt_due(db, now):
        await _request_licence(db, home, config, standing, now)
        standing = await asyncio.to_thread(status.get_status, home.folder, now)
    _update_event(db, "licence", standing.text if standing.state in REPORTED_STATES else None, now)
    _update_event(db, "printers", printer_limit_warning(db, standing), now)
    _retry_waiting_parcels(db, home, standing, now)


def printer_limit_warning(db: sqlite3.Connection, licence_status: LicenceStatus) -> str | None:
    """The warning where more printers are reported than the licence covers; none is dropped for that."""
    most = licence_status.licence.printers if licence_status.licence else None
    if most is None or sum(not each.ignore for each in printers.list_known(db)) <= most:
        return None
    return Message("licence.too_many_printers", limit=most)


async def _install_pending_licence(db: sqlite3.Connection, home: Home, now: datetime) -> None:
    """The licence that a provisioning file brought."""
    try:
        found = await asyncio.to_thread(pending.install_pending, home.folder, now)
    except (InvalidLicenceError, file_lock.LockBusyError, OSError) as error:
        _update_event(db, "provisioning", Message("licence.provisioned_refused", reason=error), now)
        return
    if found:
        _update_event(db, "provisioning", None, now)
        _record_new_licence(db, found, now)


def _record_new_licence(db: sqlite3.Connection, licence: Licence, now: datetime) -> None:
    events.note(
        db, EVENT_KIND, "licence", Message("licence.renewed", day=f"{licence.valid_until:%Y-%m-%d}"), now
    )
    log.info("licence: there is a new one, valid until %s", f"{licence.valid_until:%Y-%m-%d}")


def _should_request(home: Home, licence_status: LicenceStatus, plug_rejected: bool) -> bool:
    if licence_status.licence is None:
        return licence_status.state == "requested" and csr.load_enrolment(home.folder) is not None
    # Whoever turns the Plug down may have a new licence for it, or the news that it is revoked.
    ending = licence_status.state in ("ending", "expired", "revoked") or plug_rejected
    return ending and bool(licence_status.licence.enrolment_url)


def _is_attempt_due(db: sqlite3.Connection, now: datetime) -> bool:
    at = key_value.get_time(db, NEXT_ATTEMPT_KEY)
    return at is None or at <= now or at > now + RETRY_INTERVAL  # the last: the clock was set back


async def _request_licence(
    db: sqlite3.Connection, home: Home, config: Config, licence_status: LicenceStatus, now: datetime
) -> None:
    key_value.put_time(db, NEXT_ATTEMPT_KEY, now + RETRY_INTERVAL)
    before, waiting = licence_status.licence, csr.load_enrolment(home.folder)
    try:
        if before:
            found = await enrolment_client.renew(home, config, before, now)
        elif waiting:
            found = await enrolment_client.enrol(home, config, waiting, now)
        else:
            return
    except enrolment_client.EnrolmentPendingError as error:
        wait = timedelta(seconds=error.retry_after) if error.retry_after else PENDING_RETRY_INTERVAL
        key_value.put_time(db, NEXT_ATTEMPT_KEY, now + min(max(wait, MIN_RETRY_INTERVAL), RETRY_INTERVAL))
        return
    except (DeliveryError, InvalidLicenceError) as error:
        text = Message("licence.renewal_daily", reason=error)
        if before is None and isinstance(error, DeliveryDeferredError):  # a Plug that was just plugged in
            key_value.put_time(db, NEXT_ATTEMPT_KEY, now + MIN_RETRY_INTERVAL)
            text = Message("licence.renewal_soon", reason=error)
        _update_event(db, "renewal", text, now)
        return
    key_value.put(db, NEXT_ATTEMPT_KEY, None)
    _update_event(db, "renewal", None, now)
    _record_new_licence(db, found, now)


def _update_event(db: sqlite3.Connection, subject: str, text: str | None, now: datetime) -> None:
    """Once when it begins, once when it ends or becomes something else."""
    going_on = (
        each.text for each in events.list_ongoing(db) if (each.kind, each.subject) == (EVENT_KIND, subject)
    )
    told = next(going_on, None)
    if told == text:
        return
    if told is not None:
        events.end(db, EVENT_KIND, subject, now)
    if text is None:
        log.info("licence: %s: in order again", subject)
    else:
        events.begin(db, EVENT_KIND, subject, text, now)
        log.warning("licence: %s", text)


def _retry_waiting_parcels(
    db: sqlite3.Connection, home: Home, licence_status: LicenceStatus, now: datetime
) -> None:
    """With another licence, parcels that the receiver turned down are sent at once."""
    found = licence_status.licence
    if (
        found is None
        or not licence_status.allows_sending
        or key_value.get(db, ACTIVATED_LICENCE_KEY) == found.fingerprint
    ):
        return
    key_value.put(db, ACTIVATED_LICENCE_KEY, found.fingerprint)
    for last in [each for each in outbox.list_parcels(db) if each.state == "waiting"][-1:]:
        with suppress(outbox.ParcelRetryError):
            outbox.retry(db, home.outbox, last.id, now)  # and all that wait before it
