"""Runs of pytest with skipped tests, in continuous integration and elsewhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.children import ROOT

CONFTEST = "from tests.skips import register\n\n\ndef pytest_configure(config): register(config)\n"
LISTED = "# why\ntests/test_a.py::test_clock\tno time*\tthe clock\n"
CLOCK = "import pytest\n\n\ndef test_clock(): pytest.skip('no time left')\n"
TOOL = "@pytest.mark.skip(reason='no mkimage')\ndef test_{}(): pass\n"
TWO_TOOLS = TOOL.format("one") + TOOL.format("two")
MODULE = "import pytest\npytest.importorskip('no_such_module_here')\n"
DESELECTED = "@pytest.mark.image\ndef test_of_the_image(): pass\n"
EXPECTED = "@pytest.mark.xfail\ndef test_known(): assert False\n"
PASSING = "\n\ndef test_passing(): pass\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -m 'not image'\nmarkers = image\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/conftest.py").write_text(CONFTEST)
    (tmp_path / "tests/allowed_skips.tsv").write_text(LISTED)
    return tmp_path


def run(project: Path, test: str, *options: str, ci: str = "true") -> tuple[int, str]:
    """Return the exit status and the output of a run of pytest."""
    (project / "tests/test_a.py").write_text(test)
    (project / "tests/test_b.py").write_text(PASSING)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"PYTHONPATH": str(ROOT), "CI": ci}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_ci_fails_for_a_skipped_test_that_is_not_listed(project: Path, options: tuple[str, ...]) -> None:
    status, output = run(project, CLOCK + TWO_TOOLS, *options)
    assert status == 1, output
    assert "3 tests skipped" in output
    assert "   2  no mkimage\n      2 in tests/test_a.py\n      not allowed in CI" in output
    assert "   1  no time left\n      1 in tests/test_a.py\n      allowed in CI: the clock" in output
    assert "failed: CI=true, and 2 skipped tests are not in tests/allowed_skips.tsv" in output


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_ci_fails_for_a_module_that_skips_itself(project: Path, options: tuple[str, ...]) -> None:
    status, output = run(project, MODULE, *options)
    assert status == 1, output
    assert "no_such_module_here" in output
    assert "failed: CI=true" in output


def test_ci_passes_with_listed_ones(project: Path) -> None:
    status, output = run(project, CLOCK)
    assert status == 0, output
    assert "1 tests skipped" in output
    assert "failed" not in output


def test_a_listed_reason_counts_for_its_test_alone(project: Path) -> None:
    assert run(project, CLOCK.replace("test_clock", "test_other"))[0] == 1


def test_deselected_and_expected_failures_are_not_skipped(project: Path) -> None:
    status, output = run(project, "import pytest\n\n\n" + DESELECTED + EXPECTED)
    assert status == 0, output
    assert "tests skipped" not in output


def test_elsewhere_it_is_only_said(project: Path) -> None:
    status, output = run(project, CLOCK + TWO_TOOLS, ci="")
    assert status == 0, output
    assert "not allowed in CI" in output
    assert "failed" not in output
