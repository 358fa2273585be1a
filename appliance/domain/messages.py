"""Messages for people: a code with parameters, and the text for it from a catalogue per language.

A `Message` is a `str`, its English text, so that logs, the command line and databases take it as it is. Its
code and parameters travel along, and the web UI renders them in the user's language from the same catalogue.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Union

CATALOGUE_DIR = Path(__file__).with_name("catalogue")
LANGUAGES = ("en", "de")
SUFFIX = "_message"  # of the JSON key that carries the code and parameters of the text beside it

MAX_NESTING = 8  # messages in parameters of messages; stored ones may be damaged

_PLACEHOLDER = re.compile(r"\{(\w+)(?::(\w))?\}")

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Param = Union["Message", str, int, float, bool, None]
Template = str | dict[str, str]  # plural forms by "one" and "other", chosen by the parameter `count`


class Message(str):
    """Text for people, with the code and the parameters that it is made of."""

    __slots__ = ("code", "params")
    code: str
    params: Mapping[str, Param]

    def __new__(cls, code: str, /, **params: object) -> "Message":
        """Return the message of a code; raise KeyError for an unknown code or a missing parameter.

        An exception as a parameter stands for its message; what JSON does not know becomes text.
        """
        values = {name: _to_param(value) for name, value in params.items()}
        message = super().__new__(cls, render(code, values))
        message.code = code
        message.params = values
        return message

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Param]]:
        """Copy and pickle by code and parameters."""
        return (self.code,), dict(self.params)


def message_of(error: BaseException) -> str:
    """Return what an exception says, as a Message if it carries one."""
    return next((part for part in error.args if isinstance(part, Message)), str(error))


def join(parts: Sequence[str]) -> str:
    """Return texts as one, separated by semicolons."""
    joined = parts[0] if parts else ""
    for part in parts[1:]:
        joined = Message("joined", first=joined, second=part)
    return joined


def render(code: str, params: Mapping[str, Param], language: str = "en") -> str:
    """Return the text of a code; raise KeyError for an unknown code or a missing parameter."""
    template = load_catalogue(language)[code]
    if isinstance(template, dict):
        template = template["one" if params["count"] == 1 else "other"]

    def replace(match: re.Match[str]) -> str:
        value = params[match[1]]
        if isinstance(value, Message) and language != "en":
            value = render(value.code, value.params, language)
        return _format(value, match[2])

    return _PLACEHOLDER.sub(replace, template)


@cache
def load_catalogue(language: str) -> dict[str, Template]:
    """Return all texts of a language by their codes."""
    loaded: dict[str, Template] = json.loads((CATALOGUE_DIR / f"{language}.json").read_text())
    return loaded


def to_json(message: Message) -> dict[str, Json]:
    """Return code and parameters as JSON values; a message among the parameters also has its text."""
    return {
        "code": message.code,
        "params": {
            name: {**to_json(value), "text": str(value)} if isinstance(value, Message) else value
            for name, value in message.params.items()
        },
    }


def from_json(text: str, encoded: object, depth: int = 0) -> str:
    """Return the message that `to_json` made, or the plain text where this version does not know it."""
    if depth > MAX_NESTING or not isinstance(encoded, dict):
        return text
    code, params = encoded.get("code"), encoded.get("params")
    if not isinstance(code, str) or not isinstance(params, dict):
        return text
    try:
        message = Message(code, **{name: _decode_param(value, depth) for name, value in params.items()})
    except (KeyError, TypeError):  # of another version of the software
        return text
    return message if message == text else text


def add_message_fields(value: object) -> object:
    """Return JSON values in which every key with a Message has a companion key with its code and parameters.

    A list of texts has a list as its companion, null where a text is no Message.
    """
    if isinstance(value, Mapping):
        fields: dict[str, object] = {}
        for key, item in value.items():
            fields[key] = add_message_fields(item)
            if isinstance(item, Message):
                fields[f"{key}{SUFFIX}"] = to_json(item)
            elif isinstance(item, list | tuple) and any(isinstance(part, Message) for part in item):
                fields[f"{key}{SUFFIX}"] = [
                    to_json(part) if isinstance(part, Message) else None for part in item
                ]
        return fields
    if isinstance(value, list | tuple):
        return [add_message_fields(item) for item in value]
    return value


def restore_messages(value: object) -> object:
    """Return JSON values with their companion keys folded into Messages again."""
    if isinstance(value, dict):
        fields = {key: restore_messages(item) for key, item in value.items()}
        for key in [key for key in fields if key.endswith(SUFFIX) and key.removesuffix(SUFFIX) in fields]:
            name, encoded = key.removesuffix(SUFFIX), value[key]
            text = fields[name]
            if isinstance(text, str):
                fields[name] = from_json(text, encoded)
            elif isinstance(text, list) and isinstance(encoded, list) and len(text) == len(encoded):
                fields[name] = [
                    from_json(part, code) if isinstance(part, str) else part
                    for part, code in zip(text, encoded, strict=True)
                ]
            del fields[key]
        return fields
    if isinstance(value, list):
        return [restore_messages(item) for item in value]
    return value


def encode_columns(text: str) -> tuple[str | None, str | None]:
    """Return code and parameters (as JSON) of a text for two database columns; None for plain text."""
    if not isinstance(text, Message):
        return None, None
    return text.code, json.dumps(to_json(text)["params"], separators=(",", ":"))


def decode_columns(text: str, code: str | None, params: str | None) -> str:
    """Return the text of a database column with the code and the parameters of its companion columns."""
    if code is None or params is None:
        return text
    try:
        return from_json(text, {"code": code, "params": json.loads(params)})
    except ValueError:
        return text


def shorten(text: str, limit: int) -> str:
    """Return a text of at most `limit` characters; a message that fits stays one."""
    return text if len(text) <= limit else text[:limit]


def encode(text: str | None) -> str | None:
    """Return code and parameters of a text as JSON for a database column; None for plain text."""
    return json.dumps(to_json(text), separators=(",", ":")) if isinstance(text, Message) else None


def decode(text: str, encoded: str | None) -> str:
    """Return the text of a database column with the code and parameters of its companion column."""
    if encoded is None:
        return text
    try:
        return from_json(text, json.loads(encoded))
    except ValueError:
        return text


def _to_param(value: object) -> Param:
    if isinstance(value, BaseException):
        return message_of(value)
    if value is None or isinstance(value, str | int | float):
        return value
    return str(value)


def _decode_param(value: object, depth: int) -> object:
    if isinstance(value, dict):
        return from_json(str(value.get("text", "")), value, depth + 1)
    return value


def _format(value: Param, style: str | None) -> str:
    """Return a parameter as text: n groups digits, s makes a sentence, d only ends it with a full stop."""
    if style == "n" and isinstance(value, int | float):
        return f"{value:,}"
    text = str(value)
    if style == "s":
        text = text[:1].upper() + text[1:]
    return f"{text}." if style in ("s", "d") and not text.endswith((".", "?")) else text
