"""The licence: how it stands, the request for one, its installation, its way by HTTPS."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from appliance.config import Home
from appliance.delivery import enrol
from appliance.delivery.undelivered import NotConfigured, NotDelivered, TryLater
from appliance.licence import install, request, state
from appliance.licence.request import Enrolment
from appliance.licence.terms import BadLicence, Licence
from appliance.system import lock, openssl
from appliance.web.api import Asked, Download, Routes
from appliance.web.jobs import Poller
from appliance.web.settings import Settings
from appliance.web.times import maybe_stamp, stamp
from appliance.web.trouble import Trouble, sentence, wrong
from appliance.web.values import Json, Object, text


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
            await asyncio.to_thread(install.install, self._home.folder, data, self._clock())
        except BadLicence as error:
            raise wrong(f"licence: {sentence(str(error))}", "licence") from error
        except lock.Busy as error:
            raise _busy() from error
        self._poller.wake()
        return await asyncio.to_thread(self._details)

    async def _request(self, _asked: Asked) -> Download:
        try:
            made = await asyncio.to_thread(self._made)
        except lock.Busy as error:
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
            except enrol.Undecided as error:
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
        present = (await asyncio.to_thread(state.status, self._home.folder, now)).licence
        if present and present.enrolment_url and code is None and url in (None, present.enrolment_url):
            return await enrol.renew(self._home, config, present, now)
        known = request.remembered(self._home.folder) or Enrolment("", "")
        enrolment = Enrolment(known.url if url is None else url, known.code if code is None else code)
        if not enrolment.url:
            raise NotConfigured("the provider's address for enrolments is missing")
        try:
            return await enrol.enrol(self._home, config, enrolment, now)
        except TryLater:
            request.remember(self._home.folder, enrolment)  # the poller asks again
            raise

    def _made(self) -> request.Request:
        """The request that waits, or a new one."""
        present = state.status(self._home.folder, self._clock()).licence
        waiting = request.read(self._home.folder)
        plug_id = present.plug_id if present else waiting.plug_id if waiting else request.new_plug_id()
        return request.make(self._home.folder, plug_id)

    def _details(self) -> dict[str, Json]:
        standing = state.status(self._home.folder, self._clock())
        waiting, enrolment = request.read(self._home.folder), request.remembered(self._home.folder)
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
    standing = state.status(home.folder, now)
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
