"""Run `printmonitor web`, the service of the web UI."""

import asyncio
import logging

from appliance.cli import log_setup
from appliance.settings.schema import Home
from appliance.web import service


def run_web(home: Home, port: int | None, address: str | None) -> int:
    """Serve until SIGTERM."""
    log_setup.configure_logging(logging.INFO)
    asyncio.run(service.serve(home, port, address or ""))
    return 0
