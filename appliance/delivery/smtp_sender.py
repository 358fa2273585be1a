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
from appliance.delivery.errors import NotConfigured, NotDelivered, Refused, TryLater
from appliance.delivery.mail_message import Letter
from appliance.delivery.outbox import Parcel
from appliance.net.text_sanitizer import chain, one_line, why

SLOWLY = 3600.0  # seconds: settings, here or at the server, are not mended within minutes
GOODBYE_SECONDS = 3.0  # for QUIT, which is a courtesy
LOGIN_WANTED = 530  # RFC 4954, section 6: about this Plug, whichever command it answers
REFUSES_LOGIN = frozenset({535})  # further methods would only lock the account

Stage = Literal["port", "tls", "login", "parcel"]


@dataclass(frozen=True, slots=True)
class Mailbox:
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
    reply_seconds: float = 60  # a server that slows strangers down takes 30
    total_seconds: float = 300  # 1 MB over 64 kbit/s takes 130


def _nobody(_stage: Stage) -> None:
    pass


async def send(
    parcel: Parcel, data: bytes, mailbox: Mailbox, *, reached: Callable[[Stage], None] = _nobody
) -> None:
    """Returns when the server has the parcel for every recipient, else raises a NotDelivered.

    `reached` hears of each stage as it begins.
    """
    mail = _composed(parcel, data, mailbox)
    talk = _Talk(mailbox, _tls(mailbox), reached)
    try:
        async with asyncio.timeout(mailbox.total_seconds):
            await talk.open()
            await talk.login()
            await talk.hand_over(mail)
        await talk.goodbye()
    except NotDelivered:
        await talk.goodbye()
        raise
    except aiosmtplib.SMTPResponseException as error:
        await talk.goodbye()
        raise talk.translated(error) from error
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        raise talk.translated(error) from error
    finally:
        talk.end()


def check(mailbox: Mailbox) -> None:
    """Raises NotConfigured where nothing could be sent whatever the server says."""
    _composed(Parcel("none", "none", datetime.now(UTC), 0, ""), b"", mailbox)
    _tls(mailbox)


def _composed(parcel: Parcel, data: bytes, mailbox: Mailbox) -> Letter:
    return mail_message.compose(
        parcel,
        data,
        sender=mailbox.sender,
        recipients=mailbox.recipients,
        plug=mailbox.plug,
        plug_id=mailbox.plug_id,
        site=mailbox.site,
    )


def _tls(mailbox: Mailbox) -> ssl.SSLContext | None:
    if mailbox.security == "none":
        return None
    try:
        context = ssl.create_default_context(cafile=mailbox.ca_file or None)
    except (OSError, ValueError) as error:
        raise NotConfigured(f"transmission.mail.ca_file {mailbox.ca_file}: {why(error)}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class _Talk:
    """One connection to the server."""

    def __init__(
        self, mailbox: Mailbox, context: ssl.SSLContext | None, reached: Callable[[Stage], None]
    ) -> None:
        self._mailbox, self._context, self._reached = mailbox, context, reached
        self._let_in = False
        self._transports: list[asyncio.BaseTransport] = []
        self._client = aiosmtplib.SMTP(
            hostname=mailbox.host,
            port=mailbox.port,
            timeout=mailbox.reply_seconds,
            use_tls=mailbox.security == "tls",
            start_tls=False,  # in open(), where it is wanted: never half-heartedly
            tls_context=context,
            local_hostname="localhost",  # not used; else a name server is asked, which may hang
        )

    async def open(self) -> None:
        self._reached("tls" if self._mailbox.security == "tls" else "port")
        await self._client.connect()
        self._note_transport()
        await self._hello()
        if self._mailbox.security != "starttls":
            return
        self._reached("tls")
        if not self._client.supports_extension("starttls"):
            raise TryLater(f"{self._mailbox.host}: offers no STARTTLS, and nothing is sent without", SLOWLY)
        await self._client.starttls(server_hostname=self._mailbox.host)
        self._note_transport()
        await self._hello()

    async def login(self) -> None:
        """CRAM-MD5 first on an open line, since it does not show the password."""
        if self._mailbox.username:
            self._reached("login")
            order = ("plain", "login", "cram-md5") if self._context else ("cram-md5", "plain", "login")
            await self._try_methods([name for name in order if name in self._client.server_auth_methods])
        self._let_in = True

    async def hand_over(self, mail: Letter) -> None:
        """All recipients or none: nobody gets a parcel twice because somebody else did not get it."""
        self._reached("parcel")
        options = self._options(mail)
        encoding = "utf-8" if mail.beyond_ascii else "ascii"
        await self._client.mail(mail.sender, options=options, encoding=encoding)
        refusals = await self._name_recipients(mail.recipients, encoding)
        if refusals:
            raise self._refused_recipients(refusals)
        await self._client.data(mail.data, timeout=self._mailbox.total_seconds)

    def _options(self, mail: Letter) -> list[str]:
        """What is said with MAIL. Raises Refused, TryLater where the server cannot take the message."""
        options = []
        if self._client.supports_extension("size"):  # RFC 1870
            most = self._client.esmtp_extensions.get("size", "").strip()[:20]
            if most.isascii() and most.isdigit() and 0 < int(most) < len(mail.data):
                raise Refused(
                    f"{self._mailbox.host}: takes mails of {int(most):,} bytes at most,"
                    f" and this one has {len(mail.data):,}"
                )
            options.append(f"SIZE={len(mail.data)}")
        if mail.beyond_ascii:
            if not self._client.supports_extension("smtputf8"):
                raise TryLater(
                    f"{self._mailbox.host}: takes no mail addresses beyond ASCII (SMTPUTF8)", SLOWLY
                )
            options.append("SMTPUTF8")
        return options

    async def _hello(self) -> None:
        name = self._own_name()
        try:
            await self._client.ehlo(hostname=name)
        except aiosmtplib.SMTPHeloError as error:
            if not 500 <= error.code < 600 or not self._client.is_connected:
                raise
            await self._client.helo(hostname=name)

    def _own_name(self) -> str:
        """Our address as in RFC 5321, section 4.1.3: a Plug has no name that a server could look up."""
        own = ip_address(str(self._client.get_transport_info("sockname")[0]).partition("%")[0])
        return f"[IPv6:{own}]" if isinstance(own, IPv6Address) else f"[{own}]"

    async def _try_methods(self, methods: Sequence[str]) -> None:
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
                if error.code < 500 or (error.code in REFUSES_LOGIN and name != "cram-md5"):
                    break
        if last is not None:
            raise last
        raise TryLater(f"{self._mailbox.host}: offers no login that this Plug knows", SLOWLY)

    async def _name_recipients(
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

    def _refused_recipients(self, refusals: Sequence[aiosmtplib.SMTPRecipientRefused]) -> NotDelivered:
        worst = max(refusals, key=lambda refusal: refusal.code // 100)
        return self._judged(worst, f", to {worst.recipient}")

    def _note_transport(self) -> None:
        if self._client.transport is not None:
            self._transports.append(self._client.transport)

    async def goodbye(self) -> None:
        """A courtesy: what had to be said was said."""
        with suppress(aiosmtplib.SMTPException, OSError):
            await self._client.quit(timeout=GOODBYE_SECONDS)

    def end(self) -> None:
        """Leave nothing open, whatever the server does."""
        self._note_transport()
        self._client.close()
        for transport in self._transports:
            if isinstance(transport, asyncio.Transport):
                transport.abort()

    def translated(self, error: Exception) -> NotDelivered:
        """What is to be done about an error."""
        for cause in chain(error):
            if isinstance(cause, ssl.SSLCertVerificationError):
                verdict = one_line(cause.verify_message)
                return TryLater(f"{self._mailbox.host}: TLS certificate not trusted: {verdict}")
            if isinstance(cause, ssl.SSLError):
                reason = one_line((cause.reason or str(cause)).replace("_", " ").lower())
                return TryLater(f"{self._mailbox.host}: TLS failed: {reason}")
        if isinstance(error, aiosmtplib.SMTPResponseException):
            return self._judged(error)
        return TryLater(self._trouble(error))

    def _judged(self, error: aiosmtplib.SMTPResponseException, about: str = "") -> NotDelivered:
        words = one_line(error.message.encode(errors="surrogateescape").decode(errors="replace"))
        if not 200 <= error.code < 600:
            return TryLater(f"{self._mailbox.host}: does not speak SMTP ({words})")
        reason = f"the mail server said {error.code} {words}".rstrip() + about
        if error.code < 500:
            return TryLater(reason)
        if not self._let_in or error.code == LOGIN_WANTED:
            return TryLater(reason, SLOWLY)
        return Refused(reason)

    def _trouble(self, error: Exception) -> str:
        host, port = self._mailbox.host, self._mailbox.port
        if not self._transports:
            return self._no_connection(error)
        if isinstance(error, TimeoutError):
            return f"{host}: timed out"
        if isinstance(error, ConnectionError):
            return f"{host}: cut the line before it answered"
        return f"{host}:{port}: {why(error)}"

    def _no_connection(self, error: Exception) -> str:
        host, port = self._mailbox.host, self._mailbox.port
        if isinstance(error, TimeoutError):
            if isinstance(error.__cause__, aiosmtplib.SMTPTimeoutError):  # in reading the greeting
                return f"{host}:{port}: is there, and said nothing in time"
            return f"{host}:{port}: no connection in time"
        cause = next((each for each in chain(error) if type(each).__module__ != "aiosmtplib.errors"), None)
        if cause is None:  # connected, and nothing was said
            return f"{host}:{port}: cut the line before it answered"
        return f"{host}:{port}: {why(cause)}"
