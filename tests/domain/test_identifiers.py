"""Serial numbers are compared the same way everywhere."""

import pytest

from appliance.domain.identifiers import identifier_key, is_same_serial


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("E71-833 C4", "e71-833c4"),
        (" e71-833c4\t", "e71-833c4"),
        ("", ""),
        (None, ""),
        ("Straße 1", "strasse1"),
    ],
)
def test_a_key_has_neither_blanks_nor_case(text: str | None, key: str) -> None:
    assert identifier_key(text) == key


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("E718", "E719", False),
        ("E71-833 C4", "e71833c4", True),
        ("000A5J431816", "A5J431816", True),
        ("", "E718", True),
        (None, None, True),
        ("U63982L6N626296", "U63982", True),
    ],
)
def test_serial_numbers(one: str | None, other: str | None, same: bool) -> None:
    assert is_same_serial(one, other) is same is is_same_serial(other, one)
