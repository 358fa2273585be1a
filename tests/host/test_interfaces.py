"""The interfaces as the kernel shows them: on real ones of a namespace, and on tables as files."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.host import interfaces
from tests.children import ROOT

SCRIPT = """
ip link add eth0 type veth peer name eth1
ip link set eth0 address 02:00:00:00:00:05 up; ip link set eth1 up
ip address add 10.0.0.5/24 dev eth0; ip address add 169.254.7.7/16 dev eth0 scope link
ip address add 2001:db8::5/64 dev eth0 nodad
ip route add default via 10.0.0.1; ip -6 route add default via fe80::1 dev eth0
mount -t sysfs -o ro sysfs /sys
exec "$@"
"""
SHOW = """
from appliance.host import interfaces
for each in interfaces.list_interfaces():
    print(each.name, each.mac_address, each.has_carrier, *each.addresses, "via", *each.gateways)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a network namespace")
@pytest.mark.skipif(shutil.which("ip") is None, reason="no ip: apt-get install iproute2")
def test_what_the_kernel_shows() -> None:
    command = ["unshare", "--net", "--mount", "sh", "-ec", SCRIPT, "-", sys.executable, "-c", SHOW]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if "not permitted" in done.stderr or "Unknown device type" in done.stderr:
        pytest.skip(f"no such interfaces can be made here: {done.stderr.strip()}")
    first, second = done.stdout.splitlines()
    assert first.startswith("eth0 02:00:00:00:00:05 True 10.0.0.5/24 2001:db8::5/64 169.254.7.7/16 fe80::")
    assert first.endswith("via 10.0.0.1 fe80::1")
    assert second.startswith("eth1 ")


def test_without_any_interface(tmp_path: Path) -> None:
    assert interfaces.list_interfaces(tmp_path) == []


def test_name_servers_are_those_behind_the_stub(tmp_path: Path) -> None:
    assert interfaces.read_name_servers(tmp_path) == ()
    for path, text in (
        ("etc", "nameserver 127.0.0.53\n"),
        ("run/systemd/resolve", "# by resolved\nnameserver 10.0.0.1\nnameserver 10.0.0.2\nsearch example\n"),
    ):
        (tmp_path / path).mkdir(parents=True)
        (tmp_path / path / "resolv.conf").write_text(text)
    assert interfaces.read_name_servers(tmp_path) == ("10.0.0.1", "10.0.0.2")


def test_whether_a_time_server_set_the_clock(tmp_path: Path) -> None:
    assert interfaces.is_clock_synchronised(tmp_path) is None
    folder = tmp_path / "run/systemd/timesync"
    folder.mkdir(parents=True)
    assert interfaces.is_clock_synchronised(tmp_path) is False
    (folder / "synchronized").touch()
    assert interfaces.is_clock_synchronised(tmp_path) is True
