"""The provider answers a certificate request with a licence, by HTTPS.

POST <enrolment URL> with the request as body, `Content-Type: application/x-pem-file` and `PrintMonitor-Plug`.
The first time `Authorization: Bearer <enrolment code>`; a renewal shows the certificate that it replaces.
200: the licence file. 202: not decided yet, ask again. 410: revoked. Others as for parcels.
"""

import asyncio
from dataclasses import replace
from datetime import datetime

from appliance.delivery import https_sender
from appliance.delivery.errors import DeliveryDeferredError, DeliveryNotConfiguredError, LicenceRejectedError
from appliance.domain.messages import Message, message_of
from appliance.host import file_lock, openssl
from appliance.licensing import csr, installer, status, verifier
from appliance.licensing.claims import Licence
from appliance.licensing.csr import Enrolment
from appliance.settings.schema import Config, Home

STATUS_PENDING, STATUS_REVOKED = 202, 410
URL_SETTING = "enrolment URL"


class EnrolmentPendingError(DeliveryDeferredError):
    """The provider has the request, and has not decided."""


class LicenceRevokedError(LicenceRejectedError):
    """The provider gives this Plug no licence any more."""


async def enrol(home: Home, config: Config, enrolment: Enrolment, now: datetime) -> Licence:
    """The first licence, for an enrolment code. Raises NotDelivered, BadLicence."""
    if problem := csr.code_problem(enrolment.code):
        raise DeliveryNotConfiguredError(problem)
    waiting = await asyncio.to_thread(csr.read_request, home.folder)
    plug_id = waiting.plug_id if waiting else csr.generate_plug_id()
    said = {"Authorization": f"Bearer {enrolment.code}"} if enrolment.code else {}
    return await _request_licence(home, _destination(home, config, enrolment.url, plug_id), said, now)


async def renew(home: Home, config: Config, licence: Licence, now: datetime) -> Licence:
    """The next licence, with a new key, in place of the present one, which a revocation ends.

    Raises NotDelivered, BadLicence.
    """
    if not licence.enrolment_url:
        raise DeliveryNotConfiguredError(Message("enrolment.no_url"))
    try:
        return await _request_licence(
            home, _destination(home, config, licence.enrolment_url, licence.plug_id), {}, now
        )
    except LicenceRevokedError as error:
        await asyncio.to_thread(installer.record_revocation, home.folder, licence, message_of(error), now)
        raise


async def _request_licence(
    home: Home, destination: https_sender.HttpsDestination, auth_headers: dict[str, str], now: datetime
) -> Licence:
    try:
        made = await asyncio.to_thread(csr.get_or_create, home.folder, destination.plug_id)
        headers = {"Content-Type": "application/x-pem-file", **auth_headers}
        reply = await https_sender.post(
            made.pem.encode(), headers, destination, max_body_bytes=verifier.MAX_LICENCE_BYTES + 1
        )
        if reply.status == STATUS_REVOKED:
            raise LicenceRevokedError(https_sender.explanation_line(reply) or Message("enrolment.refused"))
        if reply.status == STATUS_PENDING:
            raise EnrolmentPendingError(Message("enrolment.undecided"), reply.retry_after)
        https_sender.raise_for_reply(reply)
        return await asyncio.to_thread(installer.install, home.folder, reply.body, now)
    except (openssl.OpensslError, file_lock.LockBusyError, OSError) as error:
        raise DeliveryDeferredError(Message("enrolment.failed", reason=error)) from error


def _destination(home: Home, config: Config, url: str, plug_id: str) -> https_sender.HttpsDestination:
    https = config.transmission.https
    certificate, private_key = status.client_credentials(home.folder) or (None, None)
    plain = https_sender.HttpsDestination(
        url=url, certificate=certificate, private_key=private_key, plug_id=plug_id
    )
    return replace(
        plain,
        ca_file=https.ca_file,
        proxy=https.proxy,
        proxy_username=https.proxy_username,
        proxy_password=https.proxy_password,
        url_setting=URL_SETTING,
    )
