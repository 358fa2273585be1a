"""What only works on the box itself: asked for by a file, done by a privileged unit."""

from pathlib import Path

from appliance.host import unit_status
from appliance.settings.schema import INSTALLED, Home
from appliance.web.errors import Trouble, elsewhere
from appliance.web.json_fields import Object

ELSEWHERE = "This is not the Plug itself: services, network and restart belong to whoever started it."


def is_box(home: Home, root: Path = Path("/")) -> bool:
    """Whether this is the installed Plug, run by systemd."""
    return home.folder == root / INSTALLED.relative_to("/") and unit_status.is_booted(root)


def request(home: Home, order: Object, root: Path = Path("/")) -> str:
    """Ask for something that needs root; its id. Raises Trouble."""
    if not is_box(home, root):
        raise not_here()
    return unit_status.request(home.run, order)


def not_here() -> Trouble:
    """Why that cannot be had."""
    return elsewhere(ELSEWHERE)


def apply(home: Home) -> None:
    """Let sockets and trap receiver become what the settings say, where that is ours to do."""
    if is_box(home):
        unit_status.request(home.run, {"do": "apply"})
