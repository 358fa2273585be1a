"""How far a connection gets, by itself or through a proxy; for a person who wants to know where it ends."""

import asyncio
import os
import socket
import ssl
from dataclasses import dataclass

from appliance.domain.messages import Message
from appliance.net.text_sanitizer import printable

MAX_PROXY_HEAD_BYTES = 8_192  # bytes of a proxy's answer
MAX_SHOWN_ADDRESSES = 4  # addresses of a name

HostPort = tuple[str, int]  # host and port
StreamPair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class ConnectProbeError(Exception):
    """It does not get there; the text is one clear line."""


@dataclass(frozen=True, slots=True)
class ProbeRoute:
    """To a place, through a proxy where there is one."""

    target: HostPort
    proxy: HostPort | None = None
    login: str | None = None  # at the proxy, as BASIC authentication writes it

    @property
    def first_hop(self) -> HostPort:
        return self.proxy or self.target


async def resolve_host(place: HostPort) -> str:
    """What a name leads to. Raises Failed."""
    host, port = place
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConnectProbeError(Message("probe.name_without_address", host=host, reason=reason)) from error
    addresses = list(dict.fromkeys(str(row[4][0]) for row in found))
    return Message("probe.name_resolves", host=host, addresses=", ".join(addresses[:MAX_SHOWN_ADDRESSES]))


async def check_port(place: HostPort) -> str:
    """Whether a port takes connections. Raises Failed."""
    _, writer = await _connect(place)
    writer.transport.abort()
    return Message("probe.port_opens", port=place[1])


async def check_proxy(way: ProbeRoute) -> str:
    """Whether the proxy leads there. Raises Failed."""
    _, writer = await _open_route(way)
    writer.transport.abort()
    return Message("probe.proxy_connects", host=way.target[0], port=way.target[1])


async def open_tls(way: ProbeRoute, context: ssl.SSLContext) -> StreamPair:
    """A connection with TLS. Raises Failed, SSLError, OSError."""
    reader, writer = await _open_route(way)
    try:
        await writer.start_tls(context, server_hostname=way.target[0])
    except BaseException:
        writer.transport.abort()
        raise
    return reader, writer


def error_reason(error: OSError) -> str:
    """The reason of a connection's end."""
    if isinstance(error, ssl.SSLError):
        return error.reason or Message("net.connection_ended")
    return os.strerror(error.errno) if error.errno and error.errno > 0 else Message("net.connection_ended")


async def _open_route(way: ProbeRoute) -> StreamPair:
    return (
        await _connect_via_proxy(way.proxy, way.target, way.login)
        if way.proxy
        else await _connect(way.target)
    )


async def _connect(place: HostPort) -> StreamPair:
    host, port = place
    try:
        return await asyncio.open_connection(host, port, limit=MAX_PROXY_HEAD_BYTES)
    except OSError as error:
        raise ConnectProbeError(
            Message("probe.port_closed", port=port, host=host, reason=error_reason(error))
        ) from error


async def _connect_via_proxy(proxy: HostPort, target: HostPort, login: str | None) -> StreamPair:
    reader, writer = await _connect(proxy)
    try:
        return reader, await _request_tunnel(reader, writer, target, login)
    except BaseException:
        writer.transport.abort()
        raise


async def _request_tunnel(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: HostPort, login: str | None
) -> asyncio.StreamWriter:
    host = f"[{target[0]}]" if ":" in target[0] else target[0]
    head = f"CONNECT {host}:{target[1]} HTTP/1.1\r\nHost: {host}:{target[1]}\r\n"
    head += f"Proxy-Authorization: Basic {login}\r\n" if login else ""
    writer.write(f"{head}\r\n".encode("latin-1", "replace"))
    try:
        answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()[0]
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise ConnectProbeError(Message("probe.no_proxy")) from error
    if " 200" not in answer[:13]:
        shown = printable(answer[:100], "")
        raise ConnectProbeError(Message("probe.proxy_refuses", reason=shown))
    return writer
