"""`printmonitor box`: root's part of the Plug's own units; nobody needs to type it."""

import logging
import os
import time
from pathlib import Path

from appliance.clock import utc_now
from appliance.commands import logs, provision
from appliance.commands.trouble import Wrong
from appliance.config import Home
from appliance.system import firewall, health, led, network_trial, plug, rauc, requests, revive, sockets

DROP_INS = Path("/run/systemd/system")

log = logging.getLogger(__name__)


def run(home: Home, action: str) -> int:
    """Do one thing; exit code 1 where systemd would not."""
    logs.set_up(logging.INFO)
    if os.geteuid() != 0:
        raise Wrong("only root can do this; the Plug's units do it by themselves")
    try:
        _do(home, action)
    except (requests.Failed, requests.Refused, OSError) as error:
        log.error("%s", error)
        return 1
    return 0


def _do(home: Home, action: str) -> None:
    match action:
        case "apply":
            sockets.apply(home.folder, DROP_INS, requests.run)
            firewall.apply(sockets.wanted(home.folder), requests.run)
        case "request":
            owners = {0, home.folder.stat().st_uid}
            requests.work_off(home.run, owners, requests.run)
        case "network":
            network_trial.settle(home.folder, network_trial.Places(home.run), requests.run)
        case "network-try":
            network_trial.attempt(home.folder, network_trial.Places(home.run), requests.run)
        case "update":
            rauc.run_order(home.run, requests.run, rauc.follow, utc_now)
        case "revive":
            for unit in revive.revive(home.folder, home.run, requests.run):
                log.warning("%s: started again", unit)
            led.show(led.state(home.run, _uptime(), requests.run))
        case "provision":
            try:
                provision.run(home)
            finally:
                plug.call_host(home.folder)
        case "health":
            _check_health(home)


def _check_health(home: Home) -> None:
    """Raises Failed."""
    found = list(health.problems(home.folder, requests.run))
    if not health.judge(found, requests.run, utc_now(), _uptime()):
        raise requests.Failed("; ".join(found))


def _uptime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)
