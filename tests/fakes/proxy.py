"""An HTTP proxy that knows CONNECT alone, with BASIC authentication."""

import asyncio
import base64
from contextlib import suppress
from typing import Self

MOST_LINES = 100


class Proxy:
    """`async with Proxy("user", "password") as proxy:`, then `proxy.url`; without a name everybody passes."""

    def __init__(self, username: str = "", password: str = "") -> None:
        token = base64.b64encode(f"{username}:{password}".encode()).decode()
        self._wanted = f"Basic {token}" if username else None
        self.connects: list[str] = []  # host:port of every tunnel
        self.refused = 0  # requests without the right name and password
        self.refuse_with: int | None = (
            None  # a status for everything, as of a proxy that cannot reach the outside
        )
        self.cut_after: int | None = None  # bytes towards the server after which a tunnel breaks
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._serve(reader, writer)
        finally:
            self._tasks.discard(task)
            await _close(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, target, headers = await _head(reader)
        if self._wanted is not None and headers.get("proxy-authorization") != self._wanted:
            self.refused += 1
            await _say(writer, 407, 'Proxy-Authenticate: Basic realm="proxy"\r\n')
            return
        if method != "CONNECT" or not target.startswith("127."):
            await _say(writer, 405 if method != "CONNECT" else 403)
            return
        if self.refuse_with is not None:
            await _say(writer, self.refuse_with)
            return
        host, _, port = target.rpartition(":")
        try:
            far_reader, far_writer = await asyncio.open_connection(host, int(port))
        except OSError:
            await _say(writer, 502)
            return
        self.connects.append(target)
        try:
            await _say(writer, 200)
            there = asyncio.create_task(self._pump(reader, far_writer, self.cut_after))
            back = asyncio.create_task(self._pump(far_reader, writer, None))
            await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
            for task in (there, back):
                task.cancel()
            await asyncio.gather(there, back, return_exceptions=True)
        finally:
            await _close(far_writer)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: int | None
    ) -> None:
        passed = 0
        while data := await reader.read(16_384):
            passed += len(data)
            if most is not None and passed > most:
                return
            writer.write(data)
            await writer.drain()


async def _head(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str]]:
    method, target, _ = (await reader.readline()).decode("latin-1").split(" ", 2)
    headers = {}
    for _line in range(MOST_LINES):
        name, found, value = (await reader.readline()).decode("latin-1").partition(":")
        if not found:
            break
        headers[name.strip().lower()] = value.strip()
    return method, target, headers


async def _say(writer: asyncio.StreamWriter, status: int, headers: str = "") -> None:
    length = "" if status == 200 else "Content-Length: 0\r\n"
    writer.write(f"HTTP/1.1 {status} Proxy\r\n{headers}{length}\r\n".encode())
    await writer.drain()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError, OSError):
        await writer.wait_closed()
