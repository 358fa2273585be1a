"""What only works on the box itself: asked for by a file, done by a privileged unit."""

from pathlib import Path

from appliance.host import unit_status
from appliance.settings.schema import INSTALLED, Home
from appliance.web.errors import ApiError, not_on_plug
from appliance.web.json_fields import JsonMapping

NOT_INSTALLED_TEXT = (
    "This is not the Plug itself: services, network and restart belong to whoever started it."
)


def is_installed_plug(home: Home, root: Path = Path("/")) -> bool:
    """Whether this is the installed Plug, run by systemd."""
    return home.folder == root / INSTALLED.relative_to("/") and unit_status.is_booted(root)


def submit_privileged_request(home: Home, payload: JsonMapping, root: Path = Path("/")) -> str:
    """Ask for something that needs root; its id. Raises Trouble."""
    if not is_installed_plug(home, root):
        raise not_installed_error()
    return unit_status.request(home.run, payload)


def not_installed_error() -> ApiError:
    """Why that cannot be had."""
    return not_on_plug(NOT_INSTALLED_TEXT)


def request_apply_settings(home: Home) -> None:
    """Let sockets and trap receiver become what the settings say, where that is ours to do."""
    if is_installed_plug(home):
        unit_status.request(home.run, {"do": "apply"})
