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
from appliance.domain.supply_state import judge, printer_state
from appliance.storage import database, printer_list
from appliance.web.db_thread import Store
from appliance.web.errors import Trouble
from appliance.web.serializers import STATES
from appliance.web.settings_store import Settings

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, str]
Sample = tuple[Labels, float]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric with its samples."""

    name: str
    kind: str  # gauge or counter
    help: str
    samples: Iterable[Sample]


class Metrics:
    """What Prometheus scrapes."""

    def __init__(self, settings: Settings, store: Store, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/metrics", self._scrape)]

    async def _scrape(self, request: web.Request) -> web.Response:
        token = self._settings.now.web.metrics_token
        if not token:
            raise Trouble(404, "There is no such page.")
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), f"Bearer {token}".encode()):
            headers = {"WWW-Authenticate": 'Bearer realm="metrics"'}
            raise Trouble(401, "This needs the token of the metrics.", code="login", headers=headers)
        if request.query:
            raise Trouble(400, "There are no parameters here.")
        body = await self._store.ask(_all, self._clock())
        return web.Response(body=body, headers={"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store"})


def text(families: Iterable[Family]) -> bytes:
    """Prometheus' text format 0.0.4."""
    lines = []
    for family in families:
        lines.append(f"# HELP {family.name} {family.help}")
        lines.append(f"# TYPE {family.name} {family.kind}")
        for labels, value in family.samples:
            inner = ",".join(f'{key}="{_escaped(said)}"' for key, said in labels.items())
            lines.append(
                f"{family.name}{{{inner}}} {value:g}"
                if abs(value) < 1e5
                else f"{family.name}{{{inner}}} {value:.0f}"
            )
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")


def _all(db: sqlite3.Connection, now: datetime) -> bytes:
    with database.snapshot(db):
        lines = list(printer_list.lines(db))
        return text([*_printers(lines, now), *_counters(db), *_supplies(lines), *_work(db), *_process()])


def _printers(lines: Iterable[printer_list.Line], now: datetime) -> Iterator[Family]:
    states, seen, info = dict.fromkeys(STATES, 0), [], []
    for line in lines:
        judged = [judge(supply) for supply in line.supplies]
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
    yield Family("printmonitor_printers", "gauge", "Known printers by state.", by_state)
    yield Family("printmonitor_printer_info", "gauge", "Who a printer is.", info)
    yield Family("printmonitor_printer_unseen_seconds", "gauge", "Time since a printer answered.", seen)


def _counters(db: sqlite3.Connection) -> Iterator[Family]:
    found = db.execute("SELECT printer_id, name, value FROM counters ORDER BY printer_id, name")
    samples = [({"printer": str(row[0]), "counter": str(row[1])}, float(row[2])) for row in found]
    yield Family("printmonitor_pages_total", "counter", "Page counters of the printers.", samples)


def _supplies(lines: Iterable[printer_list.Line]) -> Iterator[Family]:
    samples = []
    for line in lines:
        for judged in map(judge, line.supplies):
            if judged.left is not None:
                labels = {
                    "printer": str(line.id),
                    "supply": str(judged.supply.index),
                    "color": judged.supply.color or "",
                    "kind": judged.kind,
                }
                samples.append((labels, judged.left / 100))
    yield Family(
        "printmonitor_supply_left_ratio",
        "gauge",
        "What is left of a supply, or the room of a receptacle.",
        samples,
    )


def _work(db: sqlite3.Connection) -> Iterator[Family]:
    ended = db.execute(
        "SELECT kind, state, max(finished_at) FROM jobs WHERE finished_at IS NOT NULL GROUP BY kind, state"
    )
    runs = [({"kind": str(row[0]), "state": str(row[1])}, row[2] / 1000) for row in ended]
    yield Family(
        "printmonitor_run_ended_timestamp_seconds", "gauge", "When the last run of a kind ended.", runs
    )
    counted = dict(db.execute("SELECT state, count(*) FROM parcels GROUP BY state").fetchall())
    parcels = [
        ({"state": state}, float(counted.get(state, 0)))
        for state in ("waiting", "delivered", "refused", "lost")
    ]
    yield Family("printmonitor_parcels", "gauge", "Parcels of the outbox by state.", parcels)
    delivered = db.execute("SELECT max(delivered_at) FROM parcels").fetchone()[0]
    last: list[Sample] = [] if delivered is None else [({}, delivered / 1000)]
    yield Family(
        "printmonitor_delivered_timestamp_seconds", "gauge", "When a parcel was delivered last.", last
    )


def _process() -> Iterator[Family]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    yield Family(
        "printmonitor_build_info", "gauge", "Which version this is.", [({"version": __version__}, 1.0)]
    )
    yield Family(
        "process_cpu_seconds_total",
        "counter",
        "CPU time of the page.",
        [({}, usage.ru_utime + usage.ru_stime)],
    )
    yield Family(
        "process_max_resident_memory_bytes",
        "gauge",
        "Most memory of the page.",
        [({}, usage.ru_maxrss * 1024.0)],
    )
    yield Family("process_time_seconds", "gauge", "Time of this Plug.", [({}, time.time())])


def _escaped(said: str) -> str:
    shown = "".join(character if character.isprintable() else " " for character in said)
    return shown.replace("\\", "\\\\").replace('"', '\\"')
