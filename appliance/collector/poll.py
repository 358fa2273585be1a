"""A printer at an address → all that it says, or one clear reason why not."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from appliance.collector import poll_cache as plans
from appliance.collector import reading_builder, web_counters
from appliance.collector.poll_cache import Plan
from appliance.collector.poll_session import Visit
from appliance.collector.request_batcher import Fetch, Gone, Limits, Refused
from appliance.collector.web_counters import PORTS
from appliance.domain.model import Cost, Failure, Reading, Target
from appliance.ews.result import Ports
from appliance.snmp.client import Budget, BudgetSpent, Endpoint, Garbled, NoAnswer, Session

TRIES = (1.0, 2.0, 4.0)  # seconds; a sleeping printer needs some to wake up
TRIES_OF_EACH = 2  # of these where two versions are tried, so that silence costs no more
BUDGET = Budget(seconds=60.0, packets=400)  # a slow printer with full tables takes 20 s and 60 packets


class NotRead(Exception):
    """Nothing can be said of the printer this time; `reason` is one clear line."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


async def ask(
    endpoint: Endpoint,
    target: Target,
    plan: str,
    now: datetime,
    *,
    full: bool = False,
    budget: Budget = BUDGET,
    tries: Sequence[float] = TRIES,
    ports: Ports = PORTS,
) -> Reading:
    """Reads a printer; its host is an address, `plan` what the last reading left. Raises NotRead."""
    known = plans.load(plan)
    spent = Cost()
    reason = "silent"
    versions = _versions(target, known)
    for version in versions:
        session = Session(
            endpoint,
            target.host,
            port=target.port,
            community=target.community_read,
            version=version,
            tries=tries if len(versions) == 1 else tries[:TRIES_OF_EACH],
            budget=budget,
        )
        try:
            reading = await _read(
                session, replace(target, snmp_version=version), known, now, full=full, ports=ports
            )
        except (NoAnswer, Garbled) as error:  # nothing was heard in this version
            reason = str(error) if reason == "silent" else reason
            spent = _sum(spent, session.cost)
        except Refused as error:
            raise NotRead("answers, but not to this community") from error
        else:
            return replace(reading, cost=_sum(spent, reading.cost))
    raise NotRead(reason)


def _versions(target: Target, known: Plan) -> tuple[Literal["1", "2"], ...]:
    if target.snmp_version != "auto":
        return (target.snmp_version,)
    return ("1", "2") if known.version == "1" else ("2", "1")


async def _read(
    session: Session, target: Target, known: Plan, now: datetime, *, full: bool, ports: Ports
) -> Reading:
    same = known.version == session.version
    again = same and not full and not plans.due(known, now)
    fetch = Fetch(session, plans.limits(known, full=not again) if same else Limits())
    visit = Visit(fetch, known)
    interrupted: str | None = None
    try:
        if not again or not await visit.again():
            await visit.everything()
    except Gone:
        interrupted = "stopped answering"
    except BudgetSpent as error:
        interrupted = str(error)
    if interrupted and not visit.knows_itself():
        raise NotRead(interrupted)
    if all(value is None for value in visit.known.cells.values()):
        raise NotRead("answers, but says nothing")
    failures = _failures(visit, interrupted)
    reading, memory = reading_builder.build(visit.known.cells, target, session.cost, "", failures), known.door
    if not interrupted:
        reading, memory = await web_counters.knock(reading, memory, full=visit.full, ports=ports)
    plan = _plan(visit, known, session.version, now, memory, interrupted=interrupted is not None)
    return replace(reading, plan=plan, notes=(*reading.notes, *_doubts(visit)))


def _failures(visit: Visit, interrupted: str | None) -> tuple[Failure, ...]:
    """The parts whose tables could not be read, each with the first reason."""
    reasons: dict[str, str] = {}
    for table in visit.tables:
        if table.name in visit.known.failed:
            reasons.setdefault(table.part, visit.known.failed[table.name])
        elif interrupted and not visit.known.complete(table):
            reasons.setdefault(table.part, interrupted)
    if interrupted and visit.printer.builder is None:  # whose own counters could not be asked, if it has any
        reasons.setdefault("counters", interrupted)
    return tuple(Failure(part, reason) for part, reason in reasons.items())


def _doubts(visit: Visit) -> list[str]:
    """The parts whose tables may have more rows than were seen."""
    doubts = visit.known.doubts
    told = {table.part: doubts[table.name] for table in visit.tables if table.name in doubts}
    return [f"{part} may not be complete: {why}" for part, why in told.items()]


def _plan(
    visit: Visit,
    known: Plan,
    version: Literal["1", "2"],
    now: datetime,
    door: web_counters.Memory,
    *,
    interrupted: bool,
) -> str:
    """What to remember; after an interruption the next reading is a full one."""
    tables = visit.tables
    failed = [table.entry for table in tables if table.name in visit.known.failed]
    plan = Plan(
        version=version,
        limits=visit.fetch.limits,
        full_at=None if interrupted else now if visit.full else known.full_at,
        rows={} if interrupted else visit.known.rows,
        failed={} if interrupted else visit.known.failed,
        doubts={} if interrupted else visit.known.doubts,
        cells={}
        if interrupted
        else {
            oid: value
            for oid, value in visit.known.cells.items()
            if not any(oid[: len(entry)] == entry for entry in failed)
        },
        get_only=frozenset() if interrupted else frozenset(visit.known.get_only),
        door=door,
    )
    return plans.dump(plan, tables)


def _sum(one: Cost, other: Cost) -> Cost:
    return Cost(one.packets + other.packets, one.bytes + other.bytes, one.seconds + other.seconds)
