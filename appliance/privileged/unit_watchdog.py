"""The service monitor: each minute, a unit that systemd has given up on is started again."""

import contextlib
import time
from pathlib import Path

from appliance.privileged import request_handler
from appliance.privileged.request_handler import (
    OperationFailedError,
    RunCommand,
    open_answers_dir,
    read_answer_file,
    write_answer_file,
)
from appliance.privileged.socket_ports import read_desired_ports

TRAP_RECEIVER_UNITS = ("printmonitor-traps.socket", "printmonitor-traps.service")
REQUIRED_UNITS = (
    "printmonitor-web.socket",
    "printmonitor-web-tls.socket",
    "printmonitor-request.path",
    "printmonitor-poller.service",
    "printmonitor-web.service",
)
MAX_RESTART_LINES = 100
RESTARTS_FILENAME = "revived"  # the file in the folder of answers: seconds since 1970, unit, what was wrong


def restart_failed_units(state: Path, folder: Path, run: RunCommand) -> list[str]:
    """Start what has failed, and the trap receiver if it is switched on and not running; gives their names.

    What somebody stopped stays so, but for the trap receiver: that is switched off, not stopped.
    """
    receiver = TRAP_RECEIVER_UNITS if read_desired_ports(state).traps_enabled else ()
    revived = []
    for unit, said in request_handler.read_unit_states(run, *REQUIRED_UNITS, *receiver).items():
        if said == "failed" or (said == "inactive" and unit in receiver):
            with contextlib.suppress(OperationFailedError):
                run("systemctl", "reset-failed", unit)
            with contextlib.suppress(OperationFailedError):  # the next minute tries again
                run("systemctl", "--no-block", "start", unit)
                revived.append(unit)
                _record_restart(folder, unit, said)
    return revived


def _record_restart(folder: Path, unit: str, state: str) -> None:
    """For the poller, which writes the events: root stays away from the database."""
    with open_answers_dir(folder) as answers:
        lines = [
            *read_answer_file(answers, RESTARTS_FILENAME).splitlines(),
            f"{int(time.time())} {unit} {state}",
        ][-MAX_RESTART_LINES:]
        write_answer_file(answers, RESTARTS_FILENAME, "".join(f"{line}\n" for line in lines))
