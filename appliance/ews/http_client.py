"""Request pages of a printer's embedded web server, bounded in time, size, number and host.

Printers have self-signed certificates, so these are not verified, and all input is untrusted. A password that
a printer rejected is not sent to it again, as printers lock themselves after some attempts.
"""

import asyncio
import base64
import ssl
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Self
from urllib.parse import urljoin, urlsplit

import aiohttp

from appliance.domain.messages import Message
from appliance.ews.errors import (
    EwsConnectionError,
    EwsLoginRejectedError,
    EwsLoginRequiredError,
    EwsUnavailableError,
)
from appliance.ews.models import EwsCredentials, EwsPorts, UrlScheme

MAX_BODY_BYTES = 1 << 20  # a page has tens of kilobytes
MAX_REDIRECTS = 4  # in a row; to HTTPS, then to a start page, then to a language
MAX_REQUESTS = 16  # per visit; a login takes six
MAX_COOKIES = 30
REQUEST_TIMEOUT_S = 10.0  # a sleeping printer needs some seconds to build a page
TOTAL_TIMEOUT_S = 25.0  # per visit
TLS_PROBE_TIMEOUT_S = 3.0  # to detect HTTPS

REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
METHOD_PRESERVING_STATUSES = frozenset({307, 308})  # these repeat a POST as it was (RFC 9110, section 15.4)
UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class EwsResponse:
    """A response after all redirects."""

    status: int
    path: str  # with its query
    body: bytes

    @property
    def text(self) -> str:
        try:
            return self.body.decode("utf-8")
        except UnicodeDecodeError:
            return self.body.decode("latin-1")


class EwsClient:
    """One visit to one printer, as an asynchronous context manager."""

    def __init__(
        self,
        host: str,
        ports: EwsPorts,
        credentials: EwsCredentials | None = None,
        *,
        scheme: UrlScheme = "http",
        credentials_rejected: bool = False,
        timeout_s: float = TOTAL_TIMEOUT_S,
    ) -> None:
        self.scheme: UrlScheme = scheme
        self.credentials_rejected = credentials_rejected  # by this printer, now or earlier
        self._host = host
        self._ports = ports
        self._credentials = credentials
        self._timeout_s = timeout_s
        self._requests = 0
        self._cookies: dict[str, str] = {}
        self._scheme_checked = False
        self._basic: dict[str, str] = {}
        self._digest: tuple[aiohttp.DigestAuthMiddleware, ...] = ()

    async def __aenter__(self) -> Self:
        self._deadline = asyncio.get_running_loop().time() + self._timeout_s
        self._jar = aiohttp.CookieJar(unsafe=True)  # "unsafe": also for hosts that are addresses
        self._session = aiohttp.ClientSession(
            cookie_jar=self._jar,
            auto_decompress=False,
            connector=aiohttp.TCPConnector(ssl=_tls_context(), limit=1),
            headers={"Accept-Encoding": "identity", "User-Agent": "PrintMonitor-Plug"},
            trust_env=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def get(self, path: str) -> EwsResponse:
        """Return a page, after HTTP authentication if the printer requires it. Raises EwsError."""
        return await self._request("GET", path)

    async def post(self, path: str, fields: Mapping[str, str]) -> EwsResponse:
        """Submit a form and return the response. Raises EwsError."""
        return await self._request("POST", path, fields)

    def require_credentials(self) -> EwsCredentials:
        """Return the credentials. Raises EwsLoginRequiredError if there are none to try."""
        if self.credentials_rejected:
            raise EwsLoginRejectedError(Message("ews.wrong_password"))
        if self._credentials is None:
            raise EwsLoginRequiredError(Message("ews.password_needed"))
        return self._credentials

    def rejected_error(self) -> EwsLoginRejectedError:
        """Record that the printer rejected the credentials, and return the error to raise."""
        self.credentials_rejected = True
        self._basic, self._digest = {}, ()
        return EwsLoginRejectedError(Message("ews.wrong_password"))

    async def switch_to_https(self) -> None:
        """Continue over HTTPS if the printer has it, before a password is sent."""
        if self.scheme == "https":
            return
        self.scheme = "https"
        try:
            await self._send("GET", self._url("/"), None, TLS_PROBE_TIMEOUT_S)
        except EwsUnavailableError:
            self.scheme = "http"

    def set_cookies(self, cookies: Mapping[str, str]) -> None:
        """Set cookies that a page's script would set."""
        self._cookies.update(cookies)

    async def _request(self, method: str, path: str, fields: Mapping[str, str] | None = None) -> EwsResponse:
        url = self._url(path)
        for _ in range(MAX_REDIRECTS + 2):
            reply = await self._send_with_scheme_fallback(method, url, fields)
            if reply.response.status == UNAUTHORIZED and reply.challenge:
                await self._authenticate(reply.challenge)
                url = self._url(reply.response.path)
            elif reply.response.status in REDIRECT_STATUSES and reply.location:
                url = self._resolve_redirect(url, reply.location)
                if reply.response.status not in METHOD_PRESERVING_STATUSES:
                    method, fields = "GET", None
            else:
                return reply.response
        raise EwsUnavailableError(Message("ews.endless_redirect"))

    async def _authenticate(self, challenge: str) -> None:
        """Send HTTP credentials from now on. Raises EwsLoginRejectedError if they were sent before."""
        if self._basic or self._digest:
            raise self.rejected_error()
        credentials = self.require_credentials()
        await self.switch_to_https()
        if challenge.lower().startswith("digest"):
            self._digest = (aiohttp.DigestAuthMiddleware(credentials.username, credentials.password),)
        else:
            pair = base64.b64encode(f"{credentials.username}:{credentials.password}".encode()).decode()
            self._basic = {"Authorization": f"Basic {pair}"}

    async def _send_with_scheme_fallback(
        self, method: str, url: str, fields: Mapping[str, str] | None
    ) -> "_RawResponse":
        """Send a request; try the other scheme if the first request of a visit gets no connection."""
        first, self._scheme_checked = not self._scheme_checked, True
        try:
            return await self._send(method, url, fields)
        except EwsConnectionError as error:
            if not first:
                raise
            self.scheme = "http" if self.scheme == "https" else "https"
            try:
                return await self._send(method, self._url(_path_and_query(url)), fields)
            except EwsUnavailableError:
                raise error from None

    async def _send(
        self, method: str, url: str, fields: Mapping[str, str] | None, timeout_s: float = REQUEST_TIMEOUT_S
    ) -> "_RawResponse":
        self._requests += 1
        if self._requests > MAX_REQUESTS:
            raise EwsUnavailableError(Message("ews.too_many_requests"))
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(min(self._deadline, now + timeout_s)):
                return await self._exchange(method, url, fields)
        except TimeoutError as error:
            raise EwsUnavailableError(Message("ews.timeout")) from error
        except aiohttp.ClientConnectorError as error:
            raise EwsConnectionError(Message("ews.no_connection")) from error
        except (aiohttp.ClientError, OSError, ValueError, zlib.error) as error:
            raise EwsUnavailableError(Message("ews.error", reason=type(error).__name__)) from error

    async def _exchange(self, method: str, url: str, fields: Mapping[str, str] | None) -> "_RawResponse":
        async with self._session.request(
            method,
            url,
            data=dict(fields) if fields is not None else None,
            cookies=self._cookies,
            allow_redirects=False,
            headers=self._basic,
            middlewares=self._digest,
        ) as response:
            if len(self._jar) > MAX_COOKIES:
                raise EwsUnavailableError(Message("ews.too_many_cookies"))
            return _RawResponse(
                EwsResponse(response.status, _path_and_query(url), await _read_body(response)),
                response.headers.get("Location", ""),
                response.headers.get("WWW-Authenticate", ""),
            )

    def _url(self, path: str) -> str:
        """Return the URL of a path on this printer; the host is never taken from a page."""
        port = self._ports.https if self.scheme == "https" else self._ports.http
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{self.scheme}://{host}:{port}/{path.lstrip('/')}"

    def _resolve_redirect(self, url: str, location: str) -> str:
        """Return the target of a redirect. Raises EwsUnavailableError if it is not on this printer."""
        try:
            target = urlsplit(urljoin(url, location))
            host, port = target.hostname, target.port
        except ValueError as error:
            raise EwsUnavailableError(Message("ews.redirect_nowhere")) from error
        if host != self._host:
            raise EwsUnavailableError(Message("ews.redirect_host"))
        if target.scheme == "http" and (port or 80) == self._ports.http:
            self.scheme = "http"
        elif target.scheme == "https" and (port or 443) == self._ports.https:
            self.scheme = "https"
        else:
            raise EwsUnavailableError(Message("ews.redirect_port"))
        return self._url(_path_and_query(target.geturl()))


@dataclass(frozen=True, slots=True)
class _RawResponse:
    response: EwsResponse
    location: str
    challenge: str


def _path_and_query(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


async def _read_body(response: aiohttp.ClientResponse) -> bytes:
    """Return the unpacked body; both sizes are bounded, as a kilobyte may unpack to a gigabyte."""
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_chunked(1 << 14):
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise EwsUnavailableError(Message("ews.too_large", limit_mb=MAX_BODY_BYTES >> 20))
        parts.append(part)
    body = b"".join(parts)
    encoding = response.headers.get("Content-Encoding", "identity").lower()
    if encoding == "identity" or not body:
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise EwsUnavailableError(Message("ews.unknown_encoding"))
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)  # 32: detect gzip or zlib
    unpacked = unpacker.decompress(body, MAX_BODY_BYTES + 1)
    if len(unpacked) > MAX_BODY_BYTES:
        raise EwsUnavailableError(Message("ews.too_large", limit_mb=MAX_BODY_BYTES >> 20))
    return unpacked


@cache
def _tls_context() -> ssl.SSLContext:
    """Return a TLS context for printers, whose certificates are self-signed and whose TLS may be obsolete."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.options |= 0x4  # SSL_OP_LEGACY_SERVER_CONNECT, which Python names from 3.12 on
    return context
