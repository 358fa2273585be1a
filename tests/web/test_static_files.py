import gzip
import re
import tomllib

import pytest

from appliance.web import static_files
from appliance.web.static_files import find_webui_dir, preferred_language
from tests.children import ROOT
from tests.web.conftest import Browser, Page
from tests.web.test_middleware import raw


async def test_the_login_needs_no_script(stranger: Browser) -> None:
    for name in ("login", "password"):
        for suffix in ("", ".de"):
            text = (find_webui_dir() / f"{name}{suffix}.html").read_text()
            assert "<script" not in text
            assert ' style="' not in text
            assert '<form method="post">' in text
    answer = await stranger.ask("GET", "/login")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("accepted", "lang"),
    [("de-CH,de;q=0.9,en;q=0.8", "de"), ("en-GB", "en"), ("", "en"), ("fr, *;q=0.1", "en")],
)
async def test_the_login_speaks_the_browsers_language(stranger: Browser, accepted: str, lang: str) -> None:
    answer = await stranger.ask("GET", "/login", headers={"Accept-Language": accepted})
    assert f'<html lang="{lang}">' in answer.body.decode()
    assert "Accept-Language" in answer.headers["Vary"]


def test_languages_are_weighed() -> None:
    assert preferred_language("en;q=0.3, de;q=0.7") == "de"
    assert preferred_language("de;q=0, en;q=0.1") == "en"
    assert preferred_language("de;q=nonsense") == "en"


@pytest.mark.parametrize(
    "path", ["/", "/printers", "/printers/7", "/discovery", "/transmission", "/traps", "/system"]
)
async def test_pages_ask_strangers_to_log_in_first(stranger: Browser, path: str) -> None:
    answer = await stranger.ask("GET", path)
    assert answer.status == 303
    assert answer.headers["Location"] == ("/login" if path == "/" else f"/login?next={path}")
    assert answer.headers["Cache-Control"] == "no-store"


async def test_the_password_page_is_for_who_is_logged_in(stranger: Browser) -> None:
    assert (await stranger.ask("GET", "/password")).headers["Location"] == "/login"
    await stranger.log_in()
    assert (await stranger.ask("GET", "/password")).status == 200


async def test_files_are_sent_again_only_when_they_changed(stranger: Browser) -> None:
    first = await stranger.ask("GET", "/login.css")
    assert first.headers["Cache-Control"] == "no-cache"
    same = await stranger.ask(
        "GET", "/login.css", headers={"If-None-Match": f'"other", {first.headers["ETag"]}'}
    )
    assert (same.status, same.body) == (304, b"")
    assert (await stranger.ask("HEAD", "/login.css")).status == 200


async def test_files_are_packed_for_who_unpacks_them(page: Page) -> None:
    head = f"GET /login.css HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\n"
    status, plain = await raw(page, f"{head}\r\n")
    assert status == 200
    _, packed = await raw(page, f"{head}Accept-Encoding: gzip\r\n\r\n")
    assert len(packed) < len(plain)
    assert gzip.decompress(packed) == plain
    _, refused = await raw(page, f"{head}Accept-Encoding: gzip;q=0\r\n\r\n")
    assert refused == plain


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/../appliance/settings/schema.py",
            "/%2e%2e/README.md",
            "/..%2fREADME.md",
            "/login.css/../../README.md",
        ),
        *(
            "//etc/passwd",
            "/etc/passwd",
            "/.git/config",
            "/login.html",
            "/%2flogin.css",
            "/login.css%00.html",
        ),
        *(
            "/login.css/",
            "/\\..\\README.md",
            "/webui/login.css",
            "/LOGIN.CSS",
            "/./login.css~",
            "/%c0%ae%c0%ae/x.css",
        ),
    ],
)
async def test_no_path_leads_elsewhere(page: Page, path: str) -> None:
    status, body = await raw(page, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\n\r\n")
    assert status in (303, 400, 404)
    assert b"root:" not in body


async def test_the_description_is_served(stranger: Browser) -> None:
    answer = await stranger.ask("GET", "/openapi.json")
    assert (answer.status, answer.json["openapi"]) == (200, "3.1.0")


async def test_pages_load_nothing_from_elsewhere(page: Page) -> None:
    for path in find_webui_dir().rglob("*.html"):
        for place in re.findall(r'(?:src|href|action)="([^"]*)"', path.read_text()):
            assert re.match(r"/(?!/)|#|data:,", place), f"{path.name}: {place}"


def test_every_file_of_the_page_is_installed() -> None:
    """As data files of the package: `folder` looks for them there."""
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["data-files"]
    installed = {
        f"{place}/{path.name}": path.relative_to(ROOT / "webui").as_posix()
        for place, patterns in setup.items()
        for pattern in patterns
        for path in ROOT.glob(pattern)
        if path.is_file()
    }
    for place, name in installed.items():
        assert place == f"{static_files.INSTALLED_DIR}/{name}"
    there = {
        path.relative_to(ROOT / "webui").as_posix() for path in (ROOT / "webui").rglob("*") if path.is_file()
    }
    assert set(installed.values()) == there
