"""Changes, as they happen: one WebSocket for each page that is open."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from aiohttp import WSCloseCode, WSMsgType, web

from appliance.storage import database, jobs
from appliance.web.db_thread import Store
from appliance.web.errors import Trouble
from appliance.web.jobs import shaped
from appliance.web.json_fields import Json
from appliance.web.origin import cookie_name, door
from appliance.web.sessions import Sessions
from appliance.web.settings_store import Settings

LOOK_EVERY = 0.5  # seconds, and only while somebody looks
MOST_WAITING = 32  # messages for one browser; whoever is slower than that has to come back
MOST_OPEN = 50
SEND_SECONDS = 10.0
ENDED = 4401  # the session is over: log in again

# What changes with each of the topics, as cheap as it can be told.
TOPICS: Mapping[str, str] = {
    "printers": (
        "SELECT (SELECT count(*) FROM printers), (SELECT max(changed_at) FROM printers),"
        " (SELECT max(seen_at) FROM sightings), (SELECT max(failed_at) FROM sightings),"
        " (SELECT count(*) FROM sightings WHERE failure IS NOT NULL),"
        " (SELECT sum(ignore) + sum(device_group) FROM printers)"
    ),
    "jobs": "SELECT max(id), count(finished_at), sum(state = 'running') FROM jobs",
    "outbox": "SELECT max(sequence), sum(attempts), group_concat(state || n) FROM"
    " (SELECT state, count(*) AS n, max(sequence) AS sequence, sum(attempts) AS attempts"
    " FROM parcels GROUP BY state)",
    "events": "SELECT max(id), count(ended_at) FROM events",
    "traps": "SELECT max(id), max(last_at), sum(times) FROM traps",
}
Marks = dict[str, tuple[object, ...]]


class Live:
    """Everybody who looks."""

    def __init__(self, store: Store, settings: Settings, sessions: Sessions) -> None:
        self._store = store
        self._settings = settings
        self._sessions = sessions
        self._open: dict[web.WebSocketResponse, asyncio.Queue[str]] = {}
        self._watching: asyncio.Task[None] | None = None
        self._beginning = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/api/live", self._watch)]

    async def close(self, _app: web.Application) -> None:
        """Say goodbye to everybody."""
        if self._watching:
            self._watching.cancel()
        for socket in list(self._open):
            with suppress(Exception):
                await socket.close(code=WSCloseCode.GOING_AWAY)

    async def _watch(self, request: web.Request) -> web.WebSocketResponse:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            raise Trouble(400, "This is a WebSocket.")
        if len(self._open) >= MOST_OPEN:
            raise Trouble(503, "Too many pages are open.", code="busy")
        socket = web.WebSocketResponse(heartbeat=30, max_msg_size=1024, compress=False, timeout=5)
        queue = self._open[socket] = asyncio.Queue(MOST_WAITING)
        sending = None
        try:
            await self._begin_to_look()  # before the browser knows: what changes from then on is told
            await socket.prepare(request)
            sending = asyncio.create_task(self._send(request, socket, queue))
            async for message in socket:  # nothing is expected, and nothing is done with what comes
                if message.type not in (WSMsgType.TEXT, WSMsgType.PING, WSMsgType.PONG):
                    break
        finally:
            self._open.pop(socket, None)
            if sending:
                sending.cancel()
        return socket

    async def _send(
        self, request: web.Request, socket: web.WebSocketResponse, queue: asyncio.Queue[str]
    ) -> None:
        """Pass on what is in the queue, as long as the session lives and the browser keeps up."""
        way = door(request)
        token = request.cookies.get(cookie_name(way), "")
        with suppress(TimeoutError, ConnectionError):
            while socket in self._open:
                message = await _next(queue)
                if self._sessions.find(token, way, time.monotonic(), touch=False) is None:
                    await socket.close(code=ENDED, message=b"the session is over")
                    return
                if message is not None:
                    async with asyncio.timeout(SEND_SECONDS):
                        await socket.send_str(message)
        await socket.close(code=WSCloseCode.TRY_AGAIN_LATER)

    def _tell(self, message: Mapping[str, Json]) -> None:
        text = json.dumps(dict(message), ensure_ascii=False)
        for socket, queue in list(self._open.items()):
            try:
                queue.put_nowait(text)
            except asyncio.QueueFull:
                del self._open[socket]  # too slow: it comes back and fetches everything

    async def _begin_to_look(self) -> None:
        async with self._beginning:
            if self._watching is None or self._watching.done():
                seen = _Seen(
                    await self._store.version(), await self._store.ask(_marks), self._settings.stamp()
                )
                self._watching = asyncio.create_task(self._look(seen))

    async def _look(self, seen: "_Seen") -> None:
        """Tell what changed, as long as somebody looks."""
        while self._open:
            await asyncio.sleep(LOOK_EVERY)
            with suppress(database.Unusable):  # told by whatever else is asked of it; it may be back soon
                seen = await self._compare(seen)

    async def _compare(self, seen: "_Seen") -> "_Seen":
        changed: list[Json] = []
        if (settings := self._settings.stamp()) != seen.settings:
            seen = replace(seen, settings=settings)
            changed.append("settings")
        if (version := await self._store.version()) != seen.version:
            marks = await self._store.ask(_marks)
            changed += [topic for topic in TOPICS if marks[topic] != seen.marks[topic]]
            seen = replace(seen, version=version, marks=marks, run=await self._tell_of_run(seen.run))
        if changed:
            self._tell({"changed": changed})
        return seen

    async def _tell_of_run(self, told: str) -> str:
        """Tell how far the run is, unless that is what was `told`."""
        running = await self._store.ask(_running)
        now = json.dumps(running)
        if running is not None and now != told:
            self._tell({"job": running})
        return now


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was there at the last look."""

    version: tuple[int, int]
    marks: Marks
    settings: tuple[int, ...]
    run: str = ""


async def _next(queue: asyncio.Queue[str]) -> str | None:
    """The next message, if there is one soon."""
    try:
        async with asyncio.timeout(LOOK_EVERY):
            return await queue.get()
    except TimeoutError:
        return None


def _marks(db: sqlite3.Connection) -> Marks:
    return {topic: tuple(db.execute(question).fetchone()) for topic, question in TOPICS.items()}


def _running(db: sqlite3.Connection) -> dict[str, Json] | None:
    running = next((job for job in jobs.recent(db, 5) if job.state == "running"), None)
    return shaped(db, running) if running else None
