"""Names under which the page may be opened, besides addresses and *.local: the Plug's and the owner's."""

import socket
from collections.abc import Iterator

from appliance.web.settings_store import SettingsStore


def allowed_hostnames(settings: SettingsStore) -> Iterator[str]:
    """The names of just now."""
    config = settings.current
    yield config.plug.name
    yield socket.gethostname()
    yield from config.web.names
