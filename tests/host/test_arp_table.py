from pathlib import Path

import pytest

from appliance.host import arp_table

TABLE = """\
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
    table.write_text(TABLE)
    assert arp_table.mac_address(host, table) == mac


def test_a_system_without_the_table(tmp_path: Path) -> None:
    assert arp_table.mac_address("192.168.1.20", tmp_path / "arp") is None
    (tmp_path / "arp").write_bytes(b"\xff")
    assert arp_table.mac_address("192.168.1.20", tmp_path / "arp") is None
