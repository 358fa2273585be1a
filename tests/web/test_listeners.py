import asyncio
import os
import socket
import ssl
import sys
from dataclasses import replace

import pytest

from appliance.settings import schema
from appliance.settings.schema import Home
from appliance.web import listeners
from tests.web.conftest import Page, running


async def closes(reader: asyncio.StreamReader) -> bool:
    async with asyncio.timeout(5):
        try:
            return await reader.read() == b""
        except ConnectionResetError:
            return True


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET /login HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_who_says_nothing_loses_the_connection(plug: Home, sent: bytes) -> None:
    async with running(plug, patience=0.1) as page:
        reader, writer = await asyncio.open_connection("127.0.0.1", page.port)
        writer.write(sent)
        assert await closes(reader)
        writer.close()


async def test_one_address_does_not_take_all_places(page: Page) -> None:
    opened = [
        await asyncio.open_connection("127.0.0.1", page.port)
        for _ in range(listeners.MAX_CONNECTIONS_PER_ADDRESS)
    ]
    reader, writer = await asyncio.open_connection("127.0.0.1", page.port)
    assert await closes(reader)
    other = socket.create_connection(("127.0.0.1", page.port), source_address=("127.0.0.77", 0))
    other.setblocking(False)
    reader, other_writer = await asyncio.open_connection(sock=other)
    other_writer.write(b"GET /login HTTP/1.1\r\nHost: localhost\r\n\r\n")
    async with asyncio.timeout(5):
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    for each in (writer, other_writer, *(writer for _, writer in opened)):
        each.close()


async def test_plain_words_at_the_tls_port_hurt_nobody(plug: Home) -> None:
    async with running(plug, tls=True) as page:
        reader, writer = await asyncio.open_connection("127.0.0.1", page.tls_port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await closes(reader)
        writer.close()
        async with page.browser(page.secure) as browser:
            assert (await browser.log_in()).status == 200


async def test_old_tls_is_refused(plug: Home) -> None:
    async with running(plug, tls=True) as page:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            context.minimum_version = ssl.TLSVersion.TLSv1_1
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("127.0.0.1", page.tls_port, ssl=context)


def test_a_port_that_is_taken_is_told_in_one_line() -> None:
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            listeners.WebListenError, match=f"port {port} cannot be opened: another program uses it"
        ):
            listeners.bind_port(port, allow_fallback=False)


async def test_the_service_serves_until_it_is_told_to_stop(plug: Home) -> None:
    settings = schema.load(plug)
    schema.save(plug, replace(settings, web=replace(settings.web, tls_port=_free())))
    port = _free()
    code = (
        "import asyncio, pathlib, sys; from appliance.settings.paths import Home; "
        "from appliance.web import service;"
        "asyncio.run(service.serve(Home(pathlib.Path(sys.argv[1])), int(sys.argv[2])))"
    )
    notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notified.setblocking(False)
    notified.bind(str(plug.run / "notify"))
    environ = {**os.environ, "NOTIFY_SOCKET": str(plug.run / "notify")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(plug.folder), str(port), env=environ, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(20):
        assert await asyncio.get_running_loop().sock_recv(notified, 100) == b"READY=1"
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /login HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        process.terminate()
        _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")
    writer.close()
    notified.close()


def _free() -> int:
    with socket.create_server(("", 0)) as found:
        return int(found.getsockname()[1])
