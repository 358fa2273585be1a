"""Fixtures that many tests share: simulated printers, a cloud, a state folder, real recordings."""

import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests import external_programs, skips
from tests.fakes.agent import Agent
from tests.fakes.cloud import Cloud
from tests.provider.authority import Authority

RECORDINGS = Path(__file__).resolve().parent.parent.parent / "shared" / "recordings"
NO_RECORDINGS = f"no recordings of real printers at {os.path.relpath(RECORDINGS)}"

_used: set[str] = set()


class Recordings(dict[str, Path]):
    """Recordings by name, without the suffix; notes which ones the tests opened."""

    def __getitem__(self, name: str) -> Path:
        _used.add(name)
        return super().__getitem__(name)


@pytest.fixture
async def agent() -> AsyncIterator[Agent]:
    """An agent without printers yet; `agent.add(address, Device(...))`."""
    async with Agent() as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty state folder, readable by its owner alone."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def db(home: Path) -> Iterator[sqlite3.Connection]:
    """A fresh database of a Plug."""
    from appliance.storage import database  # noqa: PLC0415  # most tests need no store

    connection = database.open_database(home / "printmonitor.db")
    yield connection
    connection.close()


@pytest.fixture
async def cloud(tmp_path: Path) -> AsyncIterator[Cloud]:
    """A provider's cloud that wants client certificates."""
    folder = tmp_path / "cloud"
    folder.mkdir()
    async with Cloud(folder) as running:
        yield running


@pytest.fixture(scope="session")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A vendor whose licences a Plug believes only where `authority` says so."""
    return Authority(tmp_path_factory.mktemp("vendor") / "authority")


@pytest.fixture
def authority(vendor: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The vendor whose licences Plugs of this test believe."""
    monkeypatch.setenv("PRINTMONITOR_VENDOR_CA", str(vendor.ca_file))
    return vendor


def pytest_configure(config: pytest.Config) -> None:
    skips.register(config)
    external_programs.watch()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `recording` runs once for each of them."""
    if "recording" in metafunc.fixturenames:
        paths = sorted(RECORDINGS.glob("*.snmprec"))
        missing = pytest.param(None, id="none", marks=pytest.mark.skip(reason=NO_RECORDINGS))
        there = [pytest.param(path, id=path.stem) for path in paths]
        metafunc.parametrize("recording", there or [missing], indirect=True)


@pytest.fixture
def recording(request: pytest.FixtureRequest) -> Path:
    """One recording of a real printer after the other."""
    path: Path = request.param
    _used.add(path.stem)
    return path


@pytest.fixture
def recordings() -> Recordings:
    """Recordings of real printers, where they lie beside the checkout."""
    found = Recordings({path.stem: path for path in sorted(RECORDINGS.glob("*.snmprec"))})
    if not found:
        pytest.skip(NO_RECORDINGS)
    return found


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker tells the main process which recordings it used."""
    output: dict[str, object] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["recordings"] = sorted(_used)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    _used.update(getattr(node, "workeroutput", {}).get("recordings", ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    there = len(list(RECORDINGS.glob("*.snmprec")))
    if there:
        terminalreporter.write_line(f"recordings of real printers: {len(_used)} of {there} used")
    else:
        terminalreporter.write_line(f"recordings of real printers: none ({NO_RECORDINGS})")
