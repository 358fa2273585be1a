"""The `openssl` command: by argument list, with an end, and never a word about what was in its input."""

import os
import subprocess
from collections.abc import Sequence

SECONDS = 30.0  # a key of P-256 takes milliseconds, also on a Pi
MOST_SAID = 300  # characters of its complaint that are shown


class Failed(Exception):
    """openssl could not do it; the text is one clear line, `said` all that it wrote about it."""

    def __init__(self, reason: str, said: str = "") -> None:
        super().__init__(reason)
        self.said = said


def run(*arguments: str, stdin: bytes = b"", seconds: float = SECONDS) -> bytes:
    """What openssl writes to its standard output. Raises Failed."""
    try:
        ended = subprocess.run(
            ["openssl", *arguments],
            input=stdin,
            capture_output=True,
            timeout=seconds,
            check=False,
            # Nobody's own configuration: it could name engines, or other certificates to trust.
            env={**os.environ, "OPENSSL_CONF": "/dev/null", "LC_ALL": "C"},
        )
    except subprocess.TimeoutExpired:
        raise Failed("openssl does not come to an end") from None
    except OSError as error:
        raise Failed(f"openssl cannot be run: {error.strerror}") from error
    if ended.returncode:
        said = ended.stderr.decode("utf-8", "replace")
        raise Failed(f"openssl {arguments[0]} fails: {_last(said.splitlines())}", said)
    return ended.stdout


def _last(lines: Sequence[str]) -> str:
    last = next((line for line in reversed(lines) if line.strip()), "without a word")
    return "".join(character if character.isprintable() else " " for character in last).strip()[:MOST_SAID]
