"""A printer's web server may do what it likes: it costs little, and nobody else is asked."""

import asyncio
import gzip
import time
import zlib

import pytest

from appliance.ews.errors import EwsLoginRejectedError, EwsLoginRequiredError, EwsUnavailableError
from appliance.ews.http_client import MAX_BODY_BYTES, MAX_REDIRECTS, EwsClient
from appliance.ews.models import EwsCredentials, EwsPorts
from tests.ews.scraping import ADDRESS, client_of
from tests.fakes.pages import Basic, LexmarkClassic
from tests.fakes.website import Request, Response, Website

BOMB = zlib.compress(bytes(200 * MAX_BODY_BYTES), 9)


def page(_: Request) -> Response:
    return Response("<html>hello</html>")


async def test_a_page() -> None:
    async with client_of(page) as (site, client):
        answer = await client.get("/a/b.html?kind=item")

    assert (answer.status, answer.path, answer.text) == (200, "/a/b.html?kind=item", "<html>hello</html>")
    assert site.paths() == ["GET /a/b.html?kind=item"]
    assert not site.requests[0].secure


async def test_a_self_signed_certificate_is_taken() -> None:
    async with client_of(page, plain=False) as (site, client):
        assert (await client.get("/")).status == 200
        assert client.scheme == "https"

    assert site.requests[0].secure


async def test_nobody_listens() -> None:
    async with client_of(page, plain=False, tls=False) as (_, client):
        with pytest.raises(EwsUnavailableError, match="accepts no connection"):
            await client.get("/")


@pytest.mark.parametrize("body", [gzip.compress(b"hello"), zlib.compress(b"hello")], ids=["gzip", "deflate"])
async def test_a_packed_page(body: bytes) -> None:
    encoding = "gzip" if body[:2] == b"\x1f\x8b" else "deflate"
    async with client_of(lambda _: Response(body, headers=[("Content-Encoding", encoding)])) as (_, client):
        assert (await client.get("/")).body == b"hello"


HOSTILE = {
    "endless": Response(b"x" * 65_536, endless=True),
    "announced": Response(b"x" * (2 * MAX_BODY_BYTES)),
    "bomb": Response(BOMB, headers=[("Content-Encoding", "deflate")]),
    "bomb in gzip": Response(
        gzip.compress(bytes(100 * MAX_BODY_BYTES)), headers=[("Content-Encoding", "gzip")]
    ),
    "unknown packing": Response(b"hello", headers=[("Content-Encoding", "br")]),
    "not packed at all": Response(b"hello", headers=[("Content-Encoding", "gzip")]),
    "no HTTP": Response(raw=b"220 printer FTP ready\r\n\r\n"),
    "long header": Response(raw=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"),
    "many headers": Response(raw=b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000 + b"\r\n"),
    "cookies": Response(headers=[("Set-Cookie", f"c{number}=1; path=/") for number in range(60)]),
    "bad length": Response(raw=b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"),
    "bad chunks": Response(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
}


@pytest.mark.parametrize("response", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_page_is_no_page(response: Response) -> None:
    async with client_of(lambda _: response) as (site, client):
        with pytest.raises(EwsUnavailableError):
            await client.get("/")

    assert site.sent < 20 * MAX_BODY_BYTES  # what lies in the buffers of both sides


async def test_a_page_that_drips() -> None:
    async with client_of(lambda _: Response(b"x" * 1_000, drip=0.02), seconds=0.3) as (_, client):
        started = time.monotonic()
        with pytest.raises(EwsUnavailableError, match="too long"):
            await client.get("/")
        assert time.monotonic() - started < 1


async def test_the_whole_visit_has_one_deadline() -> None:
    async with client_of(lambda _: Response(b"x" * 10, drip=0.01), seconds=0.25) as (site, client):
        with pytest.raises(EwsUnavailableError, match="too long"):
            await asyncio.gather(*(client.get("/") for _ in range(10)))

    assert 1 <= len(site.requests) < 5


# Redirects


def redirecting(location: str, status: int = 302) -> Response:
    return Response(status=status, headers=[("Location", location)])


async def test_a_redirect_to_https_is_followed() -> None:
    site: Website

    def answer(request: Request) -> Response:
        return (
            page(request)
            if request.secure
            else redirecting(f"https://{ADDRESS}:{site.https}{request.target}")
        )

    async with client_of(answer) as (site, client):
        assert (await client.get("/x?a=1")).text == "<html>hello</html>"
        assert (client.scheme, site.requests[-1].target) == ("https", "/x?a=1")


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.9.2/",
        "//127.0.9.2/x",
        "http://example.com/",
        "https://127.0.9.1@127.0.9.2/",
        f"http://{ADDRESS}:9100/",
        f"https://{ADDRESS}:631/",
        f"ftp://{ADDRESS}/",
        "file:///etc/passwd",
        "http://[",
        f"http://{ADDRESS}:99999/",
    ],
)
async def test_a_redirect_elsewhere_is_not_followed(location: str) -> None:
    async with client_of(lambda _: redirecting(location)) as (site, client):
        with pytest.raises(EwsUnavailableError, match="redirects to"):
            await client.get("/")

    assert len(site.requests) == 1


async def test_a_redirect_to_a_neighbour_at_the_right_port_is_not_followed() -> None:
    site: Website

    async with client_of(lambda _: redirecting(f"http://127.0.9.2:{site.http}/")) as (site, client):
        with pytest.raises(EwsUnavailableError, match="another host"):
            await client.get("/")


async def test_redirects_come_to_an_end() -> None:
    async with client_of(lambda _: redirecting("/again")) as (site, client):
        with pytest.raises(EwsUnavailableError, match="redirects endlessly"):
            await client.get("/")

    assert len(site.requests) == MAX_REDIRECTS + 2


async def test_a_form_is_not_sent_on_by_an_ordinary_redirect() -> None:
    def answer(request: Request) -> Response:
        return redirecting("/done") if request.path == "/form" else page(request)

    async with client_of(answer) as (site, client):
        await client.post("/form", {"pw": "s3cret"})

    assert [(request.method, dict(request.form)) for request in site.requests] == [
        ("POST", {"pw": "s3cret"}),
        ("GET", {}),
    ]


async def test_cookies_come_back_to_the_printer() -> None:
    async with client_of(lambda _: Response(headers=[("Set-Cookie", "AuthCookie=a1; path=/")])) as (
        site,
        client,
    ):
        await client.get("/")
        client.set_cookies({"sessionKey": "k1"})
        await client.get("/")

    assert site.requests[1].cookies == {"AuthCookie": "a1", "sessionKey": "k1"}


# Passwords


async def test_http_authentication_over_https_where_there_is_any() -> None:
    guarded = Basic(LexmarkClassic())
    async with client_of(guarded) as (site, client):
        assert (await client.get("/x")).status == 404

    assert guarded.tries == 1
    assert all(request.secure for request in site.requests if "authorization" in request.headers)


async def test_http_authentication_without_https() -> None:
    async with client_of(Basic(LexmarkClassic()), tls=False) as (_, client):
        assert (await client.get("/x")).status == 404


async def test_a_wrong_password_is_given_once() -> None:
    guarded = Basic(LexmarkClassic(), password="another")
    async with client_of(guarded) as (_, client):
        for _ in range(3):
            with pytest.raises(EwsLoginRejectedError):
                await client.get("/x")

    assert guarded.tries == 1
    assert client.credentials_rejected


@pytest.mark.parametrize(
    ("credentials", "refused", "error"),
    [(None, False, EwsLoginRequiredError), (EwsCredentials("a", "b"), True, EwsLoginRejectedError)],
)
async def test_nothing_left_to_try(
    credentials: EwsCredentials | None, refused: bool, error: type[Exception]
) -> None:
    guarded = Basic(LexmarkClassic())
    async with Website(guarded, ADDRESS) as site:
        how = EwsPorts(site.http, site.https)
        async with EwsClient(ADDRESS, how, credentials, credentials_rejected=refused) as client:
            with pytest.raises(error):
                await client.get("/")

    assert guarded.tries == 0


async def test_digest_authentication() -> None:
    challenge = ("WWW-Authenticate", 'Digest realm="p", nonce="abc", qop="auth", algorithm=MD5')

    def answer(request: Request) -> Response:
        given = request.headers.get("authorization", "")
        return page(request) if given.startswith("Digest ") else Response("no", 401, [challenge])

    async with client_of(answer) as (site, client):
        assert (await client.get("/x")).status == 200

    assert "s3cret" not in str(site.requests)


async def test_a_digest_that_is_turned_down() -> None:
    challenge = ("WWW-Authenticate", 'Digest realm="p", nonce="abc", qop="auth", algorithm=MD5')
    async with client_of(lambda _: Response("no", 401, [challenge])) as (site, client):
        with pytest.raises(EwsLoginRejectedError):
            await client.get("/x")

    assert sum("authorization" in request.headers for request in site.requests) == 1
