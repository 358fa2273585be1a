"""Read what identifies the device and how much was written to its memory card."""

import hashlib
import os
import re
from pathlib import Path

SERIAL_NUMBER_FILENAME = "serial-number"
# Services see no /proc but of processes; the kernel shows the device tree below /sys, too.
DEVICE_TREE_DIRS = ("sys/firmware/devicetree/base", "proc/device-tree")
FALLBACK_NAME = "printmonitor-000000"  # a box without serial number or machine-id, such as a bare container
SECTOR_BYTES = 512  # bytes, whatever the card's own are (Documentation/block/stat.rst)
_SECTORS_WRITTEN_FIELD = 6  # which column of a disk's statistics


def default_plug_name(root: Path = Path("/")) -> str:
    """`printmonitor-` with the end of the board's serial number, else of a hash of the machine-id."""
    serial = read_serial_number(root).lower()
    if re.fullmatch(r"[0-9a-f]{6,64}", serial) and set(serial[-6:]) != {"0"}:
        return f"printmonitor-{serial[-6:]}"
    machine_id = _read_text(root / "etc/machine-id")
    if re.fullmatch(r"[0-9a-f]{32}", machine_id):
        # machine-id(5): never shown as it is, only as a hash made for one application
        return f"printmonitor-{hashlib.sha256(f'printmonitor {machine_id}'.encode()).hexdigest()[-6:]}"
    return FALLBACK_NAME


def read_serial_number(root: Path = Path("/")) -> str:
    """The board's; nothing where it has none."""
    return next(
        filter(None, (_read_text(root / tree / SERIAL_NUMBER_FILENAME) for tree in DEVICE_TREE_DIRS)), ""
    )


def _read_text(path: Path) -> str:
    try:
        return path.read_text("ascii").strip("\0 \n")  # the device tree ends its texts with NUL
    except (OSError, UnicodeDecodeError):
        return ""


def read_bytes_written(folder: Path, root: Path = Path("/")) -> int | None:
    """Bytes written since the start to the disk that a folder is on; None where nobody counts them."""
    try:
        device = os.stat(folder).st_dev
        place = (root / f"sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve(strict=True)
        if (place / "partition").exists():
            place = place.parent
        return int((place / "stat").read_text("ascii").split()[_SECTORS_WRITTEN_FIELD]) * SECTOR_BYTES
    except (OSError, ValueError, IndexError):
        return None
