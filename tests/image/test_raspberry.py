"""The same image on an emulated Raspberry Pi 3: it boots, and its page answers."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.image.conftest import Plugs
from tests.image.disk import Disk, environment
from tests.image.machine import Board, Machine, UserNetwork, boot_files

BOOT_SECONDS = 900.0  # 84 s on a quiet machine, 200 s on a busy one; four times that and more

pytestmark = [pytest.mark.qemu, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def card(released: Disk, workshop: Path) -> Disk:
    """A copy that QEMU's Pi can boot. What is changed makes up for what that lacks.

    Its watchdog resets at once when it is set; `usb start` of U-Boot leaves the USB network card unusable for
    Linux; and devices take longer than a real board's.
    """
    disk = released.copy(workshop / "raspberry.img")
    disk.add_arguments("systemd.watchdog_sec=0 systemd.default_device_timeout_sec=300")
    loader = disk.boot_read("u-boot.bin")
    disk.boot_write("uboot.env", environment({**defaults(loader), "preboot": ""}))
    return disk


def defaults(loader: bytes) -> dict[str, str]:
    """The environment that is built into a U-Boot: NAME=VALUE, each ended by NUL, around its bootcmd."""
    start = loader.index(b"\0bootcmd=") + 1
    while re.fullmatch(
        rb"[A-Za-z0-9_]+=[^\0]*", loader[(before := loader.rindex(b"\0", 0, start - 1) + 1) : start - 1]
    ):
        start = before
    rows = loader[start : loader.index(b"\0\0", start)].split(b"\0")
    return dict(row.decode().split("=", 1) for row in rows)


@pytest.fixture
def plug(card: Disk, plugs: Plugs, user_network: UserNetwork, workshop: Path) -> Machine:
    loader, tree = boot_files(card, workshop, "u-boot.bin", "bcm2837-rpi-3-b.dtb")
    board = Board(
        "raspi3b",
        ("-M", "raspi3b", "-kernel", str(loader), "-dtb", str(tree)),
        ("if=sd",),
        "usb-net",
    )
    return plugs(card, user_network, board=board)


def test_it_boots_to_the_login_page(plug: Machine, quiet: bool, figure: Callable[[str, str], None]) -> None:
    plug.start()
    seconds = plug.until_page(BOOT_SECONDS)
    figure("Raspberry Pi 3 (emulated) to the login page", f"{seconds:.0f} s" + ("" if quiet else " (busy)"))
    assert plug.slot == "A"
    assert "Kernel panic" not in plug.console
    plug.page.first_login()
    assert plug.page_in.get("/api/system")["box"]
