import pytest

from appliance.domain.clock import utc_now
from appliance.host import network_info
from appliance.settings import schema
from appliance.settings.schema import Home
from appliance.storage import database, jobs
from tests.fakes.agent import Agent, Device
from tests.web.conftest import Browser, Page

SECRET = "s3cret-of-the-printers"


async def add(browser: Browser, **entry: object) -> dict:
    answer = await browser.ask("POST", "/api/discovery/entries", entry)
    assert answer.status == 201, answer.body
    return answer.json


async def test_entries_are_added_changed_and_removed(browser: Browser, plug: Home) -> None:
    one = await add(browser, addresses="127.0.0.1-127.0.0.9", community_read="office", port=1161)
    two = await add(browser, addresses="127.1.0.0/24", snmp_version="1", address_by="name")
    assert (one["count"], two["count"]) == (9, 254)
    changed = await browser.ask("PATCH", f"/api/discovery/entries/{one['id']}", {"addresses": "127.0.0.1"})
    assert (changed.json["count"], changed.json["community_read"], changed.json["port"]) == (
        1,
        "office",
        1161,
    )
    assert (await browser.ask("PATCH", f"/api/discovery/entries/{one['id']}", {"port": 161})).status == 404
    assert (await browser.ask("DELETE", f"/api/discovery/entries/{two['id']}")).status == 204
    (left,) = schema.load_settings(plug).discovery.entries
    assert (left.addresses, left.community_read) == ("127.0.0.1", "office")


async def test_secrets_go_in_and_never_out(browser: Browser, plug: Home) -> None:
    one = await add(browser, addresses="127.0.0.1", community_write=SECRET, http_password=SECRET)
    assert (one["community_write"], one["http_password"]) == ({"set": True}, {"set": True})
    for path in ("/api/discovery", "/api/system/support", "/api/system", "/api/overview"):
        assert SECRET.encode() not in (await browser.ask("GET", path)).body
    kept = await browser.ask("PATCH", f"/api/discovery/entries/{one['id']}", {"port": 1161})
    assert schema.load_settings(plug).discovery.entries[0].http_password == SECRET
    await browser.ask("PATCH", f"/api/discovery/entries/{kept.json['id']}", {"http_password": ""})
    assert schema.load_settings(plug).discovery.entries[0].http_password == ""


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({"addresses": "10.0.0.0/8"}, "addresses"),
        ({"addresses": "127.0.0.300"}, "addresses"),
        ({"addresses": "127.0.0.9-127.0.0.1"}, "addresses"),
        ({"addresses": ""}, "addresses"),
        ({"addresses": "127.0.0.1", "port": 0}, "port"),
        ({"addresses": "127.0.0.1", "port": 65536}, "port"),
        ({"addresses": "127.0.0.1", "snmp_version": "3"}, "snmp_version"),
        ({"addresses": "127.0.0.1", "community_read": ""}, "community_read"),
        ({"addresses": "127.0.0.1", "community_read": "a\nb"}, "community_read"),
        ({"addresses": "127.0.0.1", "source": "import"}, "source"),
        ({}, "addresses"),
    ],
)
async def test_bad_entries_are_named(browser: Browser, plug: Home, entry: dict, field: str) -> None:
    answer = await browser.ask("POST", "/api/discovery/entries", entry)
    assert (answer.status, answer.json["field"]) == (422, field)
    assert "\n" not in answer.error
    assert schema.load_settings(plug).discovery.entries == ()


async def test_the_same_entry_twice_is_refused(browser: Browser) -> None:
    await add(browser, addresses="127.0.0.1")
    other = await add(browser, addresses="127.0.0.2")
    assert (await browser.ask("POST", "/api/discovery/entries", {"addresses": "127.0.0.1"})).status == 409
    answer = await browser.ask("PATCH", f"/api/discovery/entries/{other['id']}", {"addresses": "127.0.0.1"})
    assert answer.status == 409


async def test_exclusions_pace_and_schedule_are_changed(browser: Browser, plug: Home) -> None:
    wanted = {
        "exclusions": ["127.0.0.7", "00:11:22:33:44:55", "printer.example"],
        "packets_per_second": 50,
        "query_every": "30m",
        "discover_at": ["03:30"],
    }
    answer = await browser.ask("PATCH", "/api/discovery", wanted)
    assert {key: answer.json[key] for key in wanted} == wanted
    assert schema.load_settings(plug).schedule.query_interval_s == 1800
    answer = await browser.ask("PATCH", "/api/discovery", {"discover_at": []})
    assert answer.json["next_discover_at"] is None


@pytest.mark.parametrize(
    "change",
    [
        {"exclusions": ["127.0.0.300"]},
        {"exclusions": [""]},
        {"exclusions": "127.0.0.1"},
        {"packets_per_second": 0},
        {"query_every": "never"},
        {"query_every": "1s"},
        {"query_every": "99999d"},
        {"discover_at": ["25:00"]},
        {"max_addresses": 2**40},
        {},
    ],
)
async def test_bad_changes_leave_everything(browser: Browser, plug: Home, change: dict) -> None:
    before = plug.settings.read_bytes()
    answer = await browser.ask("PATCH", "/api/discovery", change)
    assert answer.status == 422
    assert answer.json.get("field", "").split(".")[0] == next(iter(change), "")
    assert plug.settings.read_bytes() == before


def printer() -> Device:
    mib = {
        "1.3.6.1.2.1.1.1.0": (4, b"A printer"),
        "1.3.6.1.2.1.1.2.0": (6, "1.3.6.1.4.1.11.2.3.9.1"),
        "1.3.6.1.2.1.25.3.5.1.1.1": (2, 3),
        "1.3.6.1.2.1.43.5.1.1.17.1": (4, b"SN77"),
        "1.3.6.1.2.1.43.10.2.1.4.1.1": (65, 5),
    }
    return Device(mib)


async def test_an_entry_is_tried(browser: Browser, agent: Agent, plug: Home) -> None:
    agent.add("127.0.0.21", printer())
    answer = await browser.ask("POST", "/api/discovery/test", {"addresses": "127.0.0.21", "port": agent.port})
    result = answer.json
    assert (result["ok"], result["text"], result["advice"]) == (True, "1 printer answered.", None)
    assert result["found"][0]["address"] == "127.0.0.21"
    assert result["found"][0]["serial_number"] == "SN77"
    db = database.open_database(plug.database)
    assert db.execute("SELECT count(*) FROM printers").fetchone() == (0,)
    db.close()


async def test_a_silent_entry_comes_with_advice(browser: Browser, agent: Agent) -> None:
    entry = {"addresses": "127.0.0.22", "port": agent.port, "snmp_version": "2"}
    result = (await browser.ask("POST", "/api/discovery/test", entry)).json
    assert (result["ok"], result["text"], result["found"]) == (False, "No answer.", [])
    assert "community" in result["advice"]


async def test_an_entry_is_tried_with_the_secrets_it_has(browser: Browser, agent: Agent) -> None:
    agent.add("127.0.0.21", printer())
    known = await add(browser, addresses="127.0.0.21", port=agent.port)
    answer = await browser.ask("POST", "/api/discovery/test", {"id": known["id"], "addresses": "127.0.0.21"})
    assert answer.json["ok"] is True
    answer = await browser.ask("POST", "/api/discovery/test", {"id": "0" * 16, "addresses": "127.0.0.21"})
    assert answer.status == 404


@pytest.mark.parametrize("addresses", ["127.0.0.0/16", "no-such-name.invalid", "127.0.0.23"])
async def test_a_test_has_its_limits(browser: Browser, addresses: str) -> None:
    await browser.ask("PATCH", "/api/discovery", {"exclusions": ["127.0.0.23"]})
    answer = await browser.ask("POST", "/api/discovery/test", {"addresses": addresses})
    assert (answer.status, answer.json["field"]) == (422, "addresses")


async def test_a_run_is_ordered_watched_and_remembered(
    browser: Browser, plug: Home, fleet: list[int]
) -> None:
    ordered = await browser.ask("POST", "/api/jobs", {"kind": "discover"})
    assert (ordered.status, ordered.json["state"]) == (202, "waiting")
    number = ordered.json["id"]
    db = database.open_database(plug.database)
    jobs.start_next(db, utc_now())
    scan = {"total": 254, "asked": 100, "answered": 3, "printers": 2}
    jobs.update_progress(db, number, {"scan": scan, "to_read": 2, "read": 1, "failed": 0})
    progress = (await browser.get(f"/api/jobs/{number}"))["progress"]
    assert (progress["stage"], progress["asked"], progress["total"], progress["read"]) == (
        "scan",
        100,
        254,
        1,
    )
    failed = [{"host": "127.0.0.9", "reason": "silent", "name": None, "printer_id": 3}]
    skipped = [{"host": "127.0.0.8", "reason": "no printer"}]
    partly = [{"host": "127.0.0.7", "reason": "alerts not read: stopped answering", "printer_id": 4}]
    result = {
        "read": 2,
        "failed": failed,
        "incomplete": partly,
        "incomplete_total": 12,
        "skipped": skipped,
        "cost": {"packets": 9, "bytes": 900, "seconds": 1.5},
    }
    jobs.finish(db, number, "done", result, utc_now())
    db.close()
    (job,) = (await browser.get("/api/jobs"))["jobs"]
    assert (job["state"], job["progress"], job["result"]["printers"]) == ("done", None, 2)
    assert job["result"]["failed"][0] == {
        "address": "127.0.0.9",
        "name": None,
        "printer": 3,
        "reason": "silent",
    }
    assert job["result"]["skipped"][0]["reason"] == "no printer"
    assert (job["result"]["incomplete"][0]["printer"], job["result"]["incomplete_total"]) == (4, 12)
    assert (await browser.get("/api/overview"))["last_run"]["incomplete"] == 12


@pytest.mark.parametrize("garbage", ["{}", "[]", '{"scan": 7, "read": "x"}', '{"scan": {"total": "x"}}'])
async def test_strange_rows_of_jobs_are_shown_all_the_same(
    browser: Browser, plug: Home, garbage: str
) -> None:
    db = database.open_database(plug.database)
    db.execute(
        "INSERT INTO jobs (kind, arguments, state, progress, result, put_at, started_at, finished_at)"
        " VALUES ('query', ?, 'done', ?, ?, 1, 1, 1)",
        (garbage, garbage, garbage),
    )
    db.execute(
        "INSERT INTO jobs (kind, state, progress, put_at) VALUES ('query', 'running', ?, 1)", (garbage,)
    )
    db.close()
    assert len((await browser.get("/api/jobs"))["jobs"]) == 2


async def test_unknown_kinds_of_runs_are_refused(browser: Browser) -> None:
    answer = await browser.ask("POST", "/api/jobs", {"kind": "reboot"})
    assert (answer.status, answer.error) == (422, "kind: must be one of query, discover.")


async def test_two_tabs_do_not_undo_each_other(browser: Browser, page: Page) -> None:
    one = await add(browser, addresses="127.0.0.1")
    async with page.browser() as other:
        await other.log_in()
        await add(other, addresses="127.0.0.2")
        await browser.ask("DELETE", f"/api/discovery/entries/{one['id']}")
        listed = await other.get("/api/discovery")
    assert [entry["addresses"] for entry in listed["entries"]] == ["127.0.0.2"]


async def test_a_first_entry_is_suggested_from_the_plugs_own_network(browser: Browser) -> None:
    network = network_info.detect_lan_network()
    expected = f"{network[1]}-{network[-2]}" if network and network.prefixlen < 31 else None
    assert (await browser.get("/api/discovery"))["suggestion"] == expected
