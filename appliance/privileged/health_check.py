"""Whether this Plug does what it is there for: what stands between a slot and being marked good."""

import contextlib
import http.client
import logging
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from appliance.domain.messages import Message, message_of
from appliance.privileged import request_handler, run_as_owner, update_trial
from appliance.privileged.request_handler import POLLER_UNIT, WEB_UNIT, OperationFailedError, RunCommand
from appliance.privileged.socket_ports import read_desired_ports

DATABASE_FILENAME = "printmonitor.db"
REQUIRED_UNITS = (POLLER_UNIT, WEB_UNIT, "printmonitor-web.socket", "printmonitor-request.path")
WEB_TIMEOUT_S = 20.0  # the first page after the start, on an emulated computer
TRIAL_TIMEOUT_S = 300.0  # after the start: an update that is not well by then is taken back

log = logging.getLogger(__name__)


def find_problems(state: Path, run: RunCommand) -> Iterator[str]:
    """What is wrong, one line each."""
    yield from _check_units(run)
    yield from _check_database(state)
    yield from _check_web_ui(read_desired_ports(state).web_port)


def confirm_or_revert(
    problems: list[str], run: RunCommand, now: datetime, uptime: float, root: Path = Path("/")
) -> bool:
    """Mark the slot good, or take an update back that is not well in time; tells whether all is well.

    A box that is not on trial is never restarted for this: that would heal nothing. Raises Failed, OSError.
    """
    if not problems:
        run("rauc", "status", "mark-good")
        update_trial.conclude_trial(now, root, good=True)
        return True
    if update_trial.is_trial_boot(root) and uptime >= TRIAL_TIMEOUT_S:
        log.error("the update is taken back: %s", problems[0])
        with contextlib.suppress(OSError):
            update_trial.record_reason(problems[0], root)
        run("systemctl", "--no-block", "reboot")
    return False


def _check_units(run: RunCommand) -> Iterator[str]:
    try:
        found = request_handler.read_unit_states(run, *REQUIRED_UNITS)
    except OperationFailedError as error:
        yield message_of(error)
        return
    for unit in REQUIRED_UNITS:
        if (state := found.get(unit, "not known")) != "active":
            yield Message("health.unit", unit=unit, state=state)


def _check_database(state: Path) -> Iterator[str]:
    """As its owner: what root makes beside it, the services could not open."""
    with _collect_errors(Message("health.database")) as lines:
        run_as_owner.call_as_owner(state, lambda: _check_write_lock(state / DATABASE_FILENAME))
    yield from lines


def _check_write_lock(path: Path) -> str:
    """It can be read and would take a change. Raises sqlite3.Error."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=rw", timeout=15, uri=True)) as db:
        db.isolation_level = None
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        db.execute("BEGIN IMMEDIATE")
        db.execute("ROLLBACK")
    return ""


def _check_web_ui(port: int) -> Iterator[str]:
    with _collect_errors(Message("health.page")) as lines:
        asked = http.client.HTTPConnection("127.0.0.1", port, timeout=WEB_TIMEOUT_S)
        with contextlib.closing(asked):
            asked.request("GET", "/login", headers={"Connection": "close"})
            status = asked.getresponse().status
        if status >= 400:
            lines.append(Message("health.page_status", status=status))
    yield from lines


@contextlib.contextmanager
def _collect_errors(subject: str) -> Iterator[list[str]]:
    """The lines of a check: whatever breaks it is one."""
    lines: list[str] = []
    try:
        yield lines
    except (run_as_owner.OwnerProcessError, OSError, sqlite3.Error, http.client.HTTPException) as error:
        lines.append(Message("pair", first=subject, second=error))
