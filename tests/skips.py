"""Skipped tests: named at the end of a run, and refused in continuous integration unless they are listed.

tests/allowed_skips.tsv lists those that CI=true may skip: patterns for the test and for the reason, and why.
"""

import csv
import os
from collections import Counter, defaultdict
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import pytest

TABLE = "tests/allowed_skips.tsv"


class Allowed(NamedTuple):
    """A row of the table."""

    test: str
    reason: str
    why: str


def allowed(table: Path) -> list[Allowed]:
    """Return the rows of the table."""
    with table.open(newline="", encoding="utf-8") as file:
        lines = [line for line in file if line.strip() and not line.startswith("#")]
    return [Allowed(*row) for row in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE, strict=True)]


def register(config: pytest.Config) -> None:
    """Have this run count its skipped tests."""
    config.pluginmanager.register(Skips(allowed(config.rootpath / TABLE)), "skips")


class Skips:
    """A plugin of pytest: collects the skipped tests, of pytest-xdist's workers too."""

    def __init__(self, listed: list[Allowed]) -> None:
        self._listed = listed
        self._tests: defaultdict[str, list[str]] = defaultdict(list)  # by reason

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
            self._tests[reason.removeprefix("Skipped: ")].append(report.nodeid)

    def _why(self, test: str, reason: str) -> str | None:
        """Return why CI may skip the test; None if it may not."""
        for row in self._listed:
            if fnmatchcase(test, row.test) and fnmatchcase(reason, row.reason):
                return row.why
        return None

    def _refused(self) -> int:
        return sum(self._why(test, reason) is None for reason, tests in self._tests.items() for test in tests)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        main = not hasattr(session.config, "workerinput")  # a worker of pytest-xdist has one
        if main and _is_ci() and session.exitstatus == pytest.ExitCode.OK and self._refused():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._tests:
            return
        write = terminalreporter.write_line
        terminalreporter.section(f"{sum(map(len, self._tests.values()))} tests skipped")
        for reason, tests in sorted(self._tests.items(), key=lambda item: -len(item[1])):
            write(f"{len(tests):4}  {reason}")
            files = Counter(test.partition("::")[0] for test in tests)
            write(f"      {', '.join(f'{count} in {file}' for file, count in files.items())}")
            for why in sorted({self._why(test, reason) or "" for test in tests}):
                write(f"      {f'allowed in CI: {why}' if why else f'not allowed in CI: not in {TABLE}'}")
        if _is_ci() and (refused := self._refused()):
            write(f"failed: CI=true, and {refused} skipped tests are not in {TABLE}", red=True, bold=True)


def _is_ci() -> bool:
    return os.environ.get("CI") == "true"
