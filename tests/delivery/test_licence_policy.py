"""Sending with a licence: its key, its URL, its identity; and not sending without a good one."""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.delivery import archive, dispatcher, licence_policy, outbox, transmission_test
from appliance.licensing import installer
from appliance.settings.schema import Config, Home, HttpsConfig, PlugConfig, TransmissionConfig
from tests.delivery.printers import FULL
from tests.fakes.cloud import Cloud, Fault
from tests.licensing.licences import DAY, NOW, PLUG, licence
from tests.provider.authority import Authority

KEY = "key-of-the-licence"


@pytest.fixture
def plug(home: Path) -> Home:
    plug = Home(home)
    plug.create()
    return plug


@pytest.fixture
def config(cloud: Cloud) -> Config:
    https = HttpsConfig(ca_file=str(cloud.ca_file))
    return Config(
        plug=PlugConfig(name="renamed-by-hand"), transmission=TransmissionConfig("https", https=https)
    )


@pytest.fixture
def installed(plug: Home, cloud: Cloud, authority: Authority) -> Home:
    """A Plug with a licence for the cloud, which knows the vendor's certificates."""
    cloud.trust(authority.ca_file)
    data = licence(authority, plug.folder, upload_url=cloud.url, transmission_key=KEY)
    installer.install(plug.folder, data, NOW)
    return plug


def now() -> datetime:
    return datetime.now(UTC)


async def test_the_licence_alone_is_enough(
    db: sqlite3.Connection, installed: Home, config: Config, cloud: Cloud
) -> None:
    assert dispatcher.enqueue_printers(db, installed, config, [FULL], NOW) is not None
    summary = await dispatcher.deliver_due(db, installed, config, now)
    assert (summary.delivered, summary.error) == (1, None)
    (arrival,) = cloud.arrivals
    assert (arrival.plug, arrival.client) == (PLUG, PLUG)  # not the name that anybody may change
    archive.unpack(arrival.body, KEY)


async def test_what_is_set_by_hand_stands(
    db: sqlite3.Connection, installed: Home, config: Config, cloud: Cloud
) -> None:
    https = replace(config.transmission.https, url="https://127.0.0.1:1/elsewhere")
    by_hand = replace(config, transmission=replace(config.transmission, key="my key", https=https))
    handed = dispatcher.enqueue_printers(db, installed, by_hand, [FULL], NOW)
    assert handed is not None
    archive.unpack(outbox.read(installed.outbox, handed), "my key")
    assert dispatcher.https_destination(installed, by_hand).url == "https://127.0.0.1:1/elsewhere"
    assert dispatcher.https_destination(installed, config).url == cloud.url


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (NOW + 366 * DAY, "the licence expired on"),
        (NOW - 30 * DAY, "is the Plug's clock right?"),
    ],
)
async def test_out_of_its_time_parcels_are_kept_and_not_sent(
    db: sqlite3.Connection, installed: Home, config: Config, *, cloud: Cloud, moment: datetime, said: str
) -> None:
    assert dispatcher.enqueue_printers(db, installed, config, [FULL], moment) is not None
    summary = await dispatcher.deliver_due(db, installed, config, lambda: moment)
    assert (summary.delivered, summary.waiting) == (0, 1)
    assert said in str(summary.error)
    assert cloud.requests == []
    assert (await dispatcher.deliver_due(db, installed, config, now)).delivered == 1


async def test_revoked_or_broken_sends_nothing(
    db: sqlite3.Connection, installed: Home, config: Config, cloud: Cloud
) -> None:
    outbox.put(db, installed.outbox, "waits", b"data", NOW)
    (installed.tls / "licence" / "licence.pem").write_text("damaged")
    assert "cannot be used" in str((await dispatcher.deliver_due(db, installed, config, now)).error)
    assert licence_policy.blocking_reason(installed, NOW) is not None
    assert outbox.count_by_state(db, "waiting") == 1
    assert cloud.requests == []


async def test_without_a_licence_and_by_hand_all_is_as_it_was(
    plug: Home, config: Config, cloud: Cloud
) -> None:
    assert licence_policy.apply_licence(plug, config) is config
    assert licence_policy.resolve_plug_id(plug, config) == "renamed-by-hand"
    assert licence_policy.find_client_certificate(plug) is None
    certificate, key = cloud.issue_client(plug.tls, "by-hand")
    assert licence_policy.find_client_certificate(plug) == (certificate, key)


async def test_who_turns_the_plug_down_is_noticed(
    db: sqlite3.Connection, installed: Home, config: Config, cloud: Cloud
) -> None:
    outbox.put(db, installed.outbox, "waits", b"data", NOW)
    cloud.once(Fault(status=403, text="no contract"))
    summary = await dispatcher.deliver_due(db, installed, config, now)
    assert summary.plug_rejected
    assert str(summary.error).endswith("no contract")


async def test_the_trial_uses_the_licence(installed: Home, config: Config, cloud: Cloud) -> None:
    steps = await transmission_test.run(installed, config, NOW)
    assert [step.name for step in steps if not step.ok] == []
    assert cloud.arrivals[0].plug == PLUG


async def test_the_trial_says_why_the_licence_lets_nothing_leave(
    installed: Home, config: Config, cloud: Cloud
) -> None:
    *_, step = await transmission_test.run(installed, config, NOW + 400 * DAY)
    assert (step.name, step.ok) == ("certificate", False)
    assert "The licence expired on" in step.text
    assert cloud.requests == []
