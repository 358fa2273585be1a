"""`printmonitor web`: the service of the page."""

import asyncio
import logging

from appliance.commands import logs
from appliance.config import Home
from appliance.web import app


def run(home: Home, port: int | None, address: str | None) -> int:
    """Serve until SIGTERM."""
    logs.set_up(logging.INFO)
    asyncio.run(app.serve(home, port, address or ""))
    return 0
