"""Sanitize foreign text for messages: printable, on one line, of limited length."""

from collections.abc import Iterator

from appliance.domain.messages import Message

MAX_MESSAGE_CHARS = 200  # of a foreign text in a message


def printable(text: str, replacement: str = " ", *, keep: str = "") -> str:
    """Replace each character that is not printable, except those in `keep`."""
    return "".join(
        character if character.isprintable() or character in keep else replacement for character in text
    )


def one_line(text: str, max_chars: int = MAX_MESSAGE_CHARS) -> str:
    return " ".join(printable(text).split())[:max_chars]


def describe_error(error: BaseException) -> str:
    """The reason of an error, without the numbers and addresses that Python puts around it."""
    if isinstance(error, ConnectionRefusedError):
        return Message("net.refused")
    if isinstance(error, ConnectionResetError):
        return Message("net.reset")
    if isinstance(error, OSError) and error.strerror:
        return one_line(error.strerror)
    return one_line(str(error)) or type(error).__name__


def exception_chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, then what it was raised from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
