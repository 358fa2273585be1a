"""`printmonitor test HOST`: everything about one printer, and what it cost to ask; nothing is stored."""

import asyncio
import logging
from datetime import UTC, datetime

from appliance.commands import levels, logs, page, terminal, why
from appliance.commands.plain import record
from appliance.commands.trouble import Wrong
from appliance.discovery import addresses, entries
from appliance.model import DiscoveryEntry, Reading, SnmpVersion, Target
from appliance.reading import ask
from appliance.reading.snmp.session import Endpoint

DONE, FAILED = 0, 1
NOTHING_HEARD = ("silent", "out of reach", "port ")  # how reasons begin that a closer look can explain


def run(host: str, version: SnmpVersion, community: str, port: int, as_json: bool) -> int:
    """Read the printer at `host`; 1 if it cannot be read."""
    logs.set_up(logging.ERROR)
    return asyncio.run(_run(_target(host, version, community, port), as_json))


def _target(host: str, version: SnmpVersion, community: str, port: int) -> Target:
    entry = DiscoveryEntry(host, snmp_version=version, community_read=community, port=port)
    problem = entries.check(entry)
    if problem:
        raise Wrong(problem)
    if entries.count(entry) != 1:
        raise Wrong(f"{addresses.shown(host)} is more than one address; test reads one printer")
    return next(entries.expand(entry, entries.Exclusions()))


async def _run(target: Target, as_json: bool) -> int:
    try:
        target = await entries.resolve(target)
    except entries.NotResolved as error:
        raise Wrong(str(error)) from error
    progress = terminal.Progress()
    progress.show(f"asking {target.host} ...")
    try:
        async with Endpoint() as endpoint:
            reading = await ask.ask(endpoint, target, "", datetime.now(UTC), full=True)
    except ask.NotRead as error:
        explanation = await why.explain(target) if error.reason.startswith(NOTHING_HEARD) else None
        progress.end()
        return _failed(target, error.reason, explanation, as_json)
    finally:
        progress.end()
    _show(reading, as_json)
    return FAILED if reading.failures else DONE


def _show(reading: Reading, as_json: bool) -> None:
    if not as_json:
        page.show(reading)
        return
    document = record(reading)
    document["supplies"] = [
        {**record(supply), "percent": levels.percent(supply), "state": levels.state(supply)}
        for supply in reading.supplies
    ]
    document["bytes_on_the_wire"] = page.on_the_wire(reading.cost)
    terminal.document(document)


def _failed(target: Target, reason: str, explanation: str | None, as_json: bool) -> int:
    if as_json:
        terminal.document({"host": target.host, "error": reason, "explanation": explanation})
    else:
        terminal.tell(f"{terminal.clean(target.name or target.host)}: {terminal.clean(reason)}")
        for line in terminal.wrapped(explanation or "", terminal.columns()):
            terminal.tell(line)
    return FAILED
