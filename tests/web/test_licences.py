from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.licensing import csr
from appliance.settings import schema
from appliance.settings.schema import Home
from tests.licensing.licences import HOUR, NOW
from tests.provider import server
from tests.provider.authority import Authority
from tests.provider.server import Fault, Offer
from tests.web.conftest import Browser

CODE = "code-4711"
UPLOAD = "https://127.0.0.1/parcels"


@pytest.fixture
async def provider(authority: Authority, plug: Home) -> AsyncIterator[server.Enrolment]:
    """A provider that this Plug's settings trust."""
    now = schema.load_settings(plug)
    https = replace(now.transmission.https, ca_file=str(authority.ca_file))
    schema.save_settings(plug, replace(now, transmission=replace(now.transmission, https=https)))
    async with server.Enrolment(authority, {CODE}, Offer(UPLOAD)) as running:
        yield running


async def enrol(browser: Browser, **said: str) -> dict:
    answer = await browser.ask("POST", "/api/licence/enrolment", said)
    assert answer.status == 200, answer.body
    return answer.json


async def test_a_licence_comes_by_file(browser: Browser, plug: Home, authority: Authority) -> None:
    none = await browser.get("/api/licence")
    assert (none["state"], none["request"], none["sends"]) == ("none", None, True)
    answer = await browser.ask("POST", "/api/licence/request", {})
    assert answer.status == 400  # nothing is expected in the body
    asked = await browser.ask("POST", "/api/licence/request")
    waiting = csr.read_request(plug.folder)
    assert waiting
    assert asked.body.decode() == waiting.pem
    assert asked.headers["Content-Disposition"] == f'attachment; filename="{waiting.plug_id}-request.pem"'
    assert (
        await browser.ask("POST", "/api/licence/request")
    ).body == asked.body  # the same until it is answered
    told = await browser.get("/api/licence")
    assert (told["state"], told["request"]["plug_id"]) == ("requested", waiting.plug_id)
    file = _licence(authority, asked.body)
    installed = await browser.ask("PUT", "/api/licence", {"licence": file.decode()})
    assert (installed.status, installed.json["state"]) == (200, "valid")
    assert (installed.json["customer"], installed.json["printers"]) == ("Example AG", 50)
    assert installed.json["request"] is None
    for path in ("/api/licence", "/api/system", "/api/overview", "/api/system/support"):
        assert b"a-secret-key" not in (await browser.ask("GET", path)).body
    assert (await browser.get("/api/system"))["licence"]["state"] == "valid"


def _licence(authority: Authority, asked: bytes, **terms: object) -> bytes:
    known = {
        "customer": "Example AG",
        "printers": 50,
        "upload_url": UPLOAD,
        "transmission_key": "a-secret-key",
        **terms,
    }
    return authority.licence(asked, known, NOW - HOUR, NOW + timedelta(days=365))


async def test_what_is_no_licence_of_ours_is_refused(
    browser: Browser, plug: Home, authority: Authority, tmp_path: Path
) -> None:
    await browser.ask("POST", "/api/licence/request")
    other = _licence(authority, csr.get_or_create(tmp_path / "other", "printmonitor-other").pem.encode())
    for file, said in (
        ("hello", "this is not a licence file"),
        ("-----BEGIN CERTIFICATE-----\n", "this is not a licence file"),
        (other.decode(), "not for this Plug"),
    ):
        answer = await browser.ask("PUT", "/api/licence", {"licence": file})
        assert (answer.status, answer.json["field"]) == (422, "licence")
        assert said in answer.error.lower() or said in answer.error
    for body in ({}, {"licence": ""}, {"licence": "x" * 100_001}, {"licence": "x", "force": True}):
        assert (await browser.ask("PUT", "/api/licence", body)).status == 422
    assert (await browser.get("/api/licence"))["state"] == "requested"


async def test_a_licence_is_bought_by_a_code_and_renewed(
    browser: Browser, plug: Home, provider: server.Enrolment
) -> None:
    refused = await enrol(browser, url=provider.url, code="guessed")
    assert (refused["ok"], refused["licence"]["state"]) == (False, "requested")
    assert "unknown enrolment code" in refused["text"]
    bought = await enrol(browser, url=provider.url, code=CODE)
    assert (bought["ok"], bought["licence"]["state"]) == (True, "valid")
    assert bought["licence"]["enrolment_url"] == provider.url
    first = await browser.get("/api/licence")
    renewed = await enrol(browser)
    assert (renewed["ok"], renewed["licence"]["plug_id"]) == (True, first["plug_id"])
    assert [status for _, _, status in provider.asked] == [403, 200, 200]
    assert CODE not in str(await browser.get("/api/licence"))


async def test_a_provider_that_has_not_decided_is_asked_again(
    browser: Browser, plug: Home, provider: server.Enrolment
) -> None:
    provider.faults.append(Fault(202))
    told = await enrol(browser, url=provider.url, code=CODE)
    assert (told["ok"], told["licence"]["asked_at"]) == (True, provider.url)
    assert (await enrol(browser))["licence"]["state"] == "valid"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({}, "url"),
        ({"url": "http://127.0.0.1/enrol", "code": "x"}, "url"),
        ({"url": "nowhere"}, "url"),
        ({"url": "https://127.0.0.1:1/enrol", "code": "ä"}, "url"),
        ({"url": 7}, "url"),
        ({"url": "https://127.0.0.1:1/enrol", "code": "x\ny"}, "code"),
    ],
)
async def test_bad_enrolments(browser: Browser, said: dict[str, object], field: str) -> None:
    answer = await browser.ask("POST", "/api/licence/enrolment", said)
    assert (answer.status, answer.json["field"]) == (422, field)


async def test_nobody_listens(browser: Browser) -> None:
    told = await enrol(browser, url="https://127.0.0.1:1/enrol", code="x")
    assert told["ok"] is False
    assert "connection refused" in told["text"].lower()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/licence", None),
        ("PUT", "/api/licence", {"licence": "x"}),
        ("POST", "/api/licence/request", None),
        ("POST", "/api/licence/enrolment", {}),
    ],
)
async def test_strangers_get_nothing(
    stranger: Browser, plug: Home, method: str, path: str, body: dict | None
) -> None:
    assert (await stranger.ask(method, path, body)).status == 401
    assert csr.read_request(plug.folder) is None
