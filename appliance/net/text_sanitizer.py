"""What servers and systems say, as it may stand in a message of ours: one line, printable, not too long."""

from collections.abc import Iterator

MOST_WORDS = 200  # characters of what somebody else said


def one_line(text: str) -> str:
    shown = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(shown.split())[:MOST_WORDS]


def why(error: BaseException) -> str:
    """The reason of an error, without the numbers and addresses that Python puts around it."""
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ConnectionResetError):
        return "connection reset"
    if isinstance(error, OSError) and error.strerror:
        return one_line(error.strerror)
    return one_line(str(error)) or type(error).__name__


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, then what it was raised from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
