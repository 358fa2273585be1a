"""Which box this is: a name that no other Plug of the LAN has."""

import hashlib
import re
from pathlib import Path

SERIAL = "serial-number"
# Services see no /proc but of processes; the kernel shows the device tree below /sys, too.
DEVICE_TREES = ("sys/firmware/devicetree/base", "proc/device-tree")
UNNAMED = "printmonitor-000000"  # a box without serial number or machine-id, such as a bare container


def default_name(root: Path = Path("/")) -> str:
    """`printmonitor-` with the end of the board's serial number, else of a hash of the machine-id."""
    serial = serial_number(root).lower()
    if re.fullmatch(r"[0-9a-f]{6,64}", serial) and set(serial[-6:]) != {"0"}:
        return f"printmonitor-{serial[-6:]}"
    machine_id = _read(root / "etc/machine-id")
    if re.fullmatch(r"[0-9a-f]{32}", machine_id):
        # machine-id(5): never shown as it is, only as a hash made for one application
        return f"printmonitor-{hashlib.sha256(f'printmonitor {machine_id}'.encode()).hexdigest()[-6:]}"
    return UNNAMED


def serial_number(root: Path = Path("/")) -> str:
    """The board's; nothing where it has none."""
    return next(filter(None, (_read(root / tree / SERIAL) for tree in DEVICE_TREES)), "")


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii").strip("\0 \n")  # the device tree ends its texts with NUL
    except (OSError, UnicodeDecodeError):
        return ""
