"""What root tells is read, whatever somebody wrote there."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.privileged import update_trial
from appliance.updates import update_status
from appliance.updates.update_status import RequestedUpdate, SlotStatus, UpdateProgress

TOLD = {
    "booted": "B",
    "version": "1.1.0",
    "other": "A",
    "other_version": "1.0.0",
    "other_state": "good",
    "boot": "2",
}


def tell(run: Path, name: str, what: object) -> None:
    (run / "answers").mkdir(exist_ok=True)
    (run / f"answers/{name}.json").write_text(what if isinstance(what, str) else json.dumps(what))


def test_progress_and_slots(tmp_path: Path) -> None:
    assert update_status.read_update_progress(tmp_path) is None
    assert update_status.read_slot_status(tmp_path) is None
    tell(tmp_path, "slots", TOLD)
    tell(
        tmp_path,
        "update",
        {
            "state": "installing",
            "percent": 40,
            "step": "Updating slots",
            "version": "1.2",
            "reboot": "yes",
            "at": 0,
        },
    )
    assert update_status.read_slot_status(tmp_path) == SlotStatus("B", "1.1.0", "A", "1.0.0", "good", "2")
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    found = update_status.read_update_progress(tmp_path)
    assert found == UpdateProgress(
        "installing", 40, "Updating slots", "", "1.2", "", "", reboots=True, at=epoch
    )
    assert found.is_under_way


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"percent": "x", "at": 1}', "[" * 9_000])
def test_what_makes_no_sense_is_nothing(tmp_path: Path, text: str) -> None:
    tell(tmp_path, "update", text)
    assert update_status.read_update_progress(tmp_path) is None


def test_a_version_is_on_trial_until_its_marker_goes(tmp_path: Path) -> None:
    slots = SlotStatus("B", "1.1.0", "A", "1.0.0", "good", boot="2")
    assert not update_status.is_update_on_trial(slots, tmp_path)
    update_trial.write_marker(update_trial.UpdateMarker("1.0.0", "B", "1.1.0", "", boot="1"), tmp_path)
    assert update_status.is_update_on_trial(slots, tmp_path)
    update_trial.write_marker(update_trial.UpdateMarker("1.1.0", "A", "1.2.0", "", boot="2"), tmp_path)
    assert not update_status.is_update_on_trial(slots, tmp_path), "it waits for the restart"
    update_trial.remove_marker(tmp_path)
    assert not update_status.is_update_on_trial(slots, tmp_path)


def test_a_requested_update_that_never_starts_has_failed(tmp_path: Path) -> None:
    requested = RequestedUpdate("0123456789abcdef", datetime(2026, 11, 22, tzinfo=UTC), 1_000.0, None)
    deadline_s = 1_000.0 + update_status.UPDATE_START_TIMEOUT_S
    assert update_status.read_latest_progress(tmp_path, requested, deadline_s) is None
    found = update_status.read_latest_progress(tmp_path, requested, deadline_s + 0.1)
    assert found
    assert (found.state, found.text, found.at) == ("failed", "the Plug has not begun it", requested.at)
    tell(tmp_path, "update", {"state": "installing", "percent": 3, "at": 0})
    found = update_status.read_latest_progress(tmp_path, requested, deadline_s + 0.1)
    assert found
    assert found.is_under_way
