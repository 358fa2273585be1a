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
from appliance.delivery.connect_probe import Failed, Place, Way
from appliance.delivery.errors import LicenceTrouble, NotConfigured, NotDelivered
from appliance.delivery.outbox import Parcel
from appliance.settings.schema import Config, Home

STEP_SECONDS = 15.0
PARCEL_SECONDS = 40.0
ALERT_SECONDS = 1.0  # more than a round trip: who says nothing by then has no objection

ADVICE = {
    "settings": "Fill in what is missing, save, and try again.",
    "name": "Check the name for typing errors, and the name servers that this Plug uses.",
    "proxy": "Check the proxy's address, user name and password, and whether it lets this Plug through.",
    "port": "Is a firewall in between? Connections out to this port are needed, or a proxy.",
    "tls": "Check date and time of this Plug; where a firewall opens TLS, give its CA as ca_file.",
    "certificate": "The receiver does not know this Plug: install its licence, or ask the provider.",
    "login": "Check user name and password.",
    "parcel": "The receiver's own words say why; the provider can help.",
}
BY_MAIL = {  # where mail wants another advice
    "port": "Is it the right port (25, 587 or 465), does a firewall let it through, and does the server let "
    "this Plug's address in?",
    "tls": "Check port and security (starttls mostly on 25 or 587, tls on 465), date and time of this Plug; "
    "where the server's certificate is its own, give its CA as ca_file.",
    "parcel": "The server's own words say why: check sender and recipient, and whether it relays mail there. "
    "With a code from 400 to 499 it says: not now; parcels are sent again until it takes them.",
}
DONE = {
    "port": "The mail server answers.",
    "tls": "Encrypted, and the mail server is who it says.",
    "login": "The mail server accepts the login.",
    "parcel": "The test mail was accepted.",
}

# Alerts by which a receiver turns down a client without a certificate that it knows (RFC 8446, section 6.2).
OF_OURS = (
    "ALERT_BAD_CERT",
    "ALERT_CERTIFICATE",
    "ALERT_UNKNOWN_CA",
    "ALERT_HANDSHAKE_FAILURE",
    "ALERT_ACCESS",
)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was tried."""

    name: str  # settings, name, proxy, port, tls, certificate, login, parcel
    ok: bool
    text: str
    advice: str | None  # what to do, where it failed
    seconds: float


async def run(home: Home, config: Config, now: datetime) -> list[Step]:
    """Try everything up to a parcel without printers, which is not kept; ends with the first that fails."""
    config = licence_policy.settings(home, config)
    trial = _Trial(home, config, now)
    ways = {"https": trial.by_https, "mail": trial.by_mail}
    try:
        await trial.step("settings", trial.settings())
        if forbidden := licence_policy.obstacle(home, now):
            await trial.step("certificate", _forbidden(forbidden))
        await ways[config.transmission.mode]()
    except Failed:
        pass  # its step says so
    return trial.steps


def passed(steps: Sequence[Step]) -> bool:
    return all(step.ok for step in steps)


class _Trial:
    def __init__(self, home: Home, config: Config, now: datetime) -> None:
        self._home, self._config, self._now = home, config, now
        self.steps: list[Step] = []

    async def step(self, name: str, work: Awaitable[str]) -> None:
        """Raises Failed."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(PARCEL_SECONDS if name in ("certificate", "parcel") else STEP_SECONDS):
                line, good = await work, True
        except Failed as error:
            line, good = str(error), False
        except TimeoutError:
            line, good = "No answer in time.", False
        self._note(name, time.monotonic() - began, line, good=good)
        if not good:
            raise Failed(line)

    def _note(self, name: str, seconds: float, line: str, *, good: bool) -> None:
        by_mail = self._config.transmission.mode == "mail"
        advice = BY_MAIL.get(name, ADVICE[name]) if by_mail else ADVICE[name]
        self.steps.append(Step(name, good, line, None if good else advice, round(seconds, 3)))

    async def settings(self) -> str:
        wanted = self._config.transmission
        if wanted.mode == "off":
            raise Failed("The transmission is switched off.")
        if wanted.mode == "https" and not wanted.https.url:
            raise Failed("The receiver's URL is missing.")
        if not wanted.key:
            raise Failed("The transmission key is missing, and nothing leaves unencrypted.")
        if wanted.mode == "mail":
            try:
                smtp_sender.check(dispatcher.mailbox(self._home, self._config))
            except NotConfigured as error:
                raise Failed(f"{error}.") from error
        return "Complete."

    async def by_https(self) -> None:
        destination = dispatcher.destination(self._home, self._config)
        way = _way(destination)
        await self.step("name", connect_probe.resolve(way.first))
        if way.proxy:
            await self.step("proxy", connect_probe.tunnels(way))
        else:
            await self.step("port", connect_probe.opens(way.first))
        await self.step("tls", _agreed(way, destination))
        sending = asyncio.create_task(self._upload(destination))
        try:
            await self.step("certificate", _known(way, destination, sending))
            await self.step("parcel", _taken(sending))
        finally:
            sending.cancel()

    async def by_mail(self) -> None:
        mailbox = replace(
            dispatcher.mailbox(self._home, self._config),
            reply_seconds=STEP_SECONDS,
            total_seconds=PARCEL_SECONDS,
        )
        place = (mailbox.host, mailbox.port)
        await self.step("name", connect_probe.resolve(place))
        if mailbox.security == "tls":  # there the port's first word is TLS's already
            await self.step("port", connect_probe.opens(place))
        reached: list[tuple[smtp_sender.Stage, float]] = []
        failure: str | None = None
        try:
            made, data = self._parcel()
            await smtp_sender.send(
                made, data, mailbox, reached=lambda stage: reached.append((stage, time.monotonic()))
            )
        except (NotDelivered, archive.BadKey, ValueError) as error:
            failure = f"{error}."
        self._note_stages(reached or [("parcel", time.monotonic())], failure)

    def _note_stages(self, reached: Sequence[tuple[smtp_sender.Stage, float]], failure: str | None) -> None:
        """A stage is done when the next one begins."""
        ends = [*(began for _, began in reached[1:]), time.monotonic()]
        for (stage, began), end in zip(reached, ends, strict=True):
            last = stage == reached[-1][0]
            line = failure if last and failure else DONE[stage]
            self._note(stage, end - began, line, good=not (last and failure))

    async def _upload(self, destination: https_sender.Destination) -> None:
        made, data = self._parcel()
        await https_sender.send(made, data, destination)

    def _parcel(self) -> tuple[Parcel, bytes]:
        config = self._config
        name = f"{config.plug.name}-test-{self._now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        xml = xml_export.render((), config.schedule.zone, config.transmission.xml_names)
        data = archive.pack(name, xml, config.transmission.key)
        return Parcel(str(uuid4()), name, self._now, len(data), sha256(data).hexdigest()), data


def _way(destination: https_sender.Destination) -> Way:
    url, proxy = urlsplit(destination.url), urlsplit(destination.proxy)
    by: Place | None = (proxy.hostname or "", proxy.port or 3128) if destination.proxy else None
    login = f"{destination.proxy_username}:{destination.proxy_password}".encode()
    return Way(
        target=(url.hostname or "", url.port or 443),
        proxy=by,
        login=base64.b64encode(login).decode() if destination.proxy_username else None,
    )


async def _agreed(way: Way, destination: https_sender.Destination) -> str:
    """The receiver's own certificate, without showing ours."""
    context = _context(destination)
    try:
        _, writer = await connect_probe.secured(way, context)
    except ssl.SSLCertVerificationError as error:
        raise Failed(f"The receiver's certificate is not trusted: {error.verify_message}.") from error
    except (ssl.SSLError, OSError) as error:
        if isinstance(error, ssl.SSLError) and any(word in (error.reason or "") for word in OF_OURS):
            return "The receiver is who it says, and asks who we are."  # TLS 1.2 says so at once
        raise Failed(f"TLS could not be agreed: {connect_probe.why(error)}.") from error
    agreed = writer.get_extra_info("ssl_object")
    writer.transport.abort()
    return f"{agreed.version()}, and the receiver is who it says." if agreed else "Agreed."


async def _known(way: Way, destination: https_sender.Destination, sending: asyncio.Task[None]) -> str:
    """TLS 1.3 turns a client down after the handshake, other receivers by their answer to a parcel."""
    context = _context(destination)
    shown = "a Plug without a certificate"
    if destination.certificate:
        shown = "this Plug's certificate"
        try:
            context.load_cert_chain(destination.certificate, destination.private_key, password="")
        except (OSError, ValueError) as error:
            raise Failed("This Plug's certificate cannot be used.") from error
    try:
        hung_up = await _hung_up(way, context)
    except (ssl.SSLError, OSError) as error:
        raise Failed(f"The receiver does not accept {shown}: {connect_probe.why(error)}.") from error
    if hung_up:
        raise Failed(f"The receiver does not accept {shown}.")
    await asyncio.wait({sending})
    refused = sending.exception()
    if isinstance(refused, LicenceTrouble):
        raise Failed(f"{refused}.")
    return "Nothing was said against this Plug."


async def _hung_up(way: Way, context: ssl.SSLContext) -> bool:
    reader, writer = await connect_probe.secured(way, context)
    try:
        async with asyncio.timeout(ALERT_SECONDS):
            return not await reader.read(1)
    except TimeoutError:
        return False
    finally:
        writer.transport.abort()


def _context(destination: https_sender.Destination) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=destination.ca_file or None)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Failed(f"ca_file cannot be read: {reason}.") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def _forbidden(why: str) -> str:
    raise Failed(f"{why[0].upper()}{why[1:]}.")


async def _taken(sending: asyncio.Task[None]) -> str:
    try:
        await sending
    except (NotDelivered, archive.BadKey, ValueError) as error:
        raise Failed(f"{error}.") from error
    return "The test parcel was accepted."
