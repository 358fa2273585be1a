"""webui/openapi.json is what the API takes: requests are checked against it, so that it cannot drift."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.domain.messages import Message
from appliance.net.text_sanitizer import printable
from appliance.web.errors import ApiError, invalid_value
from appliance.web.json_fields import Json, JsonMapping, get_object, get_str

MAX_JSON_DEPTH = 32  # a body nests three deep; json itself would go on until the stack ends


class OpenApiDocumentError(OSError):
    """openapi.json is missing or broken: the installation is incomplete."""


@dataclass(frozen=True, slots=True)
class ApiOperation:
    """One method of one path."""

    path: str
    method: str
    parameters: tuple[JsonMapping, ...]
    body: JsonMapping | None
    success_status: int  # the status of a good answer


class OpenApiDocument:
    """The API in its own words."""

    def __init__(self, path: Path) -> None:
        try:
            document = json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise OpenApiDocumentError(f"{path}: {error}") from error
        self._schemas = get_object(get_object(document, "components"), "schemas")
        self._operations = dict(_parse_operations(get_object(document, "paths")))

    def check_parameters(self, method: str, path: str, values: Mapping[str, str], query: list[str]) -> None:
        """Path and query parameters; `query` holds the names of the latter. Raises Trouble 400 or 404."""
        parameters = self._operations[method, path].parameters
        known = {get_str(parameter, "name"): parameter for parameter in parameters}
        for name in query:
            if name not in known or known[name].get("in") != "query":
                raise ApiError(
                    400, Message("request.unknown_parameter", name=_printable(name)), field=name[:100]
                )
            if query.count(name) > 1:
                raise _parameter_error(400, name, Message("request.given_twice"))
        for name, value in values.items():
            parameter = known.get(name)
            if parameter is None:
                continue
            if problem := next(
                self._validate(
                    _coerce_parameter(value, get_object(parameter, "schema")),
                    get_object(parameter, "schema"),
                    name,
                ),
                None,
            ):
                status = 404 if parameter.get("in") == "path" else 400
                raise _parameter_error(status, name, problem[1])

    def check_body(self, method: str, path: str, data: Json) -> JsonMapping:
        """The body of a request, as described. Raises Trouble 422 with the first problem."""
        schema = self._operations[method, path].body
        if schema is None:
            raise ApiError(400, Message("request.no_body"))
        for field, problem in self._validate(data, schema, ""):
            if field:
                raise invalid_value(problem, field)
            raise invalid_value(Message("request.body_problem", problem=problem))
        if not isinstance(data, dict):
            raise invalid_value(Message("request.not_object"))
        return data

    def success_status(self, method: str, path: str) -> int:
        """The status of a good answer."""
        return self._operations[method, path].success_status

    def route_pattern(self, method: str, path: str) -> str:
        """The path with what its parameters may be, where that is a choice: /{action:start|stop}."""
        for parameter in self._operations[method, path].parameters:
            choices = get_object(parameter, "schema").get("enum")
            if parameter.get("in") == "path" and isinstance(choices, list):
                name = parameter["name"]
                path = path.replace(f"{{{name}}}", f"{{{name}:{'|'.join(map(str, choices))}}}")
        return path

    def has_body(self, method: str, path: str) -> bool:
        """Whether a body is described."""
        return self._operations[method, path].body is not None

    def _validate(self, value: Json, schema: JsonMapping, where: str) -> Iterator[tuple[str, str]]:
        reference = get_str(schema, "$ref")
        if reference:
            schema = get_object(self._schemas, reference.rpartition("/")[2])
        kind = get_str(schema, "type")
        if kind and not _JSON_TYPES[kind][0](value):
            yield where, Message("request.wrong_type", type=_JSON_TYPES[kind][1])
            return
        choices = schema.get("enum")
        if isinstance(choices, list) and value not in choices:
            yield where, Message("request.choice", choices=", ".join(str(choice) for choice in choices))
            return
        if isinstance(value, str):
            yield from _validate_string(value, schema, where)
        elif isinstance(value, int) and not isinstance(value, bool):
            yield from _validate_integer(value, schema, where)
        elif isinstance(value, list):
            yield from self._validate_list(value, schema, where)
        elif isinstance(value, dict):
            yield from self._validate_object(value, schema, where)

    def _validate_list(self, value: list[Json], schema: JsonMapping, where: str) -> Iterator[tuple[str, str]]:
        most = schema.get("maxItems")
        if isinstance(most, int) and len(value) > most:
            yield where, Message("request.too_many_items", count=most)
            return
        for index, item in enumerate(value):
            yield from self._validate(item, get_object(schema, "items"), f"{where}.{index + 1}")

    def _validate_object(
        self, value: JsonMapping, schema: JsonMapping, where: str
    ) -> Iterator[tuple[str, str]]:
        properties = get_object(schema, "properties")
        for key in value:
            if key not in properties:
                yield _printable(_join_path(where, key)), Message("request.unknown_field")
        required = schema.get("required")
        for name in required if isinstance(required, list) else []:
            if name not in value:
                yield _join_path(where, str(name)), Message("settings.missing")
        if not value and schema.get("minProperties"):
            yield where, Message("request.nothing_to_change")
        for key, item in value.items():
            if key in properties:
                yield from self._validate(item, get_object(properties, key), _join_path(where, key))


def parse_json(data: bytes) -> Json:
    """JSON from a body. Raises Trouble 400."""
    try:
        value: Json = json.loads(data, parse_constant=_reject_constant)
        depth = _nesting_depth(value)
    except json.JSONDecodeError as error:
        raise ApiError(
            400, Message("request.not_json", reason=error.msg, line=error.lineno, column=error.colno)
        ) from None
    except UnicodeDecodeError:
        raise ApiError(400, Message("request.not_utf8")) from None
    except (ValueError, RecursionError):
        raise ApiError(400, Message("request.bad_json")) from None
    if depth > MAX_JSON_DEPTH:
        raise ApiError(400, Message("request.nested"))
    return value


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _nesting_depth(value: Json) -> int:
    """How deep it nests, without recursion; also refuses text that cannot be written as UTF-8."""
    depth, level = 0, [value]
    while level:
        depth += 1
        below: list[Json] = []
        for item in level:
            if isinstance(item, dict):
                for key in item:
                    key.encode()  # half of a surrogate pair raises UnicodeEncodeError, a ValueError
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, str):
                item.encode()
        level = below
    return depth


def _parse_operations(paths: JsonMapping) -> Iterator[tuple[tuple[str, str], ApiOperation]]:
    for path in paths:
        for method in get_object(paths, path):
            operation = get_object(get_object(paths, path), method)
            parameters = operation.get("parameters")
            listed = parameters if isinstance(parameters, list) else []
            media = get_object(
                get_object(get_object(operation, "requestBody"), "content"), "application/json"
            )
            yield (
                (method.upper(), path),
                ApiOperation(
                    path,
                    method.upper(),
                    tuple(parameter for parameter in listed if isinstance(parameter, dict)),
                    get_object(media, "schema") or None,
                    min(int(status) for status in get_object(operation, "responses") if status.isdecimal()),
                ),
            )


def _validate_string(value: str, schema: JsonMapping, where: str) -> Iterator[tuple[str, str]]:
    least, most, pattern = schema.get("minLength"), schema.get("maxLength"), schema.get("pattern")
    if isinstance(least, int) and len(value) < least:
        yield where, Message("request.too_short", count=least)
    elif isinstance(most, int) and len(value) > most:
        yield where, Message("request.too_long", count=most)
    elif isinstance(pattern, str) and not re.search(_python_pattern(pattern), value):
        yield where, _pattern_problem(schema)


def _pattern_problem(schema: JsonMapping) -> str:
    code = get_str(schema, "x-message")
    return Message(code) if code else Message("request.bad_form")


def _parameter_error(status: int, name: str, problem: str) -> ApiError:
    return ApiError(status, Message("request.field", field=name, problem=problem), field=name)


def _validate_integer(value: int, schema: JsonMapping, where: str) -> Iterator[tuple[str, str]]:
    least, most = schema.get("minimum"), schema.get("maximum")
    if (isinstance(least, int) and value < least) or (isinstance(most, int) and value > most):
        yield where, Message("settings.range", low=least, high=most)


def _python_pattern(pattern: str) -> str:
    """ECMAScript's `$` is the very end; Python's also stands before a last line break."""
    return pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern


def _coerce_parameter(value: str, schema: JsonMapping) -> Json:
    """A parameter as its schema types it; text where it does not fit, so that the check complains."""
    if schema.get("type") == "integer" and re.fullmatch(r"0|[1-9][0-9]{0,17}", value):
        return int(value)
    return value


def _join_path(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _printable(key: str) -> str:
    return printable(key[:100], "?")


_JSON_TYPES: dict[str, tuple[Callable[[Json], bool], str]] = {
    "object": (lambda value: isinstance(value, dict), Message("kind.object")),
    "array": (lambda value: isinstance(value, list), Message("kind.list")),
    "string": (lambda value: isinstance(value, str), Message("kind.string")),
    "boolean": (lambda value: isinstance(value, bool), Message("kind.bool")),
    "integer": (lambda value: isinstance(value, int) and not isinstance(value, bool), Message("kind.int")),
    "number": (
        lambda value: isinstance(value, int | float) and not isinstance(value, bool),
        Message("kind.number"),
    ),
}
