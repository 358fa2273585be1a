"""`printmonitor test HOST`: everything about one printer, and what it cost to ask; nothing is stored."""

import asyncio
import logging
from datetime import UTC, datetime

from appliance.cli import log_setup, reading_report, target_argument, terminal, unreachable_diagnosis
from appliance.cli.json_output import record
from appliance.collector import canon_cpca, poll
from appliance.domain import supply_text
from appliance.domain.model import Reading, SnmpVersion, Target
from appliance.snmp.client import SnmpEndpoint

DONE, FAILED = 0, 1
NOTHING_HEARD = ("silent", "out of reach", "port ")  # how reasons begin that a closer look can explain


def run(host: str, version: SnmpVersion, community: str, port: int, as_json: bool) -> int:
    """Read the printer at `host`; 1 if it cannot be read."""
    log_setup.set_up(logging.ERROR)
    target = target_argument.target(host, version, community, port, "test")
    return asyncio.run(_run(target, as_json))


async def _run(target: Target, as_json: bool) -> int:
    target = await target_argument.resolved(target)
    progress = terminal.Progress()
    progress.show(f"asking {target.host} ...")
    try:
        async with SnmpEndpoint() as endpoint:
            reading = await poll.poll_printer(endpoint, target, "", datetime.now(UTC), full=True)
        echo = await _echo(reading)
    except poll.PollError as error:
        silent = error.reason.startswith(NOTHING_HEARD)
        explanation = (
            await unreachable_diagnosis.explain(target)
            if silent
            else unreachable_diagnosis.meaning(error.reason)
        )
        progress.end()
        return _failed(target, error.reason, explanation, as_json)
    finally:
        progress.end()
    _show(reading, echo, as_json)
    if unreachable_diagnosis.is_no_printer(reading):
        terminal.tell(unreachable_diagnosis.NO_PRINTER)
        return FAILED
    return FAILED if reading.failures else DONE


async def _echo(reading: Reading) -> str | None:
    """Whether a Canon answers CPCA's echo; nobody else is sent one."""
    if reading.identity.manufacturer != "Canon":
        return None
    try:
        return f"answers the echo in {1000 * await canon_cpca.measure_echo(reading.target.host):.0f} ms"
    except canon_cpca.CpcaNoResponseError as error:
        return f"no answer: {error}"


def _show(reading: Reading, echo: str | None, as_json: bool) -> None:
    if not as_json:
        reading_report.show(reading, echo)
        return
    document = record(reading)
    if echo is not None:
        document["cpca"] = echo
    document["supplies"] = [
        {**record(supply), "percent": supply_text.percent(supply), "state": supply_text.state(supply)}
        for supply in reading.supplies
    ]
    document["bytes_on_the_wire"] = reading_report.on_the_wire(reading.cost)
    terminal.document(document)


def _failed(target: Target, reason: str, explanation: str | None, as_json: bool) -> int:
    if as_json:
        terminal.document({"host": target.host, "error": reason, "explanation": explanation})
    else:
        terminal.tell(f"{terminal.clean(target.name or target.host)}: {terminal.clean(reason)}")
        for line in terminal.wrapped(explanation or "", terminal.columns()):
            terminal.tell(line)
    return FAILED
