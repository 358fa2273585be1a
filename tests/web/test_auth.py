import asyncio
import re
from dataclasses import replace
from urllib.parse import quote

import pytest

from appliance.settings import schema
from appliance.settings.schema import Config, Home
from appliance.web import login_throttle, sessions
from tests.web.conftest import PASSWORD, Browser, Page, running

NEW = "another good one"


@pytest.fixture
def factory(plug: Home) -> Home:
    """A Plug as it leaves the factory."""
    schema.save_settings(plug, Config())
    return plug


async def _form(browser: Browser, path: str, fields: dict[str, str], **headers: str):
    async with browser.session.post(
        f"{browser.base}{path}",
        data=fields,
        headers={"Origin": browser.base, **headers},
        allow_redirects=False,
    ) as response:
        return response.status, response.headers.get("Location"), response.headers.getall("Set-Cookie", [])


async def test_log_in_and_out(stranger: Browser) -> None:
    assert (await stranger.ask("GET", "/api/session")).status == 401
    answer = await stranger.log_in()
    assert (answer.status, answer.json["must_change_password"]) == (200, False)
    assert (await stranger.get("/api/session"))["username"] == "admin"
    assert (await stranger.ask("DELETE", "/api/session")).status == 204
    assert (await stranger.ask("GET", "/api/session")).status == 401


async def test_the_cookie_is_for_this_site_and_no_script(stranger: Browser, page: Page) -> None:
    answer = await stranger.log_in()
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"printmonitor-{page.port}=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    value = re.match(r"[^=]+=([^;]+)", cookie)
    assert value is not None
    assert len(value[1]) >= 43  # 256 bits in base64


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("admin", "wrong"),
        ("root", PASSWORD),
        ("", ""),
        ("admin", PASSWORD + " "),
        ("admin", "x" * 1000),
        ("ädmin", "\0"),
    ],
)
async def test_wrong_logins_are_told_apart_from_nothing(
    stranger: Browser, username: str, password: str
) -> None:
    answer = await stranger.ask("POST", "/api/session", {"username": username, "password": password})
    assert (answer.status, answer.error) == (401, "User name or password is wrong.")
    assert "Set-Cookie" not in answer.headers


async def test_the_factory_password_leads_to_its_change_and_nothing_else(factory: Home) -> None:
    async with running(factory) as page, page.browser() as browser:
        answer = await browser.log_in("printmonitor")
        assert answer.json["must_change_password"] is True
        for path in ("/api/overview", "/api/printers", "/api/system", "/api/live", "/api/time-zones"):
            answer = await browser.ask("GET", path)
            assert (answer.status, answer.json["code"]) == (403, "password-change")
        answer = await browser.ask("POST", "/api/jobs", {"kind": "query"})
        assert (answer.status, answer.json["code"]) == (403, "password-change")
        assert (await browser.ask("GET", "/")).headers["Location"] == "/password"
        answer = await browser.ask("PUT", "/api/password", {"current": "printmonitor", "new": NEW})
        assert answer.status == 204
        assert (await browser.get("/api/session"))["must_change_password"] is False
        assert (await browser.ask("GET", "/api/printers")).status == 200
    assert NEW not in factory.settings.read_text()
    assert schema.load_settings(factory).web.password_hash.startswith("scrypt$16384$8$1$")


@pytest.mark.parametrize("new", ["printmonitor", "aaaaaaaaaaaa"])
async def test_bad_new_passwords_are_refused(browser: Browser, new: str) -> None:
    answer = await browser.ask("PUT", "/api/password", {"current": PASSWORD, "new": new})
    assert (answer.status, answer.json["field"]) == (422, "new")
    assert (await browser.get("/api/session"))["username"] == "admin"


async def test_the_present_password_is_asked_for(browser: Browser) -> None:
    answer = await browser.ask("PUT", "/api/password", {"current": "guess", "new": NEW})
    assert (answer.status, answer.json["field"]) == (422, "current")


async def test_changing_the_password_ends_all_other_sessions(browser: Browser, page: Page) -> None:
    async with page.browser() as other:
        await other.log_in()
        assert (await browser.ask("PUT", "/api/password", {"current": PASSWORD, "new": NEW})).status == 204
        assert (await other.ask("GET", "/api/session")).status == 401
        assert (await browser.ask("GET", "/api/session")).status == 200
        assert (await other.log_in(PASSWORD)).status == 401
        assert (await other.log_in(NEW)).status == 200


async def test_log_out_everywhere(browser: Browser, page: Page) -> None:
    async with page.browser() as other:
        await other.log_in()
        assert (await browser.get("/api/system"))["sessions"] == 2
        assert (await browser.ask("DELETE", "/api/sessions")).status == 204
        assert (await other.ask("GET", "/api/session")).status == 401
        assert (await browser.ask("GET", "/api/session")).status == 401


async def test_forms_work_without_javascript(factory: Home) -> None:
    async with running(factory) as page, page.browser() as browser:
        status, place, _ = await _form(
            browser, "/login?next=/printers/7", {"username": "admin", "password": "no"}
        )
        assert (status, place) == (303, "/login?next=/printers/7#wrong")
        status, place, cookies = await _form(
            browser, "/login", {"username": "admin", "password": "printmonitor"}
        )
        assert (status, place, len(cookies)) == (303, "/password#", 1)
        fields = {"current": "printmonitor", "new": NEW, "again": NEW}
        assert (await _form(browser, "/password", {**fields, "again": "x"}))[1] == "/password#different"
        assert (await _form(browser, "/password", {**fields, "current": "x"}))[1] == "/password#wrong"
        weak = {**fields, "new": "printmonitor", "again": "printmonitor"}
        assert (await _form(browser, "/password", weak))[1] == "/password#weak"
        assert (await _form(browser, "/password", fields))[:2] == (303, "/#")
        assert (await browser.ask("GET", "/api/overview")).status == 200
        assert (await _form(browser, "/logout", {}))[1] == "/login#out"
        assert (await browser.ask("GET", "/api/overview")).status == 401
        assert (await _form(browser, "/login?next=/printers/7", {"username": "admin", "password": NEW}))[
            1
        ] == "/printers/7#"


@pytest.mark.parametrize(
    "after",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "/api/session", "/printers/7\r\nX: y"],
)
async def test_the_login_leads_to_our_own_pages_only(stranger: Browser, after: str) -> None:
    _, place, _ = await _form(
        stranger, f"/login?next={quote(after)}", {"username": "admin", "password": PASSWORD}
    )
    assert place == "/#"


async def test_guessing_gets_slower(stranger: Browser) -> None:
    for _ in range(login_throttle.FREE_FAILURES):
        assert (await stranger.log_in("guess")).status == 401
    answer = await stranger.log_in()
    assert (answer.status, answer.json["code"]) == (429, "slow-down")
    assert int(answer.headers["Retry-After"]) == 1


async def test_a_hundred_guesses_at_once_are_not_one(stranger: Browser) -> None:
    answers = await asyncio.gather(*(stranger.log_in(f"guess {number}") for number in range(60)))
    assert sum(answer.status == 401 for answer in answers) <= login_throttle.FREE_FAILURES
    assert {answer.status for answer in answers} == {401, 429}


async def test_the_page_answers_while_passwords_are_computed(browser: Browser, page: Page) -> None:
    async with page.browser() as other:
        guesses = [asyncio.create_task(other.log_in("guess")) for _ in range(3)]
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert (await browser.ask("GET", "/api/session")).status == 200
        assert loop.time() - began < 1
        await asyncio.gather(*guesses)


async def test_a_stolen_cookie_opens_no_other_door(plug: Home) -> None:
    async with running(plug, tls=True) as page, page.browser() as owner, page.browser(page.secure) as thief:
        await owner.log_in()
        token = next(iter(owner.session.cookie_jar)).value
        for name in (f"__Host-printmonitor-{page.tls_port}", f"printmonitor-{page.port}"):
            answer = await thief.ask("GET", "/api/session", headers={"Cookie": f"{name}={token}"})
            assert answer.status == 401
        async with running(plug) as second, second.browser() as elsewhere:
            cookie = {"Cookie": f"printmonitor-{second.port}={token}"}
            assert (await elsewhere.ask("GET", "/api/session", headers=cookie)).status == 401


async def test_https_has_a_cookie_of_its_own(plug: Home) -> None:
    async with running(plug, tls=True) as page, page.browser(page.secure) as browser:
        cookie = (await browser.log_in()).headers["Set-Cookie"]
        assert cookie.startswith(f"__Host-printmonitor-{page.tls_port}=")
        assert "Secure" in cookie.split("; ")
        assert (await browser.get("/api/session"))["secure"] is True


async def test_a_new_login_ends_the_session_before_it(browser: Browser) -> None:
    await browser.log_in()
    assert (await browser.get("/api/system"))["sessions"] == 1


def test_sessions_end_when_nobody_is_there() -> None:
    kept = sessions.SessionStore()
    token = kept.create("admin", ("http", 80), False, 0.0)
    assert kept.find(token, ("http", 80), sessions.IDLE_TIMEOUT_S - 1)
    assert kept.find(token, ("http", 80), 2 * sessions.IDLE_TIMEOUT_S - 2)
    assert kept.find(token, ("http", 80), 3 * sessions.IDLE_TIMEOUT_S) is None


def test_background_requests_keep_no_session_alive() -> None:
    kept = sessions.SessionStore()
    token = kept.create("admin", ("http", 80), False, 0.0)
    assert kept.find(token, ("http", 80), sessions.IDLE_TIMEOUT_S - 1, touch=False)
    assert kept.find(token, ("http", 80), sessions.IDLE_TIMEOUT_S) is None


def test_sessions_end_after_half_a_day_whatever_happens() -> None:
    kept = sessions.SessionStore()
    token = kept.create("admin", ("http", 80), False, 0.0)
    now = 0.0
    while now < sessions.ABSOLUTE_TIMEOUT_S - 1000:
        assert kept.find(token, ("http", 80), now)
        now += 1000
    assert kept.find(token, ("http", 80), sessions.ABSOLUTE_TIMEOUT_S) is None


def test_sessions_are_bounded() -> None:
    kept = sessions.SessionStore()
    first = kept.create("admin", ("http", 80), False, 0.0)
    for number in range(sessions.MAX_SESSIONS):
        kept.create("admin", ("http", 80), False, 1.0 + number)
    assert len(kept) == sessions.MAX_SESSIONS
    assert kept.find(first, ("http", 80), 200.0) is None


def test_waits_grow_up_to_a_bound() -> None:
    tried = login_throttle.LoginThrottle()
    now, waits = 1.0, []
    for _ in range(20):
        now += tried.seconds_to_wait("10.0.0.9", now)
        tried.record_attempt("10.0.0.9", now)
        waits.append(tried.seconds_to_wait("10.0.0.9", now))
    assert waits[:5] == [0, 0, 1, 2, 4]
    assert max(waits) == login_throttle.MAX_WAIT_S
    assert tried.seconds_to_wait("10.0.0.8", now + 100) == 0


def test_all_addresses_together_are_slowed_but_not_who_was_here_before() -> None:
    tried = login_throttle.LoginThrottle()
    tried.record_attempt("10.0.0.1", 1.0)
    tried.record_success("10.0.0.1")
    for number in range(login_throttle.GLOBAL_BURST):
        tried.record_attempt(f"10.0.1.{number}", 1.0)
    assert 0 < tried.seconds_to_wait("10.0.2.1", 1.0) <= 1 / login_throttle.GLOBAL_REFILL_PER_S
    assert tried.seconds_to_wait("10.0.0.1", 1.0) == 0
    assert tried.seconds_to_wait("10.0.2.1", 10.0) == 0


def test_attempts_are_bounded() -> None:
    tried = login_throttle.LoginThrottle()
    for number in range(3 * login_throttle.MAX_ADDRESSES):
        tried.record_attempt(f"fe80::{number:x}", 1.0)
    assert len(tried._addresses) == login_throttle.MAX_ADDRESSES


async def test_forms_are_bounded(stranger: Browser) -> None:
    many = {f"field{number}": "x" for number in range(20)}
    assert (await _form(stranger, "/login", many))[0] == 400
    assert (await _form(stranger, "/login", {"username": "x" * 20_000}))[0] == 413


async def test_a_hash_by_hand_opens_nothing(plug: Home) -> None:
    settings = schema.load_settings(plug)
    schema.save_settings(plug, replace(settings, web=replace(settings.web, password_hash="secret")))
    async with running(plug) as page, page.browser() as browser:
        assert (await browser.log_in("secret")).status == 401
