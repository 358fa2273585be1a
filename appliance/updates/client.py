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

from appliance import https
from appliance.config import Config
from appliance.updates import bundles
from appliance.wording import chain, one_line, why

CONNECT_SECONDS = 30.0
ANSWER_SECONDS = 60.0
STALL_SECONDS = 60.0  # without a byte, while a bundle comes
PIECE = 256 << 10  # bytes: a memory card likes large pieces


class NotFetched(Exception):
    """Nothing came, or nothing that can be used; the text is one clear line."""


class Answered(NotFetched):
    """The server said no, with its status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    etag: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Client:
    """How a server is reached, and as whom."""

    ca_file: str = ""  # "": the system's roots
    proxy: str = ""
    proxy_username: str = ""
    proxy_password: str = field(default="", repr=False)
    origin: str = ""  # scheme://host:port that may see the authorisation
    authorisation: str = field(default="", repr=False)

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Return a client that goes by the proxy of the transmission."""
        https = config.transmission.https
        return cls(
            ca_file=config.update.ca_file,
            proxy=https.proxy,
            proxy_username=https.proxy_username,
            proxy_password=https.proxy_password,
        )

    async def get(self, url: str, *, most: int, etag: str = "") -> Reply:
        """A 200, or a 304 for the ETag. Raises NotFetched."""
        headers = {"If-None-Match": etag} if etag else {}
        async with self._asked("GET", url, headers, seconds=ANSWER_SECONDS) as response:
            if response.status == 304 and etag:
                return Reply(304, etag, b"")
            await _must_be_good(response)
            body = await _read(response, most)
            return Reply(response.status, response.headers.get("ETag", ""), body)

    async def send(self, method: str, url: str, body: Mapping[str, object]) -> None:
        """JSON to where a 2xx is the answer. Raises NotFetched."""
        headers = {"Content-Type": "application/json"}
        data = json.dumps(body).encode()
        async with self._asked(method, url, headers, seconds=ANSWER_SECONDS, data=data) as response:
            await _must_be_good(response)

    async def fetch(self, url: str, folder: Path, *, size: int | None, sha256: str) -> None:
        """A bundle into its place; nothing of it stays if it is not what was said. Raises NotFetched."""
        digest = hashlib.sha256()
        async with self._asked("GET", url, {}, seconds=None) as response:
            await _must_be_good(response)
            try:
                with bundles.arriving(
                    folder, size if size is not None else response.content_length
                ) as bundle:
                    async for piece in response.content.iter_chunked(PIECE):
                        digest.update(piece)
                        await asyncio.to_thread(bundle.write, piece)
                    if size is not None and bundle.size != size:
                        raise NotFetched(f"{bundle.size:,} bytes came, {size:,} were announced")
                    if sha256 and digest.hexdigest() != sha256.lower():
                        raise NotFetched("what came is not what was announced: its checksum is another one")
            except bundles.NotKept as error:
                raise NotFetched(str(error)) from error

    @asynccontextmanager
    async def _asked(
        self, method: str, url: str, headers: Mapping[str, str], *, seconds: float | None, data: bytes = b""
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        timeout = aiohttp.ClientTimeout(
            total=seconds, connect=CONNECT_SECONDS, sock_connect=CONNECT_SECONDS, sock_read=STALL_SECONDS
        )
        ours = {"User-Agent": https.USER_AGENT, "Accept-Encoding": "identity", **headers}
        if self.authorisation and origin(url) == self.origin:
            ours["Authorization"] = self.authorisation
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session,
                session.request(
                    method,
                    url,
                    data=data or None,
                    headers=ours,
                    ssl=self._tls(),
                    max_redirects=5,
                    proxy=self.proxy or None,
                    proxy_headers=https.proxy_headers(self.proxy_username, self.proxy_password),
                ) as response,
            ):
                yield response
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise NotFetched(_why(error, url)) from error

    def _tls(self) -> ssl.SSLContext:
        try:
            return https.trusting(self.ca_file)
        except (OSError, ValueError) as error:
            raise NotFetched(f"update.ca_file {self.ca_file}: {why(error)}") from error


def origin(url: str) -> str:
    """Scheme, host and port (RFC 6454): who else is at the host is somebody else."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
        return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"
    except ValueError:
        return ""


async def _must_be_good(response: aiohttp.ClientResponse) -> None:
    if not 200 <= response.status < 300:
        said = one_line(response.reason or "")
        raise Answered(response.status, f"{response.url.host}: the server said {response.status} {said}")


async def _read(response: aiohttp.ClientResponse, most: int) -> bytes:
    body = bytearray()
    while piece := await response.content.read(PIECE):
        body += piece
        if len(body) > most:
            raise NotFetched(f"{response.url.host}: the answer is larger than {most} bytes")
    return bytes(body)


def _why(error: Exception, url: str) -> str:
    host = urlsplit(url).hostname or ""
    refused = [each for each in chain(error) if _is_untrusted(each)]
    match error:
        case _ if refused:
            reason = f"{host}: TLS certificate not trusted: {one_line(refused[0].verify_message)}"
        case aiohttp.ClientHttpProxyError():
            reason = f"the proxy said {error.status} {one_line(error.message)}"
        case aiohttp.ClientConnectorDNSError():
            reason = f"{host}: name not resolved"
        case aiohttp.ClientConnectorError():
            reason = f"{error.host}:{error.port}: {why(error.os_error)}"
        case aiohttp.ServerDisconnectedError() | ConnectionError() | aiohttp.ClientPayloadError():
            reason = f"{host}: cut the line before all was there"
        case TimeoutError():
            reason = f"{host}: timed out"
        case _:
            reason = f"{host}: {why(error)}"
    return reason


def _is_untrusted(error: BaseException) -> TypeGuard[ssl.SSLCertVerificationError]:
    """What OpenSSL said itself, not aiohttp's wrapping of it."""
    return isinstance(error, ssl.SSLCertVerificationError) and not isinstance(error, aiohttp.ClientError)
