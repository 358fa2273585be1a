"""The image as it is released: it boots to its page, says nothing bad, and nothing else answers."""

import asyncio
import socket
import time
from collections.abc import Callable

import pytest

from tests.image.conftest import Plugs
from tests.image.disk import Disk
from tests.image.lan import Lan
from tests.image.machine import Machine
from tests.image.page import PASSWORD, Page, Wrong, is_open

OPEN_TCP = {80, 443}
MOST_PORT = 65_535
PACE, PATIENCE = 1_500, 0.8  # connections in flight, and how long each may take
SHUT_UDP = (53, 67, 68, 69, 111, 123, 137, 161, 162, 323, 514, 546, 547, 1900, 5355)

pytestmark = [pytest.mark.qemu, pytest.mark.root, pytest.mark.namespaces, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def plug(released: Disk, lan: Lan, plugs: Plugs) -> Machine:
    machine = plugs(released, lan, mac="52:54:00:11:22:33")
    machine.start()
    return machine


def test_it_boots_to_the_login_page(plug: Machine, quiet: bool, figure: Callable[[str, str], None]) -> None:
    seconds = plug.until_page()
    figure("first boot to the login page (bar: 45 s)", f"{seconds:.1f} s" + ("" if quiet else ", busy"))
    assert plug.slot == "A"
    assert plug.complaints() == []


def test_it_got_an_address_and_told_its_name(plug: Machine, lan: Lan) -> None:
    name = lan.host_name(plug.mac)
    assert name.startswith("printmonitor-")
    assert len(name) == len("printmonitor-4f2a91")


def test_nothing_answers_but_the_page(plug: Machine, lan: Lan) -> None:
    host = lan.address(plug.mac)
    assert asyncio.run(open_ports(host)) == OPEN_TCP
    assert heard_by_udp(host) == set()


async def open_ports(host: str) -> set[int]:
    """All TCP ports, one connection each; a firewall that drops answers none of them."""
    lane, found = asyncio.Semaphore(PACE), set()

    async def knock(port: int, patience: float = PATIENCE) -> None:
        async with lane:
            try:
                async with asyncio.timeout(patience):
                    _, writer = await asyncio.open_connection(host, port)
            except (OSError, TimeoutError):
                return
            found.add(port)
            writer.close()

    await asyncio.gather(*(knock(port) for port in range(1, MOST_PORT + 1)))
    for port in OPEN_TCP - found:  # a busy emulation is slow to answer
        await knock(port, 20)
    return found


def heard_by_udp(host: str) -> set[int]:
    """Ports that answer something to something, be it by ICMP that they are closed."""
    found = set()
    asked = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in SHUT_UDP]
    for sock, port in zip(asked, SHUT_UDP, strict=True):
        sock.connect((host, port))
        sock.setblocking(False)
        sock.send(b"\x30\x26\x02\x01\x00hello")
    time.sleep(2)
    for sock, port in zip(asked, SHUT_UDP, strict=True):
        try:
            sock.recv(2000)
            found.add(port)
        except BlockingIOError:
            pass
        except OSError:
            found.add(port)
        sock.close()
    return found


def test_https_answers_as_well(plug: Machine, lan: Lan) -> None:
    assert is_open(lan.address(plug.mac), 443, 10)


def test_first_login_and_reboot_from_the_page(plug: Machine, lan: Lan) -> None:
    page = plug.page
    page.first_login()
    before = page.get("/api/session")["name"]
    assert before == lan.host_name(plug.mac)
    page.patch("/api/system", {"site": "Office, 2nd floor"})
    page.post("/api/system/restart", {"what": "box"})
    plug.until("it goes down", lambda: plug.console.count("U-Boot 20") > 1, 90)
    plug.until_page()
    again = Page(plug.page.host)
    with pytest.raises(Wrong):
        again.log_in("printmonitor")
    assert again.log_in(PASSWORD)["name"] == before
    assert again.get("/api/system")["site"] == "Office, 2nd floor"
    assert plug.complaints() == []
