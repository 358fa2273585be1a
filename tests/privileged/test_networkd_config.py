"""What networkd and wpa_supplicant are given: every choice, and nothing that breaks out."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.privileged.networkd_config import network_file, wpa_supplicant
from appliance.settings.network import Ipv6Config, NetworkConfig, WlanConfig

WLAN = NetworkConfig(interface="wlan0", wlan=WlanConfig("IEEE", "password", "CH"))
# IEEE 802.11, J.4.2: the first of its test vectors.
KEY = "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"

needs_supplicant = pytest.mark.skipif(
    shutil.which("wpa_supplicant") is None, reason="no wpa_supplicant: apt-get install wpasupplicant"
)


def sections(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    name = ""
    for line in filter(None, text.splitlines()):
        if line.startswith("["):
            name = line.strip("[]")
        else:
            found.setdefault(name, []).append(line)
    return found


def test_by_default_both_protocols_are_automatic() -> None:
    found = sections(network_file(NetworkConfig(), "printmonitor-4f2a91"))
    assert found["Match"] == ["Name=eth0"]
    assert {"DHCP=ipv4", "LinkLocalAddressing=yes", "IPv6AcceptRA=yes"} <= set(found["Network"])
    assert {"Hostname=printmonitor-4f2a91", "ClientIdentifier=mac", "UseDNS=yes"} <= set(found["DHCPv4"])
    assert "Route" not in found
    assert not any(line.startswith(("Address", "DNS", "NTP")) for line in found["Network"])


def test_static_addresses_of_both_protocols() -> None:
    config = NetworkConfig(
        method="static",
        address="192.168.1.5/24",
        gateway="192.168.1.1",
        dns=("192.168.1.1", "2001:db8::53"),
        ntp=("ntp.example.com",),
        ipv6=Ipv6Config("static", "2001:db8::5/64", "fe80::1"),
    )
    text = network_file(config, "plug")
    network = sections(text)["Network"]
    assert {"DHCP=no", "Address=192.168.1.5/24", "Address=2001:db8::5/64", "IPv6AcceptRA=no"} <= set(network)
    assert [line for line in network if line.startswith(("DNS", "NTP"))] == [
        "DNS=192.168.1.1",
        "DNS=2001:db8::53",
        "NTP=ntp.example.com",
    ]
    assert re.findall(r"^Gateway=(.*)$", text, re.MULTILINE) == ["192.168.1.1", "fe80::1"]


def test_what_is_not_static_leaves_no_trace() -> None:
    config = NetworkConfig(
        address="192.168.1.5/24",
        gateway="192.168.1.1",
        ipv6=Ipv6Config("off", "2001:db8::5/64", "2001:db8::1"),
    )
    text = network_file(config, "plug")
    assert "192.168.1" not in text
    assert "2001" not in text
    assert {"LinkLocalAddressing=ipv4", "IPv6AcceptRA=no"} <= set(sections(text)["Network"])


def test_own_servers_replace_those_of_the_network() -> None:
    found = sections(network_file(NetworkConfig(dns=("10.0.0.1",), ntp=("10.0.0.2",)), "plug"))
    assert {"UseDNS=no", "UseNTP=no"} <= set(found["DHCPv4"])
    assert {"UseDNS=no", "UseNTP=no"} <= set(found["DHCPv6"])
    assert "UseDNS=no" in found["IPv6AcceptRA"]


def test_a_passphrase_is_its_key() -> None:
    text = wpa_supplicant(WLAN)
    assert f"\tpsk={KEY}\n" in text
    assert f"\tssid={b'IEEE'.hex()}\n" in text
    assert "country=CH\n" in text
    assert "password" not in text
    assert wpa_supplicant(replace(WLAN, wlan=replace(WLAN.wlan, passphrase=KEY.upper()))) == text


def test_an_open_network_has_no_key() -> None:
    text = wpa_supplicant(replace(WLAN, wlan=WlanConfig("Gäste")))
    assert "key_mgmt=NONE" in text
    assert "psk" not in text
    assert "country" not in text


@settings(max_examples=25)  # a key takes milliseconds to make
@given(st.text(min_size=1), st.text())
def test_nothing_breaks_out_of_the_supplicants_file(ssid: str, passphrase: str) -> None:
    """Even if no rule had looked at it before."""
    try:
        text = wpa_supplicant(replace(WLAN, wlan=WlanConfig(ssid, passphrase)))
    except UnicodeEncodeError:
        return  # half of a surrogate pair
    lines = text.splitlines()
    assert all(re.fullmatch(r"\tssid=[0-9a-f]+", line) for line in lines if "ssid=" in line[:6])
    assert len(lines) <= 8


@needs_supplicant
@pytest.mark.parametrize(
    ("wlan", "told"),
    [
        (WlanConfig("IEEE", "password", "CH"), ("ssid='IEEE'", "PSK - hexdump(len=32): f4 2c 6f c5")),
        (WlanConfig('"x"\\ #', 'a "b" \\ #c'), ("PSK - hexdump(len=32)",)),
        (WlanConfig("Büro"), (r"ssid='B\xc3\xbcro'", "key_mgmt: 0x4")),
    ],
)
def test_the_supplicant_reads_it(tmp_path: Path, wlan: WlanConfig, told: tuple[str, ...]) -> None:
    path = tmp_path / "wpa_supplicant.conf"
    path.write_text(wpa_supplicant(replace(WLAN, wlan=wlan)))
    # There is no such interface: it reads the file, and ends.
    command = ["wpa_supplicant", "-ddK", "-Dwired", "-inone0", f"-c{path}"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout
    assert "Priority group 0" in said, said
    assert "failed to parse" not in said
    for each in told:
        assert each in said
