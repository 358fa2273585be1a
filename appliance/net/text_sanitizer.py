"""What servers and systems say, as it may stand in a message of ours: one line, printable, not too long."""

from collections.abc import Iterator

from appliance.domain.messages import Message

MAX_MESSAGE_CHARS = 200  # characters of what somebody else said


def one_line(text: str) -> str:
    shown = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(shown.split())[:MAX_MESSAGE_CHARS]


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
