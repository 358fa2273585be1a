"""The page's sockets: from systemd, or our own; few and patient, so that nobody holds them all."""

import asyncio
import errno
import logging
import math
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from appliance.web.middleware import Handler, longest

log = logging.getLogger(__name__)

INSTEAD = {80: 8080, 443: 8443}  # for whoever may not open low ports
BACKLOG = 128
MOST_CONNECTIONS = 256  # a page holds two or three
MOST_FROM_ONE = 64
HANDSHAKE_SECONDS = 10.0
SILENCE_SECONDS = 20.0  # without the head of a request, also in drops
LOOKS = 10  # at the clock, while patience lasts
STOP_SECONDS = 2.0

_quiet = logging.getLogger(f"{__name__}.connections")  # strangers' malformed requests are no fault of ours
_quiet.setLevel(logging.CRITICAL + 1)


class CannotListen(OSError):
    """A port cannot be opened; the text is one clear line."""


@dataclass(frozen=True, slots=True)
class Sockets:
    """What to listen on; tls may be missing."""

    plain: socket.socket | None
    tls: socket.socket | None


def number(sock: socket.socket | None) -> int | None:
    """The port of a socket."""
    return None if sock is None else int(sock.getsockname()[1])


def choose(
    port: int, tls_port: int, given: Mapping[str, socket.socket], *, asked: bool, address: str = ""
) -> Sockets:
    """Sockets that were passed, else our own. `asked`: the port was asked for, so none other will do.

    Raises CannotListen.
    """
    plain = given.get("http") or bind(port, instead=not asked, address=address)
    try:
        tls = given.get("https") or bind(tls_port, instead=True, address=address)
    except CannotListen as error:
        log.warning("%s: no HTTPS", error)
        tls = None
    return Sockets(plain, tls)


def bind(port: int, *, instead: bool, address: str = "") -> socket.socket:
    """A socket on all addresses or one, or on the high port that stands in for a low one.

    Raises CannotListen.
    """
    try:
        return _bound(port, address)
    except OSError as error:
        if instead and error.errno in (errno.EACCES, errno.EADDRINUSE) and port in INSTEAD:
            log.warning("%s: using %d instead", _why(port, error), INSTEAD[port])
            return bind(INSTEAD[port], instead=False, address=address)
        raise CannotListen(_why(port, error)) from error


def _bound(port: int, address: str) -> socket.socket:
    if address:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return socket.create_server((address, port), family=family, backlog=BACKLOG)
    if socket.has_ipv6 and socket.has_dualstack_ipv6():
        try:
            return socket.create_server(
                ("", port), family=socket.AF_INET6, backlog=BACKLOG, dualstack_ipv6=True
            )
        except OSError as error:
            if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):  # IPv6 may be switched off
                raise
    return socket.create_server(("", port), backlog=BACKLOG)


def _why(port: int, error: OSError) -> str:
    if error.errno == errno.EACCES:
        return f"port {port} cannot be opened: ports below 1024 need a privilege"
    if error.errno == errno.EADDRINUSE:
        return f"port {port} cannot be opened: another program uses it"
    return f"port {port} cannot be opened: {error.strerror}"


@dataclass(slots=True)
class _Guest:
    transport: asyncio.Transport
    address: str
    deadline: float  # by then a whole request has to be here, or its answer has to be taken


class Guests:
    """Who is connected: bounds on how many there are, and on how long each may keep us waiting."""

    def __init__(self, patience: float = SILENCE_SECONDS) -> None:
        self.patience = patience
        self._guests: dict[RequestHandler, _Guest] = {}
        self._anybody = asyncio.Event()

    def came(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        """Take a connection; where there are too many, the one that was silent for longest goes."""
        address = str((transport.get_extra_info("peername") or ("",))[0])
        self._anybody.set()
        self._guests[handler] = _Guest(transport, address, time.monotonic() + self.patience)
        if sum(guest.address == address for guest in self._guests.values()) > MOST_FROM_ONE:
            transport.abort()
        elif len(self._guests) > MOST_CONNECTIONS:
            min(self._guests.values(), key=lambda guest: guest.deadline).transport.abort()

    def went(self, handler: RequestHandler) -> None:
        """Forget a connection."""
        self._guests.pop(handler, None)
        if not self._guests:
            self._anybody.clear()

    @web.middleware
    async def note(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The head of a request is here: there is time to answer it, for a WebSocket as long as it lives."""
        if guest := self._guests.get(request.protocol):
            seconds = longest(request)
            guest.deadline = math.inf if seconds is None else time.monotonic() + seconds + self.patience
        return await handler(request)

    async def watch(self) -> None:
        """Close the connections of those who take too long."""
        while True:
            await self._anybody.wait()
            await asyncio.sleep(self.patience / LOOKS)
            now = time.monotonic()
            for guest in [guest for guest in self._guests.values() if guest.deadline < now]:
                guest.transport.abort()


class Patient(web.Server):
    """aiohttp's server, which takes guests with some patience."""

    def __init__(self, runner: web.AppRunner, guests: Guests) -> None:
        server = runner.server
        if server is None:
            raise RuntimeError("the runner is not set up")
        super().__init__(
            server.request_handler,
            request_factory=server.request_factory,
            keepalive_timeout=guests.patience,
            access_log=None,
            logger=_quiet,
        )
        self._guests = guests
        self._open: list[asyncio.Server] = []
        self._watch = asyncio.create_task(guests.watch())

    async def begin(self, sock: socket.socket, tls: ssl.SSLContext | None) -> None:
        """Accept whoever comes to this socket."""
        loop, seconds = asyncio.get_running_loop(), HANDSHAKE_SECONDS if tls else None
        self._open.append(
            await loop.create_server(self, sock=sock, ssl=tls, backlog=BACKLOG, ssl_handshake_timeout=seconds)
        )

    async def end(self) -> None:
        """Accept nobody any more; who is being answered has a moment."""
        for server in self._open:
            server.close()
        self._watch.cancel()
        self.pre_shutdown()
        await self.shutdown(STOP_SECONDS)

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self._guests.came(handler, transport)

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        self._guests.went(handler)
        super().connection_lost(handler, exc)
