"""An order reaches the unit that does it, once."""

import stat
from pathlib import Path

from appliance.system import orders


def test_an_order_is_taken_once_and_is_roots_alone(tmp_path: Path) -> None:
    folder = tmp_path / "root"
    orders.put("update", {"source": "upload"}, folder)
    orders.put("update", {"source": "https://example.com/a.raucb"}, folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "update.json").stat().st_mode) == 0o600
    assert orders.take("update", folder) == {"source": "https://example.com/a.raucb"}
    assert orders.take("update", folder) is None


def test_nothing_was_ordered(tmp_path: Path) -> None:
    assert orders.take("update", tmp_path / "none") is None
