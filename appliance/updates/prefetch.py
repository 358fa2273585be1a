"""Fetch the bundle that RAUC cannot stream, as the unprivileged user: root's part has no network."""

from appliance.config import Config
from appliance.home import Home
from appliance.updates import standing
from appliance.updates.client import Client, NotFetched

STATE = "fetching"  # root's part waits for the bundle


async def fetch(home: Home, config: Config) -> None:
    """Put the bundle of the installation under way in the place of an uploaded one. Raises NotFetched."""
    found = standing.progress(home.run)
    if found is None or found.state != STATE:
        raise NotFetched("no bundle is waited for")
    await Client.from_config(config).fetch(found.source, home.updates, size=None, sha256="")
