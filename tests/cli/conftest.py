"""What the tests of commands share."""

import pytest

from tests.command_line import Here, typist


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Here:
    """Types commands in this process, at a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("PRINTMONITOR_STATE", raising=False)
    return typist(capsys)
