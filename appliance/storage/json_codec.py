"""Frozen records as JSON text: compact, and still readable after the record has gained or lost a field."""

import json
from collections.abc import Mapping
from dataclasses import fields
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, TypeVar, get_args, get_origin, get_type_hints

from appliance.domain.messages import SUFFIX, Message, add_message_fields, restore_messages
from appliance.domain.model import VagueAmount

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Record = TypeVar("Record", bound="DataclassInstance")
JsonObject = Mapping[str, object]

_VAGUE_BY_VALUE = {vague.value: vague for vague in VagueAmount}


def encode(record: "DataclassInstance") -> str:
    """The record's values, those that are their field's default left out; a Vague is its number."""
    values = {}
    for name, default in _field_defaults(type(record)):
        value = getattr(record, name)
        if value != default:
            values[name] = value
    return _dumps(add_message_fields(values) if Message in map(type, values.values()) else values)


def decode(record_type: type[Record], text: str) -> Record:
    """The record again: unknown keys are ignored, missing ones take their default."""
    names, amounts, tuples = _field_sets(record_type)
    values, _ = _raw_decode(text)
    if f'{SUFFIX}":' in text:
        values = restore_messages(values)
    if not values.keys() <= names:
        values = {name: value for name, value in values.items() if name in names}
    if ":-" in text:  # a thousand printers are thirty thousand rows: few of them hold a negative number
        for name in amounts & values.keys():
            values[name] = _VAGUE_BY_VALUE.get(values[name], values[name])
    for name in tuples:
        if name in values:
            values[name] = tuple(values[name])
    return record_type(**values)


def encode_json(values: JsonObject) -> str:
    """Values as JSON text; a Message keeps code and parameters."""
    return _dumps(add_message_fields(values))


def decode_json(text: str) -> dict[str, object]:
    values = restore_messages(json.loads(text))
    return values if isinstance(values, dict) else {}


def _encode_enum(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    raise TypeError(f"{value!r} has no place in the database")


# ASCII only: escapes carry whatever text a device sends, half a surrogate pair included.
_dumps = json.JSONEncoder(separators=(",", ":"), default=_encode_enum).encode
_raw_decode = json.JSONDecoder().raw_decode


@cache
def _field_defaults(record_type: "type[DataclassInstance]") -> tuple[tuple[str, object], ...]:
    return tuple((field.name, field.default) for field in fields(record_type))


@cache
def _field_sets(
    record_type: "type[DataclassInstance]",
) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """The names of all fields, of those that are an Amount, and of those that are a tuple."""
    hints = get_type_hints(record_type)
    names = frozenset(field.name for field in fields(record_type))
    amounts = frozenset(name for name in names if VagueAmount in get_args(hints[name]))
    return names, amounts, frozenset(name for name in names if get_origin(hints[name]) is tuple)
