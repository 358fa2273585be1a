"""`printmonitor web`: the service of the page."""

import asyncio
import logging

from appliance.cli import log_setup
from appliance.settings.schema import Home
from appliance.web import service


def run(home: Home, port: int | None, address: str | None) -> int:
    """Serve until SIGTERM."""
    log_setup.set_up(logging.INFO)
    asyncio.run(service.serve(home, port, address or ""))
    return 0
