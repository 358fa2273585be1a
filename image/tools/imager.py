#!/usr/bin/env python3
"""Write the image's manifest for Raspberry Pi Imager: imager.py DIST VERSION.

DIST is the path of the built files, up to the dot: DIST.img.xz is the image, DIST.sha256 has the checksums.
Imager 2.0.3 and later opens a *.rpi-imager-manifest by double click; the format is that of its repositories
(os_list). It resolves no relative URLs: the manifest names the image by its path on this computer or, where
DOWNLOAD_URL is set, by a URL below that one.
"""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

PI_3, PI_4 = "pi3-64bit", "pi4-64bit"  # Imager's tags
# Imager shows no image before a device was chosen, and knows only the devices of the manifest.
DEVICES = (
    ("Raspberry Pi 4", "Models B and 400, and Compute Module 4", PI_4),
    ("Raspberry Pi 3", "Models B, B+ and A+, and Compute Module 3+", PI_3),
    ("Raspberry Pi Zero 2 W", "Models W and WH", PI_3),
)
ICON = "icons/cat_other_specific_purpose_operating_systems.png"  # one that Imager brings along


def manifest(dist: Path, version: str, released: datetime, base_url: str) -> dict[str, object]:
    image, packed = Path(f"{dist}.img"), Path(f"{dist}.img.xz")
    checksums = _checksums(Path(f"{dist}.sha256"))
    return {
        "imager": {"devices": [_device(*device) for device in DEVICES]},
        "os_list": [
            {
                "name": f"PrintMonitor Plug {version}",
                "description": "Reads printers by SNMP and reports their counters and supplies",
                "icon": ICON,
                "url": f"{base_url.rstrip('/')}/{packed.name}" if base_url else packed.absolute().as_uri(),
                "extract_size": image.stat().st_size,
                "extract_sha256": checksums[image.name],
                "image_download_size": packed.stat().st_size,
                "image_download_sha256": checksums[packed.name],
                "release_date": f"{released:%Y-%m-%d}",
                "init_format": "none",  # Imager's customisation is for other systems
                "architecture": "armv8",
                "devices": [PI_3, PI_4],
            }
        ],
    }


def _device(name: str, description: str, tag: str) -> dict[str, object]:
    return {
        "name": name,
        "description": description,
        "tags": [tag],
        "matching_type": "exclusive",
        "architecture": "armv8",
    }


def _checksums(path: Path) -> dict[str, str]:
    rows = [line.split() for line in path.read_text("utf-8").splitlines()]
    return {name: digest for digest, name in rows}


if __name__ == "__main__":
    commit = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), UTC)
    found = manifest(Path(sys.argv[1]), sys.argv[2], commit, os.environ.get("DOWNLOAD_URL", ""))
    print(json.dumps(found, indent=2))
