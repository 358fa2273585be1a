"""A printer's web server: HTTP and HTTPS at a loopback address, with the faults of hostile ones."""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qsl, urlsplit

import trustme

PHRASES = {
    200: "OK",
    302: "Found",
    307: "Temporary Redirect",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
}


@dataclass(frozen=True)
class Request:
    """What a visitor sent."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    form: Mapping[str, str]
    secure: bool

    @property
    def cookies(self) -> dict[str, str]:
        pairs = (part.strip().partition("=") for part in self.headers.get("cookie", "").split(";"))
        return {name: value.strip('"') for name, _, value in pairs if name}

    @property
    def target(self) -> str:
        return self.path + ("?" + "&".join(f"{k}={v}" for k, v in self.query.items()) if self.query else "")


@dataclass
class Response:
    """What goes back; `drip` sends a byte each so many seconds, `endless` never ends the body."""

    body: bytes | str = b""
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    drip: float = 0.0
    endless: bool = False
    raw: bytes | None = None  # instead of all that


Handler = Callable[[Request], Response]


class Website:
    """`async with Website(handler, "127.0.9.1") as site:`, then its ports `site.http`, `site.https`."""

    def __init__(self, handler: Handler, address: str, *, plain: bool = True, tls: bool = True) -> None:
        self.handler = handler
        self.address = address
        self.http = self.https = 0
        self.requests: list[Request] = []
        self.sent = 0  # bytes of bodies
        self._plain, self._tls = plain, tls
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self.http = await self._listen(None) if self._plain else await self._free()
        self.https = await self._listen(_certificate()) if self._tls else await self._free()
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def paths(self) -> list[str]:
        return [f"{request.method} {request.target}" for request in self.requests]

    async def _listen(self, context: ssl.SSLContext | None) -> int:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            try:
                while await self._one(reader, writer, secure=context is not None):
                    pass
            except (OSError, asyncio.IncompleteReadError, ValueError, asyncio.CancelledError):
                pass
            finally:
                writer.transport.abort()

        server = await asyncio.start_server(serve, self.address, 0, ssl=context)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def _free(self) -> int:
        """A port where nobody listens."""
        server = await asyncio.start_server(lambda *_: None, self.address, 0)
        port = int(server.sockets[0].getsockname()[1])
        server.close()
        return port

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, secure: bool) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {
            name.lower(): value.strip()
            for name, mark, value in (line.partition(":") for line in head[1:])
            if mark
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        parts = urlsplit(target)
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        request = Request(method, parts.path, dict(parse_qsl(parts.query)), headers, form, secure)
        self.requests.append(request)
        await self._answer(writer, self.handler(request))
        return True

    async def _answer(self, writer: asyncio.StreamWriter, response: Response) -> None:
        if response.raw is not None:
            writer.write(response.raw)
            await writer.drain()
            return
        body = response.body.encode() if isinstance(response.body, str) else response.body
        lines = [f"HTTP/1.1 {response.status} {PHRASES.get(response.status, 'Other')}"]
        lines += [f"{name}: {value}" for name, value in response.headers]
        length = 10**12 if response.endless else len(body)
        writer.write("\r\n".join([*lines, f"Content-Length: {length}", "", ""]).encode("latin-1"))
        while response.endless:
            self.sent += len(body)
            writer.write(body)
            await writer.drain()
        for at in range(len(body) if response.drip else 0):
            writer.write(body[at : at + 1])
            await writer.drain()
            await asyncio.sleep(response.drip)
        if not response.drip:
            self.sent += len(body)
            writer.write(body)
        await writer.drain()


def _certificate() -> ssl.SSLContext:
    """Self-signed for everybody who does not know this authority: as printers have it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("printer.example").configure_cert(context)
    return context
