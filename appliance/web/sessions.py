"""Who is logged in: in memory alone, so that a restart of the service logs everybody out."""

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

IDLE_TIMEOUT_S = 30 * 60.0  # seconds without a request
ABSOLUTE_TIMEOUT_S = 12 * 3600.0  # seconds after the login, whatever happens
MAX_SESSIONS = 100  # the session that was quiet for longest goes first


@dataclass(slots=True)
class LoginSession:
    """One login in one browser."""

    username: str
    scheme_port: tuple[str, int]  # scheme and port that it belongs to
    must_change: bool  # logged in with the factory password
    created_at: float
    last_used_at: float

    def expires_at(self) -> float:
        """When it ends if nothing more is asked."""
        return min(self.last_used_at + IDLE_TIMEOUT_S, self.created_at + ABSOLUTE_TIMEOUT_S)


class SessionStore:
    """Sessions by the hash of their token: a dump of the memory logs nobody in."""

    def __init__(self) -> None:
        self._sessions: dict[bytes, LoginSession] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def create(self, username: str, scheme_port: tuple[str, int], must_change: bool, now: float) -> str:
        """The token for the cookie: 256 random bits."""
        self._delete_expired(now)
        while len(self._sessions) >= MAX_SESSIONS:
            del self._sessions[min(self._sessions, key=lambda digest: self._sessions[digest].last_used_at)]
        token = secrets.token_urlsafe(32)
        self._sessions[_hash_token(token)] = LoginSession(username, scheme_port, must_change, now, now)
        return token

    def find(
        self, token: str, scheme_port: tuple[str, int], now: float, *, touch: bool = True
    ) -> LoginSession | None:
        """The living session of a token that came through its own door."""
        session = self._sessions.get(_hash_token(token))
        if session is None or session.scheme_port != scheme_port:
            return None
        if now >= session.expires_at():
            self.delete(token)
            return None
        if touch:
            session.last_used_at = now
        return session

    def delete(self, token: str) -> None:
        """Log out."""
        self._sessions.pop(_hash_token(token), None)

    def delete_all(self) -> None:
        """Log out everywhere."""
        self._sessions.clear()

    def _delete_expired(self, now: float) -> None:
        for digest in list(self._expired_digests(now)):
            del self._sessions[digest]

    def _expired_digests(self, now: float) -> Iterator[bytes]:
        return (digest for digest, session in self._sessions.items() if now >= session.expires_at())


def _hash_token(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
