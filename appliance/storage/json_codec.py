"""Frozen records as JSON text: compact, and still readable after the record has gained or lost a field."""

import json
from collections.abc import Mapping
from dataclasses import fields
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, TypeVar, get_args, get_origin, get_type_hints

from appliance.domain.model import Vague

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Record = TypeVar("Record", bound="DataclassInstance")
Json = Mapping[str, object]

_VAGUE = {vague.value: vague for vague in Vague}


def encode(record: "DataclassInstance") -> str:
    """The record's values, those that are their field's default left out; a Vague is its number."""
    values = {}
    for name, default in _defaults(type(record)):
        value = getattr(record, name)
        if value != default:
            values[name] = value
    return _json(values)


def decode(kind: type[Record], text: str) -> Record:
    """The record again: unknown keys are ignored, missing ones take their default."""
    names, amounts, tuples = _shape(kind)
    values, _ = _parse(text)
    if not values.keys() <= names:
        values = {name: value for name, value in values.items() if name in names}
    if ":-" in text:  # a thousand printers are thirty thousand rows: few of them hold a negative number
        for name in amounts & values.keys():
            values[name] = _VAGUE.get(values[name], values[name])
    for name in tuples:
        if name in values:
            values[name] = tuple(values[name])
    return kind(**values)


def encode_json(values: Json) -> str:
    return _json(values)


def decode_json(text: str) -> dict[str, object]:
    values = json.loads(text)
    return values if isinstance(values, dict) else {}


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    raise TypeError(f"{value!r} has no place in the database")


# ASCII only: escapes carry whatever text a device sends, half a surrogate pair included.
_json = json.JSONEncoder(separators=(",", ":"), default=_plain).encode
_parse = json.JSONDecoder().raw_decode


@cache
def _defaults(kind: "type[DataclassInstance]") -> tuple[tuple[str, object], ...]:
    return tuple((field.name, field.default) for field in fields(kind))


@cache
def _shape(kind: "type[DataclassInstance]") -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """The names of all fields, of those that are an Amount, and of those that are a tuple."""
    hints = get_type_hints(kind)
    names = frozenset(field.name for field in fields(kind))
    amounts = frozenset(name for name in names if Vague in get_args(hints[name]))
    return names, amounts, frozenset(name for name in names if get_origin(hints[name]) is tuple)
