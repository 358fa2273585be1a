"""The licence: how it stands, the request for one, its installation, its way by HTTPS."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from appliance.delivery import enrolment_client
from appliance.delivery.errors import NotConfigured, NotDelivered, TryLater
from appliance.host import file_lock, openssl
from appliance.licensing import csr, installer, status
from appliance.licensing.claims import BadLicence, Licence
from appliance.licensing.csr import Enrolment
from appliance.settings.schema import Home
from appliance.web.errors import Trouble, sentence, wrong
from appliance.web.handlers import Asked, Download, Routes
from appliance.web.jobs import Poller
from appliance.web.json_fields import Json, Object, text
from appliance.web.settings_store import Settings
from appliance.web.timestamps import maybe_stamp, stamp


class Licences:
    """The API of the licence."""

    def __init__(self, home: Home, settings: Settings, poller: Poller, clock: Callable[[], datetime]) -> None:
        self._home = home
        self._settings = settings
        self._poller = poller
        self._clock = clock
        self._asking = asyncio.Lock()

    def routes(self) -> Routes:
        return [
            ("GET", "/api/licence", self._show),
            ("PUT", "/api/licence", self._install),
            ("POST", "/api/licence/request", self._request),
            ("POST", "/api/licence/enrolment", self._enrol),
        ]

    async def _show(self, _asked: Asked) -> Object:
        return await asyncio.to_thread(self._details)

    async def _install(self, asked: Asked) -> Object:
        data = (text(asked.body, "licence") or "").encode()
        try:
            await asyncio.to_thread(installer.install, self._home.folder, data, self._clock())
        except BadLicence as error:
            raise wrong(f"licence: {sentence(str(error))}", "licence") from error
        except file_lock.Busy as error:
            raise _busy() from error
        self._poller.wake()
        return await asyncio.to_thread(self._details)

    async def _request(self, _asked: Asked) -> Download:
        try:
            made = await asyncio.to_thread(self._made)
        except file_lock.Busy as error:
            raise _busy() from error
        except openssl.Failed as error:
            raise Trouble(409, sentence(f"no request can be made: {error}")) from error
        return Download(f"{made.plug_id}-request.pem", "application/x-pem-file", made.pem.encode())

    async def _enrol(self, asked: Asked) -> Object:
        if self._asking.locked():
            raise Trouble(503, "The provider is being asked already.", code="busy")
        async with self._asking:
            try:
                found = await self._ask(text(asked.body, "url"), text(asked.body, "code"))
            except NotConfigured as error:
                raise wrong(f"url: {sentence(str(error))}", "url") from error
            except enrolment_client.Undecided as error:
                ok, line = True, f"{error}: it is asked again by itself"
            except (NotDelivered, BadLicence) as error:
                ok, line = False, str(error)
            else:
                ok, line = True, f"the licence of {found.customer} is installed"
        self._poller.wake()
        return {"ok": ok, "text": sentence(line), "licence": await asyncio.to_thread(self._details)}

    async def _ask(self, url: str | None, code: str | None) -> Licence:
        """A new licence, or the next one. Raises NotDelivered, BadLicence."""
        config, now = self._settings.now, self._clock()
        present = (await asyncio.to_thread(status.status, self._home.folder, now)).licence
        if present and present.enrolment_url and code is None and url in (None, present.enrolment_url):
            return await enrolment_client.renew(self._home, config, present, now)
        known = csr.remembered(self._home.folder) or Enrolment("", "")
        enrolment = Enrolment(known.url if url is None else url, known.code if code is None else code)
        if not enrolment.url:
            raise NotConfigured("the provider's address for enrolments is missing")
        try:
            return await enrolment_client.enrol(self._home, config, enrolment, now)
        except TryLater:
            csr.remember(self._home.folder, enrolment)  # the poller asks again
            raise

    def _made(self) -> csr.Request:
        """The request that waits, or a new one."""
        present = status.status(self._home.folder, self._clock()).licence
        waiting = csr.read(self._home.folder)
        plug_id = present.plug_id if present else waiting.plug_id if waiting else csr.new_plug_id()
        return csr.make(self._home.folder, plug_id)

    def _details(self) -> dict[str, Json]:
        standing = status.status(self._home.folder, self._clock())
        waiting, enrolment = csr.read(self._home.folder), csr.remembered(self._home.folder)
        return {
            "state": standing.state,
            "text": sentence(standing.text),
            "sends": standing.sends,
            **_facts(standing.licence),
            "request": {"plug_id": waiting.plug_id, "made_at": stamp(waiting.made_at)} if waiting else None,
            "asked_at": enrolment.url if enrolment else None,
        }


def licence(home: Home, now: datetime) -> dict[str, Json]:
    """Licence, as openapi.json has it."""
    standing = status.status(home.folder, now)
    found = standing.licence
    return {
        "state": standing.state,
        "text": sentence(standing.text),
        "valid_until": stamp(found.valid_until) if found else None,
        "customer": found.customer if found else None,
        "printers": found.printers if found else None,
    }


def _facts(found: Licence | None) -> dict[str, Json]:
    return {
        "plug_id": found.plug_id if found else None,
        "customer": found.customer if found else None,
        "partner": (found.partner or None) if found else None,
        "printers": found.printers if found else None,
        "valid_from": maybe_stamp(found.valid_from if found else None),
        "valid_until": maybe_stamp(found.valid_until if found else None),
        "upload_url": found.upload_url if found else None,
        "enrolment_url": (found.enrolment_url or None) if found else None,
    }


def _busy() -> Trouble:
    return Trouble(503, "The licence is being changed just now. Please try again.", code="busy")
