"""What a request cannot have: one clear line for a person, one word for programs."""

from collections.abc import Mapping
from typing import Literal

from appliance.domain.messages import Message, message_of, to_json
from appliance.web.json_fields import Json

ErrorCode = Literal[
    "login",
    "password-change",
    "slow-down",
    "origin",
    "host",
    "elsewhere",
    "wrong",
    "settings",
    "busy",
    "doubt",
]


class ApiError(Exception):
    """Ends a request with an error; gate.py alone turns it into an answer."""

    def __init__(
        self,
        status: int,
        text: str,
        *,
        code: ErrorCode | None = None,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.code = code
        self.field = field
        self.headers = headers or {}

    def as_json(self) -> dict[str, Json]:
        """The schema Error of openapi.json."""
        fields: dict[str, Json] = {"error": self.text, "field": self.field, "code": self.code}
        if isinstance(self.text, Message):
            fields["message"] = to_json(self.text)
        return {key: value for key, value in fields.items() if value is not None}


def invalid_value(problem: str | Exception, field: str | None = None) -> ApiError:
    """Well-formed, but the value cannot be used: a whole sentence, or what is wrong with the field."""
    text = message_of(problem) if isinstance(problem, Exception) else problem
    if field is not None:
        text = Message("request.field", field=field, problem=text)
    return ApiError(422, text, field=field, code="wrong")


def not_on_plug(text: str) -> ApiError:
    """Only the box itself can do that."""
    return ApiError(409, text, code="elsewhere")


def to_sentence(line: str) -> str:
    """A line of another part's as a sentence of the page's."""
    return Message("as_sentence", text=line)
