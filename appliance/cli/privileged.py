"""`printmonitor box`: root's part of the Plug's own units; nobody needs to type it."""

# ruff: noqa: PLC0415  half a dozen of these run while the Plug starts: each imports what it needs, and no more

import logging
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from appliance.cli import log_setup
from appliance.privileged.request_handler import Failed, Refused, run
from appliance.settings.paths import Home

DROP_INS = Path("/run/systemd/system")

log = logging.getLogger(__name__)


def do(home: Home, action: str) -> int:
    """Do one thing; exit code 1 where systemd would not."""
    log_setup.set_up(logging.INFO)
    if os.geteuid() != 0:
        from appliance.cli.errors import Wrong

        raise Wrong("only root can do this; the Plug's units do it by themselves")
    try:
        ACTIONS[action](home)
    except (Failed, Refused, OSError) as error:
        log.error("%s", error)
        return 1
    return 0


def _apply(home: Home) -> None:
    from appliance.privileged import firewall, socket_ports

    socket_ports.apply(home.folder, DROP_INS, run)
    firewall.apply(socket_ports.wanted(home.folder), run)


def _health(home: Home) -> None:
    from appliance.domain.clock import utc_now
    from appliance.privileged import health_check

    found = list(health_check.problems(home.folder, run))
    if not health_check.judge(found, run, utc_now(), _uptime()):
        raise Failed("; ".join(found))


def _network(home: Home) -> None:
    from appliance.privileged import network_rollback

    network_rollback.settle(home.folder, network_rollback.Places(home.run), run)


def _network_try(home: Home) -> None:
    from appliance.privileged import network_rollback

    network_rollback.attempt(home.folder, network_rollback.Places(home.run), run)


def _provision(home: Home) -> None:
    from appliance.provisioning import provision

    provision.run(home)


def _request(home: Home) -> None:
    from appliance.privileged import request_handler

    request_handler.work_off(home.run, {0, home.folder.stat().st_uid}, run)


def _revive(home: Home) -> None:
    from appliance.privileged import led, unit_watchdog

    for unit in unit_watchdog.revive(home.folder, home.run, run):
        log.warning("%s: started again", unit)
    led.show(led.state(home.run, _uptime(), run))


def _update(home: Home) -> None:
    from appliance.domain.clock import utc_now
    from appliance.privileged import rauc_installer

    rauc_installer.run_order(home.run, run, rauc_installer.follow, utc_now)


def _uptime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


ACTIONS: Mapping[str, Callable[[Home], None]] = {
    "apply": _apply,
    "health": _health,
    "network": _network,
    "network-try": _network_try,
    "provision": _provision,
    "request": _request,
    "revive": _revive,
    "update": _update,
}
