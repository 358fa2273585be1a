"""A bundle is there whole, or not at all."""

import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.updates import bundle_store
from appliance.updates.bundle_store import BundleNoSpaceError, BundleTooLargeError

FULL = """
import resource, signal, sys
from pathlib import Path
from appliance.updates import bundle_store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (99, 99))
try:
    with bundle_store.receive_bundle(Path(sys.argv[1]), 10) as bundle:
        bundle.write(b"x" * 100_000)
except bundle_store.BundleNoSpaceError as error:
    print(error)
"""


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_it_takes_its_place_when_it_is_whole(tmp_path: Path) -> None:
    folder = tmp_path / "updates"
    for data in (b"first", b"second"):
        with bundle_store.receive_bundle(folder, len(data)) as bundle:
            bundle.write(data)
            assert bundle_store.find_bundle(folder) is None
        found = bundle_store.find_bundle(folder)
        assert found
        assert found.path.read_bytes() == data
        assert found.size == len(data)
    assert names(folder) == [bundle_store.BUNDLE_FILENAME]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / bundle_store.BUNDLE_FILENAME).stat().st_mode) == 0o600


def test_what_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    def breaks_off() -> None:
        with bundle_store.receive_bundle(tmp_path, None) as bundle:
            bundle.write(b"half")
            raise ConnectionError

    with pytest.raises(ConnectionError):
        breaks_off()
    assert names(tmp_path) == []


def test_what_a_power_cut_left_over_goes(tmp_path: Path) -> None:
    (tmp_path / f"{bundle_store.PARTIAL_PREFIX}abc").write_bytes(b"half")
    with bundle_store.receive_bundle(tmp_path, None) as bundle:
        bundle.write(b"whole")
    assert names(tmp_path) == [bundle_store.BUNDLE_FILENAME]


def test_what_is_too_large_is_refused_before_and_while_it_comes(tmp_path: Path) -> None:
    with (
        pytest.raises(BundleTooLargeError, match="401 MB"),
        bundle_store.receive_bundle(tmp_path, bundle_store.MAX_BUNDLE_BYTES + (1 << 20)),
    ):
        pass

    def grows() -> None:
        with bundle_store.receive_bundle(tmp_path, None) as bundle:
            bundle.size = bundle_store.MAX_BUNDLE_BYTES
            bundle.write(b"x")

    with pytest.raises(BundleTooLargeError):
        grows()
    assert names(tmp_path) == []


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    assert resource.RLIM_INFINITY in resource.getrlimit(resource.RLIMIT_FSIZE)
    command = [sys.executable, "-c", FULL, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "Not enough space is left.\n"
    assert names(tmp_path) == []


def test_room_is_looked_for_before(tmp_path: Path) -> None:
    small = Path("/proc")  # a file system without any room
    with pytest.raises(BundleNoSpaceError, match="0 MB are free"):
        bundle_store._check_space(small, 10)
