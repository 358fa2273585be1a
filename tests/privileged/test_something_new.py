"""The script that spares an idle Plug a Python each minute, with a systemd that says what it is told to."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.children import ROOT

SCRIPT = ROOT / "rootfs-overlay/usr/lib/printmonitor/something-new"
SYSTEMCTL = """\
#!/bin/sh
[ "$1" = show ] || exit 9
cat "$SAYS"
"""


class Box:
    """Well, started, and looked after once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.units: dict[str, tuple[str, int]] = {
            "printmonitor-web.service": ("active", 0),
            "printmonitor-traps.service": ("inactive", 0),
            "printmonitor-health.service": ("active", 0),
        }
        (folder / "bin").mkdir()
        (folder / "bin" / "systemctl").write_text(SYSTEMCTL)
        (folder / "bin" / "systemctl").chmod(0o755)
        (folder / "settings.toml").write_text("[traps]\n")
        self.network("routable")
        self._environ = {
            "PATH": f"{folder}/bin:{os.environ['PATH']}",
            "SAYS": str(folder / "says"),
            "SEEN": str(folder / "seen"),
            "PRINTMONITOR_STATE": str(folder),
            "RUN": str(folder),
            "NETWORK": str(folder / "network"),
        }
        self.minute()

    def network(self, state: str) -> None:
        (self.folder / "network").write_text(f"# made\nOPER_STATE={state}\nDNS=x\n")

    def minute(self, done: bool = True) -> bool:
        """Whether a minute's look leads to more; `done` is whether that then went well."""
        blocks = (
            f"Id={unit}\nActiveState={state}\nInactiveEnterTimestampMonotonic={at}\n"
            for unit, (state, at) in self.units.items()
        )
        (self.folder / "says").write_text("\n".join(blocks))
        looked = self._run()
        assert looked in (0, 1), "255 would make systemd call the unit failed"
        if looked == 0 and done:
            assert self._run("dealt-with") == 0
        return looked == 0

    def _run(self, *arguments: str) -> int:
        return subprocess.run(["sh", str(SCRIPT), *arguments], env=self._environ, check=False).returncode


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_nothing_new_starts_nothing(box: Box) -> None:
    assert [box.minute() for _ in range(3)] == [False] * 3


def test_what_failed_is_looked_after_each_minute(box: Box) -> None:
    box.units["printmonitor-web.service"] = ("failed", 7)
    assert [box.minute() for _ in range(3)] == [True] * 3
    box.units["printmonitor-web.service"] = ("active", 7)
    assert [box.minute(), box.minute()] == [True, False]  # the light has to go back to what it was


def test_a_receiver_that_stopped_between_two_looks_is_seen(box: Box) -> None:
    box.units["printmonitor-traps.service"] = ("inactive", 90)
    assert [box.minute(), box.minute()] == [True, False]
    box.units["printmonitor-traps.service"] = ("inactive", 95)
    assert box.minute()


def test_settings_network_and_attention_count(box: Box) -> None:
    os.utime(box.folder / "settings.toml", (1, 1))
    assert [box.minute(), box.minute()] == [True, False]
    box.network("carrier")
    assert [box.minute(), box.minute()] == [True, False]
    (box.folder / "attention").write_text("a parcel was refused\n")
    assert [box.minute(), box.minute()] == [True, False]


def test_what_could_not_be_dealt_with_comes_again(box: Box) -> None:
    box.network("off")
    assert [box.minute(done=False), box.minute(done=False), box.minute()] == [True] * 3
    assert not box.minute()


def test_a_start_is_watched_until_it_is_well(box: Box) -> None:
    box.units["printmonitor-health.service"] = ("activating", 0)
    assert [box.minute(), box.minute()] == [True, True]
