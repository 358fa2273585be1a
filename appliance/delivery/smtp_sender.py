"""A parcel goes to the provider by mail: over SMTP, encrypted and with a login where the settings say so.

What a server says decides what becomes of the parcel. A parcel is set aside only for what was said against
it: while the server has not let this Plug in (greeting, EHLO, STARTTLS, login), nothing was.
"""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address
from typing import Literal

import aiosmtplib

from appliance.delivery import mail_message
from appliance.delivery.errors import (
    DeliveryDeferredError,
    DeliveryError,
    DeliveryNotConfiguredError,
    DeliveryRejectedError,
)
from appliance.delivery.mail_message import MailMessage
from appliance.delivery.outbox import Parcel
from appliance.domain.messages import Message
from appliance.net.text_sanitizer import describe_error, exception_chain, one_line

SLOW_RETRY_S = 3600.0  # seconds: settings, here or at the server, are not mended within minutes
QUIT_TIMEOUT_S = 3.0  # for QUIT, which is a courtesy
AUTH_REQUIRED = 530  # RFC 4954, section 6: about this Plug, whichever command it answers
AUTH_REJECTED = frozenset({535})  # further methods would only lock the account

SmtpStage = Literal["port", "tls", "login", "parcel"]


@dataclass(frozen=True, slots=True)
class SmtpMailbox:
    """Where parcels go, through which server, and as whom."""

    host: str
    port: int
    sender: str
    recipients: tuple[str, ...]
    security: Literal["none", "starttls", "tls"] = "none"
    ca_file: str = ""  # "" = the system's roots
    username: str = ""
    password: str = ""
    plug: str = ""  # its name, for people
    plug_id: str = ""  # who it is for the provider
    site: str = ""
    reply_timeout_s: float = 60  # a server that slows strangers down takes 30
    total_timeout_s: float = 300  # 1 MB over 64 kbit/s takes 130


def _ignore_stage(_stage: SmtpStage) -> None:
    pass


async def send(
    parcel: Parcel,
    data: bytes,
    mailbox: SmtpMailbox,
    *,
    on_stage: Callable[[SmtpStage], None] = _ignore_stage,
) -> None:
    """Returns when the server has the parcel for every recipient, else raises a NotDelivered.

    `reached` hears of each stage as it begins.
    """
    mail = _compose_message(parcel, data, mailbox)
    talk = _SmtpConversation(mailbox, _tls_context(mailbox), on_stage)
    try:
        async with asyncio.timeout(mailbox.total_timeout_s):
            await talk.open()
            await talk.login()
            await talk.send_message(mail)
        await talk.send_quit()
    except DeliveryError:
        await talk.send_quit()
        raise
    except aiosmtplib.SMTPResponseException as error:
        await talk.send_quit()
        raise talk.translate_error(error) from error
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        raise talk.translate_error(error) from error
    finally:
        talk.abort()


def check_mailbox(mailbox: SmtpMailbox) -> None:
    """Raises NotConfigured where nothing could be sent whatever the server says."""
    _compose_message(Parcel("none", "none", datetime.now(UTC), 0, ""), b"", mailbox)
    _tls_context(mailbox)


def _compose_message(parcel: Parcel, data: bytes, mailbox: SmtpMailbox) -> MailMessage:
    return mail_message.compose(
        parcel,
        data,
        sender=mailbox.sender,
        recipients=mailbox.recipients,
        plug=mailbox.plug,
        plug_id=mailbox.plug_id,
        site=mailbox.site,
    )


def _tls_context(mailbox: SmtpMailbox) -> ssl.SSLContext | None:
    if mailbox.security == "none":
        return None
    try:
        context = ssl.create_default_context(cafile=mailbox.ca_file or None)
    except (OSError, ValueError) as error:
        raise DeliveryNotConfiguredError(
            Message(
                "pair", first=f"transmission.mail.ca_file {mailbox.ca_file}", second=describe_error(error)
            )
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class _SmtpConversation:
    """One connection to the server."""

    def __init__(
        self, mailbox: SmtpMailbox, context: ssl.SSLContext | None, on_stage: Callable[[SmtpStage], None]
    ) -> None:
        self._mailbox, self._context, self._on_stage = mailbox, context, on_stage
        self._is_accepted = False
        self._transports: list[asyncio.BaseTransport] = []
        self._client = aiosmtplib.SMTP(
            hostname=mailbox.host,
            port=mailbox.port,
            timeout=mailbox.reply_timeout_s,
            use_tls=mailbox.security == "tls",
            start_tls=False,  # in open(), where it is wanted: never half-heartedly
            tls_context=context,
            local_hostname="localhost",  # not used; else a name server is asked, which may hang
        )

    async def open(self) -> None:
        self._on_stage("tls" if self._mailbox.security == "tls" else "port")
        await self._client.connect()
        self._track_transport()
        await self._send_ehlo()
        if self._mailbox.security != "starttls":
            return
        self._on_stage("tls")
        if not self._client.supports_extension("starttls"):
            raise DeliveryDeferredError(Message("smtp.no_starttls", host=self._mailbox.host), SLOW_RETRY_S)
        await self._client.starttls(server_hostname=self._mailbox.host)
        self._track_transport()
        await self._send_ehlo()

    async def login(self) -> None:
        """CRAM-MD5 first on an open line, since it does not show the password."""
        if self._mailbox.username:
            self._on_stage("login")
            order = ("plain", "login", "cram-md5") if self._context else ("cram-md5", "plain", "login")
            await self._authenticate([name for name in order if name in self._client.server_auth_methods])
        self._is_accepted = True

    async def send_message(self, mail: MailMessage) -> None:
        """All recipients or none: nobody gets a parcel twice because somebody else did not get it."""
        self._on_stage("parcel")
        options = self._mail_options(mail)
        encoding = "utf-8" if mail.needs_smtputf8 else "ascii"
        await self._client.mail(mail.sender, options=options, encoding=encoding)
        refusals = await self._send_recipients(mail.recipients, encoding)
        if refusals:
            raise self._recipients_error(refusals)
        await self._client.data(mail.data, timeout=self._mailbox.total_timeout_s)

    def _mail_options(self, mail: MailMessage) -> list[str]:
        """What is said with MAIL. Raises Refused, TryLater where the server cannot take the message."""
        options = []
        if self._client.supports_extension("size"):  # RFC 1870
            most = self._client.esmtp_extensions.get("size", "").strip()[:20]
            if most.isascii() and most.isdigit() and 0 < int(most) < len(mail.data):
                raise DeliveryRejectedError(
                    Message("smtp.too_large", host=self._mailbox.host, limit=int(most), size=len(mail.data))
                )
            options.append(f"SIZE={len(mail.data)}")
        if mail.needs_smtputf8:
            if not self._client.supports_extension("smtputf8"):
                raise DeliveryDeferredError(
                    Message("smtp.no_smtputf8", host=self._mailbox.host), SLOW_RETRY_S
                )
            options.append("SMTPUTF8")
        return options

    async def _send_ehlo(self) -> None:
        name = self._ehlo_name()
        try:
            await self._client.ehlo(hostname=name)
        except aiosmtplib.SMTPHeloError as error:
            if not 500 <= error.code < 600 or not self._client.is_connected:
                raise
            await self._client.helo(hostname=name)

    def _ehlo_name(self) -> str:
        """Our address as in RFC 5321, section 4.1.3: a Plug has no name that a server could look up."""
        own = ip_address(str(self._client.get_transport_info("sockname")[0]).partition("%")[0])
        return f"[IPv6:{own}]" if isinstance(own, IPv6Address) else f"[{own}]"

    async def _authenticate(self, methods: Sequence[str]) -> None:
        last: aiosmtplib.SMTPAuthenticationError | None = None
        ways = {
            "plain": self._client.auth_plain,
            "login": self._client.auth_login,
            "cram-md5": self._client.auth_crammd5,
        }
        for name in methods:
            try:
                await ways[name](self._mailbox.username, self._mailbox.password)
                return
            except aiosmtplib.SMTPAuthenticationError as error:
                last = error
                # A server that keeps only hashes offers CRAM-MD5 at times, and cannot do it.
                if error.code < 500 or (error.code in AUTH_REJECTED and name != "cram-md5"):
                    break
        if last is not None:
            raise last
        raise DeliveryDeferredError(Message("smtp.no_login", host=self._mailbox.host), SLOW_RETRY_S)

    async def _send_recipients(
        self, recipients: Sequence[str], encoding: str
    ) -> list[aiosmtplib.SMTPRecipientRefused]:
        """Each is named, also after a refusal: a server that greylists begins to wait for all of them."""
        refusals = []
        for recipient in recipients:
            try:
                await self._client.rcpt(recipient, encoding=encoding)
            except aiosmtplib.SMTPRecipientRefused as error:
                refusals.append(error)
                if not self._client.is_connected:
                    break
        return refusals

    def _recipients_error(self, refusals: Sequence[aiosmtplib.SMTPRecipientRefused]) -> DeliveryError:
        worst = max(refusals, key=lambda refusal: refusal.code // 100)
        return self._reply_error(worst, worst.recipient)

    def _track_transport(self) -> None:
        if self._client.transport is not None:
            self._transports.append(self._client.transport)

    async def send_quit(self) -> None:
        """A courtesy: what had to be said was said."""
        with suppress(aiosmtplib.SMTPException, OSError):
            await self._client.quit(timeout=QUIT_TIMEOUT_S)

    def abort(self) -> None:
        """Leave nothing open, whatever the server does."""
        self._track_transport()
        self._client.close()
        for transport in self._transports:
            if isinstance(transport, asyncio.Transport):
                transport.abort()

    def translate_error(self, error: Exception) -> DeliveryError:
        """What is to be done about an error."""
        for cause in exception_chain(error):
            if isinstance(cause, ssl.SSLCertVerificationError):
                verdict = one_line(cause.verify_message)
                return DeliveryDeferredError(
                    Message("net.certificate_not_trusted", host=self._mailbox.host, reason=verdict)
                )
            if isinstance(cause, ssl.SSLError):
                reason = one_line((cause.reason or str(cause)).replace("_", " ").lower())
                return DeliveryDeferredError(
                    Message("smtp.tls_failed", host=self._mailbox.host, reason=reason)
                )
        if isinstance(error, aiosmtplib.SMTPResponseException):
            return self._reply_error(error)
        return DeliveryDeferredError(self._error_text(error))

    def _reply_error(self, error: aiosmtplib.SMTPResponseException, recipient: str = "") -> DeliveryError:
        words = one_line(error.message.encode(errors="surrogateescape").decode(errors="replace"))
        if not 200 <= error.code < 600:
            return DeliveryDeferredError(Message("smtp.not_smtp", host=self._mailbox.host, reason=words))
        reason: str = Message("smtp.status", code=error.code, reason=words)
        if recipient:
            reason = Message("smtp.status_recipient", code=error.code, reason=words, recipient=recipient)
        if error.code < 500:
            return DeliveryDeferredError(reason)
        if not self._is_accepted or error.code == AUTH_REQUIRED:
            return DeliveryDeferredError(reason, SLOW_RETRY_S)
        return DeliveryRejectedError(reason)

    def _error_text(self, error: Exception) -> str:
        host, port = self._mailbox.host, self._mailbox.port
        if not self._transports:
            return self._connect_error_text(error)
        if isinstance(error, TimeoutError):
            return Message("net.timeout", host=host)
        if isinstance(error, ConnectionError):
            return Message("http.cut_off", host=host)
        return Message("pair", first=f"{host}:{port}", second=describe_error(error))

    def _connect_error_text(self, error: Exception) -> str:
        host, port = self._mailbox.host, self._mailbox.port
        if isinstance(error, TimeoutError):
            if isinstance(error.__cause__, aiosmtplib.SMTPTimeoutError):  # in reading the greeting
                return Message("smtp.silent", host=host, port=port)
            return Message("smtp.connect_timeout", host=host, port=port)
        cause = next(
            (each for each in exception_chain(error) if type(each).__module__ != "aiosmtplib.errors"), None
        )
        if cause is None:  # connected, and nothing was said
            return Message("smtp.cut_off", host=host, port=port)
        return Message("pair", first=f"{host}:{port}", second=describe_error(cause))
