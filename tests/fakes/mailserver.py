"""Mail servers: a real one (aiosmtpd) with TLS, login, greylisting; one that says what is asked."""

# ruff: noqa: ARG002  the handlers' signatures are aiosmtpd's

import asyncio
import ssl
import warnings
from collections.abc import Mapping
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTPUTF8
from pathlib import Path
from types import TracebackType
from typing import Self

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

STALL, CUT = "stall", "cut"
OK: Mapping[str, str] = {
    "greeting": "220 mail.example ESMTP",
    "ehlo": "250-mail.example\r\n250-SIZE 10000000\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME",
    "helo": "250 mail.example",
    "auth": "235 2.7.0 welcome",
    "mail": "250 2.1.0 ok",
    "rcpt": "250 2.1.5 ok",
    "data": "354 go ahead",
    "end": "250 2.0.0 kept",
    "quit": "221 bye",
}


def read(message: bytes) -> EmailMessage:
    found = BytesParser(policy=SMTPUTF8).parsebytes(message)
    assert isinstance(found, EmailMessage)
    return found


class _Server:
    """What both have in common: a port on 127.0.0.1."""

    port: int
    _server: asyncio.Server

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self._server.close_clients() if hasattr(self._server, "close_clients") else None

    def _listening(self, server: asyncio.Server) -> None:
        self._server = server
        self.port = server.sockets[0].getsockname()[1]


class RealServer(_Server):
    """A mail server as one finds them; `kept` holds every message that it has taken, with its envelope."""

    def __init__(
        self,
        folder: Path,
        *,
        security: str = "none",
        login: tuple[str, str] | None = None,
        greylists: bool = False,
        most_bytes: int = 0,
        smtputf8: bool = True,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._place = (host, port)
        self.kept: list[Envelope] = []
        self.logins: list[tuple[bool, str]] = []  # whether on an encrypted line, and the mechanism
        self.hello: list[str] = []
        self.ca_file = folder / "mail-ca.pem"
        self._security, self._login, self._greylists = security, login, greylists
        self._most_bytes, self._smtputf8 = most_bytes, smtputf8
        self._seen: set[str] = set()
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.ca_file)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost", "127.0.0.1").configure_cert(self._context)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        direct = self._context if self._security == "tls" else None
        self._listening(await loop.create_server(self._protocol, *self._place, ssl=direct))
        return self

    @property
    def messages(self) -> list[EmailMessage]:
        return [read(each.original_content or b"") for each in self.kept]

    def _protocol(self) -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of a login without TLS, which is what is tested
            return SMTP(
                self,
                hostname="mail.example",
                data_size_limit=self._most_bytes,
                enable_SMTPUTF8=self._smtputf8,
                tls_context=self._context if self._security == "starttls" else None,
                require_starttls=self._security == "starttls",
                authenticator=self._authenticate if self._login else None,
                auth_required=self._login is not None,
                auth_require_tls=False,
                loop=asyncio.get_running_loop(),
            )

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        self.logins.append((session.ssl is not None or self._security == "tls", mechanism))
        good = self._login == (data.login.decode(), data.password.decode())
        return AuthResult(success=good, handled=False)

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.hello.append(hostname)
        session.host_name = hostname
        return responses

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._greylists and address not in self._seen:
            self._seen.add(address)
            return "450 4.2.0 greylisted, come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.kept.append(envelope)
        return "250 OK"


class Scripted(_Server):
    """Says what it is told to, stage by stage; `kept` holds the messages that it was handed."""

    def __init__(self, **says: str) -> None:
        self.says = {**OK, **says}
        self.heard: list[str] = []
        self.kept: list[bytes] = []
        self._working: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._listening(await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 20))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await super().__aexit__(kind, error, trace)
        for task in self._working:
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._working.add(task)
        try:
            await self._talk(reader, writer)
        except ConnectionError:
            pass
        finally:
            self._working.discard(task)
            writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        on = await self._say("greeting", writer)
        while on and (line := await reader.readline()):
            self.heard.append(line.decode().strip())
            stage = line.split()[0].decode().lower() if line.split() else "auth"
            on = await self._say(stage, writer)
            if stage == "data" and self.says["data"].startswith("354"):
                self.kept.append((await reader.readuntil(b"\r\n.\r\n"))[:-3])
                on = await self._say("end", writer)
            on = on and stage != "quit"

    async def _say(self, stage: str, writer: asyncio.StreamWriter) -> bool:
        """False at the end of the talk."""
        words = self.says.get(stage, "502 what is that")
        if stage == "rcpt" and "\n" in words:  # one answer for each recipient
            first, _, rest = words.partition("\n")
            words, self.says["rcpt"] = first, rest
        if words == STALL:
            await asyncio.Event().wait()
        if words == CUT:
            return False
        writer.write(f"{words}\r\n".encode())
        await writer.drain()
        return not words.startswith("421")
