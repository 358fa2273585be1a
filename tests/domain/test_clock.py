"""The time on a box that may not know it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance.domain.clock import EARLIEST, Clock, utc_now

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
IN_1970 = datetime(1970, 1, 1, 0, 0, 20, tzinfo=UTC)


class Box:
    """A computer whose clock can be set."""

    def __init__(self, wall: datetime, timesync: Path) -> None:
        self.wall, self.timesync, self.uptime = wall, timesync, 20.0

    def clock(self, seen: datetime | None) -> Clock:
        return Clock(seen, wall=lambda: self.wall, monotonic=lambda: self.uptime, timesync=self.timesync)

    def wait(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.uptime += seconds

    def synchronise(self, wall: datetime) -> None:
        self.wall = wall
        self.timesync.mkdir(exist_ok=True)
        (self.timesync / "synchronized").touch()


def test_a_right_clock_is_believed(tmp_path: Path) -> None:
    box = Box(NOW, tmp_path / "none")
    clock = box.clock(NOW - timedelta(days=400))
    assert clock() == NOW
    assert clock.settled()
    box.wait(5)
    assert clock() == NOW + timedelta(seconds=5)
    assert not clock.take_jump()


def test_a_box_that_starts_in_1970_goes_on_from_the_last_time_that_it_saw(tmp_path: Path) -> None:
    box = Box(IN_1970, tmp_path / "none")
    clock = box.clock(NOW)
    assert clock() == NOW
    box.wait(90)
    assert clock() == NOW + timedelta(seconds=90)
    assert not clock.settled()


def test_a_new_box_that_starts_in_1970_stamps_nothing_before_it_was_made(tmp_path: Path) -> None:
    assert Box(IN_1970, tmp_path / "none").clock(None)() == EARLIEST


def test_the_time_server_puts_it_right(tmp_path: Path) -> None:
    box = Box(IN_1970, tmp_path / "timesync")
    clock = box.clock(NOW)
    assert not clock.settled()
    box.wait(30)
    box.synchronise(NOW + timedelta(days=800))
    assert clock() == NOW + timedelta(days=800)
    assert clock.settled()


def test_a_restored_time_is_used_but_another_one_is_expected(tmp_path: Path) -> None:
    (tmp_path / "timesync").mkdir()
    box = Box(NOW, tmp_path / "timesync")
    clock = box.clock(NOW - timedelta(hours=1))
    assert clock() == NOW
    assert not clock.settled()


def test_a_time_server_is_believed_where_the_last_time_was_wrong(tmp_path: Path) -> None:
    box = Box(NOW, tmp_path / "timesync")
    box.synchronise(NOW)
    assert box.clock(NOW + timedelta(days=5000))() == NOW


def test_a_clock_that_somebody_sets_back_is_followed_and_told_of(tmp_path: Path) -> None:
    box = Box(NOW, tmp_path / "none")
    clock = box.clock(None)
    clock()
    box.wait(60)
    box.wall -= timedelta(days=100)
    assert clock() == NOW - timedelta(days=100) + timedelta(seconds=60)
    assert clock.take_jump() == -timedelta(days=100)
    assert not clock.take_jump()


def test_a_clock_that_falls_back_to_1970_is_not_followed(tmp_path: Path) -> None:
    box = Box(NOW, tmp_path / "none")
    clock = box.clock(None)
    clock()
    box.wait(60)
    box.wall = IN_1970
    assert clock() == NOW + timedelta(seconds=60)


def test_an_ordinary_correction_is_not_told_of(tmp_path: Path) -> None:
    box = Box(NOW, tmp_path / "none")
    clock = box.clock(None)
    clock()
    box.wall += timedelta(seconds=3)
    clock()
    assert not clock.take_jump()


def test_time_goes_on_between_two_looks(tmp_path: Path) -> None:
    clock = Clock(None, timesync=tmp_path / "none")
    before = utc_now()
    assert before <= clock() <= utc_now()
