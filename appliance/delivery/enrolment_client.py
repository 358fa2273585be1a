"""The provider answers a certificate request with a licence, by HTTPS.

POST <enrolment URL> with the request as body, `Content-Type: application/x-pem-file` and `PrintMonitor-Plug`.
The first time `Authorization: Bearer <enrolment code>`; a renewal shows the certificate that it replaces.
200: the licence file. 202: not decided yet, ask again. 410: revoked. Others as for parcels.
"""

import asyncio
from dataclasses import replace
from datetime import datetime

from appliance.delivery import https_sender
from appliance.delivery.errors import LicenceTrouble, NotConfigured, TryLater
from appliance.host import file_lock, openssl
from appliance.licensing import csr, installer, status, verifier
from appliance.licensing.claims import Licence
from appliance.licensing.csr import Enrolment
from appliance.settings.schema import Config, Home

UNDECIDED, GONE = 202, 410
CALLED = "the enrolment URL"


class Undecided(TryLater):
    """The provider has the request, and has not decided."""


class Revoked(LicenceTrouble):
    """The provider gives this Plug no licence any more."""


async def enrol(home: Home, config: Config, enrolment: Enrolment, now: datetime) -> Licence:
    """The first licence, for an enrolment code. Raises NotDelivered, BadLicence."""
    if problem := csr.wrong_code(enrolment.code):
        raise NotConfigured(problem)
    waiting = await asyncio.to_thread(csr.read, home.folder)
    plug_id = waiting.plug_id if waiting else csr.new_plug_id()
    said = {"Authorization": f"Bearer {enrolment.code}"} if enrolment.code else {}
    return await _ask(home, _destination(home, config, enrolment.url, plug_id), said, now)


async def renew(home: Home, config: Config, found: Licence, now: datetime) -> Licence:
    """The next licence, with a new key, in place of the present one, which a revocation ends.

    Raises NotDelivered, BadLicence.
    """
    if not found.enrolment_url:
        raise NotConfigured("the licence has no enrolment URL: the next one comes by file")
    try:
        return await _ask(home, _destination(home, config, found.enrolment_url, found.plug_id), {}, now)
    except Revoked as error:
        await asyncio.to_thread(installer.revoke, home.folder, found, str(error), now)
        raise


async def _ask(
    home: Home, destination: https_sender.Destination, said: dict[str, str], now: datetime
) -> Licence:
    try:
        made = await asyncio.to_thread(csr.make, home.folder, destination.plug_id)
        headers = {"Content-Type": "application/x-pem-file", **said}
        reply = await https_sender.post(
            made.pem.encode(), headers, destination, wanted=verifier.MOST_BYTES + 1
        )
        if reply.status == GONE:
            raise Revoked(
                https_sender.first_line(reply) or "the provider gives this Plug no licence any more"
            )
        if reply.status == UNDECIDED:
            raise Undecided("the provider has the request, and has not decided yet", reply.retry_after)
        https_sender.judge(reply)
        return await asyncio.to_thread(installer.install, home.folder, reply.body, now)
    except (openssl.Failed, file_lock.Busy, OSError) as error:
        raise TryLater(f"the licence could not be asked for or kept: {error}") from error


def _destination(home: Home, config: Config, url: str, plug_id: str) -> https_sender.Destination:
    https = config.transmission.https
    certificate, private_key = status.credentials(home.folder) or (None, None)
    plain = https_sender.Destination(
        url=url, certificate=certificate, private_key=private_key, plug_id=plug_id
    )
    return replace(
        plain,
        ca_file=https.ca_file,
        proxy=https.proxy,
        proxy_username=https.proxy_username,
        proxy_password=https.proxy_password,
        called=CALLED,
    )
