"""What a request cannot have: one clear line for a person, one word for programs."""

from collections.abc import Mapping
from typing import Literal

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

    def as_json(self) -> dict[str, str]:
        """The schema Error of openapi.json."""
        told = {"error": self.text, "field": self.field, "code": self.code}
        return {key: value for key, value in told.items() if value is not None}


def invalid_value(text: str, field: str | None = None) -> ApiError:
    """Well-formed, but the value cannot be used."""
    return ApiError(422, text, field=field, code="wrong")


def not_found(what: str) -> ApiError:
    """There is no such thing (any more)."""
    return ApiError(404, f"There is no {what}.")


def not_on_plug(text: str) -> ApiError:
    """Only the box itself can do that."""
    return ApiError(409, text, code="elsewhere")


def to_sentence(line: str) -> str:
    """A line of another part's as a sentence of the page's."""
    return f"{line[:1].upper()}{line[1:]}{'' if line.endswith(('.', '?')) else '.'}"
