"""The transmission, tried step by step; the steps by HTTPS are tested once more behind the page."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.delivery import archive, transmission_test
from appliance.delivery.transmission_test import TransmissionStep
from appliance.settings.schema import Config, Home, HttpsConfig, MailConfig, PlugConfig, TransmissionConfig
from tests.fakes.cloud import Cloud, Fault
from tests.fakes.mailserver import CUT, RealServer, Scripted

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = "a key"
LOGIN = ("plug", "sehr geheim")


@pytest.fixture
def plug(home: Path) -> Home:
    plug = Home(home)
    plug.create_folders()
    return plug


def by_mail(port: int, **others: object) -> Config:
    settings = MailConfig(host="127.0.0.1", port=port, sender="plug@example.com", recipient="to@example.com")
    wanted = TransmissionConfig("mail", KEY, mail=replace(settings, **others))  # type: ignore[arg-type]
    return Config(plug=PlugConfig(name="plug-4f2a91"), transmission=wanted)


async def tried(plug: Home, config: Config) -> list[TransmissionStep]:
    steps = await transmission_test.run(plug, config, NOW)
    assert all(step.ok for step in steps[:-1])
    assert all((step.advice is None) is step.ok and step.text for step in steps)
    assert transmission_test.has_passed(steps) is steps[-1].ok
    return steps


def names(steps: list[TransmissionStep]) -> list[str]:
    return [step.name for step in steps]


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
async def test_a_test_mail_arrives(plug: Home, tmp_path: Path, security: str) -> None:
    async with RealServer(tmp_path, security=security, login=LOGIN) as server:
        config = by_mail(
            server.port,
            security=security,
            ca_file=str(server.ca_file),
            username=LOGIN[0],
            password=LOGIN[1],
        )
        steps = await tried(plug, config)
    assert steps[-1].ok
    tls = [] if security == "none" else ["tls"]
    assert names(steps) == ["settings", "name", "port", *tls, "login", "parcel"]
    (attachment,) = server.messages[0].iter_attachments()
    name, xml = archive.unpack(attachment.get_content(), KEY)
    assert name == "plug-4f2a91-test-20260301T120000Z"
    assert b"<Printers>" not in xml
    assert list(plug.outbox.iterdir()) == []


@pytest.mark.parametrize(
    ("says", "last", "words"),
    [
        ({"greeting": "554 go away"}, "port", "554 go away"),
        ({"greeting": CUT}, "port", "closed the connection"),
        ({"ehlo": "421 busy"}, "port", "421 busy"),
        ({"auth": "535 5.7.8 no such plug"}, "login", "535"),
        ({"mail": "550 not you"}, "parcel", "550 not you"),
        ({"rcpt": "550 no relaying"}, "parcel", "550 no relaying, to to@example.com"),
        ({"rcpt": "450 greylisted"}, "parcel", "450 greylisted"),
        ({"end": "552 too much"}, "parcel", "552 too much"),
    ],
)
async def test_the_step_that_fails_is_named(plug: Home, says: dict[str, str], last: str, words: str) -> None:
    async with Scripted(**says) as server:
        steps = await tried(plug, by_mail(server.port, username="plug", password="x"))
    assert (steps[-1].name, steps[-1].ok) == (last, False)
    assert words in steps[-1].text


async def test_a_mail_server_without_starttls(plug: Home) -> None:
    async with Scripted() as server:
        steps = await tried(plug, by_mail(server.port, security="starttls"))
    assert (steps[-1].name, steps[-1].ok) == ("tls", False)
    assert "port and security" in str(steps[-1].advice)


@pytest.mark.parametrize("security", ["none", "tls"])
async def test_a_mail_server_that_is_not_there(plug: Home, security: str) -> None:
    async with Scripted() as server:
        pass
    steps = await tried(plug, by_mail(server.port, security=security))
    assert names(steps) == ["settings", "name", "port"]
    assert "refused" in steps[-1].text


async def test_a_name_that_is_none(plug: Home) -> None:
    steps = await tried(plug, by_mail(25, host="no-such-host.invalid"))
    assert names(steps) == ["settings", "name"]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (Config(), "switched off"),
        (by_mail(25, host=""), "host is missing"),
        (by_mail(25, sender="nobody"), "sender is no mail address"),
        (by_mail(25, security="tls", ca_file="/nonexistent.pem"), "ca_file"),
        (Config(transmission=TransmissionConfig("https", KEY)), "URL is missing"),
        (Config(transmission=TransmissionConfig("https", https=HttpsConfig("https://x"))), "key is missing"),
    ],
)
async def test_settings_that_say_too_little(plug: Home, config: Config, words: str) -> None:
    (step,) = await tried(plug, config)
    assert words in step.text


async def test_by_https(plug: Home, cloud: Cloud) -> None:
    cloud.issue_client(plug.tls, "plug-4f2a91")
    https = HttpsConfig(url=cloud.url, ca_file=str(cloud.ca_file))
    config = Config(
        plug=PlugConfig(name="plug-4f2a91"), transmission=TransmissionConfig("https", KEY, https=https)
    )
    assert names(await tried(plug, config)) == ["settings", "name", "port", "tls", "certificate", "parcel"]
    assert len(cloud.arrivals) == 1
    cloud.once(Fault(status=422, text="not this"))
    assert "not this" in (await tried(plug, config))[-1].text
    assert list(plug.outbox.iterdir()) == []
