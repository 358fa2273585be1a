"""How much is written to the memory card: what wears it out."""

import os
from pathlib import Path

SECTOR = 512  # bytes, whatever the card's own are (Documentation/block/stat.rst)
_WRITTEN = 6  # which column of a disk's statistics


def written(folder: Path, root: Path = Path("/")) -> int | None:
    """Bytes written since the start to the disk that a folder is on; None where nobody counts them."""
    try:
        device = os.stat(folder).st_dev
        place = (root / f"sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve(strict=True)
        if (place / "partition").exists():
            place = place.parent
        return int((place / "stat").read_text("ascii").split()[_WRITTEN]) * SECTOR
    except (OSError, ValueError, IndexError):
        return None
