"""A streamed update against a `rauc` that loses its race with udev, as RAUC 1.13 prints it."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.privileged import job_files, rauc_installer, request_handler, update_progress, update_trial

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
URL = "https://updates.example.com/plug.raucb"
RACE = (
    "Failed mounting bundle: Failed to load dm table: Argument list too long, "
    "check DM_VERITY, DM_CRYPT or CRYPTO_AES kernel options."
)
BEFORE = "  0% Installing\n  0% Determining slot states\n 20% Checking bundle\n 40% Verifying signature done."
OPENED = " 40% Determining target install group"
WRITING = " 60% Updating slots"
PROGRAM = """\
#!/usr/bin/env python3
import json, pathlib, sys
here = pathlib.Path(__file__).parent
name, said = pathlib.Path(sys.argv[0]).name, " ".join(sys.argv[1:])
with (here / "said").open("a") as file:
    file.write(f"{name} {said}\\n")
left = json.loads((here / f"{name}.json").read_text())
for entry in left:
    if said.startswith(entry["for"]) and entry["times"]:
        entry["times"] -= 1
        (here / f"{name}.json").write_text(json.dumps(left))
        print(entry["prints"])
        if entry["makes"]:
            copied = entry["copies"] and pathlib.Path(entry["copies"]).read_bytes()
            pathlib.Path(entry["makes"]).write_bytes(copied or b"a bundle")
        sys.exit(entry["code"])
"""
STATUS = json.dumps(
    {
        "compatible": "printmonitor-plug",
        "booted": "A",
        "slots": [{"rootfs.0": {"bootname": "A"}}, {"rootfs.1": {"bootname": "B"}}],
    }
)
OFTEN = 1_000


class Programs:
    """Programs that come before the real ones: each notes its arguments and answers as it was told to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.answers: dict[str, list[dict[str, object]]] = {}
        for name in ("rauc", "busctl", "systemctl", "udevadm"):
            (folder / name).write_text(PROGRAM)
            (folder / name).chmod(0o755)
            self.answers[name] = []
        self.add("rauc", "status", STATUS)
        self.bundle("1.1.0")

    def add(
        self,
        name: str,
        arguments: str,
        prints: str,
        *,
        code: int = 0,
        times: int = OFTEN,
        makes: Path | str = "",
        copies: Path | str = "",
    ) -> None:
        """Answer so many calls that begin with these arguments, after what was added before.

        `makes` is a file that the call writes, with the contents of `copies` where that is said.
        """
        answer = {"for": arguments, "prints": prints, "code": code, "times": times}
        self.answers[name].append(answer | {"makes": str(makes), "copies": str(copies)})
        (self._folder / f"{name}.json").write_text(json.dumps(self.answers[name]))

    def bundle(self, version: str, times: int = OFTEN) -> None:
        """Answer InspectBundle."""
        told = {"compatible": "printmonitor-plug", "version": version}
        update = {key: {"type": "s", "data": each} for key, each in told.items()}
        answer = {"data": [{"update": {"type": "a{sv}", "data": update}}]}
        self.add("busctl", "", json.dumps(answer), times=times)

    def fail_stream(self, times: int = OFTEN, said: str = RACE, *, steps: str = BEFORE) -> None:
        """Let streamed installations fail."""
        prints = f"{steps}\n100% Installing failed.\nLastError: {said}\nInstalling `{URL}` failed"
        self.add("rauc", f"install {URL}", prints, code=1, times=times)

    def succeed(self) -> None:
        prints = f"{BEFORE}\n{OPENED}\n{WRITING}\n100% Installing done.\nInstalling `x` succeeded"
        self.add("rauc", "install", prints)

    def calls(self, start: str = "") -> list[str]:
        log = self._folder / "said"
        lines = log.read_text().splitlines() if log.exists() else []
        return [line for line in lines if line.startswith(start)]


class Box:
    """A box that runs slot A with version 1.0.0."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.pauses: list[float] = []
        self.run_folder = root / "run"
        self.run_folder.mkdir()
        (root / "etc").mkdir()
        (root / "etc/os-release").write_text("VERSION_ID=1.0.0\n")
        (root / rauc_installer.UPLOADED_BUNDLE).parent.mkdir(parents=True)

    def order(self, source: str = URL, fetch: str = "no") -> dict[str, object]:
        """Give an order and have it done; return what the page is told in the end."""
        order = {"source": source, "fetch": fetch, "older": "no", "reboot": "no", "action": ""}
        job_files.store_checked_request(update_progress.UPDATE_NAME, order, self.root / "orders")
        rauc_installer.process_update_request(
            self.run_folder,
            request_handler.run_command,
            rauc_installer.stream_command,
            lambda: NOW,
            folder=self.root / "orders",
            root=self.root,
            sleep=self.pauses.append,
        )
        found = json.loads(self.told.read_text())
        assert isinstance(found, dict)
        return found

    @property
    def told(self) -> Path:
        return self.run_folder / "answers/update.json"

    @property
    def fetched(self) -> Path:
        return self.root / rauc_installer.UPLOADED_BUNDLE


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return Programs(folder)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    (tmp_path / "root").mkdir()
    return Box(tmp_path / "root")


@pytest.mark.parametrize("lost", [0, 1, 2, 3])
def test_a_stream_that_was_not_opened_is_tried_again(box: Box, programs: Programs, lost: int) -> None:
    if lost:
        programs.fail_stream(lost)
    programs.succeed()
    assert box.order()["state"] == "installed"
    assert programs.calls("rauc install") == [f"rauc install {URL}"] * (lost + 1)
    assert [pause for pause in box.pauses if pause] == list(rauc_installer.STREAM_RETRY_DELAYS_S[:lost])
    assert programs.calls("systemctl") == []
    marker = update_trial.read_marker(box.root)
    assert marker
    assert (marker.to_version, marker.installed) == ("1.1.0", True)


def test_udev_is_held_while_rauc_opens_the_stream_and_no_longer(box: Box, programs: Programs) -> None:
    programs.fail_stream(1)
    programs.succeed()
    box.order()
    hold, release = (f"udevadm control --timeout=10 --{each}-exec-queue" for each in ("stop", "start"))
    attempt = [hold, f"rauc install {URL}", release]
    assert [line for line in programs.calls() if "udevadm" in line or "install" in line] == attempt * 2


def test_udev_goes_on_before_anything_is_written(box: Box, programs: Programs) -> None:
    held_at: dict[str, bool] = {}
    programs.succeed()

    def follow(*command: str) -> Iterator[str]:
        for line in rauc_installer.stream_command(*command):
            yield line
            held_at[line.strip()] = "start" not in programs.calls("udevadm")[-1]

    order = {"source": URL, "fetch": "no", "older": "no", "reboot": "no", "action": ""}
    job_files.store_checked_request(update_progress.UPDATE_NAME, order, box.root / "orders")
    rauc_installer.process_update_request(
        box.run_folder,
        request_handler.run_command,
        follow,
        lambda: NOW,
        folder=box.root / "orders",
        root=box.root,
    )
    assert held_at["40% Verifying signature done."]
    assert not held_at[OPENED.strip()]
    assert not held_at[WRITING.strip()]


def test_without_udev_it_is_installed_all_the_same(box: Box, programs: Programs) -> None:
    programs.add("udevadm", "", "no udev", code=1)
    programs.succeed()
    assert box.order()["state"] == "installed"


def test_a_stream_that_is_never_opened_is_fetched_first(box: Box, programs: Programs) -> None:
    programs.fail_stream()
    programs.succeed()
    programs.add("systemctl", f"start {rauc_installer.FETCH_UNIT}", "", makes=box.fetched)
    assert box.order()["state"] == "installed"
    attempts = 1 + len(rauc_installer.STREAM_RETRY_DELAYS_S)
    installed = [f"rauc install {URL}"] * attempts + [f"rauc install {box.fetched}"]
    assert programs.calls("rauc install") == installed
    assert programs.calls("systemctl") == [f"systemctl start {rauc_installer.FETCH_UNIT}"]
    inspected = [line.split()[-2] for line in programs.calls("busctl")]
    assert inspected == [URL, str(box.fetched)], "what was fetched is looked at before it is installed"


def test_another_bundle_than_the_one_that_was_looked_at_is_refused(box: Box, programs: Programs) -> None:
    programs.fail_stream()
    programs.add("systemctl", "start", "", makes=box.fetched)
    programs.answers["busctl"].clear()
    programs.bundle("1.1.0", times=1)
    programs.bundle("0.0.1")
    told = box.order()
    assert (told["state"], told["text"]) == ("refused", "the server has another bundle now")
    assert update_trial.read_marker(box.root) is None
    assert f"rauc install {box.fetched}" not in programs.calls()


def test_where_it_cannot_be_fetched_either_both_reasons_are_told(box: Box, programs: Programs) -> None:
    programs.fail_stream()
    programs.add("systemctl", "start", "Job failed. See the journal.", code=1)
    programs.add("systemctl", "show", "There is no room for it: it has 90 MB, 12 MB are free.")
    programs.add("systemctl", "reset-failed", "")
    told = box.order()
    assert told["state"] == "failed"
    assert told["text"] == (
        f"it could neither be streamed (RAUC reports: {RACE})"
        " nor fetched (There is no room for it: it has 90 MB, 12 MB are free.)"
    )
    assert update_trial.read_marker(box.root) is None
    assert programs.calls("systemctl")[-1] == f"systemctl reset-failed {rauc_installer.FETCH_UNIT}"


def test_while_it_is_fetched_the_page_is_told(box: Box, programs: Programs) -> None:
    programs.fail_stream()
    programs.succeed()
    programs.add("systemctl", "start", "", makes=box.fetched, copies=box.told)
    box.order()
    seen = json.loads(box.fetched.read_text())
    assert (seen["state"], seen["source"], seen["version"]) == ("fetching", URL, "1.1.0")
    assert seen["state"] in update_progress.ACTIVE_UPDATE_STATES


def test_what_rauc_cannot_reach_is_fetched_before_it_is_looked_at(box: Box, programs: Programs) -> None:
    programs.succeed()
    programs.add("systemctl", "start", "", makes=box.fetched)
    assert box.order(fetch="yes")["state"] == "installed"
    assert [line.split()[-2] for line in programs.calls("busctl")] == [str(box.fetched)]
    assert programs.calls("rauc install") == [f"rauc install {box.fetched}"]
    assert programs.calls("udevadm") == []


def test_where_it_cannot_be_fetched_the_reason_is_told(box: Box, programs: Programs) -> None:
    programs.add("systemctl", "start", "", code=1)
    programs.add("systemctl", "show", "updates.example.com: the server said 404 Not Found")
    programs.add("systemctl", "reset-failed", "")
    told = box.order(fetch="yes")
    assert (told["state"], told["text"]) == ("failed", "updates.example.com: the server said 404 Not Found")


def test_what_fails_after_something_was_written_is_told_and_not_repeated(
    box: Box, programs: Programs
) -> None:
    steps = f"{BEFORE}\n{OPENED}\n{WRITING}\n 61% Copying image to rootfs.1"
    programs.fail_stream(said="Installation error: read failed: Input/output error", steps=steps)
    told = box.order()
    assert (told["state"], told["text"]) == ("failed", "it is damaged: its content is not what was signed")
    assert len(programs.calls("rauc install")) == 1
    assert programs.calls("systemctl") == []
    assert update_trial.read_marker(box.root) is None


@pytest.mark.parametrize(
    "said",
    [
        "Bundle rejected: Hook returned: 'not on this board'",
        "Compatible mismatch: Expected 'printmonitor-plug' but bundle manifest has 'toaster'",
        "Version mismatch: Expected at least '2.0.0' but bundle manifest has '1.1.0'",
    ],
)
def test_what_rauc_has_opened_and_turned_down_is_told_at_once(
    box: Box, programs: Programs, said: str
) -> None:
    programs.fail_stream(said=said, steps=f"{BEFORE}\n{OPENED}")
    told = box.order()
    assert (told["state"], told["text"]) == ("failed", rauc_installer.explain_message(said))
    assert len(programs.calls("rauc install")) == 1
    assert programs.calls("systemctl") == []


def test_an_uploaded_bundle_is_never_a_stream(box: Box, programs: Programs) -> None:
    box.fetched.write_bytes(b"a bundle")
    programs.add("rauc", "install", f"{BEFORE}\nLastError: Failed mounting bundle: busy", code=1)
    told = box.order("upload")
    assert (told["state"], told["text"]) == ("failed", "RAUC reports: Failed mounting bundle: busy")
    assert len(programs.calls("rauc install")) == 1
    assert programs.calls("udevadm") == []


def test_a_full_disk_is_told_by_its_own_name(box: Box, programs: Programs) -> None:
    (box.root / "data").write_text("no folder")  # where the marker of the trial would go
    told = box.order()
    assert (told["state"], told["text"]) == ("failed", "the Plug cannot install it: Not a directory")
    assert programs.calls("rauc install") == []


def test_a_success_stands_where_rauc_says_nothing_afterwards(box: Box, programs: Programs) -> None:
    programs.answers["rauc"].clear()
    programs.add("rauc", "status", STATUS, times=1)
    programs.add("rauc", "status", "the service is going down", code=1)
    programs.succeed()
    assert box.order()["state"] == "installed"
