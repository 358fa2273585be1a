"""Counts as people's pages write them: `51482`, `12,345 pages`, `1'234'567`, `12 087`."""

import re

MAX_COUNT = 2**63 - 1
_GROUP_SEPARATOR = "[.,' \N{RIGHT SINGLE QUOTATION MARK}\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]"
_COUNT_PATTERN = re.compile(
    rf"([0-9]{{1,3}}(?:{_GROUP_SEPARATOR}[0-9]{{3}})+|[0-9]{{1,19}})(?:\s*[^\W\d_]{{1,20}})?"
)


def parse_count(text: str) -> int | None:
    """The whole number that a cell holds, with or without its unit; None for percentages, dates, words."""
    found = _COUNT_PATTERN.fullmatch(text.strip())
    if found is None:
        return None
    value = int(re.sub(_GROUP_SEPARATOR, "", found[1]))
    return value if value <= MAX_COUNT else None
