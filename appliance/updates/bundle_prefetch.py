"""Fetch the bundle that RAUC cannot stream, as the unprivileged user: the privileged unit has no network."""

from appliance.domain.messages import Message
from appliance.settings.paths import Home
from appliance.settings.schema import Config
from appliance.updates import update_status
from appliance.updates.http_client import UpdateClient, UpdateFetchError

FETCHING_STATE = "fetching"  # the privileged unit waits for the bundle


async def prefetch_bundle(home: Home, config: Config) -> None:
    """Store the bundle of the installation under way in the place of an uploaded one.

    Raises UpdateFetchError.
    """
    progress = update_status.read_update_progress(home.run)
    if progress is None or progress.state != FETCHING_STATE:
        raise UpdateFetchError(Message("update.not_expected"))
    await UpdateClient.from_config(config).fetch_bundle(progress.source, home.updates, size=None, sha256="")
