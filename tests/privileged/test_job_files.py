"""An order reaches the unit that does it, once."""

import stat
from pathlib import Path

from appliance.privileged import job_files


def test_an_order_is_taken_once_and_is_roots_alone(tmp_path: Path) -> None:
    folder = tmp_path / "root"
    job_files.put("update", {"source": "upload"}, folder)
    job_files.put("update", {"source": "https://example.com/a.raucb"}, folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "update.json").stat().st_mode) == 0o600
    assert job_files.take("update", folder) == {"source": "https://example.com/a.raucb"}
    assert job_files.take("update", folder) is None


def test_nothing_was_ordered(tmp_path: Path) -> None:
    assert job_files.take("update", tmp_path / "none") is None
