"""What only works on the box itself: asked for by a file, done by a privileged unit."""

from pathlib import Path

from appliance.domain.messages import Message
from appliance.host import unit_status
from appliance.settings.schema import PLUG_STATE_DIR, Home
from appliance.web.errors import ApiError, not_on_plug
from appliance.web.json_fields import JsonMapping

NOT_INSTALLED_TEXT = Message("plug.not_on_device")


def is_installed_plug(home: Home, root: Path = Path("/")) -> bool:
    """Whether this is the installed Plug, run by systemd."""
    return home.folder == root / PLUG_STATE_DIR.relative_to("/") and unit_status.is_systemd_running(root)


def submit_privileged_request(home: Home, payload: JsonMapping, root: Path = Path("/")) -> str:
    """Ask for something that needs root; its id. Raises Trouble."""
    if not is_installed_plug(home, root):
        raise not_installed_error()
    return unit_status.submit_request(home.run, payload)


def not_installed_error() -> ApiError:
    """Why that cannot be had."""
    return not_on_plug(NOT_INSTALLED_TEXT)


def request_apply_settings(home: Home) -> None:
    """Let sockets and trap receiver become what the settings say, where that is ours to do."""
    if is_installed_plug(home):
        unit_status.submit_request(home.run, {"do": "apply"})
