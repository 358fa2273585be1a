"""Passwords are kept as scrypt hashes, and compared in the same time whoever asks."""

import base64
import hashlib
import hmac
import os
import secrets

FACTORY = "printmonitor"  # on every new Plug, until the first login changes it
SHORTEST = 10
N, R, P = (
    2**14,
    8,
    1,
)  # RFC 7914: 16 MiB and about 0.1 s on a Pi 3 core, more than which a login should not cost
LARGEST_N = 2**17  # settings.toml may say more than the box has memory for


def hashed(password: str, salt: bytes | None = None) -> str:
    """`scrypt$n$r$p$salt$hash`; takes 16 MiB and a noticeable time."""
    salt = salt or os.urandom(16)
    return "$".join(["scrypt", str(N), str(R), str(P), _text(salt), _text(_scrypt(password, salt, N, R, P))])


def fits(password: str, wanted: str) -> bool:
    """Whether a password has this hash; with no hash, whether it is the factory password."""
    if not wanted:
        wanted = _factory()
    try:
        kind, n, r, p, salt, digest = wanted.split("$")
        numbers = int(n), int(r), int(p)
        if kind != "scrypt" or not 2 <= numbers[0] <= LARGEST_N or not 1 <= numbers[1] * numbers[2] <= 32:
            return False
        return hmac.compare_digest(_scrypt(password, _bytes(salt), *numbers), _bytes(digest))
    except ValueError:
        return False  # a hash that somebody wrote by hand opens nothing


def waste(password: str) -> None:
    """Takes as long as `fits`, for a user who does not exist."""
    fits(password, _factory())


def problem(new: str) -> str | None:
    """What is wrong with a new password."""
    if len(new) < SHORTEST:
        return f"must have at least {SHORTEST} characters"
    if new == FACTORY:
        return "must not be the factory password"
    if len(set(new)) < 4:
        return "must have at least four different characters"
    return None


_made_once: list[str] = []


def _factory() -> str:
    if not _made_once:
        _made_once.append(hashed(FACTORY, secrets.token_bytes(16)))
    return _made_once[0]


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"), salt=salt, n=n, r=r, p=p, maxmem=2**28, dklen=32
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
