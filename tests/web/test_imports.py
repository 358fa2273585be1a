import base64
from datetime import UTC, datetime, timedelta

import pytest

from appliance.settings import schema
from appliance.settings.schema import Home
from appliance.storage import database, save_reading
from tests.web.conftest import SCRIPT, Browser, reading

LIST = """\
IP / Hostname; Communityname read; Communityname write
127.0.0.15; public; private
127.0.0.20; SnmpRead
printer1
"""


def packed(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


async def post(browser: Browser, text: str | bytes = LIST, **more: object) -> dict:
    answer = await browser.ask("POST", "/api/discovery/import", {"list": packed(text), **more})
    assert answer.status == 200, answer.body
    return answer.json


async def test_a_list_is_previewed_taken_over_and_maintained(browser: Browser, plug: Home) -> None:
    await browser.ask("POST", "/api/discovery/entries", {"addresses": "127.0.0.99"})
    preview = await post(browser, dry_run=True)
    assert (preview["applied"], preview["added"]) == (False, ["127.0.0.15", "127.0.0.20", "printer1"])
    assert len(schema.load_settings(plug).discovery.entries) == 1
    taken = await post(browser, http_username="admin", http_password="s3cret")
    assert (taken["applied"], taken["added_total"], taken["unchanged"]) == (True, 3, 0)
    assert taken["text"].startswith("Entries: 3 added")
    entries = schema.load_settings(plug).discovery.entries
    assert [entry.source for entry in entries] == ["manual", "import", "import", "import"]
    assert {entry.http_password for entry in entries if entry.source == "import"} == {"s3cret"}
    again = await post(
        browser, LIST.replace("printer1", "printer2"), http_username="admin", http_password="s3cret"
    )
    assert (again["added"], again["removed"], again["unchanged"]) == (["printer2"], ["printer1"], 2)
    assert "s3cret" not in str(again)


async def test_exclusions_and_bad_lines_are_named(browser: Browser) -> None:
    text = LIST + "127.0.0.300\n127.0.0.1-127.0.0.9\n"
    result = await post(browser, text, exclusions=packed("127.0.0.20\n127.0.0.300\n"), dry_run=True)
    assert (result["added"], result["excluded"]) == (["127.0.0.15", "printer1"], ["127.0.0.20"])
    assert result["bad"] == 3
    assert [line.split(":")[0] for line in result["problems"]] == [
        "line 5",
        "line 6",
        "exclusion list, line 2",
    ]


async def test_windows_encodings_are_understood(browser: Browser) -> None:
    for encoding in ("utf-16", "utf-8-sig", "cp1252"):
        assert (await post(browser, LIST.encode(encoding), dry_run=True))["added_total"] == 3


async def test_printers_that_are_gone_are_named_before_they_are_dropped(browser: Browser, plug: Home) -> None:
    db = database.open_database(plug.database)
    gone = save_reading.store_reading(db, reading(1, model=SCRIPT), datetime.now(UTC) - timedelta(hours=49))
    db.close()
    preview = await post(browser, dry_run=True)
    assert [(each["id"], each["model"]) for each in preview["dropped"]] == [(gone, SCRIPT)]
    await browser.get(f"/api/printers/{gone}")
    assert (await post(browser))["dropped_total"] == 1
    assert (await browser.ask("GET", f"/api/printers/{gone}")).status == 404


async def test_a_doubtful_list_needs_a_person_who_insists(browser: Browser, plug: Home) -> None:
    await post(browser)
    short = packed("127.0.0.15\n")
    assert "lacks 2 of the 3" in (await post(browser, "127.0.0.15\n", dry_run=True))["doubt"]
    answer = await browser.ask("POST", "/api/discovery/import", {"list": short})
    assert (answer.status, answer.json["code"]) == (409, "doubt")
    assert len(schema.load_settings(plug).discovery.entries) == 3
    assert (await post(browser, "127.0.0.15\n", force=True))["removed_total"] == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "list"),
        ({"list": ""}, "list"),
        ({"list": "%%%%"}, "list"),
        ({"list": "abc"}, "list"),
        ({"list": "ä"}, "list"),
        ({"list": packed(LIST), "exclusions": "="}, "exclusions"),
        ({"list": packed(LIST), "dry_run": "yes"}, "dry_run"),
        ({"list": packed(LIST), "path": "/etc/passwd"}, "path"),
    ],
)
async def test_what_is_no_list_changes_nothing(
    browser: Browser, plug: Home, body: dict[str, object], field: str
) -> None:
    before = plug.settings.read_bytes()
    answer = await browser.ask("POST", "/api/discovery/import", body)
    assert (answer.status, answer.json["field"]) == (422, field)
    assert plug.settings.read_bytes() == before


async def test_a_spreadsheet_is_no_list(browser: Browser, plug: Home) -> None:
    data = packed(b"PK\x03\x04" + bytes(range(256)))
    answer = await browser.ask("POST", "/api/discovery/import", {"list": data})
    assert (answer.status, answer.json["code"]) == (409, "doubt")
    assert "\n" not in answer.error
    assert schema.load_settings(plug).discovery.entries == ()


async def test_broken_settings_are_mended_first(browser: Browser, plug: Home) -> None:
    await browser.get("/api/discovery")
    plug.settings.write_text("[discovery\n")
    answer = await browser.ask("POST", "/api/discovery/import", {"list": packed(LIST)})
    assert answer.status == 409
    assert "settings.toml" in answer.error
    assert plug.settings.read_text() == "[discovery\n"


async def test_strangers_import_nothing(stranger: Browser, plug: Home) -> None:
    before = plug.settings.read_bytes()
    assert (await stranger.ask("POST", "/api/discovery/import", {"list": packed(LIST)})).status == 401
    assert plug.settings.read_bytes() == before
