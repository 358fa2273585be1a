"""The `openssl` command: by argument list, with an end, and never a word about what was in its input."""

import os
import subprocess
from collections.abc import Sequence

from appliance.domain.messages import Message

OPENSSL_TIMEOUT_S = 30.0  # a key of P-256 takes milliseconds, also on a Pi
MAX_MESSAGE_CHARS = 300  # characters of its complaint that are shown


class OpensslError(Exception):
    """openssl could not do it; the text is one clear line, `said` all that it wrote about it."""

    def __init__(self, reason: str, stderr: str = "") -> None:
        super().__init__(reason)
        self.stderr = stderr


def run_openssl(*arguments: str, stdin: bytes = b"", timeout_s: float = OPENSSL_TIMEOUT_S) -> bytes:
    """What openssl writes to its standard output. Raises Failed."""
    try:
        ended = subprocess.run(
            ["openssl", *arguments],
            input=stdin,
            capture_output=True,
            timeout=timeout_s,
            check=False,
            # Nobody's own configuration: it could name engines, or other certificates to trust.
            env={**os.environ, "OPENSSL_CONF": "/dev/null", "LC_ALL": "C"},
        )
    except subprocess.TimeoutExpired:
        raise OpensslError(Message("openssl.timeout")) from None
    except OSError as error:
        raise OpensslError(Message("openssl.cannot_run", reason=error.strerror)) from error
    if ended.returncode:
        said = ended.stderr.decode("utf-8", "replace")
        raise OpensslError(
            Message("openssl.fails", command=arguments[0], reason=_last_line(said.splitlines())), said
        )
    return ended.stdout


def _last_line(lines: Sequence[str]) -> str:
    last = next((line for line in reversed(lines) if line.strip()), "without a word")
    return "".join(character if character.isprintable() else " " for character in last).strip()[
        :MAX_MESSAGE_CHARS
    ]
