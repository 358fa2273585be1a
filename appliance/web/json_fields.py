"""JSON as Python sees it, taken apart with types."""

from collections.abc import Mapping

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Object = Mapping[str, Json]


def text(body: Object, key: str) -> str | None:
    """The text under a key; None where it is left out."""
    value = body.get(key)
    return value if isinstance(value, str) else None


def number(body: Object, key: str) -> int | None:
    """The whole number under a key; None where it is left out."""
    value = body.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def truth(body: Object, key: str) -> bool | None:
    """The boolean under a key; None where it is left out."""
    value = body.get(key)
    return value if isinstance(value, bool) else None


def part(body: Object, key: str) -> Object:
    """The object under a key; an empty one where it is left out."""
    value = body.get(key)
    return value if isinstance(value, dict) else {}


def text_or(body: Object, key: str, before: str) -> str:
    """The text under a key without blanks around it; what was there before where it is left out."""
    found = text(body, key)
    return before if found is None else found.strip()
