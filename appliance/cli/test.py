"""`printmonitor test HOST`: everything about one printer, and what it cost to ask; nothing is stored."""

import asyncio
import logging
from datetime import UTC, datetime

from appliance.cli import log_setup, reading_report, target_argument, terminal, unreachable_diagnosis
from appliance.cli.json_output import record_to_json
from appliance.collector import canon_cpca, poll
from appliance.collector.errors import PollError
from appliance.domain import supply_text
from appliance.domain.model import Reading, SnmpVersion, Target
from appliance.snmp.transport import SnmpEndpoint

EXIT_OK, EXIT_FAILED = 0, 1
NO_RESPONSE_REASONS = ("silent", "out of reach", "port ")  # how reasons begin that a closer look can explain


def run(host: str, version: SnmpVersion, community: str, port: int, as_json: bool) -> int:
    """Read the printer at `host`; 1 if it cannot be read."""
    log_setup.configure_logging(logging.ERROR)
    target = target_argument.parse_target(host, version, community, port, "test")
    return asyncio.run(_test_target(target, as_json))


async def _test_target(target: Target, as_json: bool) -> int:
    target = await target_argument.resolve_target(target)
    progress = terminal.ProgressLine()
    progress.show(f"asking {target.host} ...")
    try:
        async with SnmpEndpoint() as endpoint:
            reading = await poll.poll_printer(endpoint, target, "", datetime.now(UTC), full=True)
        echo = await _measure_cpca_echo(reading)
    except PollError as error:
        silent = error.reason.startswith(NO_RESPONSE_REASONS)
        explanation = (
            await unreachable_diagnosis.diagnose(target)
            if silent
            else unreachable_diagnosis.explain_reason(error.reason)
        )
        progress.end()
        return _print_failure(target, error.reason, explanation, as_json)
    finally:
        progress.end()
    _print_reading(reading, echo, as_json)
    if unreachable_diagnosis.is_not_a_printer(reading):
        terminal.print_message(unreachable_diagnosis.NOT_A_PRINTER_TEXT)
        return EXIT_FAILED
    return EXIT_FAILED if reading.failures else EXIT_OK


async def _measure_cpca_echo(reading: Reading) -> str | None:
    """Whether a Canon answers CPCA's echo; nobody else is sent one."""
    if reading.identity.manufacturer != "Canon":
        return None
    try:
        return f"answers the echo in {1000 * await canon_cpca.measure_echo(reading.target.host):.0f} ms"
    except canon_cpca.CpcaNoResponseError as error:
        return f"no answer: {error}"


def _print_reading(reading: Reading, cpca_echo: str | None, as_json: bool) -> None:
    if not as_json:
        reading_report.print_reading(reading, cpca_echo)
        return
    document = record_to_json(reading)
    if cpca_echo is not None:
        document["cpca"] = cpca_echo
    document["supplies"] = [
        {
            **record_to_json(supply),
            "percent": supply_text.fill_percent(supply),
            "state": supply_text.describe_level(supply),
        }
        for supply in reading.supplies
    ]
    document["bytes_on_the_wire"] = reading_report.bytes_on_wire(reading.cost)
    terminal.print_json(document)


def _print_failure(target: Target, reason: str, explanation: str | None, as_json: bool) -> int:
    if as_json:
        terminal.print_json({"host": target.host, "error": reason, "explanation": explanation})
    else:
        terminal.print_message(
            f"{terminal.sanitize(target.name or target.host)}: {terminal.sanitize(reason)}"
        )
        for line in terminal.wrap_text(explanation or "", terminal.terminal_width()):
            terminal.print_message(line)
    return EXIT_FAILED
