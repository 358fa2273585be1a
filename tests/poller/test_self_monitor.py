"""Troubles of the Plug itself are said once when they begin, once when they end."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.delivery import outbox
from appliance.domain.sending import PARCEL_OVERDUE_AFTER
from appliance.poller import self_monitor, trap_reports
from appliance.poller.self_monitor import DiskSpace
from appliance.privileged import boot_notes
from appliance.settings.schema import Config, Home, HttpsConfig, TransmissionConfig, TrapsConfig
from appliance.storage import events, save_reading, service_lifecycle, traps
from tests.storage.readings import reading

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ROOMY = DiskSpace(10 << 30, 16 << 30)
SENDING = Config(
    transmission=TransmissionConfig(mode="https", key="a key", https=HttpsConfig(url="https://host/"))
)


@pytest.fixture
def place(home: Path) -> Home:
    found = Home(home)
    found.create_folders()
    return found


def kinds(db: sqlite3.Connection) -> list[tuple[str, bool]]:
    return [(each.kind, each.ended_at is not None) for each in reversed(events.list_recent(db))]


def test_a_disk_that_fills_up(db: sqlite3.Connection, place: Home) -> None:
    free = [500, 70, 50, 40, 60, 80, 90, 200, 50]
    for number, megabytes in enumerate(free):
        self_monitor.run_checks(
            db, place, Config(), NOW + number * MINUTE, DiskSpace(megabytes << 20, 8 << 30)
        )
    assert kinds(db) == [("disk nearly full", True), ("disk nearly full", False)]


def test_a_small_disk_is_measured_by_its_size(db: sqlite3.Connection, place: Home) -> None:
    self_monitor.run_checks(db, place, Config(), NOW, DiskSpace(30 << 20, 256 << 20))
    assert kinds(db) == []
    self_monitor.run_checks(db, place, Config(), NOW, DiskSpace(5 << 20, 256 << 20))
    assert kinds(db) == [("disk nearly full", False)]


def test_an_outbox_that_grows(db: sqlite3.Connection, place: Home) -> None:
    parcel = outbox.put(db, place.outbox, "a", b"zip", NOW)
    self_monitor.run_checks(db, place, SENDING, NOW + PARCEL_OVERDUE_AFTER, ROOMY)
    assert kinds(db) == []
    for hours in (3, 7, 8):
        self_monitor.run_checks(db, place, SENDING, NOW + timedelta(hours=hours), ROOMY)
    assert kinds(db) == [("outbox growing", False)]
    outbox.mark_delivered(db, place.outbox, parcel, NOW + timedelta(hours=9))
    self_monitor.run_checks(db, place, SENDING, NOW + timedelta(hours=9), ROOMY)
    assert kinds(db) == [("outbox growing", True)]


def test_what_the_service_monitor_did_is_told_once(db: sqlite3.Connection, place: Home) -> None:
    folder = place.run / "answers"
    folder.mkdir()
    stamp = int(NOW.timestamp())
    (folder / "revived").write_text(f"{stamp} printmonitor-web.service failed\nnonsense\n{'9' * 30} x y\n")
    self_monitor.run_checks(db, place, Config(), NOW + MINUTE, ROOMY)
    self_monitor.run_checks(db, place, Config(), NOW + 2 * MINUTE, ROOMY)
    assert [(each.kind, each.subject) for each in events.list_recent(db)] == [
        ("service restarted", "printmonitor-web.service")
    ]


def test_what_the_service_monitor_did_is_told_whatever_the_clock_said_before(
    db: sqlite3.Connection, place: Home
) -> None:
    folder = place.run / "answers"
    folder.mkdir()
    stamp, told = int(NOW.timestamp()), []
    for line in (stamp + 315_532_800, stamp, stamp + 60):  # ten years ahead, then put right
        told.append(f"{line} printmonitor-web.service failed\n")
        (folder / "revived").write_text("".join(told))
        self_monitor.run_checks(db, place, Config(), NOW + MINUTE, ROOMY)
    assert len(events.list_recent(db)) == 3


def test_a_service_that_did_not_end_in_order(db: sqlite3.Connection, tmp_path: Path) -> None:
    boot = tmp_path / "boot_id"
    boot.write_text("one\n")
    service_lifecycle.mark_service_started(db, "web", NOW, boot)
    service_lifecycle.mark_service_stopped(db, "web")
    service_lifecycle.mark_service_started(db, "web", NOW, boot)
    assert events.list_recent(db) == []
    service_lifecycle.mark_service_started(db, "web", NOW, boot)
    boot.write_text("two\n")
    service_lifecycle.mark_service_started(db, "web", NOW, boot)
    texts = [each.text for each in reversed(events.list_recent(db))]
    assert ["unexpectedly" in text for text in texts] == [True, False]
    assert "power" in texts[1]


FAR = timedelta(hours=1)


def owing(db: sqlite3.Connection) -> int:
    printer_id = save_reading.store_reading(db, reading(), NOW - MINUTE)
    traps.mark_reports_pending(db, [printer_id], NOW - MINUTE)
    return printer_id


def test_a_status_parcel_goes_out_if_the_schedules_next_one_is_far(
    db: sqlite3.Connection, place: Home
) -> None:
    owing(db)
    assert trap_reports.enqueue_due_report(db, place, SENDING, NOW + 2 * MINUTE, NOW) is None
    parcel = trap_reports.enqueue_due_report(db, place, SENDING, NOW + FAR, NOW)
    assert parcel
    assert outbox.count_by_state(db, "waiting") == 1
    assert (
        trap_reports.enqueue_due_report(db, place, SENDING, NOW + FAR, NOW) is None
    )  # nothing is owed any more


def test_status_parcels_are_throttled_and_none_is_forgotten(db: sqlite3.Connection, place: Home) -> None:
    printer_id = owing(db)
    assert trap_reports.enqueue_due_report(db, place, SENDING, NOW + FAR, NOW)
    traps.mark_reports_pending(db, [printer_id], NOW + MINUTE)
    assert trap_reports.enqueue_due_report(db, place, SENDING, NOW + FAR, NOW + 2 * MINUTE) is None
    assert trap_reports.enqueue_due_report(db, place, SENDING, NOW + FAR, NOW + 5 * MINUTE)


@pytest.mark.parametrize(
    "config",
    [Config(), Config(transmission=SENDING.transmission, traps=TrapsConfig(report="off"))],
)
def test_nothing_is_owed_where_nothing_is_sent(db: sqlite3.Connection, place: Home, config: Config) -> None:
    owing(db)
    assert trap_reports.enqueue_due_report(db, place, config, NOW + FAR, NOW) is None
    assert traps.list_pending_reports(db) == []


def test_what_the_early_units_noted_is_told_once(db: sqlite3.Connection, place: Home, tmp_path: Path) -> None:
    noted = tmp_path / "notes"
    boot_notes.add_boot_note("data lost", "storage", "the data partition was made anew", noted)
    for _ in range(2):
        self_monitor.run_checks(db, place, Config(), NOW, ROOMY, notes_dir=noted)
    assert kinds(db) == [("data lost", True)]
    boot_notes.add_boot_note("provisioning", "printmonitor.toml", "it was taken over", noted)
    self_monitor.run_checks(db, place, Config(), NOW + MINUTE, ROOMY, notes_dir=noted)
    assert kinds(db) == [("data lost", True), ("provisioning", True)]
    (noted / "notes").unlink()  # the next start
    boot_notes.add_boot_note("provisioning", "printmonitor.toml", "it was taken over", noted)
    self_monitor.run_checks(db, place, Config(), NOW + 2 * MINUTE, ROOMY, notes_dir=noted)
    assert len(kinds(db)) == 3


def test_the_light_is_told_what_somebody_should_look_at(
    db: sqlite3.Connection, place: Home, tmp_path: Path
) -> None:
    def told(config: Config, space: DiskSpace = ROOMY) -> str:
        self_monitor.run_checks(db, place, config, NOW, space, notes_dir=tmp_path)
        return (place.run / "attention").read_text()

    assert told(Config()) == "The transmission is switched off: nothing is sent.\n"
    assert told(SENDING) == ""
    keyless = Config(transmission=TransmissionConfig(mode="https"))
    assert told(keyless).startswith("Nothing is sent: there is no transmission key")
    assert "storage has" in told(SENDING, DiskSpace(1 << 20, 8 << 30))
    assert told(SENDING) == ""
