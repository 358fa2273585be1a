"""The upload: what goes over the line, and one clear line about whatever goes wrong with it."""

import asyncio
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import trustme

from appliance import __version__
from appliance.delivery import https_sender
from appliance.delivery.errors import (
    DeliveryDeferredError,
    DeliveryError,
    DeliveryNotConfiguredError,
    DeliveryRejectedError,
    LicenceRejectedError,
)
from appliance.delivery.https_sender import HttpsDestination
from appliance.delivery.outbox import Parcel
from tests.fakes.cloud import Cloud, Fault
from tests.fakes.proxy import Proxy

PLUG = "plug-4f2a91"
DATA = b"PK parcel"
PARCEL = Parcel("9b2f7c1e-0000-4000-8000-000000000001", "p", datetime(2026, 1, 1, tzinfo=UTC), len(DATA), "")


@pytest.fixture
def destination(cloud: Cloud, tmp_path: Path) -> HttpsDestination:
    certificate, private_key = cloud.issue_client(tmp_path / "tls", PLUG)
    return HttpsDestination(
        cloud.url,
        str(cloud.ca_file),
        certificate,
        private_key,
        plug_id=PLUG,
        connect_timeout_s=5,
        total_timeout_s=5,
    )


async def reason(destination: HttpsDestination, kind: type[DeliveryError]) -> str:
    with pytest.raises(DeliveryError) as raised:
        await https_sender.send(PARCEL, DATA, destination)
    assert type(raised.value) is kind, raised.value
    line = str(raised.value)
    assert line == " ".join(line.split())  # one line
    return line


async def test_a_parcel_arrives(cloud: Cloud, destination: HttpsDestination) -> None:
    await https_sender.send(PARCEL, DATA, destination)
    (arrival,) = cloud.arrivals
    assert (arrival.key, arrival.body, arrival.client, arrival.plug) == (PARCEL.id, DATA, PLUG, PLUG)
    assert arrival.user_agent == f"PrintMonitor-Plug/{__version__}"
    assert cloud.problems == []  # the cloud checks Content-Type and Content-Digest


async def test_a_large_parcel_arrives(cloud: Cloud, destination: HttpsDestination) -> None:
    data = bytes(range(256)) * 20_000
    await https_sender.send(PARCEL, data, destination)
    assert cloud.arrivals[0].body == data


async def test_what_came_before_counts_as_delivered(cloud: Cloud, destination: HttpsDestination) -> None:
    await https_sender.send(PARCEL, DATA, destination)
    await https_sender.send(PARCEL, DATA, destination)
    assert [status for _, status in cloud.requests] == [200, 409]
    assert len(cloud.arrivals) == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_any_2xx_is_delivered(cloud: Cloud, destination: HttpsDestination, status: int) -> None:
    cloud.once(Fault(status=status))
    await https_sender.send(PARCEL, DATA, destination)


OUTCOMES = (
    [(status, DeliveryRejectedError) for status in (400, 413, 415, 422)]
    + [(status, LicenceRejectedError) for status in (401, 403, 495, 496)]
    + [
        (status, DeliveryDeferredError)
        for status in (404, 405, 408, 410, 418, 429, 500, 502, 503, 504, 507, 599)
    ]
)


@pytest.mark.parametrize(("status", "kind"), OUTCOMES)
async def test_a_status(
    cloud: Cloud, destination: HttpsDestination, status: int, kind: type[DeliveryError]
) -> None:
    cloud.once(Fault(status=status, text="\n  no room\x1b[31m\tleft \nsecond line"))
    line = await reason(destination, kind)
    assert line.startswith(f"the server answered {status}")
    assert line.endswith(": no room [31m left")


async def test_a_redirect_is_not_followed(cloud: Cloud, destination: HttpsDestination) -> None:
    cloud.once(Fault(status=307, location="https://127.0.0.1:1/elsewhere"))
    line = await reason(destination, DeliveryDeferredError)
    assert "answered 307" in line
    assert "redirects to https://127.0.0.1:1/elsewhere" in line
    assert len(cloud.requests) == 1


IN_AN_HOUR = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("120", 120, 120),
        (IN_AN_HOUR, 3000, 3600),
        ("Thu, 01 Jan 2015 00:00:00 GMT", 0, 0),
        ("9" * 30, 1e9, 1e10),
    ],
    ids=["seconds", "in an hour", "long ago", "for ever"],
)
async def test_retry_after(
    cloud: Cloud, destination: HttpsDestination, header: str, least: float, most: float
) -> None:
    cloud.once(Fault(status=503, retry_after=header))
    with pytest.raises(DeliveryDeferredError) as raised:
        await https_sender.send(PARCEL, DATA, destination)
    assert raised.value.retry_after is not None
    assert least <= raised.value.retry_after <= most


@pytest.mark.parametrize("header", ["soon", "-5", "1.5", "", "Thu, 99 Jan 9999999999 00:00:00 GMT", "²"])
async def test_a_retry_after_that_says_nothing(
    cloud: Cloud, destination: HttpsDestination, header: str
) -> None:
    cloud.once(Fault(status=503, retry_after=header))
    with pytest.raises(DeliveryDeferredError) as raised:
        await https_sender.send(PARCEL, DATA, destination)
    assert raised.value.retry_after is None


async def test_an_endless_answer_is_not_read_to_its_end(tmp_path: Path) -> None:
    written = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 500 Oh\r\nContent-Length: 1000000000000\r\n\r\n")
        with suppress(ConnectionError):
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()
                written += 65536

    authority, context = tls_server(tmp_path)
    async with serving(endless, tls=context) as port:
        destination = HttpsDestination(f"https://127.0.0.1:{port}/", authority, total_timeout_s=2)
        line = await reason(destination, DeliveryDeferredError)
    assert line == f"the server answered 500 Oh: {'x' * 200}"
    assert written < 20_000_000  # what fits into the buffers in between


async def test_an_answer_in_the_middle_of_the_upload_is_understood(tmp_path: Path) -> None:
    async def impatient(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    authority, context = tls_server(tmp_path)
    async with serving(impatient, tls=context) as port:
        with pytest.raises(DeliveryRejectedError, match="answered 413"):
            await https_sender.send(
                PARCEL, bytes(10_000_000), HttpsDestination(f"https://127.0.0.1:{port}/", authority)
            )


def tls_server(tmp_path: Path) -> tuple[str, ssl.SSLContext]:
    """The file of its authority, and what makes a server of 127.0.0.1."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return str(tmp_path / "authority.pem"), context


async def test_a_server_that_stalls(cloud: Cloud, destination: HttpsDestination) -> None:
    cloud.once(Fault(stall=True))
    line = await reason(replace(destination, total_timeout_s=0.3), DeliveryDeferredError)
    assert line == "127.0.0.1: timed out after 0.3 s"


async def test_a_server_that_cuts_the_line(cloud: Cloud, destination: HttpsDestination) -> None:
    cloud.once(Fault(cut="request"))
    assert (
        await reason(destination, DeliveryDeferredError)
        == "127.0.0.1: closed the connection before answering"
    )


async def test_half_an_answer_is_no_receipt_and_the_second_try_finds_it(
    cloud: Cloud, destination: HttpsDestination
) -> None:
    cloud.once(Fault(cut="response"))
    await reason(destination, DeliveryDeferredError)
    await https_sender.send(PARCEL, DATA, destination)
    assert [status for _, status in cloud.requests] == [0, 409]


async def test_nobody_listens(destination: HttpsDestination) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        line = await reason(replace(destination, url=f"https://127.0.0.1:{port}/"), DeliveryDeferredError)
    assert line == f"127.0.0.1:{port}: connection refused"


async def test_a_name_that_does_not_resolve(destination: HttpsDestination) -> None:
    name = ".".join(["a" * 60] * 5)  # too long for a question, so none is sent
    line = await reason(replace(destination, url=f"https://{name}/"), DeliveryDeferredError)
    assert line.startswith(f"{name}: name not resolved (")


# --- certificates


async def test_a_server_that_is_not_trusted(
    cloud: Cloud, destination: HttpsDestination, tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    line = await reason(replace(destination, ca_file=str(other)), DeliveryDeferredError)
    assert line.startswith("127.0.0.1: TLS certificate not trusted: ")
    assert "issuer" in line or "self" in line
    assert cloud.requests == []


async def test_the_systems_roots_are_what_counts_without_a_ca_file(
    cloud: Cloud, destination: HttpsDestination
) -> None:
    line = await reason(replace(destination, ca_file=""), DeliveryDeferredError)
    assert line.startswith("127.0.0.1: TLS certificate not trusted: ")
    assert cloud.requests == []


async def test_a_certificate_for_another_name(cloud: Cloud, destination: HttpsDestination) -> None:
    url = cloud.url.replace("127.0.0.1", "127.0.0.2")
    async with listening_elsewhere(cloud):
        line = await reason(replace(destination, url=url), DeliveryDeferredError)
    assert "not trusted: IP address mismatch" in line


@asynccontextmanager
async def listening_elsewhere(cloud: Cloud) -> AsyncIterator[None]:
    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", cloud.port)
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    async with serving(relay, host="127.0.0.2", port=cloud.port):
        yield


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
    except ConnectionError:
        pass
    writer.close()


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
async def test_a_foreign_client_certificate(cloud: Cloud, tmp_path: Path, version: str) -> None:
    certificate, private_key = cloud.issue_client(tmp_path / "foreign", PLUG)
    async with openssl_server(tmp_path, version) as destination:
        foreign = replace(destination, certificate=certificate, private_key=private_key)
        line = await reason(foreign, LicenceRejectedError)
    assert line == "127.0.0.1: TLS certificate of the Plug refused: its issuer is unknown to the server"


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("-tls1_2", "127.0.0.1: TLS handshake refused, probably because the Plug has no certificate"),
        ("-tls1_3", "127.0.0.1: TLS certificate of the Plug refused: none was sent"),
    ],
)
async def test_no_client_certificate(tmp_path: Path, version: str, said: str) -> None:
    async with openssl_server(tmp_path, version) as destination:
        assert await reason(destination, LicenceRejectedError) == said


async def test_an_old_tls_is_refused(tmp_path: Path) -> None:
    async with openssl_server(tmp_path, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0") as destination:
        line = await reason(destination, DeliveryDeferredError)
    assert line.startswith("127.0.0.1: TLS failed: ")
    assert "version" in line


@asynccontextmanager
async def openssl_server(tmp_path: Path, *options: str) -> AsyncIterator[HttpsDestination]:
    """OpenSSL's own server, which wants a client certificate; asyncio's would swallow the alerts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    files = ["-cert", "server.pem", "-key", "server.pem", "-CAfile", "authority.pem"]
    server = await asyncio.create_subprocess_exec(
        *("openssl", "s_server", "-accept", "127.0.0.1:0", "-Verify", "1", "-verify_return_error"),
        *files,
        *options,
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert server.stdout is not None
    try:
        while not (line := await server.stdout.readline()).startswith(b"ACCEPT "):
            assert line, "openssl s_server did not start"
        url = f"https://{line.decode().split()[1]}/"
        yield HttpsDestination(url, str(tmp_path / "authority.pem"), connect_timeout_s=5, total_timeout_s=5)
    finally:
        server.kill()
        await server.communicate()


@asynccontextmanager
async def serving(
    handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], object],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[int]:
    server = await asyncio.start_server(handle, host, port, ssl=tls)  # type: ignore[arg-type]
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


async def test_a_server_that_speaks_no_tls(destination: HttpsDestination) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.close()

    async with serving(plain) as port:
        line = await reason(replace(destination, url=f"https://127.0.0.1:{port}/"), DeliveryDeferredError)
    assert line.startswith("127.0.0.1: TLS failed: ")


async def test_a_client_certificate_that_cannot_be_used(
    cloud: Cloud, destination: HttpsDestination, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    line = await reason(replace(destination, certificate=broken), LicenceRejectedError)
    assert line.startswith("the Plug's certificate cannot be used: ")
    missing = await reason(replace(destination, private_key=tmp_path / "missing.key"), LicenceRejectedError)
    assert missing == "the Plug's certificate cannot be used: No such file or directory"


# --- settings


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": "http://cloud.example/parcels"}, "transmission.https.url begins with 'http'"),
        ({"url": "ftp://cloud.example/"}, "transmission.https.url begins with 'ftp'"),
        ({"url": ""}, "transmission.https.url is not a URL"),
        ({"url": "https:///parcels"}, "transmission.https.url is not a URL"),
        ({"url": "https://host:99999/"}, "transmission.https.url is not a URL"),
        ({"proxy": "proxy.example:3128"}, "transmission.https.proxy is not a URL"),
        (
            {"proxy": "socks5://proxy.example:3128"},
            "transmission.https.proxy is not of the form http://host:port",
        ),
        (
            {"ca_file": "/nowhere/ca.pem"},
            "transmission.https.ca_file /nowhere/ca.pem: No such file or directory",
        ),
        ({"ca_file": __file__}, f"transmission.https.ca_file {__file__}: "),
    ],
)
async def test_settings_that_cannot_work_are_named(
    cloud: Cloud, destination: HttpsDestination, change: dict[str, str], said: str
) -> None:
    assert said in await reason(replace(destination, **change), DeliveryNotConfiguredError)  # type: ignore[arg-type]
    assert cloud.requests == []


# --- proxy


async def test_through_a_proxy_with_a_password(cloud: Cloud, destination: HttpsDestination) -> None:
    async with Proxy("büro", "geh:heim") as proxy:
        through = replace(destination, proxy=proxy.url, proxy_username="büro", proxy_password="geh:heim")
        await https_sender.send(PARCEL, DATA, through)
        assert proxy.connects == [f"127.0.0.1:{cloud.port}"]
        assert proxy.refused == 0
    assert len(cloud.arrivals) == 1
    assert cloud.problems == []


async def test_a_proxy_that_wants_another_password(cloud: Cloud, destination: HttpsDestination) -> None:
    async with Proxy("user", "right") as proxy:
        through = replace(destination, proxy=proxy.url, proxy_username="user", proxy_password="secret-word")
        line = await reason(through, DeliveryDeferredError)
    assert line.startswith("the proxy answered 407")
    assert "secret-word" not in line
    assert cloud.requests == []


async def test_a_proxy_that_cannot_get_out(destination: HttpsDestination) -> None:
    async with Proxy() as proxy:
        proxy.refuse_with = 502
        assert (await reason(replace(destination, proxy=proxy.url), DeliveryDeferredError)).startswith(
            "the proxy answered 502"
        )


async def test_a_proxy_that_breaks_off(destination: HttpsDestination) -> None:
    async with Proxy() as proxy:
        proxy.cut_after = 100
        assert "127.0.0.1" in await reason(replace(destination, proxy=proxy.url), DeliveryDeferredError)


async def test_a_proxy_that_is_not_there(destination: HttpsDestination) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        line = await reason(replace(destination, proxy=f"http://127.0.0.1:{port}"), DeliveryDeferredError)
    assert line == f"proxy 127.0.0.1:{port}: connection refused"


async def test_verification_holds_through_a_proxy(cloud: Cloud, destination: HttpsDestination) -> None:
    async with Proxy() as proxy:
        line = await reason(replace(destination, proxy=proxy.url, ca_file=""), DeliveryDeferredError)
    assert line.startswith("127.0.0.1: TLS certificate not trusted: ")
    assert cloud.requests == []
