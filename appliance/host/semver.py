"""Which of two versions is older: semantic versioning 2.0.0, section 11, with one or two numbers allowed.

RAUC compares in the same way (its min-bundle-version), so the Plug and the box never disagree.
"""

import re

from appliance.domain.messages import Message

# Numbers, then -pre.release, which is before the version itself, then +build, which says nothing of order.
_VERSION_PATTERN = re.compile(
    r"(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?",
    re.ASCII,
)
MAX_VERSION_CHARS = 64

VersionKey = tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...]]


class InvalidVersionError(ValueError):
    """The text is no version that could be compared."""


def version_key(text: str) -> VersionKey:
    """What sorts as the versions do. Raises BadVersion."""
    found = _VERSION_PATTERN.fullmatch(text) if len(text) <= MAX_VERSION_CHARS else None
    if found is None:
        raise InvalidVersionError(Message("version.invalid", text=repr(text[:MAX_VERSION_CHARS])))
    numbers = tuple(int(found[part] or 0) for part in (1, 2, 3))
    pre = found[4].split(".") if found[4] else []
    return numbers, not pre, tuple(_identifier_key(part) for part in pre)


def is_older(text: str, other: str) -> bool:
    """Raises BadVersion."""
    return version_key(text) < version_key(other)


def is_newer(text: str, other: str) -> bool:
    """False also where one of them is no version: nothing is offered that cannot be compared."""
    try:
        return version_key(text) > version_key(other)
    except InvalidVersionError:
        return False


def _identifier_key(part: str) -> tuple[bool, int, str]:
    """Numbers sort as numbers, and before words."""
    return (False, int(part), "") if part.isdecimal() else (True, 0, part)
