import asyncio
import base64
import io
import json
import ssl
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pyzipper
import trustme

from appliance.domain.model import DiscoveryEntry, Trap
from appliance.settings import schema
from appliance.settings.schema import Config, Home
from appliance.storage import database, traps
from appliance.web.support_bundle import read_error_log
from tests.web.conftest import SCRIPT, Browser, Page, password_hash, running

BACKUP_PASSWORD = "a password for backups"
SECRET = "Zq7-passphrase"


async def test_names_language_and_time_zone_are_changed(browser: Browser, plug: Home) -> None:
    change = {
        "name": "plug-7",
        "site": "Zürich",
        "language": "de",
        "time_zone": "Europe/Berlin",
        "port": 8080,
    }
    answer = await browser.ask("PATCH", "/api/system", change)
    assert {key: answer.json[key] for key in change if key != "port"} == {
        key: value for key, value in change.items() if key != "port"
    }
    kept = schema.load_settings(plug)
    assert (kept.plug.language, kept.web.port, kept.web.tls_port) == ("de", 8080, 443)
    assert (await browser.get("/api/session"))["language"] == "de"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "a b"}, "name"),
        ({"name": "x" * 64}, "name"),
        ({"name": "-x"}, "name"),
        ({"name": "x\n"}, "name"),
        ({"site": "x" * 201}, "site"),
        ({"site": "<b>\u202e"}, "plug.site"),
        ({"language": "fr"}, "language"),
        ({"time_zone": "Europe/Nowhere"}, "schedule.time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"port": 443}, "web.tls_port"),
        ({"port": 0}, "port"),
        ({"password_hash": ""}, "password_hash"),
    ],
)
async def test_bad_changes_are_named(browser: Browser, plug: Home, change: dict, field: str) -> None:
    before = plug.settings.read_bytes()
    answer = await browser.ask("PATCH", "/api/system", change)
    assert (answer.status, answer.json["field"]) == (422, field)
    assert plug.settings.read_bytes() == before


async def test_elsewhere_it_says_what_is_not_to_be_had(browser: Browser) -> None:
    system = await browser.get("/api/system")
    assert (system["box"], bool(system["box_text"])) == (False, True)
    answer = await browser.ask("POST", "/api/system/restart", {"what": "box"})
    assert (answer.status, answer.json["code"]) == (409, "elsewhere")
    assert system["licence"]["state"] == "none"


async def test_backup_and_restore_bring_the_secrets_back(browser: Browser, plug: Home, page: Page) -> None:
    page.change(
        plug={"site": "Zurich"},
        transmission={"key": SECRET},
        discovery={"entries": (DiscoveryEntry("127.0.0.1"),)},
    )
    saved = await browser.ask("POST", "/api/system/backup", {"password": BACKUP_PASSWORD})
    assert SECRET.encode() not in saved.body
    with pyzipper.AESZipFile(io.BytesIO(saved.body)) as archive:
        archive.setpassword(BACKUP_PASSWORD.encode())
        assert json.loads(archive.read("settings.json"))["settings"]["transmission"]["key"] == SECRET
    page.change(plug={"site": ""}, transmission={"key": ""}, discovery={"entries": ()}, web={"port": 8888})
    body = {"password": BACKUP_PASSWORD, "backup": base64.b64encode(saved.body).decode()}
    answer = await browser.ask("POST", "/api/system/restore", body)
    assert (answer.status, answer.json["settings"]) == (200, 3)
    kept = schema.load_settings(plug)
    assert (kept.plug.site, kept.transmission.key, kept.web.port) == ("Zurich", SECRET, 8888)
    assert kept.discovery.entries[0].addresses == "127.0.0.1"


async def test_bad_backups_change_nothing(browser: Browser, plug: Home) -> None:
    saved = await browser.ask("POST", "/api/system/backup", {"password": BACKUP_PASSWORD})
    packed = base64.b64encode(saved.body).decode()
    before = plug.settings.read_bytes()
    wrong = [
        ({"password": "another password", "backup": packed}, "password"),
        ({"password": BACKUP_PASSWORD, "backup": "AAAA"}, "backup"),
        ({"password": BACKUP_PASSWORD, "backup": "not base64!"}, "backup"),
        ({"password": BACKUP_PASSWORD, "backup": packed[:400]}, "backup"),
    ]
    for body, field in wrong:
        answer = await browser.ask("POST", "/api/system/restore", body)
        assert (answer.status, answer.json["field"]) == (422, field)
    assert plug.settings.read_bytes() == before


@pytest.mark.parametrize(
    "document",
    ["[]", "{}", '{"format": "printmonitor-settings-1", "settings": {"plug": {"name": 7}}}', "[" * 9000],
)
async def test_backups_that_somebody_made_up_are_refused(browser: Browser, plug: Home, document: str) -> None:
    packed = io.BytesIO()
    with pyzipper.AESZipFile(packed, "w", encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(BACKUP_PASSWORD.encode())
        archive.writestr("settings.json", document)
    before = plug.settings.read_bytes()
    body = {"password": BACKUP_PASSWORD, "backup": base64.b64encode(packed.getvalue()).decode()}
    answer = await browser.ask("POST", "/api/system/restore", body)
    assert (answer.status, answer.json["field"]) == (422, "backup")
    assert plug.settings.read_bytes() == before


async def test_the_support_bundle_holds_no_secret(browser: Browser, page: Page, fleet: list[int]) -> None:
    entry = DiscoveryEntry("127.0.0.1", community_read=SECRET, community_write=SECRET, http_password=SECRET)
    page.change(
        discovery={"entries": (entry,)},
        transmission={"key": SECRET},
        traps={"communities": (SECRET,)},
        web={"metrics_token": SECRET * 3},
    )
    answer = await browser.ask("GET", "/api/system/support")
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    assert {"about.json", "settings.json", "database.json", "printmonitor-poller.service.log.json"} <= set(
        files
    )
    assert not [name for name, text in files.items() if SECRET in text or "scrypt$" in text]
    assert json.loads(files["database.json"])["rows"]["printers"] == 3
    settings = json.loads(files["settings.json"])
    assert settings["transmission"]["key"] == {"set": True}
    assert settings["discovery"]["entries"][0]["addresses"] == "127.0.0.1"


async def test_broken_settings_are_told_and_kept_aside(browser: Browser, plug: Home) -> None:
    plug.settings.write_text("[plug]\nnam = 'x'\n")
    system = await browser.get("/api/system")
    assert system["settings_problems"] == ["plug.nam: unknown; did you mean name?"]
    overview = await browser.get("/api/overview")
    assert "settings" in [each["kind"] for each in overview["attention"]]
    assert (await browser.ask("PATCH", "/api/system", {"site": "Zurich"})).status == 200
    assert "nam = 'x'" in (plug.folder / "settings.broken.toml").read_text()
    assert (await browser.get("/api/system"))["settings_problems"] == []


async def test_time_zones_are_real(browser: Browser) -> None:
    zones = (await browser.get("/api/time-zones"))["zones"]
    assert {"Europe/Zurich", "Europe/Berlin", "UTC"} <= set(zones)


def issued(*names: str, days: int = 30) -> tuple[str, str]:
    made = trustme.CA().issue_cert(*names, not_after=datetime.now(UTC) + timedelta(days=days))
    chain = "".join(part.bytes().decode() for part in made.cert_chain_pems)
    return chain, made.private_key_pem.bytes().decode()


async def served(page: Page) -> bytes:
    """The certificate that a new connection gets."""

    def ask() -> bytes:
        assert page.tls_port is not None
        return ssl.get_server_certificate(("127.0.0.1", page.tls_port)).encode()

    return ssl.PEM_cert_to_DER_cert((await asyncio.to_thread(ask)).decode())


async def test_an_own_certificate_is_used_at_once(plug: Home) -> None:
    async with running(plug, tls=True) as page, page.browser() as browser:
        await browser.log_in()
        first = await served(page)
        system = await browser.get("/api/system")
        assert system["certificate"]["self_signed"] is True
        assert f"{system['name']}.local" in system["certificate"]["names"]
        assert "127.0.0.1" in system["certificate"]["names"]
        certificate, key = issued("plug.company.example")
        body = {"certificate": certificate, "private_key": key}
        answer = await browser.ask("PUT", "/api/system/certificate", body)
        assert (answer.status, answer.json["uploaded"], answer.json["self_signed"]) == (200, True, False)
        assert answer.json["names"] == ["plug.company.example"]
        assert await served(page) != first
        answer = await browser.ask("DELETE", "/api/system/certificate")
        assert (answer.json["uploaded"], answer.json["self_signed"]) == (False, True)
    assert (plug.tls / "web.key").stat().st_mode & 0o777 == 0o600


async def test_certificates_that_do_not_fit_are_refused(plug: Home) -> None:
    one, other, past = issued("a.example"), issued("b.example"), issued("c.example", days=-1)
    async with running(plug, tls=True) as page, page.browser() as browser:
        await browser.log_in()
        before = await served(page)
        for certificate, key, field in (
            (one[0], other[1], "private_key"),
            (past[0], past[1], "certificate"),
            ("nonsense", one[1], "certificate"),
            (one[0], "nonsense", "private_key"),
            (one[0], "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "certificate"),
            (
                one[0],
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
                "private_key",
            ),
        ):
            body = {"certificate": certificate, "private_key": key}
            answer = await browser.ask("PUT", "/api/system/certificate", body)
            assert (answer.status, answer.json["field"]) == (422, field), answer.body
        assert await served(page) == before


async def test_without_https_no_certificate_is_taken(browser: Browser) -> None:
    certificate, key = issued("a.example")
    answer = await browser.ask(
        "PUT", "/api/system/certificate", {"certificate": certificate, "private_key": key}
    )
    assert answer.status == 409


async def test_the_certificate_survives_a_restart(plug: Home) -> None:
    async with running(plug, tls=True) as page:
        first = await served(page)
    async with running(plug, tls=True) as page:
        assert await served(page) == first
    (plug.tls / "web.pem").write_text("torn")
    async with running(plug, tls=True) as page:
        assert await served(page) != first


async def test_services_say_that_they_are_not_here(browser: Browser) -> None:
    services = await browser.get("/api/services")
    assert [service["name"] for service in services["services"]] == ["poller", "traps", "web"]
    if not services["available"]:
        assert services["text"]
    answer = await browser.ask("POST", "/api/services/poller/restart")
    assert (answer.status, answer.json["code"]) == (409, "elsewhere")
    assert (await browser.ask("POST", "/api/services/sshd/stop")).status == 404
    assert (await browser.ask("POST", "/api/services/poller/kill")).status == 404
    log = await browser.get("/api/services/poller/log?lines=5")
    assert log["available"] or log["text"]
    assert (await browser.ask("GET", "/api/services/poller/log?lines=9999")).status == 400


async def test_traps_are_switched_on_and_off(browser: Browser, plug: Home) -> None:
    assert (await browser.get("/api/traps"))["state"] == "off"
    answer = await browser.ask(
        "PATCH", "/api/traps", {"enabled": True, "port": 1162, "communities": ["public"]}
    )
    assert (answer.json["enabled"], answer.json["port"]) == (True, 1162)
    assert schema.load_settings(plug).traps.communities == ("public",)
    answer = await browser.ask("PATCH", "/api/traps", {"communities": [""]})
    assert (answer.status, answer.json["field"]) == (422, "communities.1")


async def test_overview_says_what_needs_somebody(browser: Browser, fleet: list[int], plug: Home) -> None:
    overview = await browser.get("/api/overview")
    kinds = {each["kind"]: each for each in overview["attention"]}
    assert kinds["printer-error"]["printer"] == fleet[1]
    assert kinds["printer-error"]["detail"] == "jammed lowToner"
    assert kinds["printer-silent"]["link"] == f"/printers/{fleet[2]}"
    assert {"poller", "no-entries", "transmission-off"} <= set(kinds)
    assert overview["counts"]["error"] == 1
    assert overview["next_run"]["at"] > overview["time"]
    assert (overview["licence"]["state"], overview["licence"]["valid_until"]) == ("none", None)


async def test_traps_are_listed_with_their_printers(browser: Browser, fleet: list[int], plug: Home) -> None:
    db = database.open_database(plug.database)
    trap = Trap("printerV2Alert", text=f"jam {SCRIPT}", severity="critical", objects=("prtAlertCode = 8",))
    now = datetime.now(UTC)
    traps.save_traps(
        db,
        [
            traps.ReceivedTrap("127.0.1.1", fleet[0], trap, now),
            traps.ReceivedTrap("127.0.9.9", None, trap, now),
        ],
    )
    db.close()
    stranger, known = (await browser.get("/api/traps"))["traps"]
    assert (known["printer"], known["printer_name"], known["severity"]) == (
        fleet[0],
        "LaserJet 9",
        "critical",
    )
    assert (stranger["printer"], stranger["text"], stranger["times"]) == (None, f"jam {SCRIPT}", 1)


async def test_metrics_are_off_until_somebody_asks(browser: Browser, page: Page, fleet: list[int]) -> None:
    assert (await browser.ask("GET", "/metrics")).status == 404
    token = (await browser.ask("POST", "/api/system/metrics-token")).json["token"]
    async with page.browser() as prometheus:
        assert (await prometheus.ask("GET", "/metrics")).status == 401
        wrong = {"Authorization": f"Bearer {token}x"}
        assert (await prometheus.ask("GET", "/metrics", headers=wrong)).status == 401
        answer = await prometheus.ask("GET", "/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    text = answer.body.decode()
    assert 'printmonitor_printers{state="error"} 1\n' in text
    assert 'printmonitor_attention{reason="printer-error",severity="error"} 1\n' in text
    assert f'printmonitor_pages_total{{printer="{fleet[0]}",counter="total"}} 1500\n' in text
    labels = f'{{printer="{fleet[1]}",supply="1",color="black",kind="consumed"}}'
    assert f"printmonitor_supply_left_ratio{labels} 0.05\n" in text
    assert (await browser.ask("DELETE", "/api/system/metrics-token")).status == 204
    assert (await browser.ask("GET", "/metrics")).status == 404


async def test_metrics_open_nothing_else(browser: Browser, page: Page) -> None:
    token = (await browser.ask("POST", "/api/system/metrics-token")).json["token"]
    async with page.browser() as prometheus:
        answer = await prometheus.ask("GET", "/api/printers", headers={"Authorization": f"Bearer {token}"})
    assert answer.status == 401


async def test_settings_stay_as_they_are_where_nothing_changes(browser: Browser, plug: Home) -> None:
    before = plug.settings.stat().st_mtime_ns
    await browser.ask("PATCH", "/api/system", {"language": "en"})
    assert plug.settings.stat().st_mtime_ns == before


@pytest.fixture
async def boxed(tmp_path: Path) -> AsyncIterator[tuple[Home, Browser]]:
    """A page that takes itself for the installed Plug's, and somebody who is logged in."""
    home = Home(tmp_path / "var/lib/printmonitor")
    home.create_folders()
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    standard = Config()
    plug = replace(standard.plug, mdns=False, name="plug-7")
    schema.save_settings(
        home, replace(standard, plug=plug, web=replace(standard.web, password_hash=password_hash()))
    )
    async with running(home, root=tmp_path) as page, page.browser() as browser:
        await browser.log_in()
        yield home, browser


def orders(home: Home) -> list[dict]:
    return [json.loads(path.read_text()) for path in (home.run / "requests").glob("*.json")]


async def test_a_factory_reset_wants_the_name_of_the_plug(boxed: tuple[Home, Browser]) -> None:
    home, browser = boxed
    assert (await browser.get("/api/system"))["box"]
    for name in ("", "plug-8", "PLUG-7"):
        answer = await browser.ask("POST", "/api/system/factory-reset", {"name": name})
        assert (answer.status, answer.json["field"]) == (422, "name")
    assert orders(home) == []
    answer = await browser.ask("POST", "/api/system/factory-reset", {"name": "plug-7"})
    assert answer.status == 202
    assert orders(home) == [{"do": "factory-reset"}]


async def test_a_factory_reset_belongs_to_the_plug_itself(browser: Browser, plug: Home) -> None:
    name = schema.load_settings(plug).plug.name
    answer = await browser.ask("POST", "/api/system/factory-reset", {"name": name})
    assert (answer.status, answer.json["code"]) == (409, "elsewhere")


async def test_it_says_how_long_it_is_on(browser: Browser) -> None:
    host = (await browser.get("/api/system"))["host"]
    assert host["uptime_seconds"] > 0
    assert host["card_written_bytes"] is None or host["card_written_bytes"] >= 0


def test_errors_that_were_kept_go_along(tmp_path: Path) -> None:
    assert read_error_log(tmp_path) == []
    (tmp_path / "errors.1.log").write_text("first\nsecond\n")
    (tmp_path / "errors.log").write_bytes(b"third \xff\n")
    assert read_error_log(tmp_path) == ["first", "second", "third \ufffd"]
    (tmp_path / "errors.log").write_text("x\n" * 5_000)
    assert len(read_error_log(tmp_path)) == 1_000
