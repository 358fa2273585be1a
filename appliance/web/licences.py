"""The licence: how it stands, the request for one, its installation, its way by HTTPS."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from appliance.delivery import enrolment_client
from appliance.delivery.errors import DeliveryDeferredError, DeliveryError, DeliveryNotConfiguredError
from appliance.domain.messages import Message, message_of
from appliance.host import file_lock, openssl
from appliance.licensing import csr, installer, status
from appliance.licensing.claims import InvalidLicenceError, Licence
from appliance.licensing.csr import Enrolment
from appliance.settings.schema import Home
from appliance.web.errors import ApiError, invalid_value, to_sentence
from appliance.web.handlers import ApiRequest, Download, Routes
from appliance.web.jobs import PollerClient
from appliance.web.json_fields import Json, JsonMapping, format_optional_timestamp, format_timestamp, get_str
from appliance.web.settings_store import SettingsStore


class LicenceApi:
    """The API of the licence."""

    def __init__(
        self, home: Home, settings: SettingsStore, poller: PollerClient, clock: Callable[[], datetime]
    ) -> None:
        self._home = home
        self._settings = settings
        self._poller = poller
        self._clock = clock
        self._enrolment_lock = asyncio.Lock()

    def routes(self) -> Routes:
        return [
            ("GET", "/api/licence", self._get_licence),
            ("PUT", "/api/licence", self._install_licence),
            ("POST", "/api/licence/request", self._download_csr),
            ("POST", "/api/licence/enrolment", self._enrol_licence),
        ]

    async def _get_licence(self, _request: ApiRequest) -> JsonMapping:
        return await asyncio.to_thread(self._serialize_licence_details)

    async def _install_licence(self, request: ApiRequest) -> JsonMapping:
        data = (get_str(request.body, "licence") or "").encode()
        try:
            await asyncio.to_thread(installer.install, self._home.folder, data, self._clock())
        except InvalidLicenceError as error:
            raise invalid_value(error, "licence") from error
        except file_lock.LockBusyError as error:
            raise _licence_busy_error() from error
        self._poller.wake()
        return await asyncio.to_thread(self._serialize_licence_details)

    async def _download_csr(self, _request: ApiRequest) -> Download:
        try:
            made = await asyncio.to_thread(self._load_or_create_csr)
        except file_lock.LockBusyError as error:
            raise _licence_busy_error() from error
        except openssl.OpensslError as error:
            raise ApiError(409, to_sentence(Message("licence.no_request", reason=error))) from error
        return Download(f"{made.plug_id}-request.pem", "application/x-pem-file", made.pem.encode())

    async def _enrol_licence(self, request: ApiRequest) -> JsonMapping:
        if self._enrolment_lock.locked():
            raise ApiError(503, Message("enrolment.running"), code="busy")
        line: str
        async with self._enrolment_lock:
            try:
                found = await self._enrol_or_renew(
                    get_str(request.body, "url"), get_str(request.body, "code")
                )
            except DeliveryNotConfiguredError as error:
                raise invalid_value(error, "url") from error
            except enrolment_client.EnrolmentPendingError as error:
                ok, line = True, Message("enrolment.repeated", reason=error)
            except (DeliveryError, InvalidLicenceError) as error:
                ok, line = False, message_of(error)
            else:
                ok, line = True, Message("licence.installed", customer=found.customer)
        self._poller.wake()
        return {
            "ok": ok,
            "text": to_sentence(line),
            "licence": await asyncio.to_thread(self._serialize_licence_details),
        }

    async def _enrol_or_renew(self, url: str | None, code: str | None) -> Licence:
        """A new licence, or the next one. Raises NotDelivered, BadLicence."""
        config, now = self._settings.current, self._clock()
        present = (await asyncio.to_thread(status.get_status, self._home.folder, now)).licence
        if present and present.enrolment_url and code is None and url in (None, present.enrolment_url):
            return await enrolment_client.renew(self._home, config, present, now)
        known = csr.load_enrolment(self._home.folder) or Enrolment("", "")
        enrolment = Enrolment(known.url if url is None else url, known.code if code is None else code)
        if not enrolment.url:
            raise DeliveryNotConfiguredError(Message("enrolment.url_missing"))
        try:
            return await enrolment_client.enrol(self._home, config, enrolment, now)
        except DeliveryDeferredError:
            csr.save_enrolment(self._home.folder, enrolment)  # the poller asks again
            raise

    def _load_or_create_csr(self) -> csr.CertificateRequest:
        """The request that waits, or a new one."""
        present = status.get_status(self._home.folder, self._clock()).licence
        waiting = csr.read_request(self._home.folder)
        plug_id = present.plug_id if present else waiting.plug_id if waiting else csr.generate_plug_id()
        return csr.get_or_create(self._home.folder, plug_id)

    def _serialize_licence_details(self) -> dict[str, Json]:
        standing = status.get_status(self._home.folder, self._clock())
        waiting, enrolment = csr.read_request(self._home.folder), csr.load_enrolment(self._home.folder)
        return {
            "state": standing.state,
            "text": to_sentence(standing.text),
            "sends": standing.allows_sending,
            **_serialize_claims(standing.licence),
            "request": {"plug_id": waiting.plug_id, "made_at": format_timestamp(waiting.made_at)}
            if waiting
            else None,
            "asked_at": enrolment.url if enrolment else None,
        }


def serialize_licence(home: Home, now: datetime) -> dict[str, Json]:
    """Licence, as openapi.json has it."""
    standing = status.get_status(home.folder, now)
    found = standing.licence
    return {
        "state": standing.state,
        "text": to_sentence(standing.text),
        "valid_until": format_timestamp(found.valid_until) if found else None,
        "customer": found.customer if found else None,
        "printers": found.printers if found else None,
    }


def _serialize_claims(claims: Licence | None) -> dict[str, Json]:
    return {
        "plug_id": claims.plug_id if claims else None,
        "customer": claims.customer if claims else None,
        "partner": (claims.partner or None) if claims else None,
        "printers": claims.printers if claims else None,
        "valid_from": format_optional_timestamp(claims.valid_from if claims else None),
        "valid_until": format_optional_timestamp(claims.valid_until if claims else None),
        "upload_url": claims.upload_url if claims else None,
        "enrolment_url": (claims.enrolment_url or None) if claims else None,
    }


def _licence_busy_error() -> ApiError:
    return ApiError(503, Message("licence.locked"), code="busy")
