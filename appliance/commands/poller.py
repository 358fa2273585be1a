"""`printmonitor poller`: the service that keeps the schedule."""

import logging

from appliance.commands import logs
from appliance.config import Home
from appliance.polling import poller


def run(home: Home) -> int:
    """Serve until SIGTERM."""
    logs.set_up(logging.INFO)
    return poller.serve(home)
