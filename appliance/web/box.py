"""What only works on the box itself: asked for by a file, done by a privileged unit."""

from pathlib import Path

from appliance.config import INSTALLED, Home
from appliance.system import units
from appliance.web.trouble import Trouble, elsewhere
from appliance.web.values import Object

ELSEWHERE = "This is not the Plug itself: services, network and restart belong to whoever started it."


def is_box(home: Home, root: Path = Path("/")) -> bool:
    """Whether this is the installed Plug, run by systemd."""
    return home.folder == root / INSTALLED.relative_to("/") and units.is_booted(root)


def request(home: Home, order: Object, root: Path = Path("/")) -> str:
    """Ask for something that needs root; its id. Raises Trouble."""
    if not is_box(home, root):
        raise not_here()
    return units.request(home.run, order)


def not_here() -> Trouble:
    """Why that cannot be had."""
    return elsewhere(ELSEWHERE)


def apply(home: Home) -> None:
    """Let sockets and trap receiver become what the settings say, where that is ours to do."""
    if is_box(home):
        units.request(home.run, {"do": "apply"})
