"""Whether this Plug does what it is there for: what stands between a slot and being marked good."""

import contextlib
import http.client
import logging
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from appliance.privileged import run_as_owner, systemctl, update_trial
from appliance.privileged.request_handler import POLLER, WEB, Failed, Run
from appliance.privileged.socket_ports import wanted

DATABASE = "printmonitor.db"
UNITS = (POLLER, WEB, "printmonitor-web.socket", "printmonitor-request.path")
PAGE_SECONDS = 20.0  # the first page after the start, on an emulated computer
TRIAL_SECONDS = 300.0  # after the start: an update that is not well by then is taken back

log = logging.getLogger(__name__)


def problems(state: Path, run: Run) -> Iterator[str]:
    """What is wrong, one line each."""
    yield from _of_units(run)
    yield from _of_database(state)
    yield from _of_page(wanted(state).web_port)


def judge(found: list[str], run: Run, now: datetime, uptime: float, root: Path = Path("/")) -> bool:
    """Mark the slot good, or take an update back that is not well in time; tells whether all is well.

    A box that is not on trial is never restarted for this: that would heal nothing. Raises Failed, OSError.
    """
    if not found:
        run("rauc", "status", "mark-good")
        update_trial.conclude(now, root, good=True)
        return True
    if update_trial.is_on(root) and uptime >= TRIAL_SECONDS:
        log.error("the update is taken back: %s", found[0])
        with contextlib.suppress(OSError):
            update_trial.note(found[0], root)
        run("systemctl", "--no-block", "reboot")
    return False


def _of_units(run: Run) -> Iterator[str]:
    try:
        found = systemctl.states(run, *UNITS)
    except Failed as error:
        yield str(error)
        return
    for unit in UNITS:
        if (state := found.get(unit, "not known")) != "active":
            yield f"{unit} does not run ({state})"


def _of_database(state: Path) -> Iterator[str]:
    """As its owner: what root makes beside it, the services could not open."""
    with _told("the database") as lines:
        run_as_owner.as_owner(state, lambda: _write_lock(state / DATABASE))
    yield from lines


def _write_lock(path: Path) -> str:
    """It can be read and would take a change. Raises sqlite3.Error."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=rw", timeout=15, uri=True)) as db:
        db.isolation_level = None
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        db.execute("BEGIN IMMEDIATE")
        db.execute("ROLLBACK")
    return ""


def _of_page(port: int) -> Iterator[str]:
    with _told("the page") as lines:
        asked = http.client.HTTPConnection("127.0.0.1", port, timeout=PAGE_SECONDS)
        with contextlib.closing(asked):
            asked.request("GET", "/login", headers={"Connection": "close"})
            status = asked.getresponse().status
        if status >= 400:
            lines.append(f"the page answers {status}")
    yield from lines


@contextlib.contextmanager
def _told(what: str) -> Iterator[list[str]]:
    """The lines of a check: whatever breaks it is one."""
    lines: list[str] = []
    try:
        yield lines
    except (run_as_owner.NotDone, OSError, sqlite3.Error, http.client.HTTPException) as error:
        lines.append(f"{what}: {error}")
