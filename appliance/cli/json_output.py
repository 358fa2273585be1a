"""Records as JSON holds them: times in ISO 8601, vague amounts in words, no secrets."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from appliance.cli.terminal import Json
from appliance.domain.model import Vague

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

# Communities and passwords are nobody's business who only reads an output; the plan is the reader's own.
LEFT_OUT = frozenset({"community_read", "community_write", "http_username", "http_password", "plan"})


def plain(value: object) -> Json:
    """Return a record, or anything a record may hold, ready for a JSON document."""
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if is_dataclass(value) and not isinstance(value, type):
        return record(value)
    return _single(value)


def record(value: "DataclassInstance") -> dict[str, Json]:
    """Return a record's fields by name."""
    names = [field.name for field in fields(value) if field.name not in LEFT_OUT]
    return {name.rstrip("_"): plain(getattr(value, name)) for name in names}


def _single(value: object) -> Json:
    match value:
        case Vague():
            return value.name.lower().replace("_", " ")
        case Enum():
            return str(value.value)
        case datetime():
            return value.isoformat()
        case None | bool() | int() | float() | str():
            return value
    raise TypeError(f"no JSON for {type(value).__name__}")
