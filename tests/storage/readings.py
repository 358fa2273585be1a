"""Readings as tests want them: a plain printer, and whatever differs from it."""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from appliance.domain.model import (
    Alert,
    Counter,
    CounterName,
    Details,
    Identity,
    InputTray,
    OutputTray,
    PollCost,
    Printer,
    Reading,
    Storage,
    Supply,
    Target,
    VagueAmount,
)
from appliance.storage import jobs, printers

NOW = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

TONER = Supply(1, class_=3, type=3, color="black", unit=19, max_capacity=100, level=60)
WASTE = Supply(2, class_=4, type=4, max_capacity=VagueAmount.UNKNOWN, level=VagueAmount.SOME_LEFT)
LOW_PAPER = Alert(61, severity_level=4, group=8, group_index=2, code=808, description="Low on paper")
COVER_OPEN = Alert(62, severity_level=3, group=6, group_index=1, code=3, description="Cover open")


def counter(
    value: int, name: CounterName = CounterName.TOTAL, source: str = "prtMarkerLifeCount.1.1"
) -> Counter:
    return Counter(name, value, source)


def target(host: str = "127.0.0.10", name: str | None = None) -> Target:
    return Target(host, name=name, snmp_version="2", address_by="ip" if name is None else "name")


def reading(
    host: str = "127.0.0.10",
    serial: str | None = "V1234567890",
    mac: str | None = "002673AABBCC",
    *,
    name: str | None = None,
    total: int = 1000,
    **parts: object,
) -> Reading:
    """A small Ricoh with a table of each kind; `parts` replaces fields of the reading."""
    plain = Reading(
        target=target(host, name),
        identity=Identity("Ricoh", "Aficio MP C4000", serial, mac, "1.3.6.1.4.1.367.1.1"),
        details=Details(name="copier", location="2nd floor", status=3, errors=("lowPaper",), uptime=4711),
        counters=(counter(total),),
        supplies=(TONER, WASTE),
        alerts=(LOW_PAPER,),
        inputs=(InputTray(1, max_capacity=550, current_level=VagueAmount.SOME_LEFT, media_name="A4"),),
        outputs=(OutputTray(1, max_capacity=250, remaining_capacity=VagueAmount.UNKNOWN),),
        storages=(Storage(1, type="1.3.6.1.2.1.25.2.1.2", description="RAM", size=768, used=500),),
        cost=PollCost(packets=12, bytes=3456, seconds=0.25),
        plan="remembered",
    )
    return replace(plain, **parts)  # type: ignore[arg-type]


def stored_printer(db: sqlite3.Connection, printer_id: int) -> Printer:
    """Return a printer that has to be there."""
    printer = printers.get_printer(db, printer_id)
    assert printer is not None
    return printer


def stored_job(db: sqlite3.Connection, job_id: int) -> jobs.Job:
    """Return a job that has to be there."""
    job = jobs.get(db, job_id)
    assert job is not None
    return job


def start_job(db: sqlite3.Connection, now: datetime, *, partial: bool = False) -> jobs.Job:
    """Start the next job, which has to be there."""
    job = jobs.start_next(db, now, partial=partial)
    assert job is not None
    return job
