"""The whole way by mail, as it is typed: a printer is read, its parcel arrives as an attachment."""

import json
from pathlib import Path

import pytest

from appliance.delivery import archive
from tests.command_line import KEY, run
from tests.fakes.agent import Agent
from tests.fakes.lan import Lan
from tests.fakes.mailserver import RealServer, Scripted
from tests.fakes.models import MODELS


def settings(state: Path, mail_port: int, agent_port: int = 161) -> None:
    state.mkdir(mode=0o700, exist_ok=True)
    (state / "settings.toml").write_text(
        f"""
        plug.name = "plug-4f2a91"
        transmission.mode = "mail"
        transmission.key = "{KEY}"
        [transmission.mail]
        host = "127.0.0.1"
        port = {mail_port}
        sender = "plug@example.com"
        recipient = "reports@provider.example, copy@example.com"
        [[discovery.entries]]
        addresses = "127.41.0.1"
        port = {agent_port}
        """
    )


async def test_a_printer_is_reported_by_mail(agent: Agent, home: Path, tmp_path: Path) -> None:
    Lan(agent).put(next(iter(MODELS)), "127.41.0.1")
    async with RealServer(tmp_path) as server:
        settings(home, server.port, agent.port)
        ended = await run("discover", state=home)
        assert ended.code == 0, ended.err
        status = await run("status", state=home)
    (attachment,) = server.messages[0].iter_attachments()
    assert b"<IpAddress>127.41.0.1</IpAddress>" in archive.unpack(attachment.get_content(), KEY)[1]
    assert "mail to reports@provider.example, copy@example.com" in status.out


async def test_what_could_not_be_mailed_is_kept(agent: Agent, home: Path) -> None:
    Lan(agent).put(next(iter(MODELS)), "127.41.0.1")
    async with Scripted(rcpt="450 4.2.0 greylisted") as server:
        settings(home, server.port, agent.port)
        ended = await run("discover", state=home)
    assert ended.code == 3
    assert "450 4.2.0 greylisted, to reports@provider.example; the parcel is kept" in ended.err
    assert len(list((home / "outbox").glob("*.zip"))) == 1


async def test_a_test_mail(home: Path, tmp_path: Path) -> None:
    async with RealServer(tmp_path) as server:
        settings(home, server.port)
        ended = await run("outbox", "test", state=home)
        assert ended.code == 0, ended.err
        assert [line.split()[:2] for line in ended.out.splitlines()] == [
            ["ok", "settings"],
            ["ok", "name"],
            ["ok", "port"],
            ["ok", "parcel"],
        ]
        told = json.loads((await run("outbox", "test", "--json", state=home)).out)
        assert told["ok"]
        assert len(server.messages) == 2


async def test_a_test_mail_that_does_not_arrive(home: Path) -> None:
    async with Scripted(rcpt="550 5.7.1 no relaying") as server:
        settings(home, server.port)
        ended = await run("outbox", "test", state=home)
    assert ended.code == 3
    assert "FAILED  parcel" in ended.out
    assert "550 5.7.1 no relaying" in ended.out
    assert "relays mail" in ended.err


async def test_greylisting_is_not_told_as_a_mistake(home: Path) -> None:
    async with Scripted(rcpt="450 4.2.0 greylisted") as server:
        settings(home, server.port)
        ended = await run("outbox", "test", state=home)
    assert ended.code == 3
    assert "parcels are sent again until the server accepts them" in " ".join(ended.err.split())


@pytest.mark.parametrize("arguments", [["outbox", "test", "abcd"], ["outbox", "test"]])
async def test_a_test_of_nothing(home: Path, arguments: list[str]) -> None:
    assert (await run(*arguments, state=home)).code == 2
