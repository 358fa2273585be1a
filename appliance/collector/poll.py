"""A printer at an address → all that it says, or one clear reason why not."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from appliance.collector import poll_cache as plans
from appliance.collector import reading_builder, web_counters
from appliance.collector.poll_cache import PollCache
from appliance.collector.poll_session import PollSession
from appliance.collector.request_batcher import (
    AgentLimits,
    AgentLostError,
    CommunityRejectedError,
    RequestBatcher,
)
from appliance.collector.web_counters import DEFAULT_PORTS
from appliance.domain.messages import Message, message_of
from appliance.domain.model import PartFailure, PollCost, Reading, Target
from appliance.ews.models import EwsPorts
from appliance.snmp.client import (
    SnmpBudget,
    SnmpBudgetExceededError,
    SnmpEndpoint,
    SnmpInvalidResponseError,
    SnmpNoResponseError,
    SnmpSession,
)

TRY_TIMEOUTS_S = (1.0, 2.0, 4.0)  # seconds; a sleeping printer needs some to wake up
MAX_TRIES_PER_VERSION = 2  # of these where two versions are tried, so that silence costs no more
POLL_BUDGET = SnmpBudget(
    seconds=60.0, packets=400
)  # a slow printer with full tables takes 20 s and 60 packets


class PollError(Exception):
    """Nothing can be said of the printer this time; `reason` is one clear line."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


async def poll_printer(
    endpoint: SnmpEndpoint,
    target: Target,
    cache_json: str,
    now: datetime,
    *,
    full: bool = False,
    budget: SnmpBudget = POLL_BUDGET,
    tries: Sequence[float] = TRY_TIMEOUTS_S,
    ports: EwsPorts = DEFAULT_PORTS,
) -> Reading:
    """Reads a printer; its host is an address, `plan` what the last reading left. Raises NotRead."""
    known = plans.load(cache_json)
    spent = PollCost()
    silent = Message("snmp.silent")
    reason: str = silent
    versions = _snmp_versions(target, known)
    for version in versions:
        session = SnmpSession(
            endpoint,
            target.host,
            port=target.port,
            community=target.community_read,
            version=version,
            tries=tries if len(versions) == 1 else tries[:MAX_TRIES_PER_VERSION],
            budget=budget,
        )
        try:
            reading = await _poll_with_version(
                session, replace(target, snmp_version=version), known, now, full=full, ports=ports
            )
        except (SnmpNoResponseError, SnmpInvalidResponseError) as error:  # nothing was heard in this version
            reason = message_of(error) if reason is silent else reason
            spent = _add_costs(spent, session.cost)
        except CommunityRejectedError as error:
            raise PollError(Message("snmp.wrong_community")) from error
        else:
            return replace(reading, cost=_add_costs(spent, reading.cost))
    raise PollError(reason)


def _snmp_versions(target: Target, cache: PollCache) -> tuple[Literal["1", "2"], ...]:
    if target.snmp_version != "auto":
        return (target.snmp_version,)
    return ("1", "2") if cache.version == "1" else ("2", "1")


async def _poll_with_version(
    session: SnmpSession, target: Target, cache: PollCache, now: datetime, *, full: bool, ports: EwsPorts
) -> Reading:
    same = cache.version == session.version
    again = same and not full and not plans.is_full_poll_due(cache, now)
    fetch = RequestBatcher(session, plans.starting_limits(cache, full=not again) if same else AgentLimits())
    visit = PollSession(fetch, cache)
    interrupted: str | None = None
    try:
        if not again or not await visit.read_changes():
            await visit.read_full()
    except AgentLostError:
        interrupted = Message("snmp.stopped_answering")
    except SnmpBudgetExceededError as error:
        interrupted = message_of(error)
    if interrupted and not visit.is_identified():
        raise PollError(interrupted)
    if all(value is None for value in visit.walker.cells.values()):
        raise PollError(Message("snmp.empty_answer"))
    failures = _collect_failures(visit, interrupted)
    reading, memory = (
        reading_builder.build_reading(visit.walker.cells, target, session.cost, "", failures),
        cache.ews_state,
    )
    if not interrupted:
        reading, memory = await web_counters.add_ews_values(reading, memory, full=visit.is_full, ports=ports)
    plan = _build_cache(visit, cache, session.version, now, memory, interrupted=interrupted is not None)
    return replace(reading, plan=plan, notes=(*reading.notes, *_incomplete_table_notes(visit)))


def _collect_failures(poll_session: PollSession, interrupted: str | None) -> tuple[PartFailure, ...]:
    """The parts whose tables could not be read, each with the first reason."""
    reasons: dict[str, str] = {}
    for table in poll_session.tables:
        if table.name in poll_session.walker.failed:
            reasons.setdefault(table.part, poll_session.walker.failed[table.name])
        elif interrupted and not poll_session.walker.is_complete(table):
            reasons.setdefault(table.part, interrupted)
    if (
        interrupted and poll_session.printer.vendor is None
    ):  # whose own counters could not be asked, if it has any
        reasons.setdefault("counters", interrupted)
    return tuple(PartFailure(part, reason) for part, reason in reasons.items())


def _incomplete_table_notes(poll_session: PollSession) -> list[str]:
    """The parts whose tables may have more rows than were seen."""
    doubts = poll_session.walker.incomplete
    told = {table.part: doubts[table.name] for table in poll_session.tables if table.name in doubts}
    return [Message("reading.part_incomplete", part=part, reason=why) for part, why in told.items()]


def _build_cache(
    poll_session: PollSession,
    previous: PollCache,
    version: Literal["1", "2"],
    now: datetime,
    ews_state: web_counters.EwsState,
    *,
    interrupted: bool,
) -> str:
    """What to remember; after an interruption the next reading is a full one."""
    tables = poll_session.tables
    failed = [table.entry for table in tables if table.name in poll_session.walker.failed]
    plan = PollCache(
        version=version,
        limits=poll_session.batcher.limits,
        full_at=None if interrupted else now if poll_session.is_full else previous.full_at,
        rows={} if interrupted else poll_session.walker.rows,
        failed={} if interrupted else poll_session.walker.failed,
        incomplete={} if interrupted else poll_session.walker.incomplete,
        cells={}
        if interrupted
        else {
            oid: value
            for oid, value in poll_session.walker.cells.items()
            if not any(oid[: len(entry)] == entry for entry in failed)
        },
        get_only=frozenset() if interrupted else frozenset(poll_session.walker.get_only),
        ews_state=ews_state,
    )
    return plans.dump(plan, tables)


def _add_costs(first: PollCost, second: PollCost) -> PollCost:
    return PollCost(
        first.packets + second.packets, first.bytes + second.bytes, first.seconds + second.seconds
    )
