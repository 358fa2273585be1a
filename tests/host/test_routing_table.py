from ipaddress import IPv4Network
from pathlib import Path

import pytest

from appliance.host import routing_table

TITLE = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"


def row(interface: str, network: str, metric: int = 0) -> str:
    found = IPv4Network(network)
    address, mask = (
        f"{int.from_bytes(each.packed, 'little'):08X}" for each in (found.network_address, found.netmask)
    )
    return f"{interface}\t{address}\t00000000\t0001\t0\t0\t{metric}\t{mask}\t0\t0\t0\n"


@pytest.mark.parametrize(
    ("rows", "network"),
    [
        ((row("eth0", "0.0.0.0/0"), row("eth0", "192.168.1.0/24")), "192.168.1.0/24"),
        (
            (row("docker0", "172.17.0.0/22"), row("eth0", "0.0.0.0/0"), row("eth0", "10.1.2.0/24")),
            "10.1.2.0/24",
        ),
        (
            (
                *(row("wlan0", "0.0.0.0/0", 600), row("wlan0", "10.9.0.0/24", 600)),
                *(row("eth0", "0.0.0.0/0", 100), row("eth0", "10.8.0.0/24", 100)),
            ),
            "10.8.0.0/24",
        ),
        ((row("eth0", "192.168.7.0/24"),), "192.168.7.0/24"),  # no way out: still a network
        ((row("eth0", "0.0.0.0/0"), row("eth0", "10.0.0.0/8")), None),  # too wide to be offered
        ((row("eth0", "169.254.0.0/16"),), None),
        (("rubbish\n", "eth0 1 2\n", "eth0\tzz\t0\t0\t0\t0\t0\tzz\n"), None),
        ((), None),
    ],
)
def test_the_own_network(tmp_path: Path, rows: tuple[str, ...], network: str | None) -> None:
    table = tmp_path / "route"
    table.write_text(TITLE + "".join(rows))
    found = routing_table.own_network(table)
    assert (None if found is None else str(found)) == network


def test_a_system_without_the_table(tmp_path: Path) -> None:
    assert routing_table.own_network(tmp_path / "missing") is None
