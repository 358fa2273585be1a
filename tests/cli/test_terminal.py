import json
import os
import pty
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.cli import terminal
from tests import children


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\x9b2J", "a\\x9b2J"),  # C1: the same as ESC [ on many terminals
        ("one\r\ntwo\tthree", "one  two three"),
        ("invoice\u202egpj.exe", "invoice\\u202egpj.exe"),
        ("half \ud83d", "half \\ud83d"),
        ("Büro 3, 京セラ", "Büro 3, 京セラ"),
        ("zero\0", "zero\\x00"),
    ],
)
def test_nothing_that_a_terminal_obeys_gets_through(text: str, shown: str) -> None:
    assert terminal.clean(text) == shown


@given(st.text())
def test_cleaned_text_is_printable(text: str) -> None:
    assert terminal.clean(text).isprintable() or all(
        character.isprintable() or character.isspace() or character.isalnum() or ord(character) > 0xFF
        for character in terminal.clean(text)
    )


TITLES = ("Address", "Model", "Serial number", "Pages", "Lowest supply", "State")
ROW = (
    "127.20.0.1",
    "RICOH Aficio MP C4000",
    "V1399605417",
    "3,068",
    "cyan 12 %",
    "low paper, no toner, jammed",
)


@given(st.lists(st.tuples(*[st.text(max_size=60)] * 6), max_size=5), st.integers(60, 200))
def test_table_never_passes_the_edge(rows: list[tuple[str, ...]], width: int) -> None:
    lines = terminal.table(TITLES, rows, ("Pages",), width)
    assert all(terminal.measure(line) <= width for line in lines)


def test_table_shows_every_cell_whole() -> None:
    lines = terminal.table(TITLES, [ROW], ("Pages",), 80)
    squeezed = "".join("".join(lines).split())
    assert "jammed" in squeezed
    assert "127.20.0.1" in lines[2] or "127.20.0.1" in lines[3]  # an address is never broken
    assert terminal.table(("A", "Pages"), [("x", "5"), ("y", "1,000")], ("Pages",))[2:] == [
        "x      5",
        "y  1,000",
    ]


def test_wide_characters_count_twice() -> None:
    assert terminal.table(("A", "B"), [("京セラ", "x"), ("abc", "y")])[2:] == ["京セラ  x", "abc     y"]


PROGRESS = "from appliance.cli.terminal import Progress; p = Progress(); p.show('half\\x1b[2J'); p.end()"


def test_progress_line_on_a_terminal_only() -> None:
    command = [sys.executable, "-c", PROGRESS]
    piped = subprocess.run(command, capture_output=True, cwd=children.ROOT, check=True)
    assert piped.stderr == b""
    master, slave = pty.openpty()
    subprocess.run(command, stderr=slave, cwd=children.ROOT, check=True)
    os.close(slave)
    seen = os.read(master, 1_000)
    os.close(master)
    assert b"half\\x1b[2J" in seen
    assert b"\x1b" not in seen


def test_document_escapes_what_is_not_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.document({"text": "\x9b31m\x1b"})
    printed = capsys.readouterr().out
    assert printed.isascii()
    assert "\x1b" not in printed
    assert json.loads(printed) == {"text": "\x9b31m\x1b"}
