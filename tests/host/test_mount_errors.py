"""The script that keeps errors on the card, with a journal that says what it is told to."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.children import ROOT

SCRIPT = ROOT / "rootfs-overlay/usr/lib/printmonitor/errors-to-card"
JOURNAL = """\
#!/bin/sh
cat "$SAYS"
"""


class Box:
    def __init__(self, folder: Path) -> None:
        self.log, self._says = folder / "log", folder / "says"
        self.log.mkdir()
        (folder / "bin").mkdir()
        (folder / "bin" / "journalctl").write_text(JOURNAL)
        (folder / "bin" / "journalctl").chmod(0o755)
        self._environ = {
            "PATH": f"{folder}/bin:{os.environ['PATH']}",
            "LOG": str(self.log),
            "CURSOR": str(folder / "run" / "cursor"),
            "SAYS": str(self._says),
        }

    def collect(self, *lines: str) -> None:
        self._says.write_text("".join(f"{line}\n" for line in lines))
        subprocess.run(["sh", str(SCRIPT)], env=self._environ, check=True)

    def kept(self, name: str = "errors.log") -> list[str]:
        return (self.log / name).read_text().splitlines()


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_errors_are_kept_in_their_order(box: Box) -> None:
    box.collect("one", "two")
    box.collect("three")
    assert box.kept() == ["one", "two", "three"]
    assert (box.log / "errors.log").stat().st_mode & 0o777 == 0o640


def test_nothing_is_written_where_there_is_nothing_new(box: Box) -> None:
    box.collect()
    assert list(box.log.iterdir()) == []


def test_a_flood_fills_neither_the_card_nor_the_file(box: Box) -> None:
    for number in range(12):
        box.collect(*(f"{number}: {'x' * 1_000}" for _ in range(600)))
    assert len(box.kept()[-1]) == 400
    assert {path.name for path in box.log.iterdir()} == {"errors.log", "errors.1.log"}
    assert sum(path.stat().st_size for path in box.log.iterdir()) < 2_500_000
    assert box.kept()[-1].startswith("11: ")
