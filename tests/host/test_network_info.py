"""Network facts from the kernel: real interfaces of a namespace, and tables as files."""

import os
import shutil
import subprocess
import sys
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from appliance.host import network_info
from tests.children import ROOT

SCRIPT = """
ip link add eth0 type veth peer name eth1
ip link set eth0 address 02:00:00:00:00:05 up; ip link set eth1 up
ip address add 10.0.0.5/24 dev eth0; ip address add 169.254.7.7/16 dev eth0 scope link
ip address add 2001:db8::5/64 dev eth0 nodad
ip link set lo up; ip tuntap add tun0 mode tun; ip address add 10.9.9.9/24 dev tun0; ip link set tun0 up
ip route add default via 10.0.0.1; ip -6 route add default via fe80::1 dev eth0
mount -t sysfs -o ro sysfs /sys
exec "$@"
"""
SHOW = """
from appliance.host import network_info
for each in network_info.list_interfaces():
    print(each.name, each.mac_address, each.has_carrier, *each.addresses, "via", *each.gateways)
print(*network_info.list_lan_addresses())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a network namespace")
@pytest.mark.skipif(shutil.which("ip") is None, reason="no ip: apt-get install iproute2")
def test_what_the_kernel_shows() -> None:
    command = ["unshare", "--net", "--mount", "sh", "-ec", SCRIPT, "-", sys.executable, "-c", SHOW]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if "not permitted" in done.stderr or "Unknown device type" in done.stderr:
        pytest.skip(f"no such interfaces can be made here: {done.stderr.strip()}")
    first, second, lan = done.stdout.splitlines()
    assert first.startswith("eth0 02:00:00:00:00:05 True 10.0.0.5/24 2001:db8::5/64 169.254.7.7/16 fe80::")
    assert first.endswith("via 10.0.0.1 fe80::1")
    assert second.startswith("eth1 ")
    assert set(lan.split()) == {"10.0.0.5", "169.254.7.7", "2001:db8::5"}
    assert lan.endswith(" 2001:db8::5")


def test_without_any_interface(tmp_path: Path) -> None:
    assert network_info.list_interfaces(tmp_path) == []


def test_name_servers_are_those_behind_the_stub(tmp_path: Path) -> None:
    assert network_info.read_name_servers(tmp_path) == ()
    for path, text in (
        ("etc", "nameserver 127.0.0.53\n"),
        ("run/systemd/resolve", "# by resolved\nnameserver 10.0.0.1\nnameserver 10.0.0.2\nsearch example\n"),
    ):
        (tmp_path / path).mkdir(parents=True)
        (tmp_path / path / "resolv.conf").write_text(text)
    assert network_info.read_name_servers(tmp_path) == ("10.0.0.1", "10.0.0.2")


def test_whether_a_time_server_set_the_clock(tmp_path: Path) -> None:
    assert network_info.is_clock_synchronised(tmp_path) is None
    folder = tmp_path / "run/systemd/timesync"
    folder.mkdir(parents=True)
    assert network_info.is_clock_synchronised(tmp_path) is False
    (folder / "synchronized").touch()
    assert network_info.is_clock_synchronised(tmp_path) is True


ROUTE_TITLE = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"


def route_row(interface: str, network: str, metric: int = 0) -> str:
    found = IPv4Network(network)
    address, mask = (
        f"{int.from_bytes(each.packed, 'little'):08X}" for each in (found.network_address, found.netmask)
    )
    return f"{interface}\t{address}\t00000000\t0001\t0\t0\t{metric}\t{mask}\t0\t0\t0\n"


@pytest.mark.parametrize(
    ("rows", "network"),
    [
        ((route_row("eth0", "0.0.0.0/0"), route_row("eth0", "192.168.1.0/24")), "192.168.1.0/24"),
        (
            (
                route_row("docker0", "172.17.0.0/22"),
                route_row("eth0", "0.0.0.0/0"),
                route_row("eth0", "10.1.2.0/24"),
            ),
            "10.1.2.0/24",
        ),
        (
            (
                *(route_row("wlan0", "0.0.0.0/0", 600), route_row("wlan0", "10.9.0.0/24", 600)),
                *(route_row("eth0", "0.0.0.0/0", 100), route_row("eth0", "10.8.0.0/24", 100)),
            ),
            "10.8.0.0/24",
        ),
        ((route_row("eth0", "192.168.7.0/24"),), "192.168.7.0/24"),  # no way out: still a network
        ((route_row("eth0", "0.0.0.0/0"), route_row("eth0", "10.0.0.0/8")), None),  # too wide to be offered
        ((route_row("eth0", "169.254.0.0/16"),), None),
        (("rubbish\n", "eth0 1 2\n", "eth0\tzz\t0\t0\t0\t0\t0\tzz\n"), None),
        ((), None),
    ],
)
def test_the_own_network(tmp_path: Path, rows: tuple[str, ...], network: str | None) -> None:
    table = tmp_path / "route"
    table.write_text(ROUTE_TITLE + "".join(rows))
    found = network_info.detect_lan_network(table)
    assert (None if found is None else str(found)) == network


def test_a_system_without_a_routing_table(tmp_path: Path) -> None:
    assert network_info.detect_lan_network(tmp_path / "missing") is None


ARP_TABLE = """\
IP address       HW type     Flags       HW address            Mask     Device
192.168.1.20     0x1         0x2         00:00:74:ed:64:38     *        eth0
192.168.1.21     0x1         0x0         00:00:00:00:00:00     *        eth0
192.168.1.22     0x1         rubbish
192.168.1.23     0x1         rubbish     00:00:74:ed:64:39     *        eth0
"""


@pytest.mark.parametrize(
    ("host", "mac"),
    [
        ("192.168.1.20", "00:00:74:ed:64:38"),
        ("192.168.1.21", ""),
        ("192.168.1.22", None),
        ("192.168.1.23", ""),
        ("192.168.1.2", None),
    ],
)
def test_who_answered_arp(tmp_path: Path, host: str, mac: str | None) -> None:
    table = tmp_path / "arp"
    table.write_text(ARP_TABLE)
    assert network_info.lookup_mac_address(host, table) == mac


def test_a_system_without_an_arp_table(tmp_path: Path) -> None:
    assert network_info.lookup_mac_address("192.168.1.20", tmp_path / "arp") is None
    (tmp_path / "arp").write_bytes(b"\xff")
    assert network_info.lookup_mac_address("192.168.1.20", tmp_path / "arp") is None
