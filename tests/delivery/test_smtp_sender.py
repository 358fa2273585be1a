"""Parcels by mail: what arrives, and what becomes of a parcel whatever the server says."""

import hashlib
import re
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import trustme

from appliance.delivery import archive, dispatcher, mail_message, outbox, smtp_sender
from appliance.delivery.errors import (
    DeliveryDeferredError,
    DeliveryError,
    DeliveryNotConfiguredError,
    DeliveryRejectedError,
)
from appliance.delivery.outbox import Parcel
from appliance.delivery.smtp_sender import SmtpMailbox
from appliance.settings.schema import Config, Home, MailConfig, PlugConfig, TransmissionConfig
from tests.delivery.printers import BARE, FULL
from tests.fakes.mailserver import CUT, STALL, RealServer, Scripted, read

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = "a key"
DATA = b"PK\x03\x04" + bytes(range(256)) * 40
SENDER, RECIPIENT = "plug@example.com", "reports@provider.example"
LOGIN = ("plug", "sehr geheim")


def made(data: bytes = DATA, parcel_id: str = "") -> Parcel:
    digest = hashlib.sha256(data).hexdigest()
    return Parcel(parcel_id or str(uuid4()), "plug-4f2a91-20260301T120000Z", NOW, len(data), digest)


def mailbox(port: int, **others: object) -> SmtpMailbox:
    box = SmtpMailbox(
        "127.0.0.1", port, SENDER, (RECIPIENT,), plug="plug-4f2a91", plug_id="id-17", site="Büro Süd, 1. OG"
    )
    return replace(box, **{"reply_timeout_s": 5.0, "total_timeout_s": 10.0, **others})  # type: ignore[arg-type]


async def failure(box: SmtpMailbox, data: bytes = DATA) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await smtp_sender.send(made(data), data, box)
    assert str(caught.value).isprintable()
    return caught.value


# What arrives


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
@pytest.mark.parametrize("login", [None, LOGIN])
async def test_the_parcel_is_the_attachment(
    tmp_path: Path, security: str, login: tuple[str, str] | None
) -> None:
    async with RealServer(tmp_path, security=security, login=login) as server:
        username, password = login or ("", "")
        box = mailbox(server.port, security=security, username=username, password=password)
        this = made()
        await smtp_sender.send(this, DATA, replace(box, ca_file=str(server.ca_file)))
    (message,) = server.messages
    (attachment,) = message.iter_attachments()
    assert attachment.get_content() == DATA
    assert (attachment.get_content_type(), attachment.get_filename()) == (
        "application/zip",
        "plug-4f2a91-20260301T120000Z.zip",
    )
    assert message["Message-ID"] == f"<{this.id}@example.com>"
    assert message["Subject"] == "PrintMonitor: plug-4f2a91: Büro Süd, 1. OG: plug-4f2a91-20260301T120000Z"
    assert (message["From"], message["To"]) == (SENDER, RECIPIENT)
    assert message["Date"].datetime == NOW
    assert message["Auto-Submitted"] == "auto-generated"
    assert (message["PrintMonitor-Plug"], message["PrintMonitor-Parcel"]) == ("id-17", this.id)
    body = message.get_body()
    assert body is not None
    assert this.digest in body.get_content()
    assert [encrypted for encrypted, _ in server.logins] == ([security != "none"] if login else [])
    assert server.hello[-1] == "[127.0.0.1]"


def test_a_parcel_is_the_same_mail_every_time() -> None:
    this = made()
    mails = [
        mail_message.compose(this, DATA, sender=SENDER, recipients=[RECIPIENT], plug="p") for _ in range(2)
    ]
    assert mails[0] == mails[1]
    assert max(map(len, mails[0].data.split(b"\r\n"))) <= 998  # RFC 5321, section 4.5.3.1.6
    assert not re.search(rb"[^\r]\n|\r[^\n]|[\x80-\xff]", mails[0].data)


@pytest.mark.parametrize(
    "text", ["x\r\nBcc: all@example.com", "x\nX: y", "a\x00b", "\u2028Bcc: z", "\x85Bcc: z"]
)
def test_no_text_becomes_a_header(text: str) -> None:
    mail_ = mail_message.compose(made(), DATA, sender=SENDER, recipients=[RECIPIENT], plug=text, site=text)
    message = read(mail_.data)
    assert set(message.keys()) == set(
        read(mail_message.compose(made(), DATA, sender=SENDER, recipients=[RECIPIENT], plug="p").data).keys()
    )
    assert "Bcc" not in message


@pytest.mark.parametrize(
    "address",
    [
        "",
        "plug",
        "a b@c",
        "a@b\r\nRCPT TO:<x@y>",
        "<a@b>",
        "a@b>",
        '"a"@b',
        "a@",
        "@b",
        "a@b,c@d",
        "a@b..c",
        "a\x00@b",
    ],
)
def test_an_address_that_is_none_is_not_sent_to(address: str) -> None:
    with pytest.raises(DeliveryNotConfiguredError):
        mail_message.compose(made(), DATA, sender=SENDER, recipients=[address], plug="p")
    with pytest.raises(DeliveryNotConfiguredError):
        mail_message.compose(made(), DATA, sender=address, recipients=[RECIPIENT], plug="p")


async def test_several_recipients_get_one_mail(tmp_path: Path) -> None:
    recipients = (RECIPIENT, "copy@other.example", RECIPIENT)
    async with RealServer(tmp_path) as server:
        await smtp_sender.send(made(), DATA, mailbox(server.port, recipients=recipients))
    (envelope,) = server.kept
    assert envelope.rcpt_tos == [RECIPIENT, "copy@other.example"]
    assert server.messages[0]["To"] == f"{RECIPIENT}, copy@other.example"


async def test_a_domain_beyond_ascii_is_spelled_as_name_servers_know_it(tmp_path: Path) -> None:
    async with RealServer(tmp_path, smtputf8=False) as server:
        await smtp_sender.send(made(), DATA, mailbox(server.port, recipients=("bericht@büro.example",)))
    assert server.kept[0].rcpt_tos == ["bericht@xn--bro-hoa.example"]


async def test_a_name_beyond_ascii_needs_a_server_that_takes_it(tmp_path: Path) -> None:
    async with RealServer(tmp_path) as server:
        await smtp_sender.send(made(), DATA, mailbox(server.port, recipients=("büro@provider.example",)))
        assert server.kept[0].rcpt_tos == ["büro@provider.example"]
        assert server.messages[0]["To"] == "büro@provider.example"
    async with RealServer(tmp_path, smtputf8=False) as server:
        error = await failure(mailbox(server.port, recipients=("büro@provider.example",)))
        assert isinstance(error, DeliveryDeferredError)
        assert "SMTPUTF8" in str(error)
        assert server.kept == []


# Who may be trusted


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_server_that_nobody_vouches_for_gets_nothing(tmp_path: Path, security: str) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    async with RealServer(tmp_path, security=security, login=LOGIN) as server:
        box = mailbox(server.port, security=security, username=LOGIN[0], password=LOGIN[1])
        for ca_file in ("", str(tmp_path / "other.pem")):
            error = await failure(replace(box, ca_file=ca_file))
            assert isinstance(error, DeliveryDeferredError)
            assert "certificate not trusted" in str(error)
        error = await failure(replace(box, ca_file=str(server.ca_file), host="127.0.0.2"))
        assert not server.logins
        assert server.kept == []


async def test_starttls_is_not_given_up_silently(tmp_path: Path) -> None:
    async with RealServer(tmp_path, login=LOGIN) as server:
        error = await failure(mailbox(server.port, security="starttls", username=LOGIN[0], password=LOGIN[1]))
    assert isinstance(error, DeliveryDeferredError)
    assert (error.retry_after, server.logins) == (smtp_sender.SLOW_RETRY_S, [])
    assert "STARTTLS" in str(error)


async def test_tls_to_a_port_that_speaks_none() -> None:
    async with Scripted() as server:
        assert "TLS failed" in str(await failure(mailbox(server.port, security="tls")))


async def test_a_ca_file_that_is_not_there() -> None:
    error = await failure(mailbox(9, security="tls", ca_file="/nonexistent.pem"))
    assert isinstance(error, DeliveryNotConfiguredError)
    assert "ca_file" in str(error)


# A wrong password, and what else is wrong with the Plug rather than with the parcel


async def test_a_wrong_password_is_tried_once(tmp_path: Path) -> None:
    async with RealServer(tmp_path, login=LOGIN) as server:
        error = await failure(mailbox(server.port, username="plug", password="wrong"))
    assert isinstance(error, DeliveryDeferredError)
    assert error.retry_after == smtp_sender.SLOW_RETRY_S
    assert "535" in str(error)
    assert len(server.logins) == 1  # more would lock the account
    assert "wrong" not in str(error)


async def test_an_open_line_does_not_show_the_password_if_it_need_not() -> None:
    async with Scripted(
        ehlo="250-mail.example\r\n250 AUTH PLAIN LOGIN CRAM-MD5", auth="504 cannot"
    ) as server:
        await failure(mailbox(server.port, username="plug", password="x"))
    tried = [line.split()[1] for line in server.heard if line.startswith("AUTH")]
    assert tried == ["CRAM-MD5", "PLAIN", "LOGIN"]


async def test_a_server_that_wants_a_login_and_gets_none(tmp_path: Path) -> None:
    async with RealServer(tmp_path, login=LOGIN) as server:
        error = await failure(mailbox(server.port))
    assert isinstance(error, DeliveryDeferredError)
    assert error.retry_after == smtp_sender.SLOW_RETRY_S


async def test_a_server_without_login() -> None:
    async with Scripted(ehlo="250 mail.example") as server:
        error = await failure(mailbox(server.port, username="plug", password="x"))
    assert "offers no login" in str(error)


@pytest.mark.parametrize("stage", ["greeting", "ehlo", "auth"])
async def test_a_plug_that_is_not_let_in_waits_slowly(stage: str) -> None:
    async with Scripted(**{stage: "554 5.7.1 you are on a list", "helo": "554 no"}) as server:
        error = await failure(mailbox(server.port, username="plug", password="x"))
    assert isinstance(error, DeliveryDeferredError)
    assert error.retry_after == smtp_sender.SLOW_RETRY_S
    assert "554" in str(error)


async def test_a_server_that_knows_no_ehlo() -> None:
    async with Scripted(ehlo="502 what") as server:
        await smtp_sender.send(made(), DATA, mailbox(server.port))
    assert len(server.kept) == 1


# What is said against the parcel


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "end"])
async def test_a_refusal_for_good_sets_aside(stage: str) -> None:
    async with Scripted(**{stage: "550 5.7.1 we do\tnot\x1b[2J want it " + "x" * 400}) as server:
        error = await failure(mailbox(server.port))
    assert isinstance(error, DeliveryRejectedError)
    assert str(error).startswith("the mail server answered 550 5.7.1 we do not [2J want it xxx")
    assert len(str(error)) < 300
    if stage == "rcpt":
        assert str(error).endswith(f", to {RECIPIENT}")


@pytest.mark.parametrize("stage", ["greeting", "ehlo", "auth", "mail", "rcpt", "data", "end"])
@pytest.mark.parametrize(
    "says", ["451 4.3.0 later", "421 4.3.2 closing", STALL, CUT, "what?", "999 x", "250"]
)
async def test_all_else_is_tried_later(stage: str, says: str) -> None:
    if (stage, says) in {("ehlo", "250"), ("mail", "250"), ("rcpt", "250"), ("end", "250")}:
        return  # that is a yes
    async with Scripted(**{stage: says}) as server:
        login = {"username": "plug", "password": "x"} if stage == "auth" else {}
        error = await failure(mailbox(server.port, reply_timeout_s=0.2, total_timeout_s=0.6, **login))
    assert isinstance(error, DeliveryDeferredError), error
    assert error.retry_after is None


async def test_530_is_about_the_plug_wherever_it_is_said() -> None:
    async with Scripted(mail="530 5.7.0 log in first") as server:
        error = await failure(mailbox(server.port))
    assert isinstance(error, DeliveryDeferredError)


async def test_nobody_there() -> None:
    async with Scripted() as server:
        pass
    error = await failure(mailbox(server.port))
    assert str(error) == f"127.0.0.1:{server.port}: connection refused"


async def test_a_server_that_does_not_greet_is_not_taken_for_a_firewall() -> None:
    async with Scripted(greeting=STALL) as server:
        error = await failure(mailbox(server.port, reply_timeout_s=0.2))
    assert str(error) == f"127.0.0.1:{server.port}: connected, but no answer in time"


async def test_the_whole_talk_has_an_end() -> None:
    endless = "250-" + "x" * 40_000
    async with Scripted(ehlo=endless) as server:
        assert isinstance(await failure(mailbox(server.port)), DeliveryDeferredError)
    async with Scripted(end=STALL) as server:
        assert "timed out" in str(await failure(mailbox(server.port, total_timeout_s=0.3)))


@pytest.mark.parametrize(
    ("says", "kind"),
    [
        ("250 ok\n550 5.1.1 no such user", DeliveryRejectedError),
        ("550 5.1.1 no such user\n250 ok", DeliveryRejectedError),
        ("450 4.2.0 greylisted\n250 ok", DeliveryDeferredError),
        ("450 4.2.0 greylisted\n550 no such user", DeliveryRejectedError),
    ],
)
async def test_all_recipients_or_none(says: str, kind: type[DeliveryError]) -> None:
    async with Scripted(rcpt=says) as server:
        error = await failure(mailbox(server.port, recipients=(RECIPIENT, "copy@other.example")))
    assert isinstance(error, kind)
    assert server.kept == []
    assert sum(line.startswith("RCPT") for line in server.heard) == 2


# Size


async def test_a_mail_that_is_too_big_is_refused_before_it_is_sent() -> None:
    async with Scripted(ehlo="250-mail.example\r\n250 SIZE 9000") as server:
        error = await failure(mailbox(server.port))
    assert isinstance(error, DeliveryRejectedError)
    assert "accepts mails of at most 9,000 bytes, this one has 15," in str(error)
    assert not any(line.startswith("MAIL") for line in server.heard)


@pytest.mark.parametrize("size", ["SIZE", "SIZE 0", "SIZE x", "SIZE 99999999999999999999999999"])
async def test_a_size_that_limits_nothing(size: str) -> None:
    async with Scripted(ehlo=f"250-mail.example\r\n250 {size}") as server:
        await smtp_sender.send(made(), DATA, mailbox(server.port))
    announced = re.search(r"SIZE=(\d+)", " ".join(server.heard))
    assert announced
    assert int(announced[1]) == len(server.kept[0])


async def test_a_limit_of_a_real_server(tmp_path: Path) -> None:
    async with RealServer(tmp_path, most_bytes=9000) as server:
        assert isinstance(await failure(mailbox(server.port)), DeliveryRejectedError)


# From the outbox


@pytest.fixture
def plug(home: Path) -> Home:
    plug = Home(home)
    plug.create_folders()
    return plug


def config(port: int, **others: object) -> Config:
    settings = MailConfig(host="127.0.0.1", port=port, sender=SENDER, recipient=f" {RECIPIENT} , b@c.example")
    wanted = TransmissionConfig("mail", KEY, mail=replace(settings, **others))  # type: ignore[arg-type]
    return Config(plug=PlugConfig(name="plug-4f2a91"), transmission=wanted)


def at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


async def test_printers_arrive_by_mail_and_open_with_the_key(
    db: sqlite3.Connection, plug: Home, tmp_path: Path
) -> None:
    async with RealServer(tmp_path) as server:
        wanted = config(server.port)
        handed = dispatcher.enqueue_printers(db, plug, wanted, iter([FULL, BARE]), NOW)
        assert handed is not None
        assert await dispatcher.deliver_due(db, plug, wanted, at(NOW)) == dispatcher.DeliverySummary(
            delivered=1
        )
    (attachment,) = server.messages[0].iter_attachments()
    name, xml = archive.unpack(attachment.get_content(), KEY)
    assert (name, xml[:5]) == (handed.name, b"<?xml")
    assert server.kept[0].rcpt_tos == [RECIPIENT, "b@c.example"]


async def test_greylisting_delays_and_loses_nothing(
    db: sqlite3.Connection, plug: Home, tmp_path: Path
) -> None:
    async with RealServer(tmp_path, greylists=True) as server:
        wanted = config(server.port)
        for name in ("first", "second"):
            outbox.put(db, plug.outbox, name, name.encode(), NOW)
        summary = await dispatcher.deliver_due(db, plug, wanted, at(NOW))
        assert (summary.delivered, summary.waiting, summary.refused) == (0, 2, 0)
        assert "greylisted" in str(summary.error)
        later = NOW + timedelta(minutes=3)
        assert (await dispatcher.deliver_due(db, plug, wanted, at(later))).delivered == 2
    assert [message["Subject"].split(": ")[-1] for message in server.messages] == ["first", "second"]


async def test_a_wrong_password_sets_no_parcel_aside(
    db: sqlite3.Connection, plug: Home, tmp_path: Path
) -> None:
    outbox.put(db, plug.outbox, "parcel", DATA, NOW)
    async with RealServer(tmp_path, login=LOGIN) as server:
        wrong = config(server.port, username="plug", password="wrong")
        summary = await dispatcher.deliver_due(db, plug, wrong, at(NOW))
        assert (summary.waiting, summary.refused) == (1, 0)
        (waiting,) = outbox.list_parcels(db)
        assert waiting.next_at == NOW + timedelta(hours=1)
        right = config(server.port, username=LOGIN[0], password=LOGIN[1])
        assert (await dispatcher.deliver_due(db, plug, right, at(waiting.next_at))).delivered == 1


async def test_a_refused_parcel_is_set_aside_with_the_servers_words(
    db: sqlite3.Connection, plug: Home
) -> None:
    for name in ("first", "second"):
        outbox.put(db, plug.outbox, name, DATA, NOW)
    async with Scripted(end="554 5.6.0 no ZIPs here") as server:
        summary = await dispatcher.deliver_due(db, plug, config(server.port), at(NOW))
    assert (summary.refused, summary.waiting) == (2, 0)
    assert {each.error for each in outbox.list_parcels(db)} == {
        "the mail server answered 554 5.6.0 no ZIPs here"
    }


async def test_a_lost_answer_sends_the_same_mail_again(db: sqlite3.Connection, plug: Home) -> None:
    outbox.put(db, plug.outbox, "parcel", DATA, NOW)
    async with Scripted(end=CUT) as server:
        assert (await dispatcher.deliver_due(db, plug, config(server.port), at(NOW))).waiting == 1
        server.says["end"] = "250 kept"
        later = NOW + timedelta(minutes=3)
        assert (await dispatcher.deliver_due(db, plug, config(server.port), at(later))).delivered == 1
    first, second = server.kept
    assert first == second  # with one Message-ID, by which the receiver knows it again
    assert outbox.list_parcels(db)[0].id in read(first)["Message-ID"]


async def test_settings_that_say_too_little(db: sqlite3.Connection, plug: Home) -> None:
    outbox.put(db, plug.outbox, "parcel", DATA, NOW)
    summary = await dispatcher.deliver_due(db, plug, config(25, host=""), at(NOW))
    assert summary.error == "Nothing is sent: transmission.mail.host is not set."
    assert outbox.list_parcels(db)[0].attempts == 0
