"""How the licence stands, as people read it."""

from datetime import timedelta
from pathlib import Path

import pytest

from appliance.licensing import installer, status
from tests.licensing.licences import DAY, HOUR, NOW, asked, licence
from tests.provider.authority import Authority

END = NOW + 365 * DAY


@pytest.fixture
def licensed(home: Path, authority: Authority) -> Path:
    installer.install(home, licence(authority, home), NOW)
    return home


def test_without_any(home: Path) -> None:
    found = status.get_status(home, NOW)
    assert (found.state, found.allows_sending, found.licence) == ("none", True, None)  # the settings decide
    assert "nothing is sent" in found.text


def test_asked_for(home: Path, authority: Authority) -> None:
    asked(home)
    found = status.get_status(home, NOW)
    assert found.state == "requested"
    assert f"requested on {NOW:%Y-%m-%d} for printmonitor-4f2a91" in found.text


@pytest.mark.parametrize(
    ("now", "name", "said"),
    [
        (NOW, "valid", f"valid until {END:%Y-%m-%d}"),
        (END - 30 * DAY - HOUR, "valid", "valid until"),
        (END - 30 * DAY, "ending", f"the licence ends on {END:%Y-%m-%d}"),
        (END - timedelta(seconds=1), "ending", "ends on"),
        (END, "expired", f"the licence expired on {END:%Y-%m-%d}; nothing is sent, parcels are kept"),
        (NOW - 2 * HOUR, "early", "is the Plug's clock right?"),
    ],
)
def test_by_its_dates(licensed: Path, now: object, name: str, said: str) -> None:
    assert isinstance(now, type(NOW))
    found = status.get_status(licensed, now)
    assert found.state == name
    assert said in found.text
    assert found.allows_sending == (name in ("valid", "ending"))


def test_a_short_licence_is_not_ending_all_the_time(home: Path, authority: Authority) -> None:
    installer.install(home, licence(authority, home, start=NOW, end=NOW + 30 * DAY), NOW)
    assert status.get_status(home, NOW + 19 * DAY).state == "valid"
    assert status.get_status(home, NOW + 20 * DAY).state == "ending"


def test_revoked(licensed: Path) -> None:
    found = status.read_installed(licensed)
    assert found is not None
    installer.record_revocation(licensed, found, "the contract has ended", NOW)
    standing = status.get_status(licensed, NOW)
    assert (standing.state, standing.allows_sending) == ("revoked", False)
    assert "the contract has ended; nothing is sent, parcels are kept" in standing.text


@pytest.mark.parametrize("name", ["licence.pem", "client.key"])
@pytest.mark.parametrize("content", [None, b"", b"rubbish"])
def test_a_damaged_licence_is_broken_and_says_so(licensed: Path, name: str, content: bytes | None) -> None:
    assert status.get_status(licensed, NOW).state == "valid"
    path = licensed / "tls" / "licence" / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    found = status.get_status(licensed, NOW)
    assert (found.state, found.allows_sending) == ("broken", False)
    assert "cannot be used" in found.text
    if name == "client.key":
        assert "cannot be used: its key is missing or damaged" in found.text


def test_a_licence_that_somebody_else_s_vendor_signed_is_broken(
    licensed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRINTMONITOR_VENDOR_CA", str(Authority(tmp_path / "other").ca_file))
    assert status.get_status(licensed, NOW).state == "broken"


def test_looking_again_costs_nothing(licensed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = status.get_status(licensed, NOW)
    monkeypatch.setenv("PATH", "")  # openssl is not to be had
    assert status.get_status(licensed, NOW) == first
