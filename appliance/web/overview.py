"""Serve the overview: what needs attention, what runs, what is next."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from appliance.domain import schedule
from appliance.domain.attention import AttentionReason, PlugFacts, ReasonCode, list_reasons, sort_reasons
from appliance.jobs import plug_facts
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
from appliance.web.printers import PrinterListCache
from appliance.web.services import trap_receiver_state
from appliance.web.settings_store import SettingsStore

MAX_ATTENTION_ITEMS = 200


# The page of the web UI where something can be done about a reason; an event has none of its own.
_LINKS: dict[ReasonCode, str] = {
    "settings": "/system",
    "poller": "/services",
    "traps": "/traps",
    "no-entries": "/discovery",
    "transmission-off": "/transmission",
    "licence": "/transmission",
    "parcel-refused": "/transmission",
    "parcels-waiting": "/transmission",
    "event": "/",
}


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
        poller, receiver = self._poller.state(), await trap_receiver_state(config.traps)

        def collect_facts(db: sqlite3.Connection) -> PlugFacts:
            return plug_facts.collect(
                db,
                self._home,
                config,
                now,
                settings_problems=self._settings.problems,
                poller_running=poller != "stopped",
                trap_receiver_running=receiver != "stopped",
            )

        state = await self._store.call(_DatabaseState.read, collect_facts)
        parcels = state.facts.parcels
        reasons = sort_reasons([*list_reasons(state.facts), *listed.attention])
        return {
            "name": config.plug.name,
            "site": config.plug.site,
            "time": format_timestamp(
                now.replace(second=0, microsecond=0)
            ),  # to the minute: the ETag lives a little
            "counts": listed.counts,
            "attention": [_serialize_reason(reason) for reason in reasons[:MAX_ATTENTION_ITEMS]],
            "attention_total": len(reasons),
            "running": state.running,
            "last_run": state.last_run,
            "next_run": _serialize_next_run(config, now),
            "transmission": {
                "mode": config.transmission.mode,
                "last_delivery_at": format_optional_timestamp(state.last_delivery),
                "waiting": parcels.waiting,
                "refused": parcels.refused,
                "oldest_waiting_at": format_optional_timestamp(parcels.oldest_waiting_at),
            },
            "licence": serialize_licence(self._home, now),
            "traps": {"enabled": config.traps.enabled, "state": receiver},
            "poller": {"state": poller},
        }

    async def _get_events(self, _request: ApiRequest) -> JsonMapping:
        return {"events": [_serialize_event(each) for each in await self._store.call(events.list_recent)]}


@dataclass(frozen=True, slots=True)
class _DatabaseState:
    """What the overview reads from the database besides the printers."""

    running: dict[str, Json] | None
    last_run: dict[str, Json] | None
    last_delivery: datetime | None
    facts: PlugFacts

    @classmethod
    def read(
        cls, db: sqlite3.Connection, collect_facts: Callable[[sqlite3.Connection], PlugFacts]
    ) -> "_DatabaseState":
        with database.snapshot(db):
            recent = jobs.list_recent(db)
            running = next((job for job in recent if job.state == "running"), None)
            last = next((job for job in recent if job.finished_at and "printers" not in job.arguments), None)
            return cls(
                serialize_job(db, running) if running else None,
                _serialize_last_run(serialize_job(db, last)) if last else None,
                statistics.read_parcel_statistics(db).last_delivered_at,
                collect_facts(db),
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


def _serialize_next_run(config: Config, now: datetime) -> dict[str, Json]:
    plan = config.run_schedule()
    query, discover = schedule.next_query_at(plan, now), schedule.next_discover_at(plan, now)
    if discover is not None and discover <= query:
        return {"kind": "discover", "at": format_timestamp(discover)}
    return {"kind": "query", "at": format_timestamp(query)}


def _serialize_reason(reason: AttentionReason) -> dict[str, Json]:
    return {
        "kind": reason.code,
        "level": reason.severity,
        "text": reason.text,
        "printer": reason.printer_id,
        "subject": reason.subject,
        "detail": reason.detail,
        "percent": reason.percent,
        "link": f"/printers/{reason.printer_id}" if reason.printer_id else _LINKS[reason.code],
        "since": format_optional_timestamp(reason.since),
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
