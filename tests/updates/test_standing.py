"""What root tells is read, whatever somebody wrote there."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.system import trial
from appliance.updates import standing
from appliance.updates.standing import Order, Progress, Slots

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
    assert standing.progress(tmp_path) is None
    assert standing.slots(tmp_path) is None
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
    assert standing.slots(tmp_path) == Slots("B", "1.1.0", "A", "1.0.0", "good", "2")
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    found = standing.progress(tmp_path)
    assert found == Progress("installing", 40, "Updating slots", "", "1.2", "", "", reboots=True, at=epoch)
    assert found.is_under_way


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"percent": "x", "at": 1}', "[" * 9_000])
def test_what_makes_no_sense_is_nothing(tmp_path: Path, text: str) -> None:
    tell(tmp_path, "update", text)
    assert standing.progress(tmp_path) is None


def test_a_version_is_on_trial_until_its_marker_goes(tmp_path: Path) -> None:
    slots = Slots("B", "1.1.0", "A", "1.0.0", "good", boot="2")
    assert not standing.is_on_trial(slots, tmp_path)
    trial.begin(trial.Trial("A", "1.0.0", "B", "1.1.0", "", boot="1"), tmp_path)
    assert standing.is_on_trial(slots, tmp_path)
    trial.begin(trial.Trial("B", "1.1.0", "A", "1.2.0", "", boot="2"), tmp_path)
    assert not standing.is_on_trial(slots, tmp_path), "it waits for the restart"
    trial.remove(tmp_path)
    assert not standing.is_on_trial(slots, tmp_path)


def test_an_order_that_is_never_begun_has_failed(tmp_path: Path) -> None:
    order = Order("0123456789abcdef", datetime(2026, 11, 22, tzinfo=UTC), 1_000.0, None)
    assert standing.latest(tmp_path, order, 1_000.0 + standing.BEGIN_TIMEOUT_S) is None
    found = standing.latest(tmp_path, order, 1_000.1 + standing.BEGIN_TIMEOUT_S)
    assert found
    assert (found.state, found.text, found.at) == ("failed", "the Plug has not begun it", order.at)
    tell(tmp_path, "update", {"state": "installing", "percent": 3, "at": 0})
    found = standing.latest(tmp_path, order, 1_000.1 + standing.BEGIN_TIMEOUT_S)
    assert found
    assert found.is_under_way
