"""Requests to root, as an attacker would write them."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.host import unit_status
from appliance.privileged import request_handler
from appliance.privileged.request_handler import Failed, Refused

ME = {os.geteuid()}


class Systemd:
    """Notes what it is told; fails where it is asked to."""

    def __init__(self, failing: str = "") -> None:
        self.told: list[tuple[str, ...]] = []
        self.failing = failing

    def __call__(self, *command: str) -> str:
        self.told.append(command)
        if self.failing and self.failing in command:
            raise Failed("Unit is masked")
        return ""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "requests").mkdir(mode=0o700)
    return tmp_path


def work_off(run: Path, systemd: Systemd | None = None) -> int:
    return request_handler.work_off(run, ME, systemd or Systemd())


def left(run: Path) -> list[str]:
    return [path.name for path in (run / "requests").glob("*.json")]


@pytest.mark.parametrize(
    ("order", "told"),
    [
        (
            {"do": "restart", "unit": "printmonitor-web.service"},
            [
                ("systemctl", "reset-failed", "printmonitor-web.service"),
                ("systemctl", "--no-block", "restart", "printmonitor-web.service"),
            ],
        ),
        (
            {"do": "stop", "unit": "printmonitor-traps.service"},
            [("systemctl", "stop", "printmonitor-traps.socket", "printmonitor-traps.service")],
        ),
        ({"do": "reboot"}, [("systemctl", "--no-block", "reboot")]),
        (
            {"do": "factory-reset"},
            [("systemctl", "--no-block", "start", "printmonitor-factory-reset.service")],
        ),
        ({"do": "apply"}, [("systemctl", "--no-block", "restart", "printmonitor-apply.service")]),
    ],
)
def test_what_may_be_asked_is_done_and_answered(
    run: Path, order: dict[str, str], told: list[tuple[str, ...]]
) -> None:
    request, systemd = unit_status.request(run, order), Systemd()
    assert unit_status.answer(run, request) is None
    assert work_off(run, systemd) == 1
    assert systemd.told == told
    assert unit_status.answer(run, request) == unit_status.Answer("done", "")
    assert left(run) == []


@pytest.mark.parametrize(
    "order",
    [
        b"",
        b"{",
        b"[" * 3_000,
        b'"reboot"',
        b"\xff\xfe",
        b'{"do": "rm"}',
        b'{"do": "reboot", "unit": "printmonitor-web.service"}',
        b'{"do": "reboot", "force": "yes"}',
        b'{"do": ["reboot"]}',
        b'{"do": null}',
        b'{"do": "restart"}',
        b'{"do": "restart", "unit": "sshd.service"}',
        b'{"do": "restart", "unit": "--force"}',
        b'{"do": "restart", "unit": "printmonitor-web.service; reboot"}',
        b'{"do": "restart", "unit": "../printmonitor-web.service"}',
        b'{"do": "stop", "unit": "printmonitor-web.service"}',
        b'{"do": "reboot"}' + b" " * request_handler.MOST_OCTETS,
    ],
)
def test_anything_else_is_refused_and_nothing_is_run(run: Path, order: bytes) -> None:
    (run / "requests" / "00000000000000aa.json").write_bytes(order)
    systemd = Systemd()
    work_off(run, systemd)
    assert systemd.told == []
    answer = unit_status.answer(run, "00000000000000aa")
    assert answer
    assert (answer.state, answer.text != "") == ("refused", True)
    assert left(run) == []


def _link(path: Path) -> None:
    (path.parent.parent / "secret").write_text('{"do": "reboot"}')
    path.symlink_to(path.parent.parent / "secret")


def _hard_link(path: Path) -> None:
    (path.parent.parent / "secret").write_text('{"do": "reboot"}')
    path.hardlink_to(path.parent.parent / "secret")


def _folder(path: Path) -> None:
    (path / "inner").mkdir(parents=True)


def _writable(path: Path) -> None:
    path.write_text('{"do": "reboot"}')
    path.chmod(0o666)


def _fifo(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("put", [_link, _hard_link, _folder, _writable, _fifo])
def test_what_is_no_plain_private_file_is_refused(run: Path, put: Callable[[Path], None]) -> None:
    put(run / "requests" / "00000000000000bb.json")
    systemd, began = Systemd(), time.monotonic()
    work_off(run, systemd)
    assert (systemd.told, left(run)) == ([], [])
    assert time.monotonic() - began < 5
    answer = unit_status.answer(run, "00000000000000bb")
    assert answer
    assert answer.state == "refused"


def test_a_request_of_somebody_else_is_refused(run: Path) -> None:
    request = unit_status.request(run, {"do": "reboot"})
    with pytest.raises(Refused):
        request_handler.work_off(run, {4711}, Systemd())
    assert unit_status.answer(run, request) is None


def test_a_linked_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "requests").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refused):
        work_off(tmp_path)


def test_answers_go_nowhere_else(run: Path) -> None:
    (run / "elsewhere").mkdir()
    (run / "answers").symlink_to(run / "elsewhere")
    unit_status.request(run, {"do": "reboot"})
    with pytest.raises(Refused):
        work_off(run)
    assert list((run / "elsewhere").iterdir()) == []


def test_systemds_own_words_come_back(run: Path) -> None:
    request = unit_status.request(run, {"do": "start", "unit": "printmonitor-poller.service"})
    work_off(run, Systemd("start"))
    assert unit_status.answer(run, request) == unit_status.Answer("failed", "Unit is masked")


def test_many_requests_and_answers_are_bounded(run: Path) -> None:
    for number in range(150):
        (run / "requests" / f"{number:016x}.json").write_text(json.dumps({"do": "reboot"}))
    rounds = 0
    while left(run):
        work_off(run)
        rounds += 1
    assert rounds == 5
    assert len(list((run / "answers").iterdir())) == request_handler.MOST_ANSWERS


def test_answers_to_strange_names_are_not_written(run: Path) -> None:
    (run / "requests" / "a b.json").write_text('{"do": "reboot"}')
    (run / "requests" / ("x" * 200 + ".json")).write_text('{"do": "reboot"}')
    work_off(run)
    assert list((run / "answers").iterdir()) == []
    assert unit_status.answer(run, "../../etc/passwd") is None


def test_a_command_that_fails_is_told_in_its_words() -> None:
    assert request_handler.run("echo", "hello") == "hello\n"
    with pytest.raises(Failed, match="No such file"):
        request_handler.run("ls", "/nowhere")
    with pytest.raises(Failed):
        request_handler.run("no-such-program-here")
