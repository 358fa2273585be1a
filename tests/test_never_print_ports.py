"""Printers print what reaches their print ports, so nothing of what the Plug does may reach them."""

import asyncio
import errno
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import children
from tests.fakes.agent import Agent
from tests.fakes.lan import Lan
from tests.fakes.models import MODELS

LOW = (515, 631)  # LPD, IPP: only root may listen there, unless the system says otherwise
HIGH = tuple(range(9100, 9117))  # raw printing and its neighbours
ADDRESSES = ("127.32.0.1", "127.32.0.2", "127.32.0.3")  # a printer, a printer, nobody


class Ears:
    """Listens at print ports; keeps who came."""

    def __init__(self) -> None:
        self.sockets: list[socket.socket] = []
        self.closed: list[int] = []  # ports that could not be had

    def open(self, address: str, port: int, kind: socket.SocketKind) -> None:
        ear = socket.socket(socket.AF_INET, kind)
        ear.setblocking(False)
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            ear.bind((address, port))
        except OSError as error:
            ear.close()
            if error.errno not in (errno.EACCES, errno.EADDRINUSE):
                raise
            self.closed.append(port)
            return
        if kind == socket.SOCK_STREAM:
            ear.listen()
        self.sockets.append(ear)

    def heard(self) -> list[str]:
        """Where somebody has called: the kernel keeps calls until they are taken."""
        return [f"{ear.getsockname()}" for ear in self.sockets if _was_called(ear)]


def _was_called(ear: socket.socket) -> bool:
    try:
        if ear.type == socket.SOCK_STREAM:
            ear.accept()[0].close()
        else:
            ear.recv(1)
    except BlockingIOError:
        return False
    return True


@pytest.fixture
def ears() -> Iterator[Ears]:
    ears = Ears()
    for address in ADDRESSES:
        for port in (*LOW, *HIGH):
            ears.open(address, port, socket.SOCK_STREAM)
            ears.open(address, port, socket.SOCK_DGRAM)
    yield ears
    for ear in ears.sockets:
        ear.close()


async def printmonitor(*arguments: str, state: Path) -> int:
    process = await asyncio.create_subprocess_exec(
        *children.printmonitor(*arguments, state=state),
        cwd=children.ROOT,
        env=children.environment(),
        stdout=subprocess.DEVNULL,
    )
    return await process.wait()


async def test_nothing_reaches_a_print_port(agent: Agent, ears: Ears, tmp_path: Path) -> None:
    lan = Lan(agent)
    for address, key in zip(ADDRESSES, list(MODELS)[:2], strict=False):
        lan.put(key, address)
    (tmp_path / "settings.toml").write_text(
        f'[[discovery.entries]]\naddresses = "127.32.0.1-127.32.0.8"\nport = {agent.port}\n'
    )
    assert await printmonitor("discover", state=tmp_path) == 0
    assert await printmonitor("query", state=tmp_path) == 0
    assert await printmonitor("test", ADDRESSES[0], "--port", str(agent.port), state=tmp_path) == 0
    assert ears.heard() == []
    assert lan.counts()["requests"] > 0  # and yet the printers were read
    _prove_that_they_hear(ears)
    if ears.closed:
        pytest.skip(f"heard nothing; but these ports could not be listened at: {sorted(set(ears.closed))}")


def _prove_that_they_hear(ears: Ears) -> None:
    for ear in ears.sockets:
        with socket.socket(socket.AF_INET, ear.type) as caller:
            caller.connect(ear.getsockname())
            caller.send(b"%!PS")
    assert len(ears.heard()) == len(ears.sockets) > 0
