"""The licence looks after itself, and what is wrong with it is said once."""

import asyncio
import logging
import sqlite3
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.delivery import outbox
from appliance.licensing import csr, installer, pending
from appliance.licensing import status as licence_status
from appliance.licensing.claims import Licence
from appliance.licensing.csr import Enrolment
from appliance.poller import licence_renewal
from appliance.settings.schema import Config, Home, HttpsConfig, TransmissionConfig
from appliance.storage import events, key_value, printers, save_reading
from tests import children
from tests.licensing.licences import DAY, HOUR, NOW, asked, licence
from tests.provider import server
from tests.provider.authority import Authority
from tests.provider.server import Fault, Offer
from tests.storage.readings import reading

MINUTE = timedelta(minutes=1)
UPLOAD = "https://127.0.0.1/parcels"


@pytest.fixture
def plug(home: Path) -> Home:
    plug = Home(home)
    plug.create_folders()
    return plug


@pytest.fixture
def config(authority: Authority) -> Config:
    return Config(transmission=TransmissionConfig("https", https=HttpsConfig(ca_file=str(authority.ca_file))))


@pytest.fixture
async def provider(authority: Authority) -> AsyncIterator[server.Enrolment]:
    async with server.Enrolment(authority, {"code"}, Offer(UPLOAD)) as running:
        yield running


def licensed(plug: Home, provider: server.Enrolment, *, days: int = 20, since: int = 345) -> Licence:
    """A licence that ends soon."""
    start, end = NOW - since * DAY, NOW + days * DAY
    data = licence(
        provider.authority, plug.folder, start=start, end=end, enrolment_url=provider.url, printers=2
    )
    return installer.install(plug.folder, data, NOW)


def told(db: sqlite3.Connection) -> dict[str, str]:
    return {event.subject: event.text for event in events.list_ongoing(db)}


async def test_a_licence_is_renewed_before_its_end(
    db: sqlite3.Connection, plug: Home, config: Config, provider: server.Enrolment
) -> None:
    old = licensed(plug, provider)
    await licence_renewal.check_licence(db, plug, config, NOW)
    new = licence_status.read_installed(plug.folder)
    assert new is not None
    assert new.valid_until > old.valid_until + 300 * DAY
    assert told(db) == {}
    assert "there is a new licence, valid until" in events.list_recent(db)[0].text
    await licence_renewal.check_licence(db, plug, config, NOW)
    assert len(provider.asked) == 1


async def test_a_licence_that_lasts_is_left_alone(
    db: sqlite3.Connection, plug: Home, config: Config, provider: server.Enrolment
) -> None:
    licensed(plug, provider, days=31)
    await licence_renewal.check_licence(db, plug, config, NOW)
    assert provider.asked == []
    assert events.list_recent(db) == []


async def test_a_failing_renewal_is_tried_daily_and_told_once(
    db: sqlite3.Connection,
    plug: Home,
    config: Config,
    provider: server.Enrolment,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "appliance.poller.licence_renewal")
    old = licensed(plug, provider)
    provider.faults.extend([Fault(500), Fault(500)])
    for hours in range(0, 48, 6):
        await licence_renewal.check_licence(db, plug, config, NOW + hours * HOUR)
    assert [status for *_, status in provider.asked] == [500, 500]
    assert told(db) == {
        "licence": f"the licence ends on {old.valid_until:%Y-%m-%d}",
        "renewal": "no new licence: the server answered 500 Internal Server Error;"
        " the request is repeated daily",
    }
    assert len([line for line in caplog.messages if "no new licence" in line]) == 1
    await licence_renewal.check_licence(db, plug, config, NOW + 2 * DAY)
    assert told(db) == {}
    assert "licence: renewal: in order again" in caplog.messages


async def test_a_clock_that_was_set_back_does_not_put_it_off(
    db: sqlite3.Connection, plug: Home, config: Config, provider: server.Enrolment
) -> None:
    licensed(plug, provider)
    key_value.put_time(db, licence_renewal.NEXT_ATTEMPT_KEY, NOW + 4000 * DAY)
    await licence_renewal.check_licence(db, plug, config, NOW)
    assert len(provider.asked) == 1


async def test_revoked_by_the_provider(
    db: sqlite3.Connection, plug: Home, config: Config, provider: server.Enrolment
) -> None:
    old = licensed(plug, provider)
    provider.authority.revoke(old.plug_id)
    try:
        await licence_renewal.check_licence(db, plug, config, NOW)
    finally:
        provider.authority.pardon(old.plug_id)
    standing = licence_status.get_status(plug.folder, NOW)
    assert (standing.state, standing.allows_sending) == ("revoked", False)
    assert "the contract has ended" in told(db)["licence"]
    await licence_renewal.check_licence(db, plug, config, NOW + DAY)  # the provider has changed its mind
    assert licence_status.get_status(plug.folder, NOW + DAY).state == "valid"
    assert told(db) == {}


async def test_who_is_turned_down_asks_why(
    db: sqlite3.Connection, plug: Home, config: Config, provider: server.Enrolment
) -> None:
    licensed(plug, provider, days=300)
    provider.faults.append(Fault(410, "unpaid"))
    await licence_renewal.check_licence(db, plug, config, NOW, plug_rejected=True)
    assert "unpaid" in told(db)["licence"]


async def test_an_undecided_enrolment_goes_on(
    db: sqlite3.Connection, plug: Home, config: Config, provider: server.Enrolment
) -> None:
    asked(plug.folder)
    await licence_renewal.check_licence(db, plug, config, NOW)
    assert provider.asked == []  # it is carried by hand
    csr.save_enrolment(plug.folder, Enrolment(provider.url, "code"))
    provider.faults.append(Fault(202))
    for minutes in (0, 10, 30, 59):
        await licence_renewal.check_licence(db, plug, config, NOW + timedelta(minutes=minutes))
    assert [status for *_, status in provider.asked] == [202]
    assert told(db) == {}
    await licence_renewal.check_licence(db, plug, config, datetime.now(UTC) + HOUR)
    assert licence_status.get_status(plug.folder, datetime.now(UTC)).state == "valid"


async def test_parcels_that_were_turned_down_go_with_the_new_licence(
    db: sqlite3.Connection, plug: Home, config: Config, provider: server.Enrolment
) -> None:
    licensed(plug, provider)
    provider.faults.append(Fault(500))
    await licence_renewal.check_licence(db, plug, config, NOW)
    for name in ("first", "second"):
        parcel = outbox.put(db, plug.outbox, name, b"data", NOW)
        outbox.postpone(db, parcel, "certificate refused", NOW + DAY, 3600)
    await licence_renewal.check_licence(db, plug, config, NOW + HOUR)
    assert outbox.next_due(db, NOW + DAY) is None
    await licence_renewal.check_licence(db, plug, config, NOW + DAY)
    assert outbox.next_due(db, NOW + DAY) is not None
    assert all(each.next_at == NOW + DAY for each in outbox.list_parcels(db))


async def test_more_printers_than_licensed_are_a_warning(
    db: sqlite3.Connection, plug: Home, config: Config, provider: server.Enrolment
) -> None:
    licensed(plug, provider, days=300)
    ids = [
        save_reading.store_reading(db, reading(serial=f"S{number}", host=f"10.0.0.{number}"), NOW)
        for number in (1, 2, 3)
    ]
    await licence_renewal.check_licence(db, plug, config, NOW)
    assert told(db) == {
        "printers": "there are more printers than the licence covers (2); all are polled and reported"
    }
    printers.set_ignore(db, ids[0], True)
    await licence_renewal.check_licence(db, plug, config, NOW)
    assert told(db) == {}


@pytest.mark.parametrize(
    ("later", "said"), [(300 * DAY, "expired on"), (-400 * DAY, "is the Plug's clock right?")]
)
async def test_without_an_enrolment_url_it_is_only_told(
    db: sqlite3.Connection, plug: Home, config: Config, authority: Authority, *, later: timedelta, said: str
) -> None:
    installer.install(plug.folder, licence(authority, plug.folder, end=NOW + 20 * DAY, enrolment_url=""), NOW)
    for minutes in range(3):
        await licence_renewal.check_licence(db, plug, config, NOW + later + timedelta(minutes=minutes))
    assert said in told(db)["licence"]
    assert len(events.list_recent(db)) == 1


async def test_the_service_does_it(
    home: Path, authority: Authority, provider: server.Enrolment, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug = Home(home)
    plug.create_folders()
    plug.settings.write_text(f'transmission.https.ca_file = "{authority.ca_file}"\n')
    old = licensed(plug, provider)
    monkeypatch.setenv("PRINTMONITOR_VENDOR_CA", str(authority.ca_file))
    with children.running(children.printmonitor("poller", state=home), stderr=subprocess.PIPE) as poller:
        assert poller.stderr is not None
        said = ""
        while "licence: there is a new one" not in said:
            line = await asyncio.to_thread(poller.stderr.readline)
            assert line, said
            said += line
    found = licence_status.read_installed(home)
    assert found is not None
    assert found.fingerprint != old.fingerprint


async def test_a_licence_that_was_brought_is_installed_once_the_clock_is_right(
    db: sqlite3.Connection, plug: Home, config: Config, authority: Authority
) -> None:
    pending.put(plug.folder, licence(authority, plug.folder))
    await licence_renewal.check_licence(db, plug, config, NOW - 30 * DAY, clock_settled=False)
    assert licence_status.get_status(plug.folder, NOW).licence is None
    assert told(db) == {}
    await licence_renewal.check_licence(db, plug, config, NOW)
    assert licence_status.get_status(plug.folder, NOW).state == "valid"
    assert [event.text for event in events.list_recent(db)][-1].startswith("there is a new licence")


async def test_a_licence_that_was_brought_too_late_is_told(
    db: sqlite3.Connection, plug: Home, config: Config, authority: Authority
) -> None:
    pending.put(plug.folder, licence(authority, plug.folder, start=NOW - 2 * DAY, end=NOW - DAY))
    await licence_renewal.check_licence(db, plug, config, NOW)
    assert told(db)["provisioning"].startswith(
        "the licence of the provisioning file is not installed: the licence expired on"
    )


async def test_a_new_plug_asks_again_soon(
    db: sqlite3.Connection, plug: Home, config: Config, provider: server.Enrolment
) -> None:
    csr.get_or_create(plug.folder, "printmonitor-4f2a91")
    csr.save_enrolment(plug.folder, Enrolment(provider.url, "code"))
    provider.faults.append(Fault(500))
    await licence_renewal.check_licence(db, plug, config, NOW)
    assert told(db)["renewal"].endswith("the request is repeated every few minutes")
    await licence_renewal.check_licence(db, plug, config, NOW + 4 * MINUTE)
    assert len(provider.asked) == 1
    await licence_renewal.check_licence(db, plug, config, NOW + 5 * MINUTE)
    assert licence_status.get_status(plug.folder, NOW).state == "valid"
    assert "renewal" not in told(db)
