"""What the page asked for, checked, on its way to the oneshot that is allowed to do it.

The service that reads requests may do little more than this; whoever does the work has a unit of its own.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from appliance.host import atomic_file

FOLDER = Path("/run/printmonitor-root")  # root's alone


def put(name: str, order: Mapping[str, str], folder: Path = FOLDER) -> None:
    """Leave an order; a later one of the same name takes its place. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    atomic_file.write(folder / f"{name}.json", json.dumps(dict(order)).encode())


def take(name: str, folder: Path = FOLDER) -> dict[str, str] | None:
    """The order, which is there no more: what fails is not tried again. Raises OSError."""
    path = folder / f"{name}.json"
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    path.unlink()
    found = json.loads(data)
    return {str(key): str(value) for key, value in found.items()}
