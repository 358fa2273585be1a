"""/metrics for Prometheus, with its own token: printers, supplies, counters, runs, outbox, process."""

import hmac
import resource
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from appliance import __version__
from appliance.domain.messages import Message
from appliance.domain.supply_state import assess_supply, printer_state
from appliance.net.text_sanitizer import printable
from appliance.storage import database, printers, statistics
from appliance.web.db_thread import DatabaseThread
from appliance.web.errors import ApiError
from appliance.web.serializers import PRINTER_STATES
from appliance.web.settings_store import SettingsStore

EXPOSITION_MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, str]
Sample = tuple[Labels, float]


@dataclass(frozen=True, slots=True)
class MetricFamily:
    """One metric with its samples."""

    name: str
    kind: str  # gauge or counter
    help: str
    samples: Iterable[Sample]


class MetricsApi:
    """What Prometheus scrapes."""

    def __init__(self, settings: SettingsStore, store: DatabaseThread, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/metrics", self._get_metrics)]

    async def _get_metrics(self, request: web.Request) -> web.Response:
        token = self._settings.current.web.metrics_token
        if not token:
            raise ApiError(404, Message("request.no_page"))
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), f"Bearer {token}".encode()):
            headers = {"WWW-Authenticate": 'Bearer realm="metrics"'}
            raise ApiError(401, Message("request.metrics_token"), code="login", headers=headers)
        if request.query:
            raise ApiError(400, Message("request.no_parameters"))
        body = await self._store.call(_collect_metrics, self._clock())
        return web.Response(
            body=body, headers={"Content-Type": EXPOSITION_MEDIA_TYPE, "Cache-Control": "no-store"}
        )


def format_exposition(families: Iterable[MetricFamily]) -> bytes:
    """Prometheus' text format 0.0.4."""
    lines = []
    for family in families:
        lines.append(f"# HELP {family.name} {family.help}")
        lines.append(f"# TYPE {family.name} {family.kind}")
        for labels, value in family.samples:
            inner = ",".join(f'{key}="{_escape_label_value(said)}"' for key, said in labels.items())
            lines.append(
                f"{family.name}{{{inner}}} {value:g}"
                if abs(value) < 1e5
                else f"{family.name}{{{inner}}} {value:.0f}"
            )
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")


def _collect_metrics(db: sqlite3.Connection, now: datetime) -> bytes:
    with database.snapshot(db):
        lines = list(printers.iter_summaries(db))
        return format_exposition(
            [
                *_printer_metrics(lines, now),
                *_counter_metrics(db),
                *_supply_metrics(lines),
                *_job_and_parcel_metrics(db),
                *_process_metrics(),
            ]
        )


def _printer_metrics(lines: Iterable[printers.PrinterSummary], now: datetime) -> Iterator[MetricFamily]:
    states, seen, info = dict.fromkeys(PRINTER_STATES, 0), [], []
    for line in lines:
        judged = [assess_supply(supply) for supply in line.supplies]
        states[printer_state(line.details, judged, silent=line.failure is not None, ignore=line.ignore)] += 1
        who = {"printer": str(line.id)}
        seen.append((who, (now - line.seen_at).total_seconds()))
        named = {
            "address": line.target.host,
            "manufacturer": line.identity.manufacturer or "",
            "model": line.identity.model or "",
            "serial_number": line.identity.serial_number or "",
            "name": line.details.name or "",
        }
        info.append(({**who, **named}, 1.0))
    by_state = [({"state": state}, float(count)) for state, count in states.items()]
    yield MetricFamily("printmonitor_printers", "gauge", "Known printers by state.", by_state)
    yield MetricFamily("printmonitor_printer_info", "gauge", "Who a printer is.", info)
    yield MetricFamily("printmonitor_printer_unseen_seconds", "gauge", "Time since a printer answered.", seen)


def _counter_metrics(db: sqlite3.Connection) -> Iterator[MetricFamily]:
    samples = [
        ({"printer": str(printer_id), "counter": name}, float(value))
        for printer_id, name, value in statistics.iter_counter_values(db)
    ]
    yield MetricFamily("printmonitor_pages_total", "counter", "Page counters of the printers.", samples)


def _supply_metrics(lines: Iterable[printers.PrinterSummary]) -> Iterator[MetricFamily]:
    samples = []
    for line in lines:
        for judged in map(assess_supply, line.supplies):
            if judged.percent_left is not None:
                labels = {
                    "printer": str(line.id),
                    "supply": str(judged.supply.index),
                    "color": judged.supply.color or "",
                    "kind": judged.kind,
                }
                samples.append((labels, judged.percent_left / 100))
    yield MetricFamily(
        "printmonitor_supply_left_ratio",
        "gauge",
        "What is left of a supply, or the room of a receptacle.",
        samples,
    )


def _job_and_parcel_metrics(db: sqlite3.Connection) -> Iterator[MetricFamily]:
    runs = [
        ({"kind": kind, "state": state}, ended_at.timestamp())
        for kind, state, ended_at in statistics.list_last_job_ends(db)
    ]
    yield MetricFamily(
        "printmonitor_run_ended_timestamp_seconds", "gauge", "When the last run of a kind ended.", runs
    )
    outbox = statistics.read_parcel_statistics(db)
    parcels = [
        ({"state": state}, float(outbox.count_by_state.get(state, 0)))
        for state in ("waiting", "delivered", "refused", "lost")
    ]
    yield MetricFamily("printmonitor_parcels", "gauge", "Parcels of the outbox by state.", parcels)
    delivered_at = outbox.last_delivered_at
    last: list[Sample] = [] if delivered_at is None else [({}, delivered_at.timestamp())]
    yield MetricFamily(
        "printmonitor_delivered_timestamp_seconds", "gauge", "When a parcel was delivered last.", last
    )


def _process_metrics() -> Iterator[MetricFamily]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    yield MetricFamily(
        "printmonitor_build_info", "gauge", "Which version this is.", [({"version": __version__}, 1.0)]
    )
    yield MetricFamily(
        "process_cpu_seconds_total",
        "counter",
        "CPU time of the page.",
        [({}, usage.ru_utime + usage.ru_stime)],
    )
    yield MetricFamily(
        "process_max_resident_memory_bytes",
        "gauge",
        "Most memory of the page.",
        [({}, usage.ru_maxrss * 1024.0)],
    )
    yield MetricFamily("process_time_seconds", "gauge", "Time of this Plug.", [({}, time.time())])


def _escape_label_value(value: str) -> str:
    return printable(value).replace("\\", "\\\\").replace('"', '\\"')
