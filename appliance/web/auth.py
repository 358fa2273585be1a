"""Logging in and out, as JSON and as forms that need no JavaScript."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import ceil
from urllib.parse import parse_qsl, quote

from aiohttp import web

from appliance import __version__
from appliance.host import passwords
from appliance.privileged import network_rollback
from appliance.settings.schema import Home
from appliance.web import privileged_client
from appliance.web.errors import Trouble, wrong
from appliance.web.handlers import check_parameters, read, read_body, written
from appliance.web.json_fields import Object, text
from appliance.web.login_throttle import Attempts
from appliance.web.middleware import SESSION
from appliance.web.openapi import Description
from appliance.web.origin import cookie_name, door
from appliance.web.sessions import ABSOLUTE, IDLE, Session, Sessions
from appliance.web.settings_store import Settings
from appliance.web.static_files import PAGE_PATH, seen_other
from appliance.web.timestamps import stamp

NO_MESSAGE = "#"  # an empty fragment: else the browser keeps the #wrong of the attempt before (Fetch, 4.4)
MOST_WAITING = 8  # logins in line for the one thread that computes: scrypt takes 16 MiB each


@dataclass(frozen=True, slots=True)
class Credentials:
    username: str
    password: str


class Login:
    """Who may come in."""

    def __init__(self, home: Home, settings: Settings, sessions: Sessions, description: Description) -> None:
        self._home = home
        self._settings = settings
        self._sessions = sessions
        self._description = description
        self._attempts = Attempts()
        self._waiting = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="scrypt")

    def routes(self) -> list[web.RouteDef]:
        """JSON for programs and for pages with JavaScript; the rest are forms."""
        return [
            web.get("/api/session", self._show),
            web.post("/api/session", self._log_in),
            web.delete("/api/session", self._log_out),
            web.delete("/api/sessions", self._log_out_everywhere),
            web.put("/api/password", self._change_password),
            web.post("/login", self._log_in_form),
            web.post("/logout", self._log_out_form),
            web.post("/password", self._change_password_form),
        ]

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _show(self, request: web.Request) -> web.Response:
        await self._body(request)
        return written(request, self._session_json(request, request[SESSION]))

    async def _log_in(self, request: web.Request) -> web.Response:
        body = await self._body(request)
        credentials = Credentials(text(body, "username") or "", text(body, "password") or "")
        session, token = await self._enter(request, credentials)
        return self._with_cookie(request, written(request, self._session_json(request, session)), token)

    async def _log_out(self, request: web.Request) -> web.Response:
        await self._body(request)
        self._sessions.end(request.cookies[cookie_name(door(request))])
        return self._without_cookie(request, written(request, None))

    async def _log_out_everywhere(self, request: web.Request) -> web.Response:
        await self._body(request)
        self._sessions.end_all()
        return self._without_cookie(request, written(request, None))

    async def _change_password(self, request: web.Request) -> web.Response:
        body = await self._body(request)
        token = await self._change(
            request, request[SESSION], text(body, "current") or "", text(body, "new") or ""
        )
        return self._with_cookie(request, written(request, None), token)

    async def _log_in_form(self, request: web.Request) -> web.Response:
        form = await _form(request)
        after = request.query.get("next", "")
        after = after if PAGE_PATH.fullmatch(after) else "/"
        try:
            session, token = await self._enter(
                request, Credentials(form.get("username", ""), form.get("password", ""))
            )
        except Trouble as trouble:
            again = "" if after == "/" else f"?next={quote(after)}"
            return seen_other(f"/login{again}#{'slow' if trouble.code in ('slow-down', 'busy') else 'wrong'}")
        return self._with_cookie(
            request, seen_other(f"{'/password' if session.must_change else after}{NO_MESSAGE}"), token
        )

    async def _log_out_form(self, request: web.Request) -> web.Response:
        await read(request)
        self._sessions.end(request.cookies.get(cookie_name(door(request)), ""))
        return self._without_cookie(request, seen_other("/login#out"))

    async def _change_password_form(self, request: web.Request) -> web.Response:
        session = request.get(SESSION)
        if session is None:
            return seen_other("/login")
        form = await _form(request)
        new = form.get("new", "")
        if new != form.get("again", new):
            return seen_other("/password#different")
        try:
            token = await self._change(request, session, form.get("current", ""), new)
        except Trouble as trouble:
            slow, bad = trouble.code in ("slow-down", "busy"), trouble.field == "new"
            return seen_other(f"/password#{'slow' if slow else 'weak' if bad else 'wrong'}")
        return self._with_cookie(request, seen_other(f"/{NO_MESSAGE}"), token)

    async def _enter(self, request: web.Request, credentials: Credentials) -> tuple[Session, str]:
        """A new session for the right name and password. Raises Trouble."""
        wanted = self._settings.now.web
        right_name = credentials.username == wanted.username
        if not await self._is_right(
            request, credentials.password, wanted.password_hash if right_name else None
        ):
            raise Trouble(401, "User name or password is wrong.", code="wrong")
        way, now = door(request), time.monotonic()
        self._sessions.end(request.cookies.get(cookie_name(way), ""))
        token = self._sessions.begin(wanted.username, way, not wanted.password_hash, now)
        session = self._sessions.find(token, way, now)
        if session is None:
            raise RuntimeError("a session ended when it began")
        return session, token

    async def _change(self, request: web.Request, session: Session, current: str, new: str) -> str:
        """The token of the one session that is left. Raises Trouble."""
        if not await self._is_right(request, current, self._settings.now.web.password_hash):
            raise wrong("current: is not the present password.", "current")
        if problem := passwords.problem(new):
            raise wrong(f"new: {problem}.", "new")
        digest = await asyncio.get_running_loop().run_in_executor(self._thread, passwords.hashed, new)
        await self._settings.change(
            lambda config: replace(config, web=replace(config.web, password_hash=digest)), "web"
        )
        self._sessions.end_all()
        return self._sessions.begin(session.username, door(request), False, time.monotonic())

    async def _is_right(self, request: web.Request, password: str, wanted: str | None) -> bool:
        """Whether a password has this hash; None: a user who does not exist. Raises Trouble 429."""
        address, now = request.remote or "", time.monotonic()
        if wait := self._attempts.wait(address, now):
            seconds = ceil(wait)
            raise Trouble(
                429,
                f"Too many attempts. Please wait {seconds} second{'s' if seconds > 1 else ''}.",
                code="slow-down",
                headers={"Retry-After": str(seconds)},
            )
        if self._waiting >= MOST_WAITING:
            raise Trouble(
                429,
                "Too many attempts at once. Please wait a second.",
                code="slow-down",
                headers={"Retry-After": "1"},
            )
        self._attempts.begin(address, now)
        self._waiting += 1
        try:
            right = await asyncio.get_running_loop().run_in_executor(
                self._thread, _compare, password[:1000], wanted
            )
        finally:
            self._waiting -= 1
        if right:
            self._attempts.succeeded(address)
        return right

    async def _body(self, request: web.Request) -> Object:
        method = "GET" if request.method == "HEAD" else request.method
        check_parameters(request, self._description, method, request.path)
        return await read_body(request, self._description, method, request.path)

    def _session_json(self, request: web.Request, session: Session) -> Object:
        config = self._settings.now
        left = session.began + ABSOLUTE - time.monotonic()
        return {
            "username": session.username,
            "must_change_password": session.must_change,
            "language": config.plug.language,
            "version": __version__,
            "name": config.plug.name,
            "site": config.plug.site,
            "secure": door(request)[0] == "https",
            "expires_at": stamp((datetime.now(UTC) + timedelta(seconds=left)).replace(microsecond=0)),
            "idle_minutes": int(IDLE // 60),
            "box": privileged_client.is_box(self._home),
            "network_trial": network_rollback.is_on(self._home.run),
            "time_zone": config.schedule.time_zone,
        }

    def _with_cookie(self, request: web.Request, response: web.Response, token: str) -> web.Response:
        way = door(request)
        response.set_cookie(
            cookie_name(way), token, path="/", httponly=True, samesite="Strict", secure=way[0] == "https"
        )
        response.headers.pop("ETag", None)
        response.headers["Cache-Control"] = "no-store"
        return response

    def _without_cookie(self, request: web.Request, response: web.Response) -> web.Response:
        way = door(request)
        response.del_cookie(
            cookie_name(way), path="/", httponly=True, samesite="Strict", secure=way[0] == "https"
        )
        return response


def _compare(password: str, wanted: str | None) -> bool:
    if wanted is None:
        passwords.waste(password)
        return False
    return passwords.fits(password, wanted)


async def _form(request: web.Request) -> dict[str, str]:
    """The fields of a form. Raises Trouble."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise Trouble(415, "Send the form as application/x-www-form-urlencoded.")
    data = await read(request)
    if len(data) > 10_000:
        raise Trouble(413, "The form is too large.")
    try:
        fields = parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=10)
    except ValueError:
        raise Trouble(400, "The form has too many fields.") from None
    return {key: value[:1000] for key, value in fields}
