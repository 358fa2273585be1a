"""Enrolment and renewal at a real provider, over real TLS."""

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.delivery import enrolment_client
from appliance.delivery.errors import (
    DeliveryDeferredError,
    DeliveryError,
    DeliveryNotConfiguredError,
    DeliveryRejectedError,
    LicenceRejectedError,
)
from appliance.licensing import csr, installer, keystore, status, verifier
from appliance.licensing.claims import InvalidLicenceError
from appliance.licensing.csr import Enrolment
from appliance.settings.schema import Config, Home, HttpsConfig, TransmissionConfig
from tests.provider import server
from tests.provider.authority import Authority, openssl
from tests.provider.server import Fault, Offer

UPLOAD = "https://127.0.0.1/parcels"
CODE = "code-4711"


@pytest.fixture
def plug(home: Path) -> Home:
    plug = Home(home)
    plug.create_folders()
    return plug


@pytest.fixture
def config(authority: Authority) -> Config:
    https = HttpsConfig(ca_file=str(authority.ca_file))
    return Config(transmission=TransmissionConfig("https", https=https))


@pytest.fixture
async def provider(authority: Authority) -> AsyncIterator[server.Enrolment]:
    async with server.Enrolment(authority, {CODE}, Offer(UPLOAD)) as running:
        yield running


def now() -> datetime:
    return datetime.now(UTC)


def failures(plug: Home) -> tuple[bytes, ...]:
    """The request that waits: what a failed enrolment may leave."""
    return tuple(path.read_bytes() for path in sorted(plug.tls.glob("request.*")))


async def test_a_code_buys_a_licence(plug: Home, config: Config, provider: server.Enrolment) -> None:
    found = await enrolment_client.enrol(plug, config, Enrolment(provider.url, CODE), now())
    assert (found.customer, found.printers, found.upload_url) == ("Example AG", 50, UPLOAD)
    assert provider.asked == [("", CODE, 200)]
    assert status.get_status(plug.folder, now()).state == "valid"
    assert csr.read_request(plug.folder) is None


async def test_a_code_buys_only_one(
    plug: Home, config: Config, provider: server.Enrolment, tmp_path: Path
) -> None:
    await enrolment_client.enrol(plug, config, Enrolment(provider.url, CODE), now())
    second = Home(tmp_path / "second")
    second.create_folders()
    csr.get_or_create(second.folder, "printmonitor-000001")
    with pytest.raises(LicenceRejectedError, match="403 Forbidden: unknown enrolment code"):
        await enrolment_client.enrol(second, config, Enrolment(provider.url, CODE), now())
    assert status.get_status(second.folder, now()).state == "requested"


async def test_a_renewal_shows_the_old_certificate_and_brings_a_new_key(
    plug: Home, config: Config, provider: server.Enrolment
) -> None:
    first = await enrolment_client.enrol(plug, config, Enrolment(provider.url, CODE), now())
    key = (plug.tls / keystore.CLIENT_KEY_FILE).read_bytes()
    second = await enrolment_client.renew(plug, config, first, now())
    assert provider.asked[-1] == (first.plug_id, "", 200)
    assert second.fingerprint != first.fingerprint
    assert (plug.tls / keystore.CLIENT_KEY_FILE).read_bytes() != key
    assert second.plug_id == first.plug_id


@pytest.mark.parametrize(
    ("fault", "error", "said"),
    [
        (Fault(202), enrolment_client.EnrolmentPendingError, "has not decided"),
        (Fault(401, "who are you"), LicenceRejectedError, "who are you"),
        (Fault(422, "bad request"), DeliveryRejectedError, "422"),
        (Fault(500), DeliveryDeferredError, "500"),
        (Fault(200, "<html>Please log in</html>"), InvalidLicenceError, "this is not a licence file"),
        (Fault(200, ""), InvalidLicenceError, "this is not a licence file"),
        (
            Fault(200, body=b"x" * (2 * verifier.MAX_LICENCE_BYTES)),
            InvalidLicenceError,
            "more than 65,536 bytes",
        ),
        (Fault(200, body=bytes(range(256)) * 9), InvalidLicenceError, "is no text"),
    ],
)
async def test_whatever_else_the_provider_says_the_old_licence_stays(
    plug: Home,
    config: Config,
    provider: server.Enrolment,
    *,
    fault: Fault,
    error: type[Exception],
    said: str,
) -> None:
    first = await enrolment_client.enrol(plug, config, Enrolment(provider.url, CODE), now())
    provider.faults.append(fault)
    with pytest.raises(error, match=said):
        await enrolment_client.renew(plug, config, first, now())
    assert status.read_installed(plug.folder) == first
    waiting = failures(plug)
    await enrolment_client.renew(
        plug, config, first, now()
    )  # the next try asks for the same key, and gets it
    assert openssl("pkey", "-in", str(plug.tls / keystore.CLIENT_KEY_FILE)) == openssl(
        "pkey", stdin=waiting[0]
    )


@pytest.mark.parametrize("words", ["the contract has ended", ""])
async def test_a_revocation_ends_the_licence(
    plug: Home, config: Config, provider: server.Enrolment, words: str
) -> None:
    first = await enrolment_client.enrol(plug, config, Enrolment(provider.url, CODE), now())
    file = (plug.folder / "licence.pem").read_bytes()
    provider.faults.append(Fault(410, words))
    with pytest.raises(enrolment_client.LicenceRevokedError, match=words or "no longer issues a licence"):
        await enrolment_client.renew(plug, config, first, now())
    assert status.get_status(plug.folder, now()).state == "revoked"
    with pytest.raises(InvalidLicenceError, match="has revoked the licence"):
        installer.install(plug.folder, file, now())


async def test_an_answer_for_another_plug_is_refused(
    plug: Home, config: Config, provider: server.Enrolment, tmp_path: Path
) -> None:
    first = await enrolment_client.enrol(plug, config, Enrolment(provider.url, CODE), now())
    other = csr.get_or_create(tmp_path / "other", first.plug_id).pem.encode()
    start, end = now() - timedelta(hours=1), now() + timedelta(days=9)
    terms = {"customer": "Example AG", "upload_url": UPLOAD, "transmission_key": "key"}
    provider.faults.append(Fault(200, body=provider.authority.licence(other, terms, start, end)))
    with pytest.raises(InvalidLicenceError, match="not for this Plug"):
        await enrolment_client.renew(plug, config, first, now())
    assert status.read_installed(plug.folder) == first


async def test_a_server_that_is_not_who_it_says_hears_nothing(
    plug: Home, config: Config, provider: server.Enrolment
) -> None:
    distrusting = replace(config, transmission=TransmissionConfig("https"))  # the system's roots
    with pytest.raises(DeliveryError, match="certificate not trusted"):
        await enrolment_client.enrol(plug, distrusting, Enrolment(provider.url, CODE), now())
    assert provider.asked == []


@pytest.mark.parametrize(
    ("enrolment", "said"),
    [
        (Enrolment("http://127.0.0.1/enrol", CODE), "enrolment URL begins with 'http'"),
        (Enrolment("no url", CODE), "enrolment URL is not a URL"),
        (
            Enrolment("https://127.0.0.1/", "code\r\nX-Sly: 1"),
            "the enrolment code contains an invalid character",
        ),
    ],
)
async def test_what_cannot_work_is_said_at_once(
    plug: Home, config: Config, enrolment: Enrolment, said: str
) -> None:
    with pytest.raises(DeliveryNotConfiguredError, match=said):
        await enrolment_client.enrol(plug, config, enrolment, now())


async def test_nobody_listens(plug: Home, config: Config) -> None:
    with pytest.raises(DeliveryDeferredError, match="connection refused"):
        await enrolment_client.enrol(plug, config, Enrolment("https://127.0.0.1:1/enrol", CODE), now())


async def test_no_secret_in_the_log(
    plug: Home, config: Config, provider: server.Enrolment, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    found = await enrolment_client.enrol(plug, config, Enrolment(provider.url, CODE), now())
    key = (plug.tls / keystore.CLIENT_KEY_FILE).read_text().splitlines()[1]
    for secret in (CODE, key, found.transmission_key):
        assert secret not in caplog.text
