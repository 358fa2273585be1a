"""From printers to the provider's server: in order, once, and never silently."""

import asyncio
import logging
import random
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.delivery import archive, dispatcher, outbox, xml_export
from appliance.settings.schema import Config, Home, HttpsConfig, PlugConfig, TransmissionConfig
from tests.children import ROOT, environment
from tests.delivery.printers import BARE, FULL
from tests.fakes.cloud import Cloud, Fault

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLUG = "plug-4f2a91"
KEY = "a key"
KILLS = 12


@pytest.fixture
def plug(home: Path) -> Home:
    plug = Home(home)
    plug.create_folders()
    return plug


@pytest.fixture
def config(cloud: Cloud, plug: Home) -> Config:
    cloud.issue_client(plug.tls, PLUG)
    https = HttpsConfig(url=cloud.url, ca_file=str(cloud.ca_file))
    return Config(plug=PlugConfig(name=PLUG), transmission=TransmissionConfig("https", KEY, https=https))


def changed(config: Config, **fields: object) -> Config:
    return replace(config, transmission=replace(config.transmission, **fields))  # type: ignore[arg-type]


def at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


def put(db: sqlite3.Connection, plug: Home, *names: str) -> list[outbox.Parcel]:
    return [outbox.put(db, plug.outbox, name, f"data of {name}".encode(), NOW) for name in names]


def states(db: sqlite3.Connection) -> dict[str, str]:
    return {each.name: each.state for each in outbox.list_parcels(db)}


async def test_printers_reach_the_cloud_and_open_with_the_key(
    db: sqlite3.Connection, plug: Home, config: Config, cloud: Cloud
) -> None:
    handed = dispatcher.enqueue_printers(db, plug, config, iter([FULL, BARE]), NOW)
    assert handed is not None
    assert await dispatcher.deliver_due(db, plug, config, at(NOW)) == dispatcher.DeliverySummary(delivered=1)
    (arrival,) = cloud.arrivals
    assert (arrival.key, arrival.plug, arrival.client) == (handed.id, PLUG, PLUG)
    name, xml = archive.unpack(arrival.body, KEY)
    assert name == "plug-4f2a91-20260301T120000Z"
    assert xml == xml_export.render([FULL, BARE], config.schedule.zone)
    assert outbox.read(plug.outbox, outbox.list_parcels(db)[0]) == arrival.body  # exactly what left the site


async def test_the_setting_for_the_names_counts(db: sqlite3.Connection, plug: Home, config: Config) -> None:
    handed = dispatcher.enqueue_printers(db, plug, changed(config, xml_names="mib"), [FULL], NOW)
    assert handed is not None
    assert b"<SnmpPort>" in archive.unpack(outbox.read(plug.outbox, handed), KEY)[1]


@pytest.mark.parametrize("name", ["Büro Süd / 1. OG", "../../etc", "", "🖨", "x" * 500])
async def test_any_name_of_a_plug_will_do(
    db: sqlite3.Connection, plug: Home, config: Config, cloud: Cloud, name: str
) -> None:
    named = replace(config, plug=PlugConfig(name=name))
    assert dispatcher.enqueue_printers(db, plug, named, [BARE], NOW) is not None
    summary = await dispatcher.deliver_due(db, plug, named, at(NOW))
    assert summary.refused == 1  # the cloud knows this Plug by the name in its certificate
    assert "PrintMonitor-Plug is" in cloud.problems[0]


@pytest.mark.parametrize(
    ("fields", "printers", "said"),
    [
        ({"mode": "off"}, [FULL], "transmission.mode is off"),
        ({"key": ""}, [FULL], "transmission.key is missing"),
        ({}, [], "no printer is known"),
    ],
)
def test_nothing_is_handed_over_without_saying_why(
    db: sqlite3.Connection,
    plug: Home,
    config: Config,
    *,
    caplog: pytest.LogCaptureFixture,
    fields: dict[str, object],
    printers: list[object],
    said: str,
) -> None:
    caplog.set_level(logging.DEBUG, "appliance.delivery.dispatcher")
    assert dispatcher.enqueue_printers(db, plug, changed(config, **fields), printers, NOW) is None  # type: ignore[arg-type]
    assert said in caplog.text
    assert outbox.list_parcels(db) == []


async def test_a_busy_server_makes_all_wait_in_order(
    db: sqlite3.Connection, plug: Home, config: Config, cloud: Cloud
) -> None:
    put(db, plug, "first", "second")
    cloud.once(Fault(status=503, retry_after="90"))
    summary = await dispatcher.deliver_due(db, plug, config, at(NOW))
    assert (summary.delivered, summary.waiting) == (0, 2)
    assert summary.error is not None
    assert summary.error.startswith("the server answered 503")
    too_early = await dispatcher.deliver_due(db, plug, config, at(NOW + timedelta(seconds=89)))
    assert too_early == summary  # and says still why
    assert len(cloud.requests) == 1
    assert (await dispatcher.deliver_due(db, plug, config, at(NOW + timedelta(seconds=90)))).delivered == 2
    assert [arrival.body for arrival in cloud.arrivals] == [b"data of first", b"data of second"]


async def test_a_refused_parcel_is_set_aside_and_the_next_one_goes(
    db: sqlite3.Connection, plug: Home, config: Config, cloud: Cloud
) -> None:
    first, _ = put(db, plug, "first", "second")
    cloud.once(Fault(status=422, text="unknown customer"))
    assert await dispatcher.deliver_due(db, plug, config, at(NOW)) == dispatcher.DeliverySummary(
        delivered=1, refused=1
    )
    assert states(db) == {"first": "refused", "second": "delivered"}
    await dispatcher.deliver_due(db, plug, config, at(NOW + timedelta(days=400)))
    assert len(cloud.requests) == 2  # not retried for ever
    outbox.retry(db, plug.outbox, first.id, NOW)
    assert (await dispatcher.deliver_due(db, plug, config, at(NOW))).delivered == 1
    assert cloud.arrivals[-1].key == first.id


async def test_trouble_with_the_licence_waits_an_hour(
    db: sqlite3.Connection, plug: Home, config: Config, cloud: Cloud
) -> None:
    put(db, plug, "first")
    cloud.once(Fault(status=403, text="licence ended"))
    await dispatcher.deliver_due(db, plug, config, at(NOW))
    (waiting,) = outbox.list_parcels(db)
    assert waiting.next_at == NOW + timedelta(hours=1)
    assert waiting.error is not None
    assert waiting.error.endswith("licence ended")


async def test_a_lost_file_holds_nobody_up(
    db: sqlite3.Connection, plug: Home, config: Config, cloud: Cloud
) -> None:
    gone, damaged, _ = put(db, plug, "gone", "damaged", "whole")
    (plug.outbox / gone.file).unlink()
    (plug.outbox / damaged.file).write_bytes(b"")
    assert await dispatcher.deliver_due(db, plug, config, at(NOW)) == dispatcher.DeliverySummary(delivered=1)
    assert states(db) == {"gone": "lost", "damaged": "lost", "whole": "delivered"}
    assert [arrival.body for arrival in cloud.arrivals] == [b"data of whole"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"mode": "mail"}, "transmission.mail.host is missing"),
        ({"https": HttpsConfig()}, "transmission.https.url is missing"),
        ({"https": HttpsConfig(url="http://127.0.0.1/")}, "only https:// is allowed"),
    ],
)
async def test_settings_that_cannot_work_cost_no_attempt(
    db: sqlite3.Connection, plug: Home, config: Config, fields: dict[str, object], said: str
) -> None:
    put(db, plug, "first")
    summary = await dispatcher.deliver_due(db, plug, changed(config, **fields), at(NOW))
    assert summary.waiting == 1
    assert summary.error is not None
    assert said in summary.error
    assert outbox.list_parcels(db)[0].attempts == 0
    assert (await dispatcher.deliver_due(db, plug, config, at(NOW))).delivered == 1  # mended: at once


async def test_switched_off_sends_nothing(
    db: sqlite3.Connection, plug: Home, config: Config, cloud: Cloud
) -> None:
    put(db, plug, "first")
    summary = await dispatcher.deliver_due(db, plug, changed(config, mode="off"), at(NOW))
    assert summary == dispatcher.DeliverySummary(waiting=1)
    assert cloud.requests == []


async def test_two_that_deliver_at_once_send_each_parcel_once(
    db: sqlite3.Connection, plug: Home, config: Config, cloud: Cloud
) -> None:
    put(db, plug, "first", "second", "third")
    both = await asyncio.gather(*(dispatcher.deliver_due(db, plug, config, at(NOW)) for _ in range(2)))
    assert sorted(summary.delivered for summary in both) == [0, 3]
    assert [status for _, status in cloud.requests] == [200, 200, 200]


async def test_no_secret_is_logged_or_kept_as_a_reason(
    db: sqlite3.Connection, plug: Home, config: Config, cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    https = replace(
        config.transmission.https,
        proxy="http://127.0.0.1:1",
        proxy_username="user",
        proxy_password="hidden-word",
    )
    secretive = changed(config, https=https, key="hidden-key")
    dispatcher.enqueue_printers(db, plug, secretive, [FULL], NOW)
    summary = await dispatcher.deliver_due(db, plug, secretive, at(NOW))
    assert summary.error == "proxy 127.0.0.1:1: connection refused"
    assert "hidden" not in caplog.text
    assert "hidden" not in "\n".join(db.iterdump())


async def test_nothing_is_lost_or_sent_twice_as_new_when_killed_at_any_instant(
    db: sqlite3.Connection, plug: Home, config: Config, cloud: Cloud
) -> None:
    kept: set[str] = set()
    courier = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-m",
            "tests.delivery.courier",
            str(plug.folder),
            cloud.url,
            str(cloud.ca_file),
            PLUG,
        ),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env=environment(),
    )
    assert courier.stdin is not None
    assert courier.stdout is not None
    try:
        for _ in range(KILLS):
            courier.stdin.write(f"{random.uniform(0.0, 0.1)}\n".encode())
            while (line := await courier.stdout.readline()) != b"killed\n":
                assert line.startswith(b"kept "), line
                kept.add(line.decode().split()[1])
    finally:
        courier.stdin.close()
        await courier.wait()

    outbox.recover(db, plug.outbox, NOW)
    for waiting in outbox.list_parcels(db):
        if waiting.state == "waiting":
            outbox.retry(db, plug.outbox, waiting.id, NOW)
    await dispatcher.deliver_due(db, plug, config, at(NOW))

    assert {each.state for each in outbox.list_parcels(db)} == {"delivered"}
    assert kept
    assert kept <= {arrival.key for arrival in cloud.arrivals}
    bodies = [arrival.body for arrival in cloud.arrivals]
    assert len(set(bodies)) == len(bodies)
    assert bodies == sorted(bodies)  # in the order in which they were put
    assert cloud.problems == []
    assert not list(plug.outbox.glob("*.zip"))
