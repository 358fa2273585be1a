"""`printmonitor box`: what the Plug's own oneshots do, as root but for one; nobody needs to type it."""

# ruff: noqa: PLC0415  half a dozen of these run while the Plug starts: each imports what it needs, and no more

import logging
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from appliance.commands import logs
from appliance.home import Home
from appliance.system.requests import Failed, Refused, run

DROP_INS = Path("/run/systemd/system")

log = logging.getLogger(__name__)


def do(home: Home, action: str) -> int:
    """Do one thing; exit code 1 where systemd would not."""
    logs.set_up(logging.INFO)
    if os.geteuid() != 0 and action not in UNPRIVILEGED:
        from appliance.commands.trouble import Wrong

        raise Wrong("only root can do this; the Plug's units do it by themselves")
    try:
        ACTIONS[action](home)
    except (Failed, Refused, OSError) as error:
        log.error("%s", error)
        return 1
    return 0


def _apply(home: Home) -> None:
    from appliance.system import firewall, sockets

    sockets.apply(home.folder, DROP_INS, run)
    firewall.apply(sockets.wanted(home.folder), run)


def _fetch(home: Home) -> None:
    import asyncio

    from appliance import config
    from appliance.system import notify
    from appliance.updates import prefetch
    from appliance.updates.client import NotFetched

    settings, _ = config.load_last_good(home)
    try:
        asyncio.run(prefetch.fetch(home, settings))
    except (NotFetched, OSError) as error:
        notify.status(str(error))  # where root's part reads it
        raise Failed(str(error)) from error


def _health(home: Home) -> None:
    from appliance.clock import utc_now
    from appliance.system import health

    found = list(health.problems(home.folder, run))
    if not health.judge(found, run, utc_now(), _uptime()):
        raise Failed("; ".join(found))


def _network(home: Home) -> None:
    from appliance.system import network_trial

    network_trial.settle(home.folder, network_trial.Places(home.run), run)


def _network_try(home: Home) -> None:
    from appliance.system import network_trial

    network_trial.attempt(home.folder, network_trial.Places(home.run), run)


def _provision(home: Home) -> None:
    from appliance.commands import provision

    provision.run(home)


def _request(home: Home) -> None:
    from appliance.system import requests

    requests.work_off(home.run, {0, home.folder.stat().st_uid}, run)


def _revive(home: Home) -> None:
    from appliance.system import led, revive

    for unit in revive.revive(home.folder, home.run, run):
        log.warning("%s: started again", unit)
    led.show(led.state(home.run, _uptime(), run))


def _update(home: Home) -> None:
    from appliance.clock import utc_now
    from appliance.system import rauc

    rauc.run_order(home.run, run, rauc.follow, utc_now)


def _uptime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


ACTIONS: Mapping[str, Callable[[Home], None]] = {
    "apply": _apply,
    "fetch": _fetch,
    "health": _health,
    "network": _network,
    "network-try": _network_try,
    "provision": _provision,
    "request": _request,
    "revive": _revive,
    "update": _update,
}
UNPRIVILEGED = ("fetch",)
