"""The running service does what its own description says, whatever it is sent."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from requests.adapters import HTTPAdapter
from schemathesis.checks import CHECKS, load_all_checks

from appliance.settings import schema as settings_schema
from appliance.settings.schema import Config, Home
from appliance.storage import database, save_reading
from tests.web.conftest import PASSWORD, description, password_hash, reading, running

EXAMPLES = 6  # for each operation: enough to meet every kind of nonsense, and the whole takes half a minute

# Trying out what was made up would send packets to strangers; these have tests of their own.
TALKS_TO_OTHERS = r"/api/((discovery|transmission)/test|licence/enrolment)"

ENDS_SESSIONS = ("/api/session", "/api/sessions", "/api/password")

# Not `positive_data_acceptance`: a schema cannot say which time zones or exclusions there are.
WANTED = (
    *(
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
    ),
    *(
        "response_headers_conformance",
        "negative_data_rejection",
        "unsupported_method",
        "allow_header_conformance",
    ),
)


def without_security(document: dict[str, Any]) -> dict[str, Any]:
    """The same operations; the test logs in by itself."""
    paths = {
        path: {method: {**operation, "security": []} for method, operation in methods.items()}
        for path, methods in document["paths"].items()
    }
    components = {key: value for key, value in document["components"].items() if key != "securitySchemes"}
    return {**document, "security": [], "paths": paths, "components": components}


schema = schemathesis.openapi.from_dict(without_security(description()))


@dataclass
class Running:
    base: str
    login: requests.Session
    client: requests.Session  # one connection for all that is asked, without a memory for cookies
    cookie: str = ""

    def headers(self) -> dict[str, str]:
        """Those of a browser that is logged in, also after a test has ended its session."""
        if not self.cookie:
            self.login.cookies.clear()
            answer = self.login.post(
                f"{self.base}/api/session", json={"username": "admin", "password": PASSWORD}, timeout=5
            )
            assert answer.status_code == 200, answer.text
            self.cookie = "; ".join(f"{name}={value}" for name, value in self.login.cookies.items())
        return {"Cookie": self.cookie, "Origin": self.base}


class FromElsewhere(HTTPAdapter):
    """Logs in from an address of its own: the guesses of the tests slow down theirs."""

    def init_poolmanager(self, *given: Any, **named: Any) -> None:
        super().init_poolmanager(*given, **named, source_address=("127.0.0.9", 0))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The page in a thread of its own, with three printers."""
    home = Home(tmp_path_factory.mktemp("openapi") / "plug")
    home.create_folders()
    settings_schema.save_settings(
        home, replace(Config(), web=replace(Config().web, password_hash=password_hash()))
    )
    db = database.open_database(home.database)
    for number in range(1, 4):
        save_reading.store_reading(db, reading(number), datetime.now(UTC))
    db.close()
    loop, bases, stop = asyncio.new_event_loop(), [], asyncio.Event()
    up = threading.Event()

    async def serve() -> None:
        async with running(home, tls=True) as page:
            bases.append(page.base)
            up.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert up.wait(10)
        with requests.Session() as login, requests.Session() as client:
            login.mount("http://", FromElsewhere())
            client.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            yield Running(bases[0], login, client)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


load_all_checks()


@schema.exclude(path_regex=TALKS_TO_OTHERS).parametrize()
@hypothesis.settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
def test_answers_are_as_described(case: schemathesis.Case, service: Running) -> None:
    response = case.call(base_url=service.base, session=service.client, headers=service.headers(), timeout=10)
    if case.path in ENDS_SESSIONS:
        service.cookie = ""
    elif response.status_code == 401:
        raise AssertionError("the session has ended where none should")
    if response.status_code != 413:  # what was made up may be larger than any body may be
        case.validate_response(response, checks=list[Any](CHECKS.get_by_names(WANTED)))
    assert b"Traceback" not in response.content
