"""Which of two versions is older: semantic versioning 2.0.0, section 11, with one or two numbers allowed.

RAUC compares in the same way (its min-bundle-version), so the Plug and the box never disagree.
"""

import re

# Numbers, then -pre.release, which is before the version itself, then +build, which says nothing of order.
_FORM = re.compile(
    r"(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?",
    re.ASCII,
)
MOST_CHARACTERS = 64

Order = tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...]]


class BadVersion(ValueError):
    """The text is no version that could be compared."""


def order(text: str) -> Order:
    """What sorts as the versions do. Raises BadVersion."""
    found = _FORM.fullmatch(text) if len(text) <= MOST_CHARACTERS else None
    if found is None:
        raise BadVersion(f"{text[:MOST_CHARACTERS]!r} is no version such as 1.4.2")
    numbers = tuple(int(found[part] or 0) for part in (1, 2, 3))
    pre = found[4].split(".") if found[4] else []
    return numbers, not pre, tuple(_identifier(part) for part in pre)


def is_older(text: str, than: str) -> bool:
    """Raises BadVersion."""
    return order(text) < order(than)


def is_newer(text: str, than: str) -> bool:
    """False also where one of them is no version: nothing is offered that cannot be compared."""
    try:
        return order(text) > order(than)
    except BadVersion:
        return False


def _identifier(part: str) -> tuple[bool, int, str]:
    """Numbers sort as numbers, and before words."""
    return (False, int(part), "") if part.isdecimal() else (True, 0, part)
