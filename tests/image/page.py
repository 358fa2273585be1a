"""The page of a Plug, as a program uses it: its API over HTTP, with one session."""

import http.client
import json
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

FACTORY, PASSWORD = "printmonitor", "correct horse battery"
BUSY = (429, 503)  # come again in a moment


class NoAnswer(Exception):
    """Nobody there, or not in time."""


class Wrong(Exception):
    """The page answered with an error; `status` and what it said."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status} {text}")
        self.status, self.text = status, text


class Page:
    """`Page("127.0.0.1", 8080)`; `get`, `post` and so on give what the API answers."""

    def __init__(self, host: str, port: int = 80) -> None:
        self.host, self.port = host, port
        self.base = f"http://{host}" + (f":{port}" if port != 80 else "")
        self._cookies: dict[str, str] = {}
        self._password = ""

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        seconds: float = 30.0,
    ) -> tuple[int, bytes]:
        """One request. Raises NoAnswer."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=seconds)
        sent = {"Origin": self.base, "Cookie": "; ".join(f"{k}={v}" for k, v in self._cookies.items())}
        try:
            connection.request(method, path, body, {**sent, **(headers or {})})
            response = connection.getresponse()
            data = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(f"{method} {path}: {error!r}") from error
        finally:
            connection.close()
        for name, value in response.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self._cookies[key] = rest.split(";")[0]
        return response.status, data

    def call(self, method: str, path: str, body: object = None, seconds: float = 60.0) -> Any:
        """What the API answers; comes again where it asks for that. Raises Wrong, NoAnswer."""
        data = None if body is None else json.dumps(body).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}
        deadline = time.monotonic() + seconds
        while True:
            status, answer = self.ask(method, path, data, kind, seconds)
            if status in BUSY and time.monotonic() < deadline:
                time.sleep(1)
                continue
            if status >= 400:
                raise Wrong(status, answer.decode(errors="replace"))
            try:
                return json.loads(answer) if answer else None
            except ValueError:
                return answer

    def get(self, path: str, seconds: float = 60.0) -> Any:
        return self.call("GET", path, seconds=seconds)

    def post(self, path: str, body: object = None, seconds: float = 60.0) -> Any:
        return self.call("POST", path, body, seconds)

    def put(self, path: str, body: object = None, seconds: float = 60.0) -> Any:
        return self.call("PUT", path, body, seconds)

    def patch(self, path: str, body: object = None, seconds: float = 60.0) -> Any:
        return self.call("PATCH", path, body, seconds)

    def is_there(self, seconds: float = 5.0) -> bool:
        """Whether the login page is answered."""
        try:
            status, data = self.ask("GET", "/login", seconds=seconds)
        except NoAnswer:
            return False
        return status == 200 and b'name="password"' in data

    def log_in(self, password: str = PASSWORD) -> Any:
        self._cookies.clear()
        session = self.post("/api/session", {"username": "admin", "password": password})
        self._password = password
        return session

    def first_login(self, password: str = PASSWORD) -> None:
        """With the factory's password, which has to be changed at once."""
        assert self.log_in(FACTORY)["must_change_password"]
        self.put("/api/password", {"current": FACTORY, "new": password})
        self._password = password
        assert not self.get("/api/session")["must_change_password"]

    def until(self, what: str, path: str, true: Callable[[Any], object], seconds: float = 60.0) -> Any:
        """Ask again and again, until the answer is as wanted; gives that answer."""
        deadline = time.monotonic() + seconds
        answer: Any = None
        while time.monotonic() < deadline:
            try:
                answer = self.get(path)
                if true(answer):
                    return answer
            except (NoAnswer, Wrong) as error:
                answer = error
                self._come_in_again(error)
            time.sleep(0.5)
        raise AssertionError(f"not in {seconds:g} s: {what}; {path} says {str(answer)[:2000]}")

    def _come_in_again(self, error: Exception) -> None:
        """Sessions end with the page's service, which may have restarted."""
        if isinstance(error, Wrong) and error.status == 401 and self._password:
            with suppress(NoAnswer, Wrong):
                self.log_in(self._password)

    def run(self, kind: str = "discover", seconds: float = 180.0) -> Any:
        """A run from its order to its end."""
        job = self.post("/api/jobs", {"kind": kind})
        ended = self.until(
            f"the {kind} ends",
            f"/api/jobs/{job['id']}",
            lambda job: job["state"] not in ("waiting", "running"),
            seconds,
        )
        assert ended["state"] == "done", ended
        return ended


def is_open(host: str, port: int, seconds: float = 1.0) -> bool:
    try:
        with socket.create_connection((host, port), seconds):
            return True
    except OSError:
        return False
