from pathlib import Path

import pytest

from tests.command_line import Here


@pytest.mark.parametrize(
    "arguments", [["show"], ["retry"], ["list", "all"], ["show", "abcd1234"], ["retry", "abcd1234"]]
)
def test_outbox_says_what_it_cannot_do(arguments: list[str], here: Here, tmp_path: Path) -> None:
    ended = here("outbox", *arguments, state=tmp_path)
    assert ended.code == 2
    assert ended.complaint.startswith("printmonitor: ")
