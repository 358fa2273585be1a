"""The service monitor: each minute, a unit that systemd has given up on is started again."""

import contextlib
import time
from pathlib import Path

from appliance.privileged import systemctl
from appliance.privileged.request_handler import Failed, Run, got, opened_answers, put
from appliance.privileged.socket_ports import wanted

TRAPS = ("printmonitor-traps.socket", "printmonitor-traps.service")
ALWAYS = (
    "printmonitor-web.socket",
    "printmonitor-web-tls.socket",
    "printmonitor-request.path",
    "printmonitor-poller.service",
    "printmonitor-web.service",
)
MOST_LINES = 100
REVIVED = "revived"  # the file in the folder of answers: seconds since 1970, unit, what was wrong


def revive(state: Path, folder: Path, run: Run) -> list[str]:
    """Start what has failed, and the trap receiver if it is switched on and not running; gives their names.

    What somebody stopped stays so, but for the trap receiver: that is switched off, not stopped.
    """
    receiver = TRAPS if wanted(state).traps_enabled else ()
    revived = []
    for unit, said in systemctl.states(run, *ALWAYS, *receiver).items():
        if said == "failed" or (said == "inactive" and unit in receiver):
            with contextlib.suppress(Failed):
                run("systemctl", "reset-failed", unit)
            with contextlib.suppress(Failed):  # the next minute tries again
                run("systemctl", "--no-block", "start", unit)
                revived.append(unit)
                _note(folder, unit, said)
    return revived


def _note(folder: Path, unit: str, state: str) -> None:
    """For the poller, which writes the events: root stays away from the database."""
    with opened_answers(folder) as answers:
        lines = [*got(answers, REVIVED).splitlines(), f"{int(time.time())} {unit} {state}"][-MOST_LINES:]
        put(answers, REVIVED, "".join(f"{line}\n" for line in lines))
