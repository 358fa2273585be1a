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


def free_port() -> int:
    with socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True) as free:
        return int(free.getsockname()[1])


def test_the_page_is_served_until_sigterm(state: Path) -> None:
    port = free_port()
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


@pytest.mark.parametrize("shown", ["127.0.0.42", "[::1]"])
def test_the_page_is_at_one_address_if_asked_for(state: Path, shown: str) -> None:
    port = free_port()
    command = children.printmonitor("web", "--port", str(port), "--bind", shown.strip("[]"), state=state)
    with children.running(command, stderr=subprocess.PIPE) as child:
        assert child.stderr
        said = ""
        while f"http://{shown}:{port}" not in said:
            said = child.stderr.readline()
            assert said, "it ended by itself"
        with urllib.request.urlopen(f"http://{shown}:{port}/login", timeout=5) as answer:
            assert answer.status == 200
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)


def test_an_address_that_is_none_is_told_in_one_line(here: Here, state: Path) -> None:
    ended = here("web", "--bind", "eth0", state=state)
    assert ended.code == 2
    assert "'eth0' is no address" in ended.err


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
