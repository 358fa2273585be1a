"""One process at a time."""

import signal
import sys
from pathlib import Path

import pytest

from appliance.host import file_lock
from tests import children


def test_who_comes_second_is_told(tmp_path: Path) -> None:
    path = tmp_path / "run" / "lock"
    with file_lock.held(path), pytest.raises(file_lock.Busy), file_lock.held(path):
        pass
    with file_lock.held(path):
        pass


def test_a_process_that_is_killed_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    program = (
        "import sys, signal; from pathlib import Path; from appliance.host import file_lock\n"
        "with file_lock.held(Path(sys.argv[1])): print('held', flush=True); signal.pause()"
    )
    with children.running([sys.executable, "-c", program, str(path)], stdout=-1) as child:
        assert child.stdout
        assert child.stdout.readline() == "held\n"
        with pytest.raises(file_lock.Busy), file_lock.held(path):
            pass
        child.send_signal(signal.SIGKILL)
        child.wait()
        with file_lock.held(path):
            pass


def test_who_has_patience_gets_it_when_the_other_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    program = (
        "import sys; from pathlib import Path; from appliance.host import file_lock\n"
        "with file_lock.held(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    with children.running([sys.executable, "-c", program, str(path)], stdin=-1, stdout=-1) as child:
        assert child.stdin
        assert child.stdout
        assert child.stdout.readline() == "held\n"
        with pytest.raises(file_lock.Busy), file_lock.held(path, 0.05):
            pass
        child.stdin.close()
        with file_lock.held(path, 30):
            pass
