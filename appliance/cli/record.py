"""`printmonitor record HOST`: all that a printer's agent holds, as a file that can be replayed."""

import asyncio
import logging
from pathlib import Path

from appliance.cli import log_setup, target_argument, terminal
from appliance.cli.errors import Wrong
from appliance.collector import snmp_recorder
from appliance.collector.snmp_recorder import Recording, RecordingError
from appliance.domain.model import SnmpVersion, Target
from appliance.snmp.client import SnmpEndpoint

DONE, FAILED = 0, 1


def run(host: str, version: SnmpVersion, community: str, port: int, *, mask: bool, output: str | None) -> int:
    """Write the recording; 1 if there is none, or if it ends before the agent does."""
    log_setup.set_up(logging.ERROR)
    target = target_argument.target(host, version, community, port, "record")
    return asyncio.run(_run(target, mask=mask, output=output))


async def _run(target: Target, *, mask: bool, output: str | None) -> int:
    target = await target_argument.resolved(target)
    progress = terminal.Progress()
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
        terminal.tell(f"{terminal.clean(target.host)}: {terminal.clean(str(error))}")
        return FAILED
    finally:
        progress.end()
    _write(recording, output)
    if recording.stop_reason:
        terminal.tell(f"{terminal.clean(target.host)}: not complete: {recording.stop_reason}")
    return FAILED if recording.stop_reason else DONE


def _write(recording: Recording, output: str | None) -> None:
    if output is None:
        terminal.raw(recording.text.encode())
        return
    try:
        Path(output).write_text(recording.text, encoding="ascii")
    except OSError as error:
        raise Wrong(f"{output}: {error.strerror}") from error
    terminal.tell(f"{len(recording.varbinds):,} objects written to {terminal.clean(output)}")
