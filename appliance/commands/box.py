"""`printmonitor box`: root's part of the Plug's own units; nobody needs to type it."""

import logging
import os
from pathlib import Path

from appliance.clock import utc_now
from appliance.commands import logs
from appliance.commands.trouble import Wrong
from appliance.config import Home
from appliance.system import network_trial, rauc, requests, revive, sockets

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
