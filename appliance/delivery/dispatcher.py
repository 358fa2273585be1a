"""Printers in, parcels out: export, pack and put in a row, then deliver what is due, in order."""

import asyncio
import logging
import re
import sqlite3
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path

from appliance.delivery import (
    archive,
    https_sender,
    licence_policy,
    outbox,
    smtp_sender,
    spool_files,
    xml_export,
)
from appliance.delivery.errors import (
    DeliveryDeferredError,
    DeliveryError,
    DeliveryNotConfiguredError,
    DeliveryRejectedError,
    LicenceRejectedError,
)
from appliance.delivery.outbox import Parcel
from appliance.domain.messages import Message, message_of
from appliance.domain.model import Printer
from appliance.settings.schema import Config, Home

log = logging.getLogger(__name__)

LICENCE_RETRY_S = 3600.0  # seconds: a licence is not renewed within minutes
LOCK_RETRY_INTERVAL_S = 0.2  # seconds
MAX_LOCK_TRIES = 1500  # five minutes: another process may be sending, and one parcel may take that long

SendParcel = Callable[[Parcel, bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class DeliverySummary:
    """What came of one delivery."""

    delivered: int = 0  # parcels, now
    waiting: int = 0  # parcels, still
    refused: int = 0  # parcels, now
    error: str | None = None  # why parcels wait on
    plug_rejected: bool = False  # the receiver does not accept this Plug


def enqueue_printers(
    db: sqlite3.Connection, home: Home, config: Config, printers: Iterable[Printer], now: datetime
) -> Parcel | None:
    """The printers become a parcel in the outbox; None where nothing is to be sent. Raises outbox.NotKept."""
    settings = licence_policy.apply_licence(home, config).transmission
    if settings.mode == "off":
        log.debug("nothing is handed over: transmission.mode is off")
        return None
    if not settings.key:
        log.warning("nothing is handed over: transmission.key is missing, and no licence brings one")
        return None
    rest = iter(printers)
    first = next(rest, None)
    if first is None:
        log.info("nothing is handed over: no printer is known")
        return None
    xml = xml_export.render(chain((first,), rest), config.schedule.zone, settings.xml_names)
    name = _parcel_name(config.plug.name, now)
    return outbox.put(db, home.outbox, name, archive.pack(name, xml, settings.key), now)


async def deliver_due(
    db: sqlite3.Connection, home: Home, config: Config, now: Callable[[], datetime]
) -> DeliverySummary:
    """Send what is due, the oldest first; the first that has to wait lets all after it wait too."""
    if config.transmission.mode == "off":
        return _summarize(db)
    if forbidden := licence_policy.blocking_reason(home, now()):
        return _summarize(db, error=forbidden)
    try:
        send = _select_sender(home, config)
    except DeliveryNotConfiguredError as error:
        return _summarize(db, error=message_of(error))
    for _ in range(MAX_LOCK_TRIES):
        with spool_files.try_lock(home.outbox) as mine:
            if mine:
                summary = await _deliver_in_order(db, home.outbox, send, now)
                outbox.prune(db, home.outbox, now())
                return summary
        await asyncio.sleep(LOCK_RETRY_INTERVAL_S)
    return _summarize(db, error=Message("delivery.busy"))


async def _deliver_in_order(
    db: sqlite3.Connection, folder: Path, send: SendParcel, now: Callable[[], datetime]
) -> DeliverySummary:
    delivered = refused = 0
    error: str | None = None
    turned_down = False
    while error is None and (each := outbox.next_due(db, now())) is not None:  # every turn changes its state
        try:
            await send(each, outbox.read(folder, each))
        except outbox.ParcelFileError as reason:
            outbox.mark_lost(db, each, str(reason))
        except DeliveryRejectedError as reason:
            outbox.mark_refused(db, each, str(reason))
            refused += 1
        except (DeliveryError, OSError) as reason:
            error, turned_down = str(reason), isinstance(reason, LicenceRejectedError)
            _postpone(db, each, reason, now())
        else:
            outbox.mark_delivered(db, folder, each, now())
            delivered += 1
    return replace(_summarize(db, delivered, refused, error), plug_rejected=turned_down)


def _postpone(
    db: sqlite3.Connection, waiting_parcel: Parcel, reason: DeliveryError | OSError, now: datetime
) -> None:
    if isinstance(reason, DeliveryNotConfiguredError):
        return  # nothing was tried: the next opportunity after the settings were mended will do
    wait = LICENCE_RETRY_S if isinstance(reason, LicenceRejectedError) else None
    if isinstance(reason, DeliveryDeferredError):
        wait = reason.retry_after
    outbox.postpone(db, waiting_parcel, str(reason), now, wait)


def _summarize(
    db: sqlite3.Connection, delivered: int = 0, refused: int = 0, error: str | None = None
) -> DeliverySummary:
    first = outbox.first_waiting(db)
    if first is not None and error is None:
        error = first.error
    return DeliverySummary(delivered, outbox.count_by_state(db, "waiting"), refused, error)


def _select_sender(home: Home, config: Config) -> SendParcel:
    if config.transmission.mode == "mail":
        return partial(smtp_sender.send, mailbox=smtp_mailbox(home, config))
    return partial(https_sender.send, destination=https_destination(home, config))


def https_destination(home: Home, config: Config) -> https_sender.HttpsDestination:
    """Where parcels go by HTTPS, and as whom. Raises NotConfigured."""
    https = licence_policy.apply_licence(home, config).transmission.https
    if not https.url:
        raise DeliveryNotConfiguredError(Message("delivery.url_missing"))
    certificate, private_key = licence_policy.find_client_certificate(home) or (None, None)
    return https_sender.HttpsDestination(
        url=https.url,
        ca_file=https.ca_file,
        # Without one the server decides: it answers that a certificate is wanted.
        certificate=certificate,
        private_key=private_key,
        proxy=https.proxy,
        proxy_username=https.proxy_username,
        proxy_password=https.proxy_password,
        plug_id=licence_policy.resolve_plug_id(home, config),
    )


def smtp_mailbox(home: Home, config: Config) -> smtp_sender.SmtpMailbox:
    """Where parcels go by mail. Raises NotConfigured."""
    settings = config.transmission.mail
    for key in ("host", "sender", "recipient"):
        if not getattr(settings, key):
            raise DeliveryNotConfiguredError(Message("delivery.mail_setting_missing", key=key))
    return smtp_sender.SmtpMailbox(
        host=settings.host,
        port=settings.port,
        sender=settings.sender,
        recipients=tuple(part.strip() for part in settings.recipient.split(",")),
        security=settings.security,
        ca_file=settings.ca_file,
        username=settings.username,
        password=settings.password,
        plug=config.plug.name,
        plug_id=licence_policy.resolve_plug_id(home, config),
        site=config.plug.site,
    )


def _parcel_name(plug: str, now: datetime) -> str:
    """`<plug>-<UTC time>`, in characters that every file system and mail server takes."""
    safe = re.sub(r"[^A-Za-z0-9-]+", "-", plug).strip("-")[:60] or "plug"
    return f"{safe}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
