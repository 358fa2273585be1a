"""When a slot is good, and when an update is taken back: on a real database and a real port."""

import http.server
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.privileged import health_check, update_trial
from appliance.privileged.request_handler import OperationFailedError
from appliance.privileged.update_trial import UpdateMarker
from tests.host.networkctl_output import shown

NOW = datetime(2026, 11, 22, tzinfo=UTC)


class Systemd:
    def __init__(self, **states: str) -> None:
        self.states = states
        self.told: list[str] = []

    def __call__(self, *command: str) -> str:
        self.told.append(" ".join(command))
        units = [unit for unit in command if unit.startswith("printmonitor-")]
        return shown(units, lambda unit: self.states.get(unit.removeprefix("printmonitor-")[:3], "active"))


class Page(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/login" else 404)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def plug(tmp_path: Path) -> Iterator[Path]:
    """A state folder whose page answers."""
    with closing(sqlite3.connect(tmp_path / health_check.DATABASE_FILENAME)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE printers (id)")
    Page.status = 200
    with http.server.HTTPServer(("127.0.0.1", 0), Page) as server:
        (tmp_path / "settings.toml").write_text(f"[web]\nport = {server.server_port}\n")
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield tmp_path
        server.shutdown()
        serving.join()


def found(plug: Path, **states: str) -> list[str]:
    return list(health_check.find_problems(plug, Systemd(**states)))


def test_a_plug_that_does_its_work_is_well(plug: Path) -> None:
    assert found(plug) == []


def test_a_service_that_does_not_run_is_named(plug: Path) -> None:
    assert found(plug, pol="activating") == ["printmonitor-poller.service does not run (activating)"]


def test_a_systemd_that_does_not_answer_is_no_good_sign(plug: Path) -> None:
    def run(*_command: str) -> str:
        raise OperationFailedError("systemctl: no bus")

    assert list(health_check.find_problems(plug, run)) == ["systemctl: no bus"]


def test_a_database_that_is_missing_or_damaged_is_named(plug: Path) -> None:
    database = plug / health_check.DATABASE_FILENAME
    database.write_bytes(b"no database at all" * 1_000)
    assert found(plug) == ["the database: file is not a database"]
    database.unlink()
    assert found(plug) == ["the database: unable to open database file"]
    assert not database.exists()


def test_a_page_that_fails_or_is_silent_is_named(plug: Path) -> None:
    Page.status = 503
    assert found(plug) == ["the page answers 503"]
    (plug / "settings.toml").write_text("[web]\nport = 1\n")
    assert found(plug) == ["the page: [Errno 111] Connection refused"]


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """Slot B, on trial."""
    root = tmp_path / "root"
    (root / "proc/sys/kernel/random").mkdir(parents=True)
    (root / "proc/sys/kernel/random/boot_id").write_text("boot-2\n")
    (root / "proc/cmdline").write_text("rauc.slot=B\n")
    update_trial.write_marker(
        UpdateMarker("1.0.0", "B", "1.1.0", "2026-11-22T02:00:00+00:00", "boot-1", installed=True), root
    )
    return root


def test_what_is_well_is_marked_good_and_no_more_on_trial(box: Path) -> None:
    systemd = Systemd()
    assert health_check.confirm_or_revert([], systemd, NOW, 60.0, box)
    assert systemd.told == ["rauc status mark-good"]
    assert not update_trial.is_trial_boot(box)
    outcome = update_trial.read_outcome(box)
    assert outcome is not None
    assert outcome.came == "updated"


@pytest.mark.parametrize(("uptime", "told"), [(299.0, []), (300.0, ["systemctl --no-block reboot"])])
def test_an_update_that_is_not_well_in_time_is_taken_back(box: Path, uptime: float, told: list[str]) -> None:
    systemd = Systemd()
    assert not health_check.confirm_or_revert(["the page answers 503", "and more"], systemd, NOW, uptime, box)
    assert systemd.told == told
    why = json.loads((box / update_trial.MARKER_PATH).read_text())["why"]
    assert why == ("the page answers 503" if told else "")


def test_nobody_is_restarted_for_being_unwell_without_a_trial(box: Path) -> None:
    update_trial.remove_marker(box)
    systemd = Systemd()
    assert not health_check.confirm_or_revert(["the page answers 503"], systemd, NOW, 10_000.0, box)
    assert systemd.told == []


def test_rauc_that_fails_leaves_the_trial_open(box: Path) -> None:
    def run(*_command: str) -> str:
        raise OperationFailedError("rauc: no service")

    with pytest.raises(OperationFailedError):
        health_check.confirm_or_revert([], run, NOW, 60.0, box)
    assert update_trial.is_trial_boot(box)
