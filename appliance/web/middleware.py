"""Everything passes here: names, origins and sessions are checked, and every error becomes one clear line."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from appliance.storage import database
from appliance.web.errors import Trouble
from appliance.web.origin import check_host, check_origin, cookie_name, door
from appliance.web.sessions import Session, Sessions

log = logging.getLogger(__name__)

SESSION: web.RequestKey[Session] = web.RequestKey("session", Session)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

UPLOAD = "/api/updates/bundle"  # a hundred megabytes, over whatever line; gives up by itself
LONGEST_UPLOAD = 3 * 3600.0
LONGEST_REQUEST = 120.0  # seconds; the slowest thing that the page asks for is a test of the transmission
SAFE = ("GET", "HEAD", "OPTIONS")
LOG_IN = ("POST", "/api/session")  # what a stranger may ask of the API
FACTORY = {"/api/session", "/api/sessions", "/api/password"}  # and who still has the factory password

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers send `Origin: null` with our own forms
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "PrintMonitor Plug",
}


class Gate:
    """The middleware of the page."""

    def __init__(self, sessions: Sessions, names: Callable[[], Iterable[str]]) -> None:
        self._sessions = sessions
        self._names = names

    @web.middleware
    async def pass_through(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer, whatever happens."""
        try:
            async with asyncio.timeout(longest(request)):
                check_host(request, self._names())
                self._let_in(request)
                return await handler(request)
        except Trouble as trouble:
            return answered(request, trouble)
        except web.HTTPException as error:
            return answered(request, _translated(error))
        except TimeoutError:
            return answered(request, Trouble(503, "This took too long.", code="busy"))
        except database.Unusable as error:
            log.warning("%s", error)
            return answered(
                request, Trouble(503, "The database cannot be used just now. Please try again.", code="busy")
            )
        except ConnectionError:
            raise  # whoever asked is gone; aiohttp ends it without a word
        except Exception:
            log.exception("%s %s", request.method, request.path)
            return answered(
                request, Trouble(500, "This did not work: a fault of the Plug, see the log of its page.")
            )

    def _let_in(self, request: web.Request) -> None:
        """Know who asks. Raises Trouble."""
        session = self.session(request, touch="PrintMonitor-Background" not in request.headers)
        if session:
            request[SESSION] = session
        if request.method not in SAFE or is_live(request):
            check_origin(request, strict=session is not None)
        where = _route(request)
        if not where.startswith("/api/"):
            return  # files hold nothing secret; pages, forms and metrics know themselves whom they answer
        if session is None:
            if (request.method, where) != LOG_IN:
                raise Trouble(401, "Please log in.", code="login")
        elif session.must_change and where not in FACTORY:
            raise Trouble(403, "Please change the factory password first.", code="password-change")

    def session(self, request: web.Request, *, touch: bool) -> Session | None:
        """The session that the request's cookie belongs to, at this very door."""
        way = door(request)
        token = request.cookies.get(cookie_name(way))
        return self._sessions.find(token, way, time.monotonic(), touch=touch) if token else None


def is_live(request: web.Request) -> bool:
    """Whether it is the WebSocket."""
    return _route(request) == "/api/live"


def longest(request: web.Request) -> float | None:
    """Seconds that it may take; None: as long as it lives."""
    if is_live(request):
        return None
    return LONGEST_UPLOAD if (request.method, _route(request)) == ("PUT", UPLOAD) else LONGEST_REQUEST


def _route(request: web.Request) -> str:
    """The path as the route has it: what decides who may pass is what decides who answers."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else request.path


def answered(request: web.Request, trouble: Trouble) -> web.Response:
    """An error as JSON."""
    response = web.json_response(trouble.as_json(), status=trouble.status, headers=trouble.headers)
    response.headers["Cache-Control"] = "no-store"
    if not request.content.at_eof():
        response.force_close()  # nobody reads the rest of a body that is not wanted
    return response


def _translated(error: web.HTTPException) -> Trouble:
    told = {
        404: "There is no such page.",
        405: f"This is not possible here. Possible: {error.headers.get('Allow', '')}.",
        413: "The body is too large.",
    }
    headers = {name: error.headers[name] for name in ("Allow", "Location") if name in error.headers}
    return Trouble(error.status, told.get(error.status, f"{error.reason}."), headers=headers)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Headers of every answer, for aiohttp's on_response_prepare."""
    for name, value in HEADERS.items():
        response.headers[name] = value
    if door(request)[0] == "https":  # browsers ignore it on plain HTTP, and complain
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
