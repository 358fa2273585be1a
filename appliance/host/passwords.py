"""Passwords are kept as scrypt hashes, and compared in the same time whoever asks."""

import base64
import hashlib
import hmac
import os
import secrets

from appliance.domain.messages import Message

FACTORY_PASSWORD = "printmonitor"  # noqa: S105  on every new Plug, until the first login changes it
MIN_LENGTH = 10
SCRYPT_N, SCRYPT_R, SCRYPT_P = (
    2**14,
    8,
    1,
)  # RFC 7914: 16 MiB and about 0.1 s on a Pi 3 core, more than which a login should not cost
MAX_SCRYPT_N = 2**17  # settings.toml may say more than the box has memory for


def hash_password(password: str, salt: bytes | None = None) -> str:
    """`scrypt$n$r$p$salt$hash`; takes 16 MiB and a noticeable time."""
    salt = salt or os.urandom(16)
    return "$".join(
        [
            "scrypt",
            str(SCRYPT_N),
            str(SCRYPT_R),
            str(SCRYPT_P),
            _encode_base64(salt),
            _encode_base64(_scrypt(password, salt, SCRYPT_N, SCRYPT_R, SCRYPT_P)),
        ]
    )


def verify_password(password: str, password_hash: str) -> bool:
    """Whether a password has this hash; with no hash, whether it is the factory password."""
    if not password_hash:
        password_hash = _factory_hash()
    try:
        kind, n, r, p, salt, digest = password_hash.split("$")
        numbers = int(n), int(r), int(p)
        if kind != "scrypt" or not 2 <= numbers[0] <= MAX_SCRYPT_N or not 1 <= numbers[1] * numbers[2] <= 32:
            return False
        return hmac.compare_digest(_scrypt(password, _decode_base64(salt), *numbers), _decode_base64(digest))
    except ValueError:
        return False  # a hash that somebody wrote by hand opens nothing


def equalize_timing(password: str) -> None:
    """Takes as long as `fits`, for a user who does not exist."""
    verify_password(password, _factory_hash())


def password_problem(password: str) -> str | None:
    """What is wrong with a new password."""
    if len(password) < MIN_LENGTH:
        return Message("password.too_short", count=MIN_LENGTH)
    if password == FACTORY_PASSWORD:
        return Message("password.factory")
    if len(set(password)) < 4:
        return Message("password.too_simple")
    return None


_factory_hash_cache: list[str] = []


def _factory_hash() -> str:
    if not _factory_hash_cache:
        _factory_hash_cache.append(hash_password(FACTORY_PASSWORD, secrets.token_bytes(16)))
    return _factory_hash_cache[0]


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"), salt=salt, n=n, r=r, p=p, maxmem=2**28, dklen=32
    )


def _encode_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decode_base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
