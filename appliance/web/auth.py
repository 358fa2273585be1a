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
from appliance.domain.messages import Message
from appliance.host import passwords
from appliance.privileged import network_rollback
from appliance.settings.schema import Home
from appliance.web import services
from appliance.web.errors import ApiError, invalid_value
from appliance.web.handlers import build_response, check_parameters, read_json_body, read_raw_body
from appliance.web.json_fields import JsonMapping, format_timestamp, get_str
from appliance.web.login_throttle import LoginThrottle
from appliance.web.middleware import SESSION_KEY
from appliance.web.openapi import OpenApiDocument
from appliance.web.origin import cookie_name, scheme_and_port
from appliance.web.sessions import ABSOLUTE_TIMEOUT_S, IDLE_TIMEOUT_S, LoginSession, SessionStore
from appliance.web.settings_store import SettingsStore
from appliance.web.static_files import PAGE_PATH_PATTERN, redirect

EMPTY_FRAGMENT = (
    "#"  # an empty fragment: else the browser keeps the #wrong of the attempt before (Fetch, 4.4)
)
MAX_QUEUED_LOGINS = 8  # logins in line for the one thread that computes: scrypt takes 16 MiB each


@dataclass(frozen=True, slots=True)
class LoginCredentials:
    username: str
    password: str


class AuthApi:
    """Who may come in."""

    def __init__(
        self, home: Home, settings: SettingsStore, sessions: SessionStore, description: OpenApiDocument
    ) -> None:
        self._home = home
        self._settings = settings
        self._sessions = sessions
        self._description = description
        self._throttle = LoginThrottle()
        self._queued_logins = 0
        self._scrypt_thread = ThreadPoolExecutor(1, thread_name_prefix="scrypt")

    def routes(self) -> list[web.RouteDef]:
        """JSON for programs and for pages with JavaScript; the rest are forms."""
        return [
            web.get("/api/session", self._get_session),
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
        self._scrypt_thread.shutdown(wait=False, cancel_futures=True)

    async def _get_session(self, request: web.Request) -> web.Response:
        await self._read_validated_body(request)
        return build_response(request, self._serialize_session(request, request[SESSION_KEY]))

    async def _log_in(self, request: web.Request) -> web.Response:
        body = await self._read_validated_body(request)
        credentials = LoginCredentials(get_str(body, "username") or "", get_str(body, "password") or "")
        session, token = await self._authenticate(request, credentials)
        return self._set_session_cookie(
            request, build_response(request, self._serialize_session(request, session)), token
        )

    async def _log_out(self, request: web.Request) -> web.Response:
        await self._read_validated_body(request)
        self._sessions.delete(request.cookies[cookie_name(scheme_and_port(request))])
        return self._clear_session_cookie(request, build_response(request, None))

    async def _log_out_everywhere(self, request: web.Request) -> web.Response:
        await self._read_validated_body(request)
        self._sessions.delete_all()
        return self._clear_session_cookie(request, build_response(request, None))

    async def _change_password(self, request: web.Request) -> web.Response:
        body = await self._read_validated_body(request)
        token = await self._set_password(
            request, request[SESSION_KEY], get_str(body, "current") or "", get_str(body, "new") or ""
        )
        return self._set_session_cookie(request, build_response(request, None), token)

    async def _log_in_form(self, request: web.Request) -> web.Response:
        form = await _read_form(request)
        after = request.query.get("next", "")
        after = after if PAGE_PATH_PATTERN.fullmatch(after) else "/"
        try:
            session, token = await self._authenticate(
                request, LoginCredentials(form.get("username", ""), form.get("password", ""))
            )
        except ApiError as trouble:
            again = "" if after == "/" else f"?next={quote(after)}"
            return redirect(f"/login{again}#{'slow' if trouble.code in ('slow-down', 'busy') else 'wrong'}")
        return self._set_session_cookie(
            request, redirect(f"{'/password' if session.must_change else after}{EMPTY_FRAGMENT}"), token
        )

    async def _log_out_form(self, request: web.Request) -> web.Response:
        await read_raw_body(request)
        self._sessions.delete(request.cookies.get(cookie_name(scheme_and_port(request)), ""))
        return self._clear_session_cookie(request, redirect("/login#out"))

    async def _change_password_form(self, request: web.Request) -> web.Response:
        session = request.get(SESSION_KEY)
        if session is None:
            return redirect("/login")
        form = await _read_form(request)
        new = form.get("new", "")
        if new != form.get("again", new):
            return redirect("/password#different")
        try:
            token = await self._set_password(request, session, form.get("current", ""), new)
        except ApiError as trouble:
            slow, bad = trouble.code in ("slow-down", "busy"), trouble.field == "new"
            return redirect(f"/password#{'slow' if slow else 'weak' if bad else 'wrong'}")
        return self._set_session_cookie(request, redirect(f"/{EMPTY_FRAGMENT}"), token)

    async def _authenticate(
        self, request: web.Request, credentials: LoginCredentials
    ) -> tuple[LoginSession, str]:
        """A new session for the right name and password. Raises Trouble."""
        wanted = self._settings.current.web
        right_name = credentials.username == wanted.username
        if not await self._check_password(
            request, credentials.password, wanted.password_hash if right_name else None
        ):
            raise ApiError(401, Message("login.wrong"), code="wrong")
        way, now = scheme_and_port(request), time.monotonic()
        self._sessions.delete(request.cookies.get(cookie_name(way), ""))
        token = self._sessions.create(wanted.username, way, not wanted.password_hash, now)
        session = self._sessions.find(token, way, now)
        if session is None:
            raise RuntimeError("a session ended when it began")
        return session, token

    async def _set_password(self, request: web.Request, session: LoginSession, current: str, new: str) -> str:
        """The token of the one session that is left. Raises Trouble."""
        if not await self._check_password(request, current, self._settings.current.web.password_hash):
            raise invalid_value(Message("password.wrong"), "current")
        if problem := passwords.password_problem(new):
            raise invalid_value(problem, "new")
        digest = await asyncio.get_running_loop().run_in_executor(
            self._scrypt_thread, passwords.hash_password, new
        )
        await self._settings.update(
            lambda config: replace(config, web=replace(config.web, password_hash=digest)), "web"
        )
        self._sessions.delete_all()
        return self._sessions.create(session.username, scheme_and_port(request), False, time.monotonic())

    async def _check_password(self, request: web.Request, password: str, password_hash: str | None) -> bool:
        """Whether a password has this hash; None: a user who does not exist. Raises Trouble 429."""
        address, now = request.remote or "", time.monotonic()
        if wait := self._throttle.seconds_to_wait(address, now):
            seconds = ceil(wait)
            raise ApiError(
                429,
                Message("login.slow_down", count=seconds),
                code="slow-down",
                headers={"Retry-After": str(seconds)},
            )
        if self._queued_logins >= MAX_QUEUED_LOGINS:
            raise ApiError(
                429,
                Message("login.busy"),
                code="slow-down",
                headers={"Retry-After": "1"},
            )
        self._throttle.record_attempt(address, now)
        self._queued_logins += 1
        try:
            right = await asyncio.get_running_loop().run_in_executor(
                self._scrypt_thread, _verify_password, password[:1000], password_hash
            )
        finally:
            self._queued_logins -= 1
        if right:
            self._throttle.record_success(address)
        return right

    async def _read_validated_body(self, request: web.Request) -> JsonMapping:
        method = "GET" if request.method == "HEAD" else request.method
        check_parameters(request, self._description, method, request.path)
        return await read_json_body(request, self._description, method, request.path)

    def _serialize_session(self, request: web.Request, session: LoginSession) -> JsonMapping:
        config = self._settings.current
        left = session.created_at + ABSOLUTE_TIMEOUT_S - time.monotonic()
        return {
            "username": session.username,
            "must_change_password": session.must_change,
            "language": config.plug.language,
            "version": __version__,
            "name": config.plug.name,
            "site": config.plug.site,
            "secure": scheme_and_port(request)[0] == "https",
            "expires_at": format_timestamp(
                (datetime.now(UTC) + timedelta(seconds=left)).replace(microsecond=0)
            ),
            "idle_minutes": int(IDLE_TIMEOUT_S // 60),
            "box": services.is_installed_plug(self._home),
            "network_trial": network_rollback.is_awaiting_confirmation(self._home.run),
            "time_zone": config.schedule.time_zone,
        }

    def _set_session_cookie(self, request: web.Request, response: web.Response, token: str) -> web.Response:
        way = scheme_and_port(request)
        response.set_cookie(
            cookie_name(way), token, path="/", httponly=True, samesite="Strict", secure=way[0] == "https"
        )
        response.headers.pop("ETag", None)
        response.headers["Cache-Control"] = "no-store"
        return response

    def _clear_session_cookie(self, request: web.Request, response: web.Response) -> web.Response:
        way = scheme_and_port(request)
        response.del_cookie(
            cookie_name(way), path="/", httponly=True, samesite="Strict", secure=way[0] == "https"
        )
        return response


def _verify_password(password: str, password_hash: str | None) -> bool:
    if password_hash is None:
        passwords.equalize_timing(password)
        return False
    return passwords.verify_password(password, password_hash)


async def _read_form(request: web.Request) -> dict[str, str]:
    """The fields of a form. Raises Trouble."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise ApiError(415, Message("request.form_type"))
    data = await read_raw_body(request)
    if len(data) > 10_000:
        raise ApiError(413, Message("request.form_too_large"))
    try:
        fields = parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=10)
    except ValueError:
        raise ApiError(400, Message("request.form_fields")) from None
    return {key: value[:1000] for key, value in fields}
