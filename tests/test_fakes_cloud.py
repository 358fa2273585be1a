"""The demo cloud and the proxy: strict about what is agreed, and as unreliable as told."""

import asyncio
import base64
import hashlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import aiohttp
import pytest

from tests.fakes.cloud import Cloud, Fault
from tests.fakes.proxy import Proxy

PLUG = "plug-4f2a91"


class Post(Protocol):
    async def __call__(
        self, body: bytes = b"parcel", key: str = "1", proxy: str | None = None, **other: str
    ) -> int: ...


def headers(body: bytes, key: str, **other: str) -> dict[str, str]:
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    agreed = {
        "Content-Type": "application/zip",
        "Content-Digest": f"sha-256=:{digest}:",
        "Idempotency-Key": key,
        "PrintMonitor-Plug": PLUG,
        "User-Agent": "PrintMonitor-Plug/0.1",
    }
    return agreed | {name.replace("_", "-"): value for name, value in other.items()}


@pytest.fixture
async def post(cloud: Cloud, tmp_path: Path) -> AsyncIterator[Post]:
    """Sends a parcel as the product should, without the product's code."""
    certificate, private_key = cloud.issue_client(tmp_path / "tls", PLUG)
    context = ssl.create_default_context(cafile=str(cloud.ca_file))
    context.load_cert_chain(certificate, private_key)
    async with aiohttp.ClientSession() as session:

        async def send(
            body: bytes = b"parcel", key: str = "1", proxy: str | None = None, **other: str
        ) -> int:
            answer = session.post(
                cloud.url,
                data=body,
                headers=headers(body, key, **other),
                ssl=context,
                proxy=proxy,
                allow_redirects=False,
            )
            async with answer as response:
                return response.status

        yield send


async def test_takes_a_parcel_once(cloud: Cloud, post: Post) -> None:
    assert await post() == 200
    assert await post() == 409
    assert await post(b"another", key="2") == 200
    [first, second] = cloud.arrivals
    assert (first.key, first.body, first.plug, first.client) == ("1", b"parcel", PLUG, PLUG)
    assert second.body == b"another"
    assert cloud.requests == [("1", 200), ("1", 409), ("2", 200)]


async def test_a_key_belongs_to_one_body(cloud: Cloud, post: Post) -> None:
    await post()
    assert await post(b"another") == 422
    assert cloud.problems == ["Idempotency-Key 1 came again with another body"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"Content_Type": "text/plain"},
        {"Content_Digest": "sha-256=:AAAA:"},
        {"PrintMonitor_Plug": "plug-000000"},
        {"User_Agent": "python"},
        {"Idempotency_Key": ""},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
async def test_refuses_what_is_not_as_agreed(cloud: Cloud, post: Post, wrong: dict[str, str]) -> None:
    assert await post(b"parcel", "1", None, **wrong) == 400
    assert cloud.arrivals == []
    assert len(cloud.problems) == 1


async def test_faults_once_and_always(cloud: Cloud, post: Post) -> None:
    cloud.once(
        Fault(status=503, retry_after="7"), Fault(), Fault(status=302, location="https://127.0.0.1:1/")
    )
    assert [await post(key=key) for key in "1123"] == [503, 200, 302, 200]
    assert [arrival.key for arrival in cloud.arrivals] == ["1", "3"]
    cloud.always(Fault(status=401))
    assert [await post(key="4") for _ in range(2)] == [401, 401]
    cloud.always(None)
    assert await post(key="4") == 200


async def test_cut_lines(cloud: Cloud, post: Post) -> None:
    cloud.once(Fault(cut="request"), Fault(cut="response"))
    for taken in (0, 1):
        with pytest.raises(aiohttp.ClientError):
            await post()
        assert len(cloud.arrivals) == taken
    assert await post() == 409


async def test_stalls_until_it_ends(cloud: Cloud, post: Post) -> None:
    cloud.once(Fault(stall=True))
    sending = asyncio.ensure_future(post())
    await cloud.stalling.wait()
    await cloud.stop()
    with pytest.raises(aiohttp.ClientError):
        await sending


async def test_refuses_connections_while_stopped(cloud: Cloud, post: Post) -> None:
    port = cloud.port
    await cloud.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await post()
    await cloud.start()
    assert cloud.port == port
    assert await post() == 200


@pytest.mark.parametrize("foreign", [True, False], ids=["foreign", "none"])
async def test_wants_a_client_certificate(cloud: Cloud, tmp_path: Path, foreign: bool) -> None:
    context = ssl.create_default_context(cafile=str(cloud.ca_file))
    if foreign:
        context.load_cert_chain(*cloud.issue_client(tmp_path / "tls", foreign=True))
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await session.post(cloud.url, data=b"parcel", headers=headers(b"parcel", "1"), ssl=context)
    assert cloud.requests == []


async def test_proxy_opens_tunnels(cloud: Cloud, post: Post) -> None:
    async with Proxy() as proxy:
        assert await post(proxy=proxy.url) == 200
        assert proxy.connects == [f"127.0.0.1:{cloud.port}"]


async def test_proxy_wants_name_and_password(cloud: Cloud, post: Post) -> None:
    async with Proxy("plug", "pass:word") as proxy:
        with pytest.raises(aiohttp.ClientHttpProxyError) as refusal:
            await post(proxy=proxy.url)
        assert refusal.value.status == 407
        assert proxy.refused == 1
        assert await post(proxy=proxy.url.replace("//", "//plug:pass%3Aword@")) == 200


async def test_proxy_refuses_and_breaks(cloud: Cloud, post: Post) -> None:
    async with Proxy() as proxy:
        proxy.refuse_with = 502
        with pytest.raises(aiohttp.ClientHttpProxyError):
            await post(proxy=proxy.url)
        proxy.refuse_with, proxy.cut_after = None, 20_000
        with pytest.raises(aiohttp.ClientError):
            await post(bytes(900_000), proxy=proxy.url)
    assert cloud.arrivals == []
