"""The overview: what needs somebody, what runs, what is next."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from appliance.delivery import outbox
from appliance.domain import schedule
from appliance.settings.schema import Config, Home
from appliance.storage import database, events, jobs
from appliance.web.db_thread import Store
from appliance.web.handlers import Asked, Routes
from appliance.web.jobs import Poller, shaped
from appliance.web.json_fields import Json, Object, number, part, text
from appliance.web.licences import licence
from appliance.web.printers import Listed, Listing
from appliance.web.services import receiver_state
from appliance.web.settings_store import Settings
from appliance.web.timestamps import maybe_stamp, stamp

MOST_SHOWN = 200
LONG_WAIT = timedelta(hours=2)  # of a parcel, before somebody should look
LEVELS = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Attention:
    """Something that needs somebody."""

    kind: str
    level: str
    text: str
    link: str
    printer: int | None = None
    subject: str | None = None
    detail: str | None = None
    percent: Json = None
    since: str | None = None


@dataclass(frozen=True, slots=True)
class _Post:
    """The outbox in figures."""

    last_delivery: datetime | None
    waiting: int
    refused: int
    oldest_waiting: datetime | None
    error: str | None


class Overview:
    """The API of the first page."""

    def __init__(
        self,
        home: Home,
        *,
        settings: Settings,
        store: Store,
        listing: Listing,
        poller: Poller,
        clock: Callable[[], datetime],
    ) -> None:
        self._home = home
        self._settings = settings
        self._store = store
        self._listing = listing
        self._poller = poller
        self._clock = clock

    def routes(self) -> Routes:
        return [("GET", "/api/overview", self._show), ("GET", "/api/events", self._events)]

    async def _show(self, _asked: Asked) -> Object:
        config, now = self._settings.now, self._clock()
        listed = await self._listing.now()
        state = await self._store.ask(_State.read)
        poller, receiver = self._poller.state(), await receiver_state(config.traps)
        attention = [
            *_of_plug(config, self._settings.problems, poller, receiver),
            *_of_post(config, state.post, now),
            *_of_printers(listed),
            *_of_events(state.going_on),
        ]
        attention.sort(key=lambda each: LEVELS.index(each.level))
        return {
            "name": config.plug.name,
            "site": config.plug.site,
            "time": stamp(now.replace(second=0, microsecond=0)),  # to the minute: the ETag lives a little
            "counts": listed.counts,
            "attention": [_shaped(each) for each in attention[:MOST_SHOWN]],
            "attention_total": len(attention),
            "running": state.running,
            "last_run": state.last_run,
            "next_run": _next_run(config, now),
            "transmission": {
                "mode": config.transmission.mode,
                "last_delivery_at": maybe_stamp(state.post.last_delivery),
                "waiting": state.post.waiting,
                "refused": state.post.refused,
                "oldest_waiting_at": maybe_stamp(state.post.oldest_waiting),
            },
            "licence": licence(self._home, now),
            "traps": {"enabled": config.traps.enabled, "state": receiver},
            "poller": {"state": poller},
        }

    async def _events(self, _asked: Asked) -> Object:
        return {"events": [_event(each) for each in await self._store.ask(events.recent)]}


@dataclass(frozen=True, slots=True)
class _State:
    """What the database says besides the printers."""

    running: dict[str, Json] | None
    last_run: dict[str, Json] | None
    post: _Post
    going_on: list[events.Event]

    @classmethod
    def read(cls, db: sqlite3.Connection) -> "_State":
        with database.snapshot(db):
            recent = jobs.recent(db)
            running = next((job for job in recent if job.state == "running"), None)
            last = next((job for job in recent if job.finished_at and "printers" not in job.arguments), None)
            return cls(
                shaped(db, running) if running else None,
                _run(shaped(db, last)) if last else None,
                _post(db),
                events.going_on(db),
            )


def _run(job: Object) -> dict[str, Json]:
    result = part(job, "result")
    return {
        "job": job["id"],
        "kind": job["kind"],
        "at": job["ended_at"],
        "state": job["state"],
        "scheduled": job["scheduled"],
        "printers": number(result, "printers"),
        "failed": number(result, "failed_total"),
        "incomplete": number(result, "incomplete_total"),
        "error": text(result, "error"),
    }


def _post(db: sqlite3.Connection) -> _Post:
    last, oldest = db.execute(
        "SELECT max(delivered_at), min(CASE WHEN state = 'waiting' THEN created_at END) FROM parcels"
    ).fetchone()
    first = outbox.first_waiting(db)
    return _Post(
        database.maybe_from_ms(last),
        outbox.count(db, "waiting"),
        outbox.count(db, "refused"),
        database.maybe_from_ms(oldest),
        first.error if first else None,
    )


def _next_run(config: Config, now: datetime) -> dict[str, Json]:
    when = config.schedule
    plan = schedule.plan(config.plug.name, when.query_seconds, when.discover_times, when.zone)
    query, discover = schedule.next_query(plan, now), schedule.next_discover(plan, now)
    if discover is not None and discover <= query:
        return {"kind": "discover", "at": stamp(discover)}
    return {"kind": "query", "at": stamp(query)}


def _of_plug(config: Config, problems: list[str], poller: str, receiver: str) -> Iterator[Attention]:
    for problem in problems:
        yield Attention("settings", "error", f"Settings: {problem}", "/system", detail=problem)
    if poller == "stopped":
        yield Attention("poller", "error", "The poller does not run: no printer is read.", "/services")
    if config.traps.enabled and receiver == "stopped":
        yield Attention("traps", "error", "The trap receiver is switched on, but does not run.", "/traps")
    if not config.discovery.entries:
        yield Attention("no-entries", "info", "Nothing to look for yet: add a discovery entry.", "/discovery")
    if config.transmission.mode == "off":
        yield Attention(
            "transmission-off", "info", "The transmission is switched off: nothing is sent.", "/transmission"
        )


def _of_post(config: Config, post: _Post, now: datetime) -> Iterator[Attention]:
    if post.refused:
        line = f"{post.refused} parcel{'s were' if post.refused > 1 else ' was'} refused by the receiver."
        yield Attention("parcel-refused", "error", line, "/transmission", subject=str(post.refused))
    if config.transmission.mode != "off" and post.oldest_waiting and now - post.oldest_waiting > LONG_WAIT:
        yield Attention(
            "parcels-waiting",
            "warning",
            f"{post.waiting} parcel{'s wait' if post.waiting > 1 else ' waits'} to be sent: "
            f"{post.error or 'not tried yet'}",
            "/transmission",
            subject=str(post.waiting),
            detail=post.error,
            since=stamp(post.oldest_waiting),
        )


def _of_printers(listed: Listed) -> Iterator[Attention]:
    for row in listed.rows:
        found = _of_printer(row)
        if found:
            name = text(row, "name") or text(row, "model") or text(row, "address")
            yield replace(found, printer=number(row, "id"), subject=name, link=f"/printers/{row['id']}")


def _of_printer(row: Object) -> Attention | None:
    """The worst that there is to say of a printer."""
    errors, low = row["errors"], part(row, "lowest_supply")
    told = " ".join(str(error) for error in errors) if isinstance(errors, list) else ""
    supply = text(low, "description") or text(low, "color")
    match row["state"]:
        case "error":
            return Attention(
                "printer-error", "error", f"Cannot print: {told or 'down'}", "", detail=told or None
            )
        case "silent":
            return Attention(
                "printer-silent",
                "warning",
                f"Does not answer: {row['failure']}",
                "",
                detail=text(row, "failure"),
                since=text(row, "seen_at"),
            )
        case "warning" if low.get("state") in ("empty", "full"):
            return Attention(
                "supply-empty",
                "error",
                f"{supply}: {low['state']}",
                "",
                detail=supply,
                percent=low["percent"],
            )
        case "warning" if low.get("state") in ("low", "nearly-full"):
            return Attention(
                "supply-low",
                "warning",
                f"{supply}: {low['state']}",
                "",
                detail=supply,
                percent=low["percent"],
            )
        case "warning" if told:
            return Attention("printer-error", "warning", f"Warns: {told}", "", detail=told)
    return None


def _of_events(going_on: list[events.Event]) -> Iterator[Attention]:
    for event in going_on:
        yield Attention(
            "event",
            "warning",
            event.text,
            "/",
            subject=event.subject,
            detail=event.text,
            since=stamp(event.begun_at),
        )


def _shaped(each: Attention) -> dict[str, Json]:
    return {
        "kind": each.kind,
        "level": each.level,
        "text": each.text,
        "printer": each.printer,
        "subject": each.subject,
        "detail": each.detail,
        "percent": each.percent,
        "link": each.link,
        "since": each.since,
    }


def _event(event: events.Event) -> dict[str, Json]:
    return {
        "id": event.id,
        "kind": event.kind,
        "subject": event.subject,
        "text": event.text,
        "began_at": stamp(event.begun_at),
        "ended_at": maybe_stamp(event.ended_at),
    }
