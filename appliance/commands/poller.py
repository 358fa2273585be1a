"""`printmonitor poller`: the service that keeps the schedule."""

import logging

from appliance import poller
from appliance.commands import logs
from appliance.config import Home


def run(home: Home) -> int:
    """Serve until SIGTERM."""
    logs.set_up(logging.INFO)
    return poller.serve(home)
