"""Convert records to JSON: times in ISO 8601, vague amounts in words, no secrets."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from appliance.cli.terminal import Json
from appliance.domain.model import VagueAmount

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

# Secrets, and the poll cache, which is internal to the collector.
OMITTED_FIELDS = frozenset({"community_read", "community_write", "http_username", "http_password", "plan"})


def to_json(value: object) -> Json:
    """Return a record, or anything a record may hold, ready for a JSON document."""
    if isinstance(value, Mapping):
        return {str(key): to_json(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(part) for part in value]
    if is_dataclass(value) and not isinstance(value, type):
        return record_to_json(value)
    return _scalar_to_json(value)


def record_to_json(value: "DataclassInstance") -> dict[str, Json]:
    """Return a record's fields by name."""
    names = [field.name for field in fields(value) if field.name not in OMITTED_FIELDS]
    return {name.rstrip("_"): to_json(getattr(value, name)) for name in names}


def _scalar_to_json(value: object) -> Json:
    match value:
        case VagueAmount():
            return value.name.lower().replace("_", " ")
        case Enum():
            return str(value.value)
        case datetime():
            return value.isoformat()
        case None | bool() | int() | float() | str():
            return value
    raise TypeError(f"no JSON for {type(value).__name__}")
