"""An update as root does it: refused before anything is touched, followed, and put on trial."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from appliance.host import unit_status
from appliance.privileged import job_files, rauc_installer, request_handler, update_trial
from appliance.privileged.request_handler import OperationFailedError, RequestVerb

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
URL = "https://updates.example.com/plug.raucb"
GOOD = (
    "installing",
    "  0% Installing",
    " 20% Checking bundle",
    " 40% Updating slots",
    " 99% Updating slots done.",
    "100% Installing done.",
    "Installing `x` succeeded",
)


class Box:
    """RAUC's answers, as its version 1.13 writes them, of a box that runs slot A."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.version, self.compatible = "1.1.0", "printmonitor-plug"
        self.inspecting = ""  # what is wrong with the bundle
        self.installing: tuple[str, ...] = GOOD
        self.told: list[tuple[str, ...]] = []
        self.seen: list[dict[str, object]] = []  # what the page could have read while it was installed
        (root / "etc").mkdir()
        (root / "etc/os-release").write_text('ID=printmonitor-plug\nVERSION_ID="1.0.0"\n')
        (root / "proc/sys/kernel/random").mkdir(parents=True)
        (root / "proc/sys/kernel/random/boot_id").write_text("boot-1\n")
        (root / "proc/cmdline").write_text("rauc.slot=A\n")

    def run(self, *command: str) -> str:
        self.told.append(command)
        if command[0] == "rauc":
            return json.dumps(self.status())
        if command[0] == "busctl":
            if self.inspecting:
                raise OperationFailedError(f"{' '.join(command)}: Call failed: {self.inspecting}")
            update = {
                "compatible": {"type": "s", "data": self.compatible},
                "version": {"type": "s", "data": self.version},
            }
            table = {"type": "v", "data": {"type": "a{sv}", "data": update}}  # as RAUC 1.13 does: v in v
            digest = {"type": "s", "data": "0" * 64}
            return json.dumps({"type": "a{sv}", "data": [{"update": table, "manifest-hash": digest}]})
        return ""

    def follow(self, *command: str) -> Iterator[str]:
        self.told.append(command)
        for line in self.installing:
            yield f"{line}\n"
            self.seen.append(self.answer())
        if "succeeded" not in self.installing[-1]:
            raise OperationFailedError("rauc failed")

    def status(self) -> dict[str, object]:
        def slot(name: str, state: str, version: str | None) -> dict[str, object]:
            status = (
                {"bundle": {"compatible": "printmonitor-plug", "version": version}}
                if version
                else {"bundle": {}}
            )
            return {
                "class": "rootfs",
                "bootname": name,
                "state": state,
                "boot_status": "good",
                "slot_status": status,
            }

        slots = [{"rootfs.1": slot("B", "inactive", "0.9.0")}, {"rootfs.0": slot("A", "booted", None)}]
        return {
            "compatible": "printmonitor-plug",
            "variant": "",
            "booted": "A",
            "boot_primary": "rootfs.0",
            "slots": slots,
        }

    def answer(self, name: str = "update") -> dict[str, object]:
        found = json.loads((self.root / f"run/answers/{name}.json").read_text())
        assert isinstance(found, dict)
        return found

    def order(self, source: str = URL, older: str = "no", reboot: str = "yes", action: str = "") -> None:
        told = {"source": source, "fetch": "no", "older": older, "reboot": reboot, "action": action}
        job_files.store_checked_request("update", told, self.root / "orders")
        self.work()

    def work(self) -> None:
        answers, folder = self.root / "run", self.root / "orders"
        rauc_installer.process_update_request(
            answers, self.run, self.follow, lambda: NOW, folder=folder, root=self.root
        )

    def installed(self) -> bool:
        return any(command[:2] == ("rauc", "install") for command in self.told)

    def rebooted(self) -> bool:
        return ("systemctl", "--no-block", "reboot") in self.told


@pytest.fixture
def box(tmp_path: Path) -> Box:
    (tmp_path / "run").mkdir()
    return Box(tmp_path)


def test_an_update_is_installed_and_put_on_trial(box: Box) -> None:
    box.order(action="17")
    assert ("rauc", "install", URL) in box.told
    assert [(each["state"], each["percent"], each["step"]) for each in box.seen[1:4]] == [
        ("installing", 0, "Installing"),
        ("installing", 20, "Checking bundle"),
        ("installing", 40, "Updating slots"),
    ]
    answer = box.answer()
    assert (answer["state"], answer["percent"], answer["version"], answer["action"]) == (
        "installed",
        100,
        "1.1.0",
        "17",
    )
    found = update_trial.read_marker(box.root)
    assert found == update_trial.UpdateMarker(
        "1.0.0", "B", "1.1.0", NOW.isoformat(), "boot-1", installed=True, action="17"
    )
    assert box.rebooted()


def test_the_reboot_may_wait(box: Box) -> None:
    box.order(reboot="no")
    assert not box.rebooted()
    assert update_trial.trial_state(box.root) == "pending"


def test_an_uploaded_file_is_taken_from_its_place(box: Box) -> None:
    box.order("upload")
    assert (box.answer()["state"], box.answer()["text"]) == ("refused", "there is no uploaded update")
    place = box.root / rauc_installer.UPLOADED_BUNDLE
    place.parent.mkdir(parents=True)
    place.write_bytes(b"a bundle")
    box.order("upload")
    assert ("rauc", "install", str(place)) in box.told


@pytest.mark.parametrize(
    ("version", "text"),
    [
        ("0.9.9", "it is version 0.9.9, older than the installed 1.0.0"),
        ("1.0.0-rc.1", "it is version 1.0.0-rc.1, older than the installed 1.0.0"),
        ("1.0.0", "version 1.0.0 is installed already"),
        ("newest", "its version cannot be compared: 'newest' is not a version such as 1.4.2"),
        ("", "its version cannot be compared: '' is not a version such as 1.4.2"),
    ],
)
def test_an_older_version_is_refused_unless_it_is_allowed(box: Box, version: str, text: str) -> None:
    box.version = version
    box.order()
    assert (box.answer()["state"], box.answer()["text"]) == ("refused", text)
    assert not box.installed()
    assert update_trial.read_marker(box.root) is None
    box.order(older="yes")
    assert ("rauc", "install", "--ignore-version-limit", URL) in box.told
    assert box.answer()["state"] == "installed"


def test_another_device_is_refused_even_where_older_is_allowed(box: Box) -> None:
    box.compatible = "toaster"
    box.order(older="yes")
    assert box.answer()["text"] == "it is for another device (toaster), not for this one (printmonitor-plug)"
    assert not box.installed()


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (
            "signature verification failed: Verify error: unable to get local issuer certificate",
            "it is not signed by this Plug's provider",
        ),
        (
            "signature verification failed: Verify error: self-signed certificate in certificate chain",
            "it is not signed by this Plug's provider",
        ),
        (
            "signature verification failed: Verify error: certificate has expired",
            "its signature is not valid at the Plug's current time",
        ),
        (
            "signature verification failed: invalid digest",
            "its signature is wrong: it was changed or damaged",
        ),
        (
            "Signature size (723401728380766730) exceeds bundle size",
            "it is not an update for a Plug, or is damaged",
        ),
        ("Bundle format 'plain' not allowed", "it is not an update for a Plug, or is damaged"),
        ("unauthorized: HTTP error 401", "the server asks for a login"),
        ("not found: HTTP error 404", "the server does not have it"),
        ("something\n new", "RAUC reports: something new"),
    ],
)
def test_what_rauc_turns_down_is_told_in_one_line(box: Box, said: str, text: str) -> None:
    box.inspecting = said
    box.order()
    assert (box.answer()["state"], box.answer()["text"]) == ("refused", text)
    assert not box.installed()


def test_an_installation_that_fails_leaves_no_trial(box: Box) -> None:
    box.installing = (
        "installing",
        " 40% Updating slots",
        "LastError: Installation error: Slot (536870912 bytes) is too small for image (836870912 bytes).",
        "Installing `x` failed",
    )
    box.order()
    assert (box.answer()["state"], box.answer()["text"]) == ("failed", "it does not fit into the slot")
    assert update_trial.read_marker(box.root) is None
    assert not box.rebooted()


def test_without_an_order_the_slots_are_told(box: Box) -> None:
    box.work()
    assert box.answer("slots") == {
        "booted": "A",
        "version": "1.0.0",
        "other": "B",
        "other_version": "0.9.0",
        "other_state": "good",
        "boot": "boot-1",
    }
    assert not (box.root / "run/answers/update.json").exists()


def test_without_rauc_nothing_is_told_and_nothing_fails(box: Box) -> None:
    def run(*command: str) -> str:
        raise OperationFailedError(f"{command[0]}: not found")

    rauc_installer.process_update_request(
        box.root / "run", run, box.follow, lambda: NOW, folder=box.root / "orders", root=box.root
    )
    assert list((box.root / "run/answers").iterdir()) == []


def test_an_installation_that_was_cut_off_is_told_to_have_failed(box: Box) -> None:
    class Killed(BaseException):
        pass

    def follow(*_command: str) -> Iterator[str]:
        yield " 40% Updating slots\n"
        raise Killed

    box.follow = follow  # type: ignore[method-assign]
    with pytest.raises(Killed):
        box.order(action="17")
    assert box.answer()["state"] == "installing"
    box.work()
    told = box.answer()
    assert (told["state"], told["text"]) == ("failed", "the installation was interrupted")
    assert (told["percent"], told["action"]) == (40, "17")
    box.work()
    assert box.answer() == told


def test_an_order_is_done_once(box: Box) -> None:
    box.order()
    box.told.clear()
    box.work()
    assert not box.installed()


def test_lines_of_a_command_come_one_by_one() -> None:
    assert list(rauc_installer.stream_command("sh", "-c", "echo one; echo two >&2")) == ["one\n", "two\n"]
    with pytest.raises(OperationFailedError, match="sh failed"):
        list(rauc_installer.stream_command("sh", "-c", "echo one; exit 3"))


class Systemd:
    def __init__(self, state: str = "inactive") -> None:
        self.state = state
        self.told: list[tuple[str, ...]] = []
        self.slept_s = 0.0
        self.inactive_after_s = float("inf")

    def sleep(self, seconds: float) -> None:
        self.slept_s += seconds
        if self.slept_s >= self.inactive_after_s:
            self.state = "inactive"

    def __call__(self, *command: str) -> str:
        self.told.append(command)
        return f"{self.state}\n" if "show" in command else ""


def ask(folder: Path, systemd: Systemd, **changed: str) -> unit_status.RequestAnswer | None:
    """What the page gets for its request."""
    (folder / "requests").mkdir(mode=0o700, exist_ok=True)
    order = {
        "do": "update",
        "source": URL,
        "fetch": "no",
        "older": "no",
        "reboot": "yes",
        "action": "",
        **changed,
    }
    asked = unit_status.submit_request(folder, order)
    verbs = {
        "update": RequestVerb(
            partial(request_handler.start_update, folder=folder / "orders", sleep=systemd.sleep),
            text_keys=tuple(request_handler.UPDATE_PATTERNS),
        )
    }
    request_handler.process_requests(folder, {os.geteuid()}, systemd, verbs)
    return unit_status.read_answer(folder, asked)


def test_the_page_may_order_an_update(tmp_path: Path) -> None:
    systemd = Systemd()
    assert ask(tmp_path, systemd) == unit_status.RequestAnswer("done", "")
    assert systemd.told[-1] == ("systemctl", "--no-block", "start", "printmonitor-update.service")
    expected = {"source": URL, "fetch": "no", "older": "no", "reboot": "yes", "action": ""}
    assert job_files.take_checked_request("update", tmp_path / "orders") == expected


@pytest.mark.parametrize(
    "changed",
    [
        {"source": "/etc/shadow"},
        {"source": "file:///etc/shadow"},
        {"source": "--conf=/tmp/x"},
        {"source": "https://example.com/a b"},
        {"source": "https://example.com/\n"},
        {"fetch": "first"},
        {"older": "perhaps"},
        {"reboot": ""},
        {"action": "../1"},
    ],
)
def test_an_order_that_is_not_as_it_should_be_is_refused(tmp_path: Path, changed: dict[str, str]) -> None:
    systemd = Systemd()
    answer = ask(tmp_path, systemd, **changed)
    assert answer
    assert answer.state == "refused"
    assert systemd.told == []
    assert job_files.take_checked_request("update", tmp_path / "orders") is None


def test_one_update_at_a_time(tmp_path: Path) -> None:
    systemd = Systemd("activating")
    answer = ask(tmp_path, systemd)
    assert answer == unit_status.RequestAnswer("refused", "another update is being installed")
    assert systemd.slept_s == request_handler.UPDATE_UNIT_TIMEOUT_S
    assert job_files.take_checked_request("update", tmp_path / "orders") is None


def test_a_request_waits_while_the_unit_reports_the_slots(tmp_path: Path) -> None:
    systemd = Systemd("activating")
    systemd.inactive_after_s = 5.0
    assert ask(tmp_path, systemd) == unit_status.RequestAnswer("done", "")
    assert systemd.slept_s == 5.0
    assert job_files.take_checked_request("update", tmp_path / "orders")
