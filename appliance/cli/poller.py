"""`printmonitor poller`: the service that keeps the schedule."""

import logging

from appliance.cli import log_setup
from appliance.poller import service
from appliance.settings.schema import Home


def run(home: Home) -> int:
    """Serve until SIGTERM."""
    log_setup.set_up(logging.INFO)
    return service.serve(home)
