"""Talks HTTP to channels and fleet servers: bounded, verified, through the proxy if need be."""

import asyncio
import hashlib
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypeGuard
from urllib.parse import urlsplit

import aiohttp

from appliance.domain.messages import Message, message_of
from appliance.net import tls_context
from appliance.net.text_sanitizer import describe_error, exception_chain, one_line
from appliance.settings.schema import Config
from appliance.updates import bundle_store

CONNECT_TIMEOUT_S = 30.0
RESPONSE_TIMEOUT_S = 60.0
STALL_TIMEOUT_S = 60.0  # without a byte, while a bundle comes
CHUNK_BYTES = 256 << 10  # bytes: a memory card likes large pieces


class UpdateFetchError(Exception):
    """Nothing came, or nothing that can be used; the text is one clear line."""


class UpdateServerStatusError(UpdateFetchError):
    """The server said no, with its status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class FetchResponse:
    status: int
    etag: str
    body: bytes


@dataclass(frozen=True, slots=True)
class UpdateClient:
    """How a server is reached, and as whom."""

    ca_file: str = ""  # "": the system's roots
    proxy: str = ""
    proxy_username: str = ""
    proxy_password: str = field(default="", repr=False)
    origin: str = ""  # scheme://host:port that may see the authorisation
    authorisation: str = field(default="", repr=False)

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Return a client that uses the proxy of the transmission settings and update.ca_file."""
        https = config.transmission.https
        return cls(
            ca_file=config.update.ca_file,
            proxy=https.proxy,
            proxy_username=https.proxy_username,
            proxy_password=https.proxy_password,
        )

    async def get(self, url: str, *, max_bytes: int, etag: str = "") -> FetchResponse:
        """A 200, or a 304 for the ETag. Raises NotFetched."""
        headers = {"If-None-Match": etag} if etag else {}
        async with self._send_request("GET", url, headers, timeout_s=RESPONSE_TIMEOUT_S) as response:
            if response.status == 304 and etag:
                return FetchResponse(304, etag, b"")
            await _raise_for_status(response)
            body = await _read_body(response, max_bytes)
            return FetchResponse(response.status, response.headers.get("ETag", ""), body)

    async def send(self, method: str, url: str, body: Mapping[str, object]) -> None:
        """JSON to where a 2xx is the answer. Raises NotFetched."""
        headers = {"Content-Type": "application/json"}
        data = json.dumps(body).encode()
        async with self._send_request(
            method, url, headers, timeout_s=RESPONSE_TIMEOUT_S, data=data
        ) as response:
            await _raise_for_status(response)

    async def fetch_bundle(self, url: str, folder: Path, *, size: int | None, sha256: str) -> None:
        """A bundle into its place; nothing of it stays if it is not what was said. Raises NotFetched."""
        digest = hashlib.sha256()
        async with self._send_request("GET", url, {}, timeout_s=None) as response:
            await _raise_for_status(response)
            try:
                with bundle_store.receive_bundle(
                    folder, size if size is not None else response.content_length
                ) as bundle:
                    async for piece in response.content.iter_chunked(CHUNK_BYTES):
                        digest.update(piece)
                        await asyncio.to_thread(bundle.write, piece)
                    if size is not None and bundle.size != size:
                        raise UpdateFetchError(Message("download.size", received=bundle.size, announced=size))
                    if sha256 and digest.hexdigest() != sha256.lower():
                        raise UpdateFetchError(Message("download.checksum"))
            except bundle_store.BundleStoreError as error:
                raise UpdateFetchError(message_of(error)) from error

    @asynccontextmanager
    async def _send_request(
        self, method: str, url: str, headers: Mapping[str, str], *, timeout_s: float | None, data: bytes = b""
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        timeout = aiohttp.ClientTimeout(
            total=timeout_s,
            connect=CONNECT_TIMEOUT_S,
            sock_connect=CONNECT_TIMEOUT_S,
            sock_read=STALL_TIMEOUT_S,
        )
        ours = {"User-Agent": tls_context.USER_AGENT, "Accept-Encoding": "identity", **headers}
        if self.authorisation and url_origin(url) == self.origin:
            ours["Authorization"] = self.authorisation
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session,
                session.request(
                    method,
                    url,
                    data=data or None,
                    headers=ours,
                    ssl=self._ssl_context(),
                    max_redirects=5,
                    proxy=self.proxy or None,
                    proxy_headers=tls_context.proxy_headers(self.proxy_username, self.proxy_password),
                ) as response,
            ):
                yield response
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise UpdateFetchError(_describe_fetch_error(error, url)) from error

    def _ssl_context(self) -> ssl.SSLContext:
        try:
            return tls_context.client_context(self.ca_file)
        except (OSError, ValueError) as error:
            raise UpdateFetchError(
                Message("pair", first=f"update.ca_file {self.ca_file}", second=describe_error(error))
            ) from error


def url_origin(url: str) -> str:
    """Scheme, host and port (RFC 6454): who else is at the host is somebody else."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
        return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"
    except ValueError:
        return ""


async def _raise_for_status(response: aiohttp.ClientResponse) -> None:
    if not 200 <= response.status < 300:
        said = one_line(response.reason or "")
        raise UpdateServerStatusError(
            response.status,
            Message("download.status", host=response.url.host, status=response.status, reason=said),
        )


async def _read_body(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    body = bytearray()
    while piece := await response.content.read(CHUNK_BYTES):
        body += piece
        if len(body) > max_bytes:
            raise UpdateFetchError(Message("download.too_large", host=response.url.host, limit=max_bytes))
    return bytes(body)


def _describe_fetch_error(error: Exception, url: str) -> str:
    host = urlsplit(url).hostname or ""
    refused = [each for each in exception_chain(error) if _is_certificate_error(each)]
    match error:
        case _ if refused:
            reason = Message(
                "net.certificate_not_trusted", host=host, reason=one_line(refused[0].verify_message)
            )
        case aiohttp.ClientHttpProxyError():
            reason = Message("http.proxy_status", status=error.status, reason=one_line(error.message))
        case aiohttp.ClientConnectorDNSError():
            reason = Message("net.name_not_resolved", host=host)
        case aiohttp.ClientConnectorError():
            reason = Message(
                "pair", first=f"{error.host}:{error.port}", second=describe_error(error.os_error)
            )
        case aiohttp.ServerDisconnectedError() | ConnectionError() | aiohttp.ClientPayloadError():
            reason = Message("download.cut_off", host=host)
        case TimeoutError():
            reason = Message("net.timeout", host=host)
        case _:
            reason = Message("pair", first=host, second=describe_error(error))
    return reason


def _is_certificate_error(error: BaseException) -> TypeGuard[ssl.SSLCertVerificationError]:
    """What OpenSSL said itself, not aiohttp's wrapping of it."""
    return isinstance(error, ssl.SSLCertVerificationError) and not isinstance(error, aiohttp.ClientError)
