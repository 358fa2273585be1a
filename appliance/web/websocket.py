"""Changes, as they happen: one WebSocket for each page that is open."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from aiohttp import WSCloseCode, WSMsgType, web

from appliance.domain.messages import Message
from appliance.storage import database, jobs, statistics
from appliance.web.db_thread import DatabaseThread
from appliance.web.errors import ApiError
from appliance.web.jobs import serialize_job
from appliance.web.json_fields import Json
from appliance.web.origin import cookie_name, scheme_and_port
from appliance.web.sessions import SessionStore
from appliance.web.settings_store import SettingsStore

CHECK_INTERVAL_S = 0.5  # seconds, and only while somebody looks
MAX_QUEUED_MESSAGES = 32  # messages for one browser; whoever is slower than that has to come back
MAX_WEBSOCKETS = 50
SEND_TIMEOUT_S = 10.0
CLOSE_SESSION_ENDED = 4401  # the session is over: log in again

TopicMarks = dict[str, tuple[object, ...]]


class ChangeNotifier:
    """Everybody who looks."""

    def __init__(self, store: DatabaseThread, settings: SettingsStore, sessions: SessionStore) -> None:
        self._store = store
        self._settings = settings
        self._sessions = sessions
        self._queues: dict[web.WebSocketResponse, asyncio.Queue[str]] = {}
        self._watch_task: asyncio.Task[None] | None = None
        self._start_lock = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/api/live", self._handle_websocket)]

    async def close(self, _app: web.Application) -> None:
        """Say goodbye to everybody."""
        if self._watch_task:
            self._watch_task.cancel()
        for socket in list(self._queues):
            with suppress(Exception):
                await socket.close(code=WSCloseCode.GOING_AWAY)

    async def _handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            raise ApiError(400, Message("request.websocket"))
        if len(self._queues) >= MAX_WEBSOCKETS:
            raise ApiError(503, Message("request.too_many_pages"), code="busy")
        socket = web.WebSocketResponse(heartbeat=30, max_msg_size=1024, compress=False, timeout=5)
        queue = self._queues[socket] = asyncio.Queue(MAX_QUEUED_MESSAGES)
        sending = None
        try:
            await self._ensure_watcher()  # before the browser knows: what changes from then on is told
            await socket.prepare(request)
            sending = asyncio.create_task(self._send_messages(request, socket, queue))
            async for message in socket:  # nothing is expected, and nothing is done with what comes
                if message.type not in (WSMsgType.TEXT, WSMsgType.PING, WSMsgType.PONG):
                    break
        finally:
            self._queues.pop(socket, None)
            if sending:
                sending.cancel()
        return socket

    async def _send_messages(
        self, request: web.Request, socket: web.WebSocketResponse, queue: asyncio.Queue[str]
    ) -> None:
        """Pass on what is in the queue, as long as the session lives and the browser keeps up."""
        way = scheme_and_port(request)
        token = request.cookies.get(cookie_name(way), "")
        with suppress(TimeoutError, ConnectionError):
            while socket in self._queues:
                message = await _next_message(queue)
                if self._sessions.find(token, way, time.monotonic(), touch=False) is None:
                    await socket.close(code=CLOSE_SESSION_ENDED, message=b"the session is over")
                    return
                if message is not None:
                    async with asyncio.timeout(SEND_TIMEOUT_S):
                        await socket.send_str(message)
        await socket.close(code=WSCloseCode.TRY_AGAIN_LATER)

    def _broadcast(self, message: Mapping[str, Json]) -> None:
        text = json.dumps(dict(message), ensure_ascii=False)
        for socket, queue in list(self._queues.items()):
            try:
                queue.put_nowait(text)
            except asyncio.QueueFull:
                del self._queues[socket]  # too slow: it comes back and fetches everything

    async def _ensure_watcher(self) -> None:
        async with self._start_lock:
            if self._watch_task is None or self._watch_task.done():
                seen = _DataSnapshot(
                    await self._store.data_version(),
                    await self._store.call(statistics.read_topic_marks),
                    self._settings.file_stamp(),
                )
                self._watch_task = asyncio.create_task(self._watch_changes(seen))

    async def _watch_changes(self, snapshot: "_DataSnapshot") -> None:
        """Tell what changed, as long as somebody looks."""
        while self._queues:
            await asyncio.sleep(CHECK_INTERVAL_S)
            with suppress(
                database.DatabaseUnavailableError
            ):  # told by whatever else is asked of it; it may be back soon
                snapshot = await self._broadcast_changes(snapshot)

    async def _broadcast_changes(self, snapshot: "_DataSnapshot") -> "_DataSnapshot":
        changed: list[Json] = []
        if (settings := self._settings.file_stamp()) != snapshot.settings:
            snapshot = replace(snapshot, settings=settings)
            changed.append("settings")
        if (version := await self._store.data_version()) != snapshot.version:
            marks = await self._store.call(statistics.read_topic_marks)
            changed += [topic for topic in statistics.TOPIC_QUERIES if marks[topic] != snapshot.marks[topic]]
            snapshot = replace(
                snapshot, version=version, marks=marks, run=await self._broadcast_run_progress(snapshot.run)
            )
        if changed:
            self._broadcast({"changed": changed})
        return snapshot

    async def _broadcast_run_progress(self, last_sent: str) -> str:
        """Tell how far the run is, unless that is what was `told`."""
        running = await self._store.call(_serialize_running_job)
        now = json.dumps(running)
        if running is not None and now != last_sent:
            self._broadcast({"job": running})
        return now


@dataclass(frozen=True, slots=True)
class _DataSnapshot:
    """What was there at the last look."""

    version: tuple[int, int]
    marks: TopicMarks
    settings: tuple[int, ...]
    run: str = ""


async def _next_message(queue: asyncio.Queue[str]) -> str | None:
    """The next message, if there is one soon."""
    try:
        async with asyncio.timeout(CHECK_INTERVAL_S):
            return await queue.get()
    except TimeoutError:
        return None


def _serialize_running_job(db: sqlite3.Connection) -> dict[str, Json] | None:
    running = next((job for job in jobs.list_recent(db, 5) if job.state == "running"), None)
    return serialize_job(db, running) if running else None
