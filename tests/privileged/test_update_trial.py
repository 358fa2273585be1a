"""What came of an update is found by what the box was, and what it is after the reboot."""

import dataclasses
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.privileged import update_trial
from appliance.privileged.update_trial import UpdateMarker

NOW = datetime(2026, 11, 22, 2, 5, tzinfo=UTC)
MARKER = UpdateMarker(
    "1.0.0", "B", "1.1.0", "2026-11-22T02:00:00+00:00", "boot-1", installed=True, action="17"
)


def boots(root: Path, slot: str, boot: str) -> None:
    (root / "proc/sys/kernel/random").mkdir(parents=True, exist_ok=True)
    (root / "proc/sys/kernel/random/boot_id").write_text(f"{boot}\n")
    (root / "proc/cmdline").write_text(f"root=PARTUUID=504c5547-02 ro rauc.slot={slot} panic=10\n")


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """Runs slot A; an update was installed into slot B."""
    boots(tmp_path, "A", "boot-1")
    update_trial.write_marker(MARKER, tmp_path)
    return tmp_path


def test_nothing_is_on_trial_where_there_is_no_marker(tmp_path: Path) -> None:
    boots(tmp_path, "A", "boot-1")
    assert update_trial.trial_state(tmp_path) == "none"
    assert update_trial.conclude_trial(NOW, tmp_path, good=True) is None
    assert update_trial.read_outcome(tmp_path) is None


def test_before_the_reboot_there_is_nothing_to_judge(box: Path) -> None:
    assert update_trial.trial_state(box) == "pending"
    assert update_trial.conclude_trial(NOW, box, good=True) is None
    assert update_trial.read_marker(box) == MARKER


def test_the_new_version_is_on_trial_until_it_is_marked_good(box: Path) -> None:
    boots(box, "B", "boot-2")
    assert update_trial.is_trial_boot(box)
    assert update_trial.conclude_trial(NOW, box) is None
    assert update_trial.is_trial_boot(box)
    found = update_trial.conclude_trial(NOW, box, good=True)
    assert found is not None
    assert (found.came, found.trial, found.booted) == ("updated", MARKER, "boot-2")
    assert update_trial.trial_state(box) == "none"
    assert update_trial.read_outcome(box) == found


def test_the_old_version_again_means_that_the_box_fell_back(box: Path) -> None:
    boots(box, "B", "boot-2")
    update_trial.record_reason("the page does not answer", box)
    boots(box, "A", "boot-3")
    found = update_trial.conclude_trial(NOW, box)
    assert found is not None
    assert (found.came, found.trial.why) == ("fell back", "the page does not answer")
    assert not update_trial.is_trial_boot(box)


def test_a_power_cut_while_it_was_written_is_no_fall_back(box: Path) -> None:
    update_trial.write_marker(dataclasses.replace(MARKER, installed=False), box)
    boots(box, "A", "boot-2")
    found = update_trial.conclude_trial(NOW, box)
    assert found is not None
    assert found.came == "interrupted"


def test_a_power_cut_after_the_boot_loader_was_told_is_a_trial(box: Path) -> None:
    update_trial.write_marker(dataclasses.replace(MARKER, installed=False), box)
    boots(box, "B", "boot-2")
    assert update_trial.is_trial_boot(box)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"to_slot": 1}', "[" * 5_000, '{"to_slot": "B"}'])
def test_a_marker_that_makes_no_sense_is_none(tmp_path: Path, text: str) -> None:
    boots(tmp_path, "B", "boot-2")
    (tmp_path / "data/rauc").mkdir(parents=True)
    for name in (update_trial.MARKER_PATH, update_trial.OUTCOME_PATH):
        (tmp_path / name).write_text(text)
    assert update_trial.trial_state(tmp_path) == "none"
    assert update_trial.read_outcome(tmp_path) is None


def test_the_services_may_read_both(box: Path) -> None:
    assert stat.S_IMODE((box / update_trial.MARKER_PATH).stat().st_mode) == 0o644
    boots(box, "B", "boot-2")
    update_trial.conclude_trial(NOW, box, good=True)
    assert stat.S_IMODE((box / update_trial.OUTCOME_PATH).stat().st_mode) == 0o644
    assert not (box / update_trial.MARKER_PATH).exists()


def test_a_machine_without_slots_has_none(tmp_path: Path) -> None:
    assert update_trial.read_booted_slot(tmp_path) == ""
    assert update_trial.read_boot_id(tmp_path) == ""
