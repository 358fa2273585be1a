"""The provider's enrolment over HTTPS: a code buys the first licence, its certificate the next ones."""

import asyncio
import ssl
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Self

from aiohttp import web

from tests.provider.authority import YEAR, Authority, Refused

PATH = "/enrol"
MOST_BYTES = 16_384
BEFORE = timedelta(hours=1)  # a Plug's clock may be a little slow


@dataclass(frozen=True)
class Fault:
    """How a request is answered instead."""

    status: int
    text: str = ""
    body: bytes | None = None


@dataclass
class Offer:
    """What a licence of this provider says."""

    upload_url: str
    customer: str = "Example AG"
    partner: str = "Example Partner"
    printers: int = 50
    transmission_key: str = "key-of-the-example"
    lasts: timedelta = YEAR
    more: Mapping[str, object] = field(default_factory=dict)


class Enrolment:
    """`async with Enrolment(authority, codes, offer) as server:`, then `server.url`."""

    def __init__(self, authority: Authority, codes: set[str], offer: Offer, port: int = 0) -> None:
        self.authority, self.codes, self.offer, self.port = authority, codes, offer, port
        self.asked: list[tuple[str, str, int]] = []  # plug id in the certificate or "", code, status
        self.issued: list[bytes] = []
        self.faults: deque[Fault] = deque()
        self._one_at_a_time = asyncio.Lock()  # `openssl ca` writes one index
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}{PATH}"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=MOST_BYTES)
        app.router.add_post(PATH, self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self._tls(), reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def _tls(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.authority.server.certificate, self.authority.server.key)
        context.load_verify_locations(self.authority.ca_file)
        context.verify_mode = ssl.CERT_OPTIONAL  # the first time a Plug has none
        return context

    async def _answer(self, request: web.Request) -> web.Response:
        code = request.headers.get("Authorization", "").removeprefix("Bearer ")
        shown = _common_name(request)
        body = await request.read()
        async with self._one_at_a_time:
            if self.faults:
                fault = self.faults.popleft()
                content = fault.body if fault.body is not None else fault.text.encode()
                response = web.Response(status=fault.status, body=content)
            else:
                response = await asyncio.to_thread(self._judge, body, code, shown)
        self.asked.append((shown, code, response.status))
        return response

    def _judge(self, body: bytes, code: str, shown: str) -> web.Response:
        try:
            plug_id = self.authority.plug_id(body)
            if plug_id in self.authority.revoked():
                return web.Response(status=410, text="the contract has ended")
            if shown != plug_id and code not in self.codes:
                return web.Response(status=403, text="unknown enrolment code")
            licence = self._licence(body)
        except Refused as error:
            return web.Response(status=422, text=str(error).splitlines()[0])
        self.codes.discard(code)
        self.issued.append(licence)
        return web.Response(body=licence, content_type="application/x-pem-file")

    def _licence(self, request: bytes) -> bytes:
        now, offer = datetime.now(UTC), self.offer
        terms = {
            "customer": offer.customer,
            "partner": offer.partner,
            "printers": offer.printers,
            "upload_url": offer.upload_url,
            "transmission_key": offer.transmission_key,
            "enrolment_url": self.url,
            **offer.more,
        }
        return self.authority.licence(request, terms, now - BEFORE, now + offer.lasts)


def _common_name(request: web.Request) -> str:
    certificate = request.transport.get_extra_info("peercert") if request.transport else None
    subject = certificate.get("subject", ()) if certificate else ()
    return next((value for part in subject for name, value in part if name == "commonName"), "")
