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

from appliance.domain.messages import Message
from appliance.web.middleware import Handler, request_timeout_s

log = logging.getLogger(__name__)

FALLBACK_PORTS = {80: 8080, 443: 8443}  # for whoever may not open low ports
BACKLOG = 128
MAX_CONNECTIONS = 256  # a page holds two or three
MAX_CONNECTIONS_PER_ADDRESS = 64
TLS_HANDSHAKE_TIMEOUT_S = 10.0
REQUEST_HEAD_TIMEOUT_S = 20.0  # without the head of a request, also in drops
CHECKS_PER_TIMEOUT = 10  # at the clock, while patience lasts
SHUTDOWN_TIMEOUT_S = 2.0

_connection_log = logging.getLogger(
    f"{__name__}.connections"
)  # strangers' malformed requests are no fault of ours
_connection_log.setLevel(logging.CRITICAL + 1)


class WebListenError(OSError):
    """A port cannot be opened; the text is one clear line."""


@dataclass(frozen=True, slots=True)
class ListenSockets:
    """What to listen on; tls may be missing."""

    plain: socket.socket | None
    tls: socket.socket | None


def socket_port(sock: socket.socket | None) -> int | None:
    """The port of a socket."""
    return None if sock is None else int(sock.getsockname()[1])


def open_sockets(
    port: int, tls_port: int, activated: Mapping[str, socket.socket], *, exact: bool, address: str = ""
) -> ListenSockets:
    """Sockets that were passed, else our own. `asked`: the port was asked for, so none other will do.

    Raises CannotListen.
    """
    plain = activated.get("http") or bind_port(port, allow_fallback=not exact, address=address)
    try:
        tls = activated.get("https") or bind_port(tls_port, allow_fallback=True, address=address)
    except WebListenError as error:
        log.warning("%s: no HTTPS", error)
        tls = None
    return ListenSockets(plain, tls)


def bind_port(port: int, *, allow_fallback: bool, address: str = "") -> socket.socket:
    """A socket on all addresses or one, or on the high port that stands in for a low one.

    Raises CannotListen.
    """
    try:
        return _create_socket(port, address)
    except OSError as error:
        if allow_fallback and error.errno in (errno.EACCES, errno.EADDRINUSE) and port in FALLBACK_PORTS:
            log.warning("%s: using %d instead", _bind_error_text(port, error), FALLBACK_PORTS[port])
            return bind_port(FALLBACK_PORTS[port], allow_fallback=False, address=address)
        raise WebListenError(_bind_error_text(port, error)) from error


def _create_socket(port: int, address: str) -> socket.socket:
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


def _bind_error_text(port: int, error: OSError) -> str:
    if error.errno == errno.EACCES:
        return Message("listener.low_port", port=port)
    if error.errno == errno.EADDRINUSE:
        return Message("listener.port_taken", port=port)
    return Message("listener.port_unavailable", port=port, reason=error.strerror)


@dataclass(slots=True)
class _Connection:
    transport: asyncio.Transport
    address: str
    deadline: float  # by then a whole request has to be here, or its answer has to be taken


class ConnectionLimiter:
    """Who is connected: bounds on how many there are, and on how long each may keep us waiting."""

    def __init__(self, head_timeout_s: float = REQUEST_HEAD_TIMEOUT_S) -> None:
        self.head_timeout_s = head_timeout_s
        self._connections: dict[RequestHandler, _Connection] = {}
        self._has_connections = asyncio.Event()

    def add(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        """Take a connection; where there are too many, the one that was silent for longest goes."""
        address = str((transport.get_extra_info("peername") or ("",))[0])
        self._has_connections.set()
        self._connections[handler] = _Connection(transport, address, time.monotonic() + self.head_timeout_s)
        if (
            sum(guest.address == address for guest in self._connections.values())
            > MAX_CONNECTIONS_PER_ADDRESS
        ):
            transport.abort()
        elif len(self._connections) > MAX_CONNECTIONS:
            min(self._connections.values(), key=lambda guest: guest.deadline).transport.abort()

    def remove(self, handler: RequestHandler) -> None:
        """Forget a connection."""
        self._connections.pop(handler, None)
        if not self._connections:
            self._has_connections.clear()

    @web.middleware
    async def extend_deadline(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The head of a request is here: there is time to answer it, for a WebSocket as long as it lives."""
        if guest := self._connections.get(request.protocol):
            seconds = request_timeout_s(request)
            guest.deadline = math.inf if seconds is None else time.monotonic() + seconds + self.head_timeout_s
        return await handler(request)

    async def close_overdue(self) -> None:
        """Close the connections of those who take too long."""
        while True:
            await self._has_connections.wait()
            await asyncio.sleep(self.head_timeout_s / CHECKS_PER_TIMEOUT)
            now = time.monotonic()
            for guest in [guest for guest in self._connections.values() if guest.deadline < now]:
                guest.transport.abort()


class LimitedServer(web.Server):
    """aiohttp's server, which takes guests with some patience."""

    def __init__(self, runner: web.AppRunner, limiter: ConnectionLimiter) -> None:
        server = runner.server
        if server is None:
            raise RuntimeError("the runner is not set up")
        super().__init__(
            server.request_handler,
            request_factory=server.request_factory,
            keepalive_timeout=limiter.head_timeout_s,
            access_log=None,
            logger=_connection_log,
        )
        self._limiter = limiter
        self._listeners: list[asyncio.Server] = []
        self._watch_task = asyncio.create_task(limiter.close_overdue())

    async def listen(self, sock: socket.socket, tls: ssl.SSLContext | None) -> None:
        """Accept whoever comes to this socket."""
        loop, seconds = asyncio.get_running_loop(), TLS_HANDSHAKE_TIMEOUT_S if tls else None
        self._listeners.append(
            await loop.create_server(self, sock=sock, ssl=tls, backlog=BACKLOG, ssl_handshake_timeout=seconds)
        )

    async def stop(self) -> None:
        """Accept nobody any more; who is being answered has a moment."""
        for server in self._listeners:
            server.close()
        self._watch_task.cancel()
        self.pre_shutdown()
        await self.shutdown(SHUTDOWN_TIMEOUT_S)

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self._limiter.add(handler, transport)

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        self._limiter.remove(handler)
        super().connection_lost(handler, exc)
