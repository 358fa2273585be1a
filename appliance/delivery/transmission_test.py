"""The transmission, tried step by step: the first step that fails is named, with what to do about it."""

import asyncio
import base64
import ssl
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import urlsplit
from uuid import uuid4

from appliance.delivery import (
    archive,
    connect_probe,
    dispatcher,
    https_sender,
    licence_policy,
    smtp_sender,
    xml_export,
)
from appliance.delivery.connect_probe import ConnectProbeError, HostPort, ProbeRoute
from appliance.delivery.errors import DeliveryError, DeliveryNotConfiguredError, LicenceRejectedError
from appliance.delivery.outbox import Parcel
from appliance.domain.messages import Message, message_of
from appliance.settings.schema import Config, Home

STEP_TIMEOUT_S = 15.0
PARCEL_TIMEOUT_S = 40.0
TLS_ALERT_TIMEOUT_S = 1.0  # more than a round trip: who says nothing by then has no objection

ADVICE_BY_STEP = {
    "settings": Message("test.advice.settings"),
    "name": Message("test.advice.name"),
    "proxy": Message("test.advice.proxy"),
    "port": Message("test.advice.connection"),
    "tls": Message("test.advice.tls"),
    "certificate": Message("test.advice.licence"),
    "login": Message("test.advice.login"),
    "parcel": Message("test.advice.upload"),
}
MAIL_ADVICE_BY_STEP = {  # where mail wants another advice
    "port": Message("test.advice.mail_connection"),
    "tls": Message("test.advice.mail_tls"),
    "parcel": Message("test.advice.mail"),
}
MAIL_SUCCESS_TEXTS = {
    "port": Message("test.mail.answers"),
    "tls": Message("test.mail.encrypted"),
    "login": Message("test.mail.login"),
    "parcel": Message("test.mail.accepted"),
}

# Alerts by which a receiver turns down a client without a certificate that it knows (RFC 8446, section 6.2).
CLIENT_CERTIFICATE_ALERTS = (
    "ALERT_BAD_CERT",
    "ALERT_CERTIFICATE",
    "ALERT_UNKNOWN_CA",
    "ALERT_HANDSHAKE_FAILURE",
    "ALERT_ACCESS",
)


@dataclass(frozen=True, slots=True)
class TransmissionStep:
    """One thing that was tried."""

    name: str  # settings, name, proxy, port, tls, certificate, login, parcel
    ok: bool
    text: str
    advice: str | None  # what to do, where it failed
    seconds: float


async def run(home: Home, config: Config, now: datetime) -> list[TransmissionStep]:
    """Try everything up to a parcel without printers, which is not kept; ends with the first that fails."""
    config = licence_policy.apply_licence(home, config)
    trial = _TransmissionTest(home, config, now)
    ways = {"https": trial.test_https, "mail": trial.test_mail}
    try:
        await trial.run_step("settings", trial.check_settings())
        if forbidden := licence_policy.blocking_reason(home, now):
            await trial.run_step("certificate", _raise_blocked(forbidden))
        await ways[config.transmission.mode]()
    except ConnectProbeError:
        pass  # its step says so
    return trial.steps


def has_passed(steps: Sequence[TransmissionStep]) -> bool:
    return all(step.ok for step in steps)


class _TransmissionTest:
    def __init__(self, home: Home, config: Config, now: datetime) -> None:
        self._home, self._config, self._now = home, config, now
        self.steps: list[TransmissionStep] = []

    async def run_step(self, name: str, check: Awaitable[str]) -> None:
        """Raises Failed."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(
                PARCEL_TIMEOUT_S if name in ("certificate", "parcel") else STEP_TIMEOUT_S
            ):
                line, good = await check, True
        except ConnectProbeError as error:
            line, good = message_of(error), False
        except TimeoutError:
            line, good = Message("test.timeout"), False
        self._add_step(name, time.monotonic() - began, line, good=good)
        if not good:
            raise ConnectProbeError(line)

    def _add_step(self, name: str, seconds: float, line: str, *, good: bool) -> None:
        by_mail = self._config.transmission.mode == "mail"
        advice = MAIL_ADVICE_BY_STEP.get(name, ADVICE_BY_STEP[name]) if by_mail else ADVICE_BY_STEP[name]
        self.steps.append(TransmissionStep(name, good, line, None if good else advice, round(seconds, 3)))

    async def check_settings(self) -> str:
        wanted = self._config.transmission
        if wanted.mode == "off":
            raise ConnectProbeError(Message("test.off"))
        if wanted.mode == "https" and not wanted.https.url:
            raise ConnectProbeError(Message("test.no_url"))
        if not wanted.key:
            raise ConnectProbeError(Message("test.no_key"))
        if wanted.mode == "mail":
            try:
                smtp_sender.check_mailbox(dispatcher.smtp_mailbox(self._home, self._config))
            except DeliveryNotConfiguredError as error:
                raise ConnectProbeError(Message("as_sentence", text=error)) from error
        return "Complete."

    async def test_https(self) -> None:
        destination = dispatcher.https_destination(self._home, self._config)
        way = _build_route(destination)
        await self.run_step("name", connect_probe.resolve_host(way.first_hop))
        if way.proxy:
            await self.run_step("proxy", connect_probe.check_proxy(way))
        else:
            await self.run_step("port", connect_probe.check_port(way.first_hop))
        await self.run_step("tls", _check_server_certificate(way, destination))
        sending = asyncio.create_task(self._upload_test_parcel(destination))
        try:
            await self.run_step("certificate", _check_client_certificate(way, destination, sending))
            await self.run_step("parcel", _await_upload(sending))
        finally:
            sending.cancel()

    async def test_mail(self) -> None:
        mailbox = replace(
            dispatcher.smtp_mailbox(self._home, self._config),
            reply_timeout_s=STEP_TIMEOUT_S,
            total_timeout_s=PARCEL_TIMEOUT_S,
        )
        place = (mailbox.host, mailbox.port)
        await self.run_step("name", connect_probe.resolve_host(place))
        if mailbox.security == "tls":  # there the port's first word is TLS's already
            await self.run_step("port", connect_probe.check_port(place))
        reached: list[tuple[smtp_sender.SmtpStage, float]] = []
        failure: str | None = None
        try:
            made, data = self._build_test_parcel()
            await smtp_sender.send(
                made, data, mailbox, on_stage=lambda stage: reached.append((stage, time.monotonic()))
            )
        except (DeliveryError, archive.ParcelKeyError, ValueError) as error:
            failure = Message("as_sentence", text=error)
        self._add_mail_steps(reached or [("parcel", time.monotonic())], failure)

    def _add_mail_steps(
        self, reached: Sequence[tuple[smtp_sender.SmtpStage, float]], failure: str | None
    ) -> None:
        """A stage is done when the next one begins."""
        ends = [*(began for _, began in reached[1:]), time.monotonic()]
        for (stage, began), end in zip(reached, ends, strict=True):
            last = stage == reached[-1][0]
            line = failure if last and failure else MAIL_SUCCESS_TEXTS[stage]
            self._add_step(stage, end - began, line, good=not (last and failure))

    async def _upload_test_parcel(self, destination: https_sender.HttpsDestination) -> None:
        made, data = self._build_test_parcel()
        await https_sender.send(made, data, destination)

    def _build_test_parcel(self) -> tuple[Parcel, bytes]:
        config = self._config
        name = f"{config.plug.name}-test-{self._now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        xml = xml_export.render((), config.schedule.zone, config.transmission.xml_names)
        data = archive.pack(name, xml, config.transmission.key)
        return Parcel(str(uuid4()), name, self._now, len(data), sha256(data).hexdigest()), data


def _build_route(destination: https_sender.HttpsDestination) -> ProbeRoute:
    url, proxy = urlsplit(destination.url), urlsplit(destination.proxy)
    by: HostPort | None = (proxy.hostname or "", proxy.port or 3128) if destination.proxy else None
    login = f"{destination.proxy_username}:{destination.proxy_password}".encode()
    return ProbeRoute(
        target=(url.hostname or "", url.port or 443),
        proxy=by,
        login=base64.b64encode(login).decode() if destination.proxy_username else None,
    )


async def _check_server_certificate(way: ProbeRoute, destination: https_sender.HttpsDestination) -> str:
    """The receiver's own certificate, without showing ours."""
    context = _tls_context(destination)
    try:
        _, writer = await connect_probe.open_tls(way, context)
    except ssl.SSLCertVerificationError as error:
        raise ConnectProbeError(Message("test.not_trusted", reason=error.verify_message)) from error
    except (ssl.SSLError, OSError) as error:
        if isinstance(error, ssl.SSLError) and any(
            word in (error.reason or "") for word in CLIENT_CERTIFICATE_ALERTS
        ):
            return Message("test.asks_certificate")  # TLS 1.2 says so at once
        raise ConnectProbeError(
            Message("test.tls_failed", reason=connect_probe.error_reason(error))
        ) from error
    agreed = writer.get_extra_info("ssl_object")
    writer.transport.abort()
    return Message("test.tls", version=agreed.version()) if agreed else "Agreed."


async def _check_client_certificate(
    way: ProbeRoute, destination: https_sender.HttpsDestination, sending: asyncio.Task[None]
) -> str:
    """TLS 1.3 turns a client down after the handshake, other receivers by their answer to a parcel."""
    context = _tls_context(destination)
    shown = Message("test.no_certificate")
    if destination.certificate:
        shown = Message("test.certificate")
        try:
            context.load_cert_chain(destination.certificate, destination.private_key, password="")
        except (OSError, ValueError) as error:
            raise ConnectProbeError(Message("test.bad_certificate")) from error
    try:
        hung_up = await _is_closed_by_peer(way, context)
    except (ssl.SSLError, OSError) as error:
        raise ConnectProbeError(
            Message("test.refused_reason", what=shown, reason=connect_probe.error_reason(error))
        ) from error
    if hung_up:
        raise ConnectProbeError(Message("test.refused", what=shown))
    await asyncio.wait({sending})
    refused = sending.exception()
    if isinstance(refused, LicenceRejectedError):
        raise ConnectProbeError(Message("as_sentence", text=refused))
    return Message("test.no_objection")


async def _is_closed_by_peer(way: ProbeRoute, context: ssl.SSLContext) -> bool:
    reader, writer = await connect_probe.open_tls(way, context)
    try:
        async with asyncio.timeout(TLS_ALERT_TIMEOUT_S):
            return not await reader.read(1)
    except TimeoutError:
        return False
    finally:
        writer.transport.abort()


def _tls_context(destination: https_sender.HttpsDestination) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=destination.ca_file or None)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConnectProbeError(Message("test.ca_file", reason=reason)) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def _raise_blocked(reason: str) -> str:
    raise ConnectProbeError(Message("as_sentence", text=reason))


async def _await_upload(sending: asyncio.Task[None]) -> str:
    try:
        await sending
    except (DeliveryError, archive.ParcelKeyError, ValueError) as error:
        raise ConnectProbeError(Message("as_sentence", text=error)) from error
    return Message("test.accepted")
