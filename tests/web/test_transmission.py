import asyncio
import ssl
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from appliance.delivery import archive, outbox
from appliance.settings import schema
from appliance.settings.schema import Home
from appliance.storage import database
from tests.fakes.cloud import Cloud, Fault
from tests.web.conftest import Browser

KEY = "the key of the parcels"
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


async def test_settings_are_changed_piece_by_piece(browser: Browser, plug: Home) -> None:
    url = "https://cloud.example/upload"
    answer = await browser.ask(
        "PATCH", "/api/transmission", {"mode": "https", "https": {"url": url}, "key": KEY}
    )
    assert (answer.json["mode"], answer.json["https"]["url"], answer.json["key"]) == (
        "https",
        url,
        {"set": True},
    )
    await browser.ask("PATCH", "/api/transmission", {"https": {"proxy": "http://proxy:3128"}})
    kept = schema.load(plug).transmission
    assert (kept.https.url, kept.https.proxy, kept.key) == (url, "http://proxy:3128", KEY)


async def test_secrets_never_come_back(browser: Browser, plug: Home) -> None:
    secret = "Zq7-passphrase"
    change = {"key": secret, "https": {"proxy_password": secret}, "mail": {"password": secret}}
    answer = await browser.ask("PATCH", "/api/transmission", change)
    assert secret.encode() not in answer.body
    assert answer.json["https"]["proxy_password"] == {"set": True}
    for path in ("/api/transmission", "/api/system/support", "/api/overview"):
        assert secret.encode() not in (await browser.ask("GET", path)).body
    assert schema.load(plug).transmission.mail.password == secret
    cleared = await browser.ask("PATCH", "/api/transmission", {"key": "", "mail": {"password": ""}})
    assert (cleared.json["key"], cleared.json["mail"]["password"]) == ({"set": False}, {"set": False})


async def test_what_a_change_does_not_name_stays(browser: Browser, plug: Home) -> None:
    await browser.ask(
        "PATCH", "/api/transmission", {"mail": {"ca_file": "/etc/ca.pem", "host": "mail.example"}}
    )
    answer = await browser.ask("PATCH", "/api/transmission", {"mail": {"port": 587}})
    mail = answer.json["mail"]
    assert (mail["ca_file"], mail["host"], mail["port"]) == ("/etc/ca.pem", "mail.example", 587)
    assert schema.load(plug).transmission.mail.ca_file == "/etc/ca.pem"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"https": {"url": "http://cloud.example"}}, "https.url"),
        ({"https": {"url": "cloud"}}, "https.url"),
        ({"https": {"proxy": "socks5://x"}}, "https.proxy"),
        ({"https": {"url": "https://user:pass@cloud.example"}}, "https.url"),
        ({"mode": "ftp"}, "mode"),
        ({"mode": "mail"}, "mail.host"),
        ({"mail": {"port": 70000}}, "mail.port"),
        ({"mail": {"recipient": "nobody"}}, "mail.recipient"),
        ({"mail": {"host": "a b"}}, "mail.host"),
        ({"https": {}}, "https"),
        ({"key": {"set": True}}, "key"),
        ({"certificate": {"set": False}}, "certificate"),
    ],
)
async def test_bad_settings_are_named(browser: Browser, plug: Home, change: dict, field: str) -> None:
    before = plug.settings.read_bytes()
    answer = await browser.ask("PATCH", "/api/transmission", change)
    assert (answer.status, answer.json["field"]) == (422, field)
    assert plug.settings.read_bytes() == before


async def steps(browser: Browser) -> dict[str, dict]:
    answer = await browser.ask("POST", "/api/transmission/test")
    assert answer.status == 200
    found = {step["name"]: step for step in answer.json["steps"]}
    assert answer.json["ok"] is all(step["ok"] for step in found.values())
    assert all((step["advice"] is None) is step["ok"] for step in found.values())
    return found


@pytest.fixture
async def connected(browser: Browser, plug: Home, cloud: Cloud) -> Browser:
    cloud.issue_client(plug.tls)
    await browser.ask("PATCH", "/api/system", {"name": "plug-4f2a91"})
    change = {"mode": "https", "key": KEY, "https": {"url": cloud.url, "ca_file": str(cloud.ca_file)}}
    assert (await browser.ask("PATCH", "/api/transmission", change)).status == 200
    return browser


async def test_every_step_works(connected: Browser, cloud: Cloud, plug: Home) -> None:
    found = await steps(connected)
    assert list(found) == ["settings", "name", "port", "tls", "certificate", "parcel"]
    assert all(step["ok"] for step in found.values())
    (arrival,) = cloud.arrivals
    assert "-test-" in archive.unpack(arrival.body, KEY)[0]
    assert (await connected.get("/api/outbox"))["parcels"] == []
    assert (await connected.get("/api/transmission"))["certificate"]["set"] is True


async def test_switched_off_is_the_first_thing_told(browser: Browser) -> None:
    assert list(await steps(browser)) == ["settings"]


async def test_a_name_that_is_none(connected: Browser) -> None:
    await connected.ask("PATCH", "/api/transmission", {"https": {"url": "https://no-such-host.invalid/"}})
    found = await steps(connected)
    assert (list(found), found["name"]["ok"]) == (["settings", "name"], False)


async def test_a_port_that_does_not_open(connected: Browser, cloud: Cloud) -> None:
    await cloud.stop()
    found = await steps(connected)
    assert (list(found)[-1], found["port"]["ok"]) == ("port", False)
    assert "Connect call failed" not in found["port"]["text"]


async def test_a_receiver_that_nobody_vouches_for(connected: Browser, tmp_path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    await connected.ask("PATCH", "/api/transmission", {"https": {"ca_file": str(tmp_path / "other.pem")}})
    found = await steps(connected)
    assert (list(found)[-1], found["tls"]["ok"]) == ("tls", False)
    assert "not trusted" in found["tls"]["text"]


async def test_a_ca_file_that_is_not_there(connected: Browser) -> None:
    await connected.ask("PATCH", "/api/transmission", {"https": {"ca_file": "/nonexistent/ca.pem"}})
    assert "ca_file" in (await steps(connected))["tls"]["text"]


async def test_a_certificate_that_the_receiver_does_not_know(
    connected: Browser, plug: Home, cloud: Cloud
) -> None:
    cloud.issue_client(plug.tls, foreign=True)
    found = await steps(connected)
    assert (list(found)[-1], found["certificate"]["ok"]) == ("certificate", False)
    assert "licence" in found["certificate"]["advice"]


async def test_no_certificate_at_all(connected: Browser, plug: Home) -> None:
    (plug.tls / "client.pem").unlink()
    found = await steps(connected)
    assert (list(found)[-1], found["certificate"]["ok"]) == ("certificate", False)


async def test_a_parcel_that_is_refused(connected: Browser, cloud: Cloud) -> None:
    cloud.once(Fault(status=422, text="unknown plug"))
    found = await steps(connected)
    assert (found["certificate"]["ok"], found["parcel"]["ok"]) == (True, False)
    assert "unknown plug" in found["parcel"]["text"]


async def test_a_proxy_leads_there_or_says_why_not(connected: Browser, cloud: Cloud) -> None:
    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"Basic dXNlcjpwYXNz" not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", cloud.port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))

    server = await asyncio.start_server(proxy, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    await connected.ask("PATCH", "/api/transmission", {"https": {"proxy": url}})
    found = await steps(connected)
    assert "407" in found["proxy"]["text"]
    login = {"proxy_username": "user", "proxy_password": "pass"}
    await connected.ask("PATCH", "/api/transmission", {"https": login})
    found = await steps(connected)
    assert list(found) == ["settings", "name", "proxy", "tls", "certificate", "parcel"]
    assert all(step["ok"] for step in found.values())
    server.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
    except (ConnectionError, ssl.SSLError):
        pass
    writer.close()


async def test_one_test_at_a_time(connected: Browser, cloud: Cloud) -> None:
    cloud.once(Fault(stall=True))
    first = asyncio.create_task(connected.ask("POST", "/api/transmission/test"))
    await cloud.stalling.wait()
    second = await connected.ask("POST", "/api/transmission/test")
    assert (second.status, second.json["code"]) == (503, "busy")
    await cloud.stop()
    assert (await first).json["ok"] is False


@pytest.fixture
def parcels(plug: Home) -> list[outbox.Parcel]:
    db = database.open_database(plug.database)
    put = [
        outbox.put(
            db, plug.outbox, f"plug-{number}", archive.pack("x", b"<x/>", KEY), NOW + timedelta(hours=number)
        )
        for number in range(3)
    ]
    outbox.mark_delivered(db, plug.outbox, put[0], NOW)
    outbox.mark_refused(db, put[1], "422 unknown plug")
    db.close()
    return put


async def test_outbox_lists_the_newest_first(browser: Browser, parcels: list[outbox.Parcel]) -> None:
    listed = await browser.get("/api/outbox")
    assert [each["state"] for each in listed["parcels"]] == ["waiting", "refused", "delivered"]
    assert (listed["waiting"], listed["refused"], listed["delivered"], listed["lost"]) == (1, 1, 1, 0)
    assert listed["parcels"][1]["error"] == "422 unknown plug"


async def test_what_left_the_site_can_be_looked_at(
    browser: Browser, parcels: list[outbox.Parcel], plug: Home
) -> None:
    for each in parcels:
        answer = await browser.ask("GET", f"/api/outbox/{each.id}/download")
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{each.name}.zip"'
        assert archive.unpack(answer.body, KEY) == ("x", b"<x/>")
    for path in plug.outbox.rglob("*.zip"):
        path.unlink()
    assert (await browser.ask("GET", f"/api/outbox/{parcels[0].id}/download")).status == 404
    assert not any(each["downloadable"] for each in (await browser.get("/api/outbox"))["parcels"])


async def test_a_refused_parcel_is_sent_again(browser: Browser, parcels: list[outbox.Parcel]) -> None:
    answer = await browser.ask("POST", f"/api/outbox/{parcels[1].id}/retry")
    assert (answer.status, answer.json["state"]) == (200, "waiting")
    answer = await browser.ask("POST", f"/api/outbox/{parcels[0].id}/retry")
    assert (answer.status, answer.error) == (409, "It cannot be sent again: plug-0 was delivered.")


@pytest.mark.parametrize("number", ["nosuch", "..", "%2e%2e%2fsettings", "x" * 101, "a%00b", "-"])
async def test_there_is_no_other_parcel(browser: Browser, number: str) -> None:
    for method, act in (("GET", "download"), ("POST", "retry")):
        assert (await browser.ask(method, f"/api/outbox/{number}/{act}")).status in (404, 405)
