"""A bundle that RAUC cannot stream is fetched, as the unprivileged unit does it."""

import json
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.cli import privileged
from appliance.settings import schema
from appliance.settings.paths import Home
from appliance.settings.schema import Config
from appliance.updates import bundle_prefetch, bundle_store
from appliance.updates.http_client import UpdateFetchError
from tests.updates.test_channel import GOOD, Site, site

__all__ = ["site"]  # the fixture


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.create_folders()
    return made


def tell(home: Home, state: str, source: str) -> None:
    """As root does."""
    (home.run / "answers").mkdir(parents=True, exist_ok=True)
    told = {"state": state, "percent": 0, "at": 0, "source": source}
    (home.run / "answers/update.json").write_text(json.dumps(told))


def trusting(site: Site) -> Config:
    return replace(Config(), update=replace(Config().update, ca_file=str(site.ca_file)))


async def test_it_takes_the_place_of_an_uploaded_bundle(home: Home, site: Site) -> None:
    tell(home, "fetching", site.url)
    await bundle_prefetch.prefetch_bundle(home, trusting(site))
    assert (home.updates / bundle_store.BUNDLE_FILENAME).read_text() == GOOD


async def test_nothing_is_fetched_that_root_does_not_wait_for(home: Home, site: Site) -> None:
    with pytest.raises(UpdateFetchError, match="no bundle is expected"):
        await bundle_prefetch.prefetch_bundle(home, trusting(site))
    tell(home, "installing", site.url)
    with pytest.raises(UpdateFetchError, match="no bundle is expected"):
        await bundle_prefetch.prefetch_bundle(home, trusting(site))
    assert site.asked == []


async def test_what_fails_leaves_nothing(home: Home, site: Site) -> None:
    site.status = 404
    tell(home, "fetching", site.url)
    with pytest.raises(UpdateFetchError, match="the server answered 404 Not Found"):
        await bundle_prefetch.prefetch_bundle(home, trusting(site))
    assert bundle_store.find_bundle(home.updates) is None


def test_why_it_failed_goes_to_systemd_for_root_to_read(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema.save_settings(home, Config())
    tell(home, "fetching", "http://127.0.0.1:1/plug.raucb")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        assert privileged.run_action(home, "fetch") == 1
        said = systemd.recv(4_096).decode()
    assert said.startswith("STATUS=127.0.0.1")
    assert "refused" in said.lower() or "connect" in said.lower()
