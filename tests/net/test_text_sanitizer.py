"""Foreign texts in messages are printable, on one line and short."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.net.text_sanitizer import MAX_MESSAGE_CHARS, one_line, printable

HOSTILE = "a\x1b[31m\u202eb\r\n\tc"


@pytest.mark.parametrize(
    ("replacement", "keep", "shown"),
    [(" ", "", "a [31m b   c"), ("?", "", "a?[31m?b???c"), ("", "", "a[31mbc"), (" ", "\n", "a [31m b \n c")],
)
def test_what_is_not_printable_is_replaced(replacement: str, keep: str, shown: str) -> None:
    assert printable(HOSTILE, replacement, keep=keep) == shown


def test_one_line() -> None:
    assert one_line(HOSTILE) == "a [31m b c"
    assert one_line("x" * 1_000) == "x" * MAX_MESSAGE_CHARS
    assert one_line("a b c", 3) == "a b"


@given(st.text())
def test_any_text_becomes_one_printable_line(text: str) -> None:
    shown = one_line(text)
    assert shown.isprintable()
    assert len(shown) <= MAX_MESSAGE_CHARS
    assert one_line(shown) == shown or len(shown) == MAX_MESSAGE_CHARS
