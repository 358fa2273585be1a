"""How far a connection gets, by itself or through a proxy; for a person who wants to know where it ends."""

import asyncio
import os
import socket
import ssl
from dataclasses import dataclass

MOST_HEAD = 8_192  # bytes of a proxy's answer
MOST_SHOWN = 4  # addresses of a name

Place = tuple[str, int]  # host and port
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Failed(Exception):
    """It does not get there; the text is one clear line."""


@dataclass(frozen=True, slots=True)
class Way:
    """To a place, through a proxy where there is one."""

    target: Place
    proxy: Place | None = None
    login: str | None = None  # at the proxy, as BASIC authentication writes it

    @property
    def first(self) -> Place:
        return self.proxy or self.target


async def resolve(place: Place) -> str:
    """What a name leads to. Raises Failed."""
    host, port = place
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Failed(f"The name {host} has no address: {reason}.") from error
    addresses = list(dict.fromkeys(str(row[4][0]) for row in found))
    return f"{host} is {', '.join(addresses[:MOST_SHOWN])}."


async def opens(place: Place) -> str:
    """Whether a port takes connections. Raises Failed."""
    _, writer = await _connect(place)
    writer.transport.abort()
    return f"Port {place[1]} opens."


async def tunnels(way: Way) -> str:
    """Whether the proxy leads there. Raises Failed."""
    _, writer = await _open(way)
    writer.transport.abort()
    return f"The proxy leads to {way.target[0]}:{way.target[1]}."


async def secured(way: Way, context: ssl.SSLContext) -> Streams:
    """A connection with TLS. Raises Failed, SSLError, OSError."""
    reader, writer = await _open(way)
    try:
        await writer.start_tls(context, server_hostname=way.target[0])
    except BaseException:
        writer.transport.abort()
        raise
    return reader, writer


def why(error: OSError) -> str:
    """The reason of a connection's end."""
    if isinstance(error, ssl.SSLError):
        return error.reason or "the connection ended"
    return os.strerror(error.errno) if error.errno and error.errno > 0 else "the connection ended"


async def _open(way: Way) -> Streams:
    return await _tunnel(way.proxy, way.target, way.login) if way.proxy else await _connect(way.target)


async def _connect(place: Place) -> Streams:
    host, port = place
    try:
        return await asyncio.open_connection(host, port, limit=MOST_HEAD)
    except OSError as error:
        raise Failed(f"Port {port} of {host} does not open: {why(error)}.") from error


async def _tunnel(proxy: Place, target: Place, login: str | None) -> Streams:
    reader, writer = await _connect(proxy)
    try:
        return reader, await _tunnelled(reader, writer, target, login)
    except BaseException:
        writer.transport.abort()
        raise


async def _tunnelled(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: Place, login: str | None
) -> asyncio.StreamWriter:
    host = f"[{target[0]}]" if ":" in target[0] else target[0]
    head = f"CONNECT {host}:{target[1]} HTTP/1.1\r\nHost: {host}:{target[1]}\r\n"
    head += f"Proxy-Authorization: Basic {login}\r\n" if login else ""
    writer.write(f"{head}\r\n".encode("latin-1", "replace"))
    try:
        answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()[0]
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise Failed("The proxy does not answer like one.") from error
    if " 200" not in answer[:13]:
        shown = "".join(character for character in answer[:100] if character.isprintable())
        raise Failed(f"The proxy refuses: {shown}.")
    return writer
