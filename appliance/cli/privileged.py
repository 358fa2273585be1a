"""Run `printmonitor box`, the actions of the Plug's oneshot units: as root, except UNPRIVILEGED_ACTIONS."""

# ruff: noqa: PLC0415  half a dozen of these run while the Plug starts: each imports what it needs, and no more

import logging
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from appliance.cli import log_setup
from appliance.privileged.request_handler import OperationFailedError, RequestRejectedError, run_command
from appliance.settings.paths import Home

DROP_IN_DIR = Path("/run/systemd/system")

log = logging.getLogger(__name__)


def run_action(home: Home, action: str) -> int:
    """Run one action; return 1 if systemd refuses it."""
    log_setup.configure_logging(logging.INFO)
    if os.geteuid() != 0 and action not in UNPRIVILEGED_ACTIONS:
        from appliance.cli.errors import CommandError

        raise CommandError("only root can do this; the Plug's units do it by themselves")
    try:
        PRIVILEGED_ACTIONS[action](home)
    except (OperationFailedError, RequestRejectedError, OSError) as error:
        log.error("%s", error)
        return 1
    return 0


def _apply_sockets_and_firewall(home: Home) -> None:
    from appliance.privileged import firewall, socket_ports

    socket_ports.apply_socket_ports(home.folder, DROP_IN_DIR, run_command)
    firewall.apply_firewall(socket_ports.read_desired_ports(home.folder), run_command)


def _fetch_bundle(home: Home) -> None:
    import asyncio

    from appliance.host import systemd
    from appliance.settings import schema
    from appliance.updates import bundle_prefetch
    from appliance.updates.http_client import UpdateFetchError

    settings, _ = schema.load_last_good_settings(home)
    try:
        asyncio.run(bundle_prefetch.prefetch_bundle(home, settings))
    except (UpdateFetchError, OSError) as error:
        systemd.notify_status(str(error))  # rauc_installer reads the unit's StatusText
        raise OperationFailedError(str(error)) from error


def _check_health(home: Home) -> None:
    from appliance.domain.clock import utc_now
    from appliance.privileged import health_check

    found = list(health_check.find_problems(home.folder, run_command))
    if not health_check.confirm_or_revert(found, run_command, utc_now(), _uptime_s()):
        raise OperationFailedError("; ".join(found))


def _restore_network(home: Home) -> None:
    from appliance.privileged import network_rollback

    network_rollback.apply_saved_settings(home.folder, network_rollback.NetworkPaths(home.run), run_command)


def _try_network(home: Home) -> None:
    from appliance.privileged import network_rollback

    network_rollback.try_requested_settings(home.folder, network_rollback.NetworkPaths(home.run), run_command)


def _provision(home: Home) -> None:
    from appliance.provisioning import provision

    provision.provision_plug(home)


def _process_requests(home: Home) -> None:
    from appliance.privileged import request_handler

    request_handler.process_requests(home.run, {0, home.folder.stat().st_uid}, run_command)


def _restart_failed_units(home: Home) -> None:
    from appliance.privileged import led, unit_watchdog

    for unit in unit_watchdog.restart_failed_units(home.folder, home.run, run_command):
        log.warning("%s: started again", unit)
    led.show_state(led.read_led_state(home.run, _uptime_s(), run_command))


def _process_update_request(home: Home) -> None:
    from appliance.domain.clock import utc_now
    from appliance.privileged import rauc_installer

    rauc_installer.process_update_request(home.run, run_command, rauc_installer.stream_command, utc_now)


def _uptime_s() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


PRIVILEGED_ACTIONS: Mapping[str, Callable[[Home], None]] = {
    "apply": _apply_sockets_and_firewall,
    "fetch": _fetch_bundle,
    "health": _check_health,
    "network": _restore_network,
    "network-try": _try_network,
    "provision": _provision,
    "request": _process_requests,
    "revive": _restart_failed_units,
    "update": _process_update_request,
}
UNPRIVILEGED_ACTIONS = ("fetch",)
