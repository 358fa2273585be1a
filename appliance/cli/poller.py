"""Run `printmonitor poller`, the poller service."""

import logging

from appliance.cli import log_setup
from appliance.poller import service
from appliance.settings.schema import Home


def run_poller(home: Home) -> int:
    """Serve until SIGTERM."""
    log_setup.configure_logging(logging.INFO)
    return service.serve(home)
