import asyncio
import gzip
import io
import json

import pytest

from appliance.web.openapi import OpenApiDocument
from appliance.web.static_files import find_webui_dir
from tests.web.conftest import PASSWORD, Browser, Page, description

CHANGES = [
    (method.upper(), path)
    for path, operations in description()["paths"].items()
    for method in operations
    if method in ("post", "put", "patch", "delete")
]
OPERATIONS = [(m.upper(), p) for p, operations in description()["paths"].items() for m in operations]
NEEDS_LOGIN = [each for each in OPERATIONS if each not in [("POST", "/api/session"), ("GET", "/metrics")]]


def concrete(path: str) -> str:
    replaced = {"{id}": "1", "{name}": "poller", "{action}": "restart"}
    if "/entries/" in path:
        replaced["{id}"] = "0123456789abcdef"
    if "/counters/" in path:
        replaced["{name}"] = "total"
    for key, value in replaced.items():
        path = path.replace(key, value)
    return path


async def test_strangers_get_nothing(stranger: Browser) -> None:
    for method, path in NEEDS_LOGIN:
        answer = await stranger.ask(method, concrete(path), {} if method in ("PUT", "PATCH") else None)
        assert (answer.status, answer.json["code"]) == (401, "login"), (method, path)


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/api",
            "/api/",
            "/api/nosuch",
            "/API/printers",
            "//api/printers",
            "/api//printers",
            "/api/printers/",
        ),
        *(
            "/%61pi/printers",
            "/api%2fprinters",
            "/./api/printers",
            "/x/../api/printers",
            "/api/printers;x",
            "/api/printers%00",
        ),
    ],
)
async def test_no_spelling_of_a_path_passes_the_gate(page: Page, path: str) -> None:
    status, body = await raw(page, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\n\r\n")
    assert status in (400, 401, 404)
    assert b"counts" not in body


FOREIGN: tuple[dict[str, str], ...] = (
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1"},
    {"Origin": "http://127.0.0.1:1"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "{base}"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"},
    {},
)


@pytest.mark.parametrize("headers", FOREIGN)
async def test_other_sites_change_nothing(page: Page, browser: Browser, headers: dict[str, str]) -> None:
    sent = {key: value.format(base=page.base) for key, value in headers.items()}
    for method, path in CHANGES:
        async with browser.session.request(
            method, f"{page.base}{concrete(path)}", json={}, headers=sent
        ) as response:
            answer = await response.json()
        assert (response.status, answer["code"]) == (403, "origin"), (method, path)


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "{base}"}])
async def test_the_own_page_changes_things(page: Page, browser: Browser, headers: dict[str, str]) -> None:
    sent = {key: value.format(base=page.base) for key, value in headers.items()}
    async with browser.session.patch(
        f"{page.base}/api/system", json={"site": "Zurich"}, headers=sent
    ) as response:
        assert response.status == 200


async def test_other_sites_log_nobody_in(page: Page, stranger: Browser) -> None:
    headers = {"Origin": "http://evil.example"}
    answer = await stranger.ask(
        "POST", "/api/session", {"username": "admin", "password": PASSWORD}, headers=headers
    )
    assert answer.status == 403
    async with stranger.session.post(
        f"{page.base}/login", data={"username": "admin"}, headers=headers
    ) as response:
        assert response.status == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "printmonitor.evil.example"]
)
async def test_foreign_names_are_refused(page: Page, host: str) -> None:
    status, body = await raw(page, f"GET /login HTTP/1.1\r\nHost: {host.format(port=page.port)}\r\n\r\n")
    assert status == 421
    assert json.loads(body)["code"] == "host"


@pytest.mark.parametrize(
    "host",
    ["", "a b", "x@127.0.0.1", "[::1", "127.0.0.1/evil", "127.0.0.1:port", "127.0.0.1\r\nHost: evil.example"],
)
async def test_malformed_names_are_refused(page: Page, host: str) -> None:
    status, _ = await raw(page, f"GET /login HTTP/1.1\r\nHost: {host}\r\n\r\n")
    assert status in (400, 421)


async def test_own_names_are_taken(page: Page) -> None:
    page.change(plug={"name": "plug-7"}, web={"names": ("plug.company.example",)})
    hosts = [
        "127.0.0.1",
        "[::1]:80",
        "localhost",
        "plug-7",
        "PLUG-7.local",
        "anything.local.",
        "plug.company.example:8080",
    ]
    for host in hosts:
        status, _ = await raw(page, f"GET /login HTTP/1.1\r\nHost: {host}\r\n\r\n")
        assert status == 200, host


@pytest.mark.parametrize(
    "request_head",
    [
        "GET / HTTP/9.9\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
        "GET /login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "GET /login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /login HTTP/1.1\r\nHost: x\r\n" + "".join(f"X-{n}: y\r\n" for n in range(500)) + "\r\n",
        "GET /" + "a" * 20_000 + " HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /login HTTP/1.1\r\nHost: x\r\nX: " + "a" * 20_000 + "\r\n\r\n",
        "GET http://evil.example/login HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
        "GET /login HTTP/1.1\r\nHost: x\r\nX : y\r\n\r\n",
    ],
)
async def test_malformed_requests_get_a_short_no(page: Page, request_head: str) -> None:
    status, body = await raw(page, request_head)
    assert status in (0, 400, 421)
    assert b"Traceback" not in body
    assert b"aiohttp" not in body


@pytest.mark.parametrize("path", ["/api/session", "/api/password", "/api/system", "/api/discovery/entries"])
async def test_bodies_are_bounded(browser: Browser, path: str) -> None:
    method = {"/api/password": "PUT", "/api/system": "PATCH"}.get(path, "POST")
    large = io.BytesIO(b'{"site": "' + b"x" * 1_100_000 + b'"}')
    answer = await browser.ask(method, path, data=large, headers={"Content-Type": "application/json"})
    assert answer.status == 413


async def test_bodies_without_an_announced_size_are_bounded(browser: Browser) -> None:
    async def endless():
        while True:
            yield b"x" * 65_536

    async with browser.session.patch(
        f"{browser.base}/api/system",
        data=endless(),
        headers={"Origin": browser.base, "Content-Type": "application/json"},
    ) as response:
        assert response.status == 413


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[" * 100_000, 400),
        (b'{"site":' * 500 + b"1" + b"}" * 500, 400),
        (b'{"site": NaN}', 400),
        (b'{"site": "\xff"}', 400),
        (b'{"site": "\\ud800"}', 400),
        (b'{"site": 1' + b"0" * 5000 + b"}", 400),
        (b"null", 422),
        (b"[]", 422),
        (b'"x"', 422),
        (b'{"__proto__": 1}', 422),
        (b'{"site": "a\\u0000b"}', 422),
        (b'{"site": "a\\nb"}', 422),
        (b'{"site": {"$gt": ""}}', 422),
    ],
)
async def test_hostile_bodies_get_one_clear_line(browser: Browser, body: bytes, status: int) -> None:
    async with browser.session.patch(
        f"{browser.base}/api/system",
        data=body,
        headers={"Origin": browser.base, "Content-Type": "application/json"},
    ) as response:
        answer = await response.json()
    assert response.status == status
    assert "\n" not in answer["error"]
    assert len(answer["error"]) < 300


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "",
    ],
)
async def test_only_json_is_taken(browser: Browser, kind: str) -> None:
    async with browser.session.patch(
        f"{browser.base}/api/system",
        data=b'{"site": "x"}',
        headers={"Origin": browser.base, "Content-Type": kind},
    ) as response:
        assert response.status == 415


async def test_compressed_bodies_are_not_taken(browser: Browser) -> None:
    async with browser.session.patch(
        f"{browser.base}/api/system",
        data=gzip.compress(b"x" * 1000),
        headers={"Origin": browser.base, "Content-Type": "application/json", "Content-Encoding": "gzip"},
    ) as response:
        assert response.status in (400, 415)


async def test_unknown_parameters_are_refused(browser: Browser) -> None:
    answer = await browser.ask("GET", "/api/printers?limit=3")
    assert (answer.status, answer.json["field"]) == (400, "limit")
    answer = await browser.ask("GET", "/api/printers/1/history?range=day&range=year")
    assert (answer.status, answer.json["field"]) == (400, "range")


async def test_other_methods_are_named(browser: Browser) -> None:
    answer = await browser.ask("POST", "/api/printers", {})
    assert (answer.status, answer.headers["Allow"]) == (405, "GET,HEAD")


async def test_every_answer_has_the_protecting_headers(page: Page, browser: Browser) -> None:
    for path in ("/login", "/", "/api/printers", "/api/nosuch", "/nosuch", "/login.css"):
        headers = (await browser.ask("GET", path)).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Server"] == "PrintMonitor Plug"
        assert "Strict-Transport-Security" not in headers


async def test_what_is_described_is_what_is_there(page: Page, browser: Browser) -> None:
    for method, path in OPERATIONS:
        if (method, path) in [("DELETE", "/api/session"), ("DELETE", "/api/sessions")]:
            continue
        answer = await browser.ask("OPTIONS", concrete(path))
        assert answer.status == 405
        assert method in answer.headers["Allow"].split(",")
    document = OpenApiDocument(find_webui_dir() / "openapi.json")
    assert all(document.success_status(method, path) for method, path in OPERATIONS)


async def raw(page: Page, request: str) -> tuple[int, bytes]:
    """Status and body of what a client without manners gets; status 0: the connection was closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", page.port)
    try:
        writer.write(request.encode())
        async with asyncio.timeout(5):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length:")
                ),
                0,
            )
            return int(head.split()[1]), await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return 0, b""
    finally:
        writer.close()
