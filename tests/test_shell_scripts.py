"""All shell scripts of the repository, looked through by shellcheck."""

import shutil
import subprocess

import pytest

from tests import external_programs
from tests.children import ROOT

SCRIPTS = [path for path in external_programs.tracked() if external_programs.is_shell_script(path)]
needs_shellcheck = pytest.mark.skipif(
    shutil.which("shellcheck") is None, reason="no shellcheck: apt-get install shellcheck"
)


def test_all_scripts_are_found() -> None:
    assert {"build-image.sh", ".ci/run", "requirements/make-venv", "image/boot/init"} <= set(SCRIPTS)


@needs_shellcheck
@pytest.mark.parametrize("path", SCRIPTS)
def test_shellcheck_has_nothing_to_say(path: str) -> None:
    done = subprocess.run(["shellcheck", path], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@needs_shellcheck
def test_nor_has_it_of_the_completion_of_bash() -> None:
    command = ["shellcheck", "--shell=bash", "docs/completion/printmonitor.bash"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
