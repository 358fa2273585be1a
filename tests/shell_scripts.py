"""All shell scripts of the repository, looked through by shellcheck."""

import shutil
import subprocess

import pytest

from tests import external_programs
from tests.children import ROOT

pytestmark = pytest.mark.skipif(
    shutil.which("shellcheck") is None, reason="no shellcheck: apt-get install shellcheck"
)


def complaints(*arguments: str) -> str:
    """Return what shellcheck says."""
    done = subprocess.run(["shellcheck", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def test_shellcheck_has_nothing_to_say() -> None:
    scripts = [path for path in external_programs.tracked() if external_programs.is_shell_script(path)]
    assert {"build-image.sh", ".ci/run", "requirements/make-venv", "image/boot/init"} <= set(scripts)
    assert complaints(*scripts) == ""


def test_nor_has_it_of_the_completion_of_bash() -> None:
    assert complaints("--shell=bash", "docs/completion/printmonitor.bash") == ""
