"""Root's work in somebody else's folder is that somebody's work."""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.privileged import run_as_owner

NOBODY = 65_534
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")


@pytest.fixture
def theirs() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as above:  # pytest's own folders let nobody in
        Path(above).chmod(0o755)
        folder = Path(above) / "theirs"
        folder.mkdir(mode=0o700)
        os.chown(folder, NOBODY, NOBODY)
        yield folder


def test_whoever_owns_it_does_it_at_once(tmp_path: Path) -> None:
    assert run_as_owner.call_as_owner(tmp_path, lambda: str(os.getpid())) == str(os.getpid())


@only_root
def test_root_becomes_the_owner_for_it(theirs: Path) -> None:
    def do() -> str:
        (theirs / "made").write_text("")
        return f"{os.getuid()} {os.getgid()} {os.getgroups()} {os.geteuid()}"

    assert run_as_owner.call_as_owner(theirs, do) == f"{NOBODY} {NOBODY} [] {NOBODY}"
    assert (theirs / "made").stat().st_uid == NOBODY


@only_root
def test_a_link_of_theirs_leads_root_nowhere(theirs: Path, tmp_path: Path) -> None:
    secret = tmp_path / "roots"
    secret.write_text("as it was")
    secret.chmod(0o600)
    (theirs / "settings.toml").symlink_to(secret)
    with pytest.raises(run_as_owner.OwnerProcessError, match="PermissionError"):
        run_as_owner.call_as_owner(theirs, lambda: str((theirs / "settings.toml").write_text("theirs")))
    assert secret.read_text() == "as it was"


@only_root
def _sleep() -> str:
    time.sleep(60)
    return ""


def test_what_does_not_end_is_ended(theirs: Path) -> None:
    with pytest.raises(run_as_owner.OwnerProcessError, match="does not come to an end"):
        run_as_owner.call_as_owner(theirs, _sleep, timeout_s=0.2)
