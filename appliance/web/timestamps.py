"""Times as the API writes them."""

from datetime import UTC, datetime


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC, with milliseconds only where there are some."""
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds").removesuffix(".000")
    return f"{text}Z"


def maybe_stamp(moment: datetime | None) -> str | None:
    return None if moment is None else stamp(moment)
