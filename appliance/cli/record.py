"""`printmonitor record HOST`: all that a printer's agent holds, as a file that can be replayed."""

import asyncio
import logging
from pathlib import Path

from appliance.cli import log_setup, target_argument, terminal
from appliance.cli.errors import CommandError
from appliance.collector import snmp_recorder
from appliance.collector.errors import RecordingError
from appliance.collector.snmp_recorder import Recording
from appliance.domain.model import SnmpVersion, Target
from appliance.snmp.transport import SnmpEndpoint

EXIT_OK, EXIT_FAILED = 0, 1


def run(host: str, version: SnmpVersion, community: str, port: int, *, mask: bool, output: str | None) -> int:
    """Write the recording; 1 if there is none, or if it ends before the agent does."""
    log_setup.configure_logging(logging.ERROR)
    target = target_argument.parse_target(host, version, community, port, "record")
    return asyncio.run(_record_target(target, mask=mask, output=output))


async def _record_target(target: Target, *, mask: bool, output: str | None) -> int:
    target = await target_argument.resolve_target(target)
    progress = terminal.ProgressLine()
    progress.show(f"asking {target.host} ...")
    try:
        async with SnmpEndpoint() as endpoint:
            recording = await snmp_recorder.record_printer(
                endpoint,
                target,
                anonymize=mask,
                on_progress=lambda rows: progress.show(f"{rows:,} objects ..."),
            )
    except RecordingError as error:
        progress.end()
        terminal.print_message(f"{terminal.sanitize(target.host)}: {terminal.sanitize(str(error))}")
        return EXIT_FAILED
    finally:
        progress.end()
    _write_recording(recording, output)
    if recording.stop_reason:
        terminal.print_message(f"{terminal.sanitize(target.host)}: not complete: {recording.stop_reason}")
    return EXIT_FAILED if recording.stop_reason else EXIT_OK


def _write_recording(recording: Recording, output: str | None) -> None:
    if output is None:
        terminal.print_bytes(recording.text.encode())
        return
    try:
        Path(output).write_text(recording.text, encoding="ascii")
    except OSError as error:
        raise CommandError(f"{output}: {error.strerror}") from error
    terminal.print_message(f"{len(recording.varbinds):,} objects written to {terminal.sanitize(output)}")
