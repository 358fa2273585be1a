"""/metrics for Prometheus, with its own token: printers, supplies, counters, runs, outbox, process."""

import hmac
import resource
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from appliance import __version__
from appliance.domain import attention
from appliance.domain.messages import Message
from appliance.domain.printer_status import PRINTER_STATES, AssessedPrinter
from appliance.jobs import plug_facts
from appliance.net.text_sanitizer import printable
from appliance.settings.schema import Config, Home
from appliance.storage import database, printers, statistics
from appliance.web.db_thread import DatabaseThread
from appliance.web.errors import ApiError
from appliance.web.jobs import PollerClient
from appliance.web.services import trap_receiver_state
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

    def __init__(
        self,
        home: Home,
        *,
        settings: SettingsStore,
        store: DatabaseThread,
        poller: PollerClient,
        clock: Callable[[], datetime],
    ) -> None:
        self._home = home
        self._poller = poller
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
        config = self._settings.current
        receiver = await trap_receiver_state(config.traps)
        plug = _PlugState(
            self._home,
            config,
            self._settings.problems,
            poller_running=self._poller.state() != "stopped",
            trap_receiver_running=receiver != "stopped",
        )
        body = await self._store.call(_collect_metrics, plug, self._clock())
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


@dataclass(frozen=True, slots=True)
class _PlugState:
    """What the metrics need besides the database."""

    home: Home
    config: Config
    problems: Sequence[str]
    poller_running: bool
    trap_receiver_running: bool


def _collect_metrics(db: sqlite3.Connection, plug: _PlugState, now: datetime) -> bytes:
    with database.snapshot(db):
        summaries = list(printers.iter_summaries(db))
        assessed = [printers.assess(summary) for summary in summaries]
        facts = plug_facts.collect(
            db,
            plug.home,
            plug.config,
            now,
            settings_problems=plug.problems,
            poller_running=plug.poller_running,
            trap_receiver_running=plug.trap_receiver_running,
        )
        return format_exposition(
            [
                *_printer_metrics(summaries, assessed, now),
                *_counter_metrics(db),
                *_supply_metrics(assessed),
                _attention_metric(attention.list_reasons(facts, assessed)),
                *_job_and_parcel_metrics(db),
                *_process_metrics(),
            ]
        )


def _printer_metrics(
    summaries: Iterable[printers.PrinterSummary], assessed: Iterable[AssessedPrinter], now: datetime
) -> Iterator[MetricFamily]:
    states, seen, info = dict.fromkeys(PRINTER_STATES, 0), [], []
    for printer in assessed:
        states[printer.state] += 1
    for line in summaries:
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


def _attention_metric(reasons: Iterable[attention.AttentionReason]) -> MetricFamily:
    counts = Counter((reason.code, reason.severity) for reason in reasons)
    samples = [
        ({"reason": code, "severity": severity}, float(count))
        for (code, severity), count in sorted(counts.items())
    ]
    return MetricFamily("printmonitor_attention", "gauge", "Reasons why something needs attention.", samples)


def _supply_metrics(assessed: Iterable[AssessedPrinter]) -> Iterator[MetricFamily]:
    samples = []
    for printer in assessed:
        for supply in printer.supplies:
            if supply.remaining_percent is not None:
                labels = {
                    "printer": str(printer.id),
                    "supply": str(supply.supply.index),
                    "color": supply.supply.color or "",
                    "kind": supply.kind,
                }
                samples.append((labels, supply.remaining_percent / 100))
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
