"""Read fields of JSON objects with types, and format times as the API has them."""

from collections.abc import Mapping
from datetime import UTC, datetime

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
JsonMapping = Mapping[str, Json]


def get_str(body: JsonMapping, key: str) -> str | None:
    """The text under a key; None where it is left out."""
    value = body.get(key)
    return value if isinstance(value, str) else None


def get_int(body: JsonMapping, key: str) -> int | None:
    """The whole number under a key; None where it is left out."""
    value = body.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def get_bool(body: JsonMapping, key: str) -> bool | None:
    """The boolean under a key; None where it is left out."""
    value = body.get(key)
    return value if isinstance(value, bool) else None


def get_object(body: JsonMapping, key: str) -> JsonMapping:
    """The object under a key; an empty one where it is left out."""
    value = body.get(key)
    return value if isinstance(value, dict) else {}


def get_str_or(body: JsonMapping, key: str, default: str) -> str:
    """The text under a key without blanks around it; what was there before where it is left out."""
    found = get_str(body, key)
    return default if found is None else found.strip()


def format_timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC, with milliseconds only where there are some."""
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds").removesuffix(".000")
    return f"{text}Z"


def format_optional_timestamp(moment: datetime | None) -> str | None:
    return None if moment is None else format_timestamp(moment)
