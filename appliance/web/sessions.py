"""Who is logged in: in memory alone, so that a restart of the service logs everybody out."""

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

IDLE = 30 * 60.0  # seconds without a request
ABSOLUTE = 12 * 3600.0  # seconds after the login, whatever happens
MOST = 100  # the session that was quiet for longest goes first


@dataclass(slots=True)
class Session:
    """One login in one browser."""

    username: str
    door: tuple[str, int]  # scheme and port that it belongs to
    must_change: bool  # logged in with the factory password
    began: float
    used: float

    def ends(self) -> float:
        """When it ends if nothing more is asked."""
        return min(self.used + IDLE, self.began + ABSOLUTE)


class Sessions:
    """Sessions by the hash of their token: a dump of the memory logs nobody in."""

    def __init__(self) -> None:
        self._sessions: dict[bytes, Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def begin(self, username: str, door: tuple[str, int], must_change: bool, now: float) -> str:
        """The token for the cookie: 256 random bits."""
        self._sweep(now)
        while len(self._sessions) >= MOST:
            del self._sessions[min(self._sessions, key=lambda digest: self._sessions[digest].used)]
        token = secrets.token_urlsafe(32)
        self._sessions[_digest(token)] = Session(username, door, must_change, now, now)
        return token

    def find(self, token: str, door: tuple[str, int], now: float, *, touch: bool = True) -> Session | None:
        """The living session of a token that came through its own door."""
        session = self._sessions.get(_digest(token))
        if session is None or session.door != door:
            return None
        if now >= session.ends():
            self.end(token)
            return None
        if touch:
            session.used = now
        return session

    def end(self, token: str) -> None:
        """Log out."""
        self._sessions.pop(_digest(token), None)

    def end_all(self) -> None:
        """Log out everywhere."""
        self._sessions.clear()

    def _sweep(self, now: float) -> None:
        for digest in list(self._ended(now)):
            del self._sessions[digest]

    def _ended(self, now: float) -> Iterator[bytes]:
        return (digest for digest, session in self._sessions.items() if now >= session.ends())


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
