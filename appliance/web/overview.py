"""The overview: what needs somebody, what runs, what is next."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from appliance.delivery import outbox
from appliance.domain import schedule
from appliance.domain.messages import Message
from appliance.settings.schema import Config, Home
from appliance.storage import database, events, jobs, statistics
from appliance.web.db_thread import DatabaseThread
from appliance.web.handlers import ApiRequest, Routes
from appliance.web.jobs import PollerClient, serialize_job
from appliance.web.json_fields import (
    Json,
    JsonMapping,
    format_optional_timestamp,
    format_timestamp,
    get_int,
    get_object,
    get_str,
)
from appliance.web.licences import serialize_licence
from appliance.web.printers import PrinterList, PrinterListCache
from appliance.web.services import trap_receiver_state
from appliance.web.settings_store import SettingsStore

MAX_ATTENTION_ITEMS = 200
PARCEL_OVERDUE_AFTER = timedelta(hours=2)  # of a parcel, before somebody should look
SEVERITY_ORDER = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class AttentionItem:
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
class _OutboxSummary:
    """The outbox in figures."""

    last_delivery: datetime | None
    waiting: int
    refused: int
    oldest_waiting: datetime | None
    error: str | None


class OverviewApi:
    """The API of the first page."""

    def __init__(
        self,
        home: Home,
        *,
        settings: SettingsStore,
        store: DatabaseThread,
        list_cache: PrinterListCache,
        poller: PollerClient,
        clock: Callable[[], datetime],
    ) -> None:
        self._home = home
        self._settings = settings
        self._store = store
        self._list_cache = list_cache
        self._poller = poller
        self._clock = clock

    def routes(self) -> Routes:
        return [("GET", "/api/overview", self._get_overview), ("GET", "/api/events", self._get_events)]

    async def _get_overview(self, _request: ApiRequest) -> JsonMapping:
        config, now = self._settings.current, self._clock()
        listed = await self._list_cache.get()
        state = await self._store.call(_DatabaseState.read)
        poller, receiver = self._poller.state(), await trap_receiver_state(config.traps)
        attention = [
            *_plug_attention(config, self._settings.problems, poller, receiver),
            *_outbox_attention(config, state.outbox_summary, now),
            *_printers_attention(listed),
            *_events_attention(state.open_events),
        ]
        attention.sort(key=lambda each: SEVERITY_ORDER.index(each.level))
        return {
            "name": config.plug.name,
            "site": config.plug.site,
            "time": format_timestamp(
                now.replace(second=0, microsecond=0)
            ),  # to the minute: the ETag lives a little
            "counts": listed.counts,
            "attention": [_serialize_attention(each) for each in attention[:MAX_ATTENTION_ITEMS]],
            "attention_total": len(attention),
            "running": state.running,
            "last_run": state.last_run,
            "next_run": _serialize_next_run(config, now),
            "transmission": {
                "mode": config.transmission.mode,
                "last_delivery_at": format_optional_timestamp(state.outbox_summary.last_delivery),
                "waiting": state.outbox_summary.waiting,
                "refused": state.outbox_summary.refused,
                "oldest_waiting_at": format_optional_timestamp(state.outbox_summary.oldest_waiting),
            },
            "licence": serialize_licence(self._home, now),
            "traps": {"enabled": config.traps.enabled, "state": receiver},
            "poller": {"state": poller},
        }

    async def _get_events(self, _request: ApiRequest) -> JsonMapping:
        return {"events": [_serialize_event(each) for each in await self._store.call(events.list_recent)]}


@dataclass(frozen=True, slots=True)
class _DatabaseState:
    """What the database says besides the printers."""

    running: dict[str, Json] | None
    last_run: dict[str, Json] | None
    outbox_summary: _OutboxSummary
    open_events: list[events.Event]

    @classmethod
    def read(cls, db: sqlite3.Connection) -> "_DatabaseState":
        with database.snapshot(db):
            recent = jobs.list_recent(db)
            running = next((job for job in recent if job.state == "running"), None)
            last = next((job for job in recent if job.finished_at and "printers" not in job.arguments), None)
            return cls(
                serialize_job(db, running) if running else None,
                _serialize_last_run(serialize_job(db, last)) if last else None,
                _read_outbox_summary(db),
                events.list_ongoing(db),
            )


def _serialize_last_run(job: JsonMapping) -> dict[str, Json]:
    result = get_object(job, "result")
    return {
        "job": job["id"],
        "kind": job["kind"],
        "at": job["ended_at"],
        "state": job["state"],
        "scheduled": job["scheduled"],
        "printers": get_int(result, "printers"),
        "failed": get_int(result, "failed_total"),
        "incomplete": get_int(result, "incomplete_total"),
        "error": get_str(result, "error"),
    }


def _read_outbox_summary(db: sqlite3.Connection) -> _OutboxSummary:
    parcels, first = statistics.read_parcel_statistics(db), outbox.first_waiting(db)
    return _OutboxSummary(
        parcels.last_delivered_at,
        parcels.waiting,
        parcels.count_by_state.get("refused", 0),
        parcels.oldest_waiting_at,
        first.error if first else None,
    )


def _serialize_next_run(config: Config, now: datetime) -> dict[str, Json]:
    plan = config.run_schedule()
    query, discover = schedule.next_query_at(plan, now), schedule.next_discover_at(plan, now)
    if discover is not None and discover <= query:
        return {"kind": "discover", "at": format_timestamp(discover)}
    return {"kind": "query", "at": format_timestamp(query)}


def _plug_attention(
    config: Config, problems: list[str], poller: str, receiver_state: str
) -> Iterator[AttentionItem]:
    for problem in problems:
        yield AttentionItem(
            "settings", "error", Message("attention.settings", problem=problem), "/system", detail=problem
        )
    if poller == "stopped":
        yield AttentionItem("poller", "error", Message("attention.poller"), "/services")
    if config.traps.enabled and receiver_state == "stopped":
        yield AttentionItem("traps", "error", Message("attention.trap_receiver"), "/traps")
    if not config.discovery.entries:
        yield AttentionItem("no-entries", "info", Message("attention.no_entries"), "/discovery")
    if config.transmission.mode == "off":
        yield AttentionItem(
            "transmission-off", "info", Message("attention.transmission_off"), "/transmission"
        )


def _outbox_attention(config: Config, summary: _OutboxSummary, now: datetime) -> Iterator[AttentionItem]:
    if summary.refused:
        line = Message("attention.refused", count=summary.refused)
        yield AttentionItem("parcel-refused", "error", line, "/transmission", subject=str(summary.refused))
    if (
        config.transmission.mode != "off"
        and summary.oldest_waiting
        and now - summary.oldest_waiting > PARCEL_OVERDUE_AFTER
    ):
        yield AttentionItem(
            "parcels-waiting",
            "warning",
            Message(
                "attention.waiting",
                count=summary.waiting,
                reason=summary.error or Message("attention.not_tried"),
            ),
            "/transmission",
            subject=str(summary.waiting),
            detail=summary.error,
            since=format_timestamp(summary.oldest_waiting),
        )


def _printers_attention(printer_list: PrinterList) -> Iterator[AttentionItem]:
    for row in printer_list.rows:
        found = _printer_attention(row)
        if found:
            name = get_str(row, "name") or get_str(row, "model") or get_str(row, "address")
            yield replace(found, printer=get_int(row, "id"), subject=name, link=f"/printers/{row['id']}")


def _printer_attention(row: JsonMapping) -> AttentionItem | None:
    """The worst that there is to say of a printer."""
    errors, low = row["errors"], get_object(row, "lowest_supply")
    told = " ".join(str(error) for error in errors) if isinstance(errors, list) else ""
    supply = get_str(low, "description") or get_str(low, "color")
    match row["state"]:
        case "error":
            return AttentionItem(
                "printer-error",
                "error",
                Message("attention.cannot_print", reason=told or Message("attention.down")),
                "",
                detail=told or None,
            )
        case "silent":
            return AttentionItem(
                "printer-silent",
                "warning",
                Message("attention.silent", reason=row["failure"]),
                "",
                detail=get_str(row, "failure"),
                since=get_str(row, "seen_at"),
            )
        case "warning" if low.get("state") in ("empty", "full"):
            return AttentionItem(
                "supply-empty",
                "error",
                Message("attention.supply_full", supply=supply)
                if low["state"] == "full"
                else Message("attention.supply_empty", supply=supply),
                "",
                detail=supply,
                percent=low["percent"],
            )
        case "warning" if low.get("state") in ("low", "nearly-full"):
            return AttentionItem(
                "supply-low",
                "warning",
                Message("attention.supply_nearly_full", supply=supply)
                if low["state"] == "nearly-full"
                else Message("attention.supply_low", supply=supply),
                "",
                detail=supply,
                percent=low["percent"],
            )
        case "warning" if told:
            return AttentionItem(
                "printer-error", "warning", Message("attention.warns", reason=told), "", detail=told
            )
    return None


def _events_attention(open_events: list[events.Event]) -> Iterator[AttentionItem]:
    for event in open_events:
        yield AttentionItem(
            "event",
            "warning",
            event.text,
            "/",
            subject=event.subject,
            detail=event.text,
            since=format_timestamp(event.begun_at),
        )


def _serialize_attention(item: AttentionItem) -> dict[str, Json]:
    return {
        "kind": item.kind,
        "level": item.level,
        "text": item.text,
        "printer": item.printer,
        "subject": item.subject,
        "detail": item.detail,
        "percent": item.percent,
        "link": item.link,
        "since": item.since,
    }


def _serialize_event(event: events.Event) -> dict[str, Json]:
    return {
        "id": event.id,
        "kind": event.kind,
        "subject": event.subject,
        "text": event.text,
        "began_at": format_timestamp(event.begun_at),
        "ended_at": format_optional_timestamp(event.ended_at),
    }
