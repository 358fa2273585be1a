"""What was written to the card, as the kernel counts."""

import os
from pathlib import Path

from appliance.host import disk_stats


def disk(root: Path, folder: Path) -> Path:
    device = os.stat(folder).st_dev
    place = root / "sys/devices/mmcblk0"
    (place / "mmcblk0p4").mkdir(parents=True)
    (place / "mmcblk0p4" / "partition").write_text("4\n")
    (place / "mmcblk0p4" / "stat").write_text("1 1 1 1 1 1 1 1 1 1 1\n")
    (place / "stat").write_text(
        "    8821    2943   561342     4181      711      409    20480     1337  0  1  2\n"
    )
    (root / "sys/dev/block").mkdir(parents=True)
    (root / f"sys/dev/block/{os.major(device)}:{os.minor(device)}").symlink_to(place / "mmcblk0p4")
    return place


def test_the_whole_card_counts(tmp_path: Path) -> None:
    disk(tmp_path, tmp_path)
    assert disk_stats.written(tmp_path, tmp_path) == 20_480 * 512


def test_without_figures_there_is_none(tmp_path: Path) -> None:
    assert disk_stats.written(tmp_path, tmp_path) is None
    (disk(tmp_path, tmp_path) / "stat").write_text("")
    assert disk_stats.written(tmp_path, tmp_path) is None
