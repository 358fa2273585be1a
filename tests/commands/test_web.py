import re
import signal
import socket
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests import children
from tests.command_line import Here

SILENT = "[plug]\nmdns = false\n"  # tests say nothing to the LAN


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    (folder / "settings.toml").write_text(SILENT)
    return folder


def test_the_page_is_served_until_sigterm(state: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = children.printmonitor("web", "--port", str(port), state=state)
    with children.running(command, stderr=subprocess.PIPE) as child:
        assert child.stderr
        said = ""
        while f"http://localhost:{port}" not in said:
            said = child.stderr.readline()
            assert said, "it ended by itself"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/login", timeout=5) as answer:
            assert answer.status == 200
            assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        child.send_signal(signal.SIGTERM)
        assert child.wait(5) == 0
        assert "Traceback" not in child.stderr.read()
    assert not list(state.glob("run/*.sock"))


def test_a_port_that_is_taken_is_told_in_one_line(here: Here, state: Path) -> None:
    with socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True) as taken:
        port = taken.getsockname()[1]
        ended = here("web", "--port", str(port), state=state)
    assert ended.code == 2
    last = ended.err.splitlines()[-1]
    assert re.fullmatch(rf"printmonitor: port {port} cannot be opened: another program uses it", last)
    assert "Traceback" not in ended.err


def test_a_state_folder_that_cannot_be_used_is_told_in_one_line(here: Here, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    ended = here("web", "--port", "1", state=tmp_path / "state")
    assert ended.code == 2
    assert "Traceback" not in ended.err
    assert str(tmp_path / "state") in ended.complaint


def test_a_port_is_a_port(here: Here) -> None:
    ended = here("web", "--port", "0")
    assert (ended.code, ended.complaint.startswith("printmonitor web:")) == (2, True)
