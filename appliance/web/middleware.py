"""Everything passes here: names, origins and sessions are checked, and every error becomes one clear line."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from appliance.domain.messages import Message
from appliance.storage import database
from appliance.web.errors import ApiError
from appliance.web.origin import check_host, check_origin, cookie_name, scheme_and_port
from appliance.web.sessions import LoginSession, SessionStore

log = logging.getLogger(__name__)

SESSION_KEY: web.RequestKey[LoginSession] = web.RequestKey("session", LoginSession)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

BUNDLE_UPLOAD_PATH = "/api/updates/bundle"  # a hundred megabytes, over whatever line; gives up by itself
UPLOAD_TIMEOUT_S = 3 * 3600.0
REQUEST_TIMEOUT_S = 120.0  # seconds; the slowest thing that the page asks for is a test of the transmission
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
LOGIN_OPERATION = ("POST", "/api/session")  # what a stranger may ask of the API
FACTORY_PASSWORD_PATHS = {
    "/api/session",
    "/api/sessions",
    "/api/password",
}  # and who still has the factory password

SECURITY_HEADERS = {
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


class AccessMiddleware:
    """The middleware of the page."""

    def __init__(self, sessions: SessionStore, allowed_hosts: Callable[[], Iterable[str]]) -> None:
        self._sessions = sessions
        self._allowed_hosts = allowed_hosts

    @web.middleware
    async def handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer, whatever happens."""
        try:
            async with asyncio.timeout(request_timeout_s(request)):
                check_host(request, self._allowed_hosts())
                self._authorize(request)
                return await handler(request)
        except ApiError as trouble:
            return error_response(request, trouble)
        except web.HTTPException as error:
            return error_response(request, _to_api_error(error))
        except TimeoutError:
            return error_response(request, ApiError(503, Message("request.timeout"), code="busy"))
        except database.DatabaseUnavailableError as error:
            log.warning("%s", error)
            return error_response(request, ApiError(503, Message("database.unavailable"), code="busy"))
        except ConnectionError:
            raise  # whoever asked is gone; aiohttp ends it without a word
        except Exception:
            log.exception("%s %s", request.method, request.path)
            return error_response(request, ApiError(500, Message("request.internal_error")))

    def _authorize(self, request: web.Request) -> None:
        """Know who asks. Raises Trouble."""
        session = self.find_session(request, touch="PrintMonitor-Background" not in request.headers)
        if session:
            request[SESSION_KEY] = session
        if request.method not in SAFE_METHODS or is_websocket(request):
            check_origin(request, strict=session is not None)
        where = _route_path(request)
        if not where.startswith("/api/"):
            return  # files hold nothing secret; pages, forms and metrics know themselves whom they answer
        if session is None:
            if (request.method, where) != LOGIN_OPERATION:
                raise ApiError(401, Message("login.needed"), code="login")
        elif session.must_change and where not in FACTORY_PASSWORD_PATHS:
            raise ApiError(403, Message("login.change_password"), code="password-change")

    def find_session(self, request: web.Request, *, touch: bool) -> LoginSession | None:
        """The session that the request's cookie belongs to, at this very door."""
        way = scheme_and_port(request)
        token = request.cookies.get(cookie_name(way))
        return self._sessions.find(token, way, time.monotonic(), touch=touch) if token else None


def is_websocket(request: web.Request) -> bool:
    """Whether it is the WebSocket."""
    return _route_path(request) == "/api/live"


def request_timeout_s(request: web.Request) -> float | None:
    """Seconds that it may take; None: as long as it lives."""
    if is_websocket(request):
        return None
    return (
        UPLOAD_TIMEOUT_S
        if (request.method, _route_path(request)) == ("PUT", BUNDLE_UPLOAD_PATH)
        else REQUEST_TIMEOUT_S
    )


def _route_path(request: web.Request) -> str:
    """The path as the route has it: what decides who may pass is what decides who answers."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else request.path


def error_response(request: web.Request, error: ApiError) -> web.Response:
    """An error as JSON."""
    response = web.json_response(error.as_json(), status=error.status, headers=error.headers)
    response.headers["Cache-Control"] = "no-store"
    if not request.content.at_eof():
        response.force_close()  # nobody reads the rest of a body that is not wanted
    return response


def _to_api_error(error: web.HTTPException) -> ApiError:
    told = {
        404: Message("request.no_page"),
        405: Message("request.method", allowed=error.headers.get("Allow", "")),
        413: Message("request.too_large"),
    }
    headers = {name: error.headers[name] for name in ("Allow", "Location") if name in error.headers}
    return ApiError(error.status, told.get(error.status, f"{error.reason}."), headers=headers)


async def add_security_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Headers of every answer, for aiohttp's on_response_prepare."""
    for name, value in SECURITY_HEADERS.items():
        response.headers[name] = value
    if scheme_and_port(request)[0] == "https":  # browsers ignore it on plain HTTP, and complain
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
