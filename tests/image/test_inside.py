"""The image from inside: nothing failed, nothing open that nobody named, nothing that should not be there."""

import re
import time
from collections.abc import Callable

import pytest

from tests.image.conftest import Plugs
from tests.image.disk import Disk
from tests.image.machine import Machine, UserNetwork
from tests.image.page import FACTORY, Page

pytestmark = [pytest.mark.qemu, pytest.mark.timeout(600)]

# Everything that listens, with who and why; all but the page and mDNS only for the Plug itself.
LISTENING = {
    ("tcp", "*", 80): "the page",
    ("tcp", "*", 443): "the page over HTTPS",
    ("udp", "0.0.0.0", 5353): "the Plug's name in the LAN",
    ("udp", "own address", 5353): "the same",
    ("udp", "127.0.0.53", 53): "systemd-resolved, for the Plug alone",
    ("tcp", "127.0.0.53", 53): "systemd-resolved, for the Plug alone",
    ("udp", "127.0.0.54", 53): "systemd-resolved, for the Plug alone",
    ("tcp", "127.0.0.54", 53): "systemd-resolved, for the Plug alone",
    ("udp", "own address", 68): "systemd-networkd's DHCP",
    ("udp", "own address", 546): "systemd-networkd's DHCP for IPv6",
}
MOST_ROOT = 300 * 2**20
MOST_IMAGE = 110 * 2**20


@pytest.fixture(scope="module")
def plug(probed: Disk, user_network: UserNetwork, plugs: Plugs) -> Machine:
    machine = plugs(probed, user_network)
    machine.start()
    machine.until_page()
    return machine


def settled(plug: Machine) -> str:
    """What systemd says of itself once everything has been started."""
    deadline = time.monotonic() + 120
    while (state := plug.ask("systemctl is-system-running", check=False).strip()) == "starting":
        assert time.monotonic() < deadline, plug.ask("systemctl list-jobs")
        time.sleep(1)
    return state


def test_no_unit_has_failed(plug: Machine) -> None:
    state = settled(plug)
    assert plug.failed() == ""
    assert state == "running"


def test_no_ordering_cycle_and_no_error_in_the_log(plug: Machine) -> None:
    settled(plug)
    assert (
        plug.ask("journalctl -b --no-pager | grep -iE 'ordering cycle|found dependency on'", check=False)
        == ""
    )
    assert plug.ask("journalctl -b -p err -o cat --no-pager").replace("-- No entries --", "").strip() == ""


def test_everything_that_listens_is_named(plug: Machine) -> None:
    own = set(re.findall(r"inet6? ([0-9a-f.:]+)/", plug.ask("ip addr show eth0")))
    found = set()
    for line in plug.ask("ss -H -lntu").splitlines():
        kind, _, _, _, local, *_ = line.split()
        address, _, port = local.rpartition(":")
        address = re.sub(r"%\w+", "", address).strip("[]")
        found.add((kind, "own address" if address in own else address, int(port)))
    assert found - set(LISTENING) == set()
    assert {("tcp", "*", 80), ("tcp", "*", 443), ("udp", "0.0.0.0", 5353)} <= found


def test_sizes(plug: Machine, image_size: int, figure: Callable[[str, str], None]) -> None:
    used = int(plug.ask("df -B1 --output=used / | tail -1"))
    figure("root file system, used", f"{used / 2**20:.0f} MB")
    figure("image, xz", f"{image_size / 2**20:.1f} MB")
    assert used <= MOST_ROOT
    assert image_size <= MOST_IMAGE


@pytest.fixture
def image_size(image: "object") -> int:
    from pathlib import Path  # noqa: PLC0415

    assert isinstance(image, Path)
    if image.suffix != ".xz":
        pytest.skip(f"{image.name} is not packed")
    return image.stat().st_size


def test_the_root_is_read_only_and_data_spare_the_card(plug: Machine) -> None:
    mounted = {
        place: options.split(",")
        for place, options in (
            line.split() for line in plug.ask("findmnt -rn -o TARGET,OPTIONS").splitlines()
        )
    }
    assert "ro" in mounted["/"]
    assert {"rw", "noatime"} <= set(mounted["/data"])
    assert {"rw", "noatime"} <= set(mounted["/boot/firmware"])
    assert plug.ask("swapon --show=NAME --noheadings").split() == ["/dev/zram0"]
    size = int(plug.ask("df -B1 --output=size /data | tail -1"))
    assert size > 700 * 2**20, "the data partition was not grown"


def test_nobody_can_log_in(plug: Machine) -> None:
    for line in plug.ask("cat /etc/shadow").splitlines():
        assert line.split(":")[1][:1] in ("!", "*"), line
    running = plug.ask("systemctl list-units --plain --no-legend --type=service --state=running")
    assert not re.search(r"getty|ssh|emergency|rescue|debug", running)


def test_no_set_uid_files_and_none_that_everybody_writes(plug: Machine) -> None:
    assert plug.ask("find / /boot/firmware /data -xdev -perm /6000 -type f") == ""
    everybody = plug.ask("find / /data /run -xdev -perm -0002 ! -type l ! -type s ! -perm -1000")
    assert everybody == ""


def test_memory(plug: Machine, figure: Callable[[str, str], None]) -> None:
    settled(plug)
    said = dict(re.findall(r"^(\w+):\s+(\d+)", plug.ask("cat /proc/meminfo"), re.MULTILINE))
    used = (int(said["MemTotal"]) - int(said["MemAvailable"])) / 1024
    figure("memory used after the start, no printers", f"{used:.0f} MB of {int(said['MemTotal']) // 1024}")


def test_who_it_is_survives_a_reboot(plug: Machine, figure: Callable[[str, str], None]) -> None:
    who = "cat /etc/machine-id; hostname"
    before = plug.ask(who)
    assert re.fullmatch(r"[0-9a-f]{32}\nprintmonitor-[0-9a-f]{6}\n", before)
    plug.page.first_login()
    plug.power_off()
    plug.start()
    seconds = plug.until_page()
    figure("second boot to the login page (with the probe)", f"{seconds:.1f} s")
    assert plug.ask(who) == before
    assert settled(plug) == "running"
    with pytest.raises(Exception, match="401"):
        Page(plug.page.host, plug.page.port).log_in(FACTORY)
    assert plug.complaints() == []
