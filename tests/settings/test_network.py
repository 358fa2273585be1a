"""The network's keys: what is right, what is not, and that a stranger's table gets nothing past."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.settings import network
from appliance.settings.network import BadNetwork, Ipv6Config, NetworkConfig, WlanConfig, taken

RIGHT = {
    "interface": "wlan0",
    "method": "static",
    "address": "192.168.1.5/24",
    "gateway": "192.168.1.1",
    "dns": ["192.168.1.1", "2001:db8::53"],
    "ntp": ["ntp.example.com", "192.168.1.1"],
    "ipv6": {"method": "static", "address": "2001:db8::5/64", "gateway": "fe80::1"},
    "wlan": {"ssid": "Büro", "passphrase": 'a "b" \\ c', "country": "CH"},
}


def test_a_whole_table_is_taken() -> None:
    assert taken(RIGHT) == NetworkConfig(
        "wlan0",
        "static",
        "192.168.1.5/24",
        "192.168.1.1",
        ("192.168.1.1", "2001:db8::53"),
        ("ntp.example.com", "192.168.1.1"),
        Ipv6Config("static", "2001:db8::5/64", "fe80::1"),
        WlanConfig("Büro", 'a "b" \\ c', "CH"),
    )
    assert taken({}) == NetworkConfig()


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"interface": "eth0\n[Match]"}, "interface"),
        ({"interface": "lo"}, "interface"),
        ({"interface": "../etc"}, "interface"),
        ({"interface": 7}, "interface"),
        ({"method": "bootp"}, "method"),
        ({"method": ["dhcp"]}, "method"),
        ({"address": "192.168.1.5"}, "address"),
        ({"address": "192.168.1.5/24\nDHCP=yes"}, "address"),
        ({"address": "192.168.1.0/24"}, "address"),
        ({"address": "192.168.1.255/24"}, "address"),
        ({"address": "127.0.0.1/8"}, "address"),
        ({"address": "0.1.2.3/8"}, "address"),
        ({"address": "224.0.0.5/24"}, "address"),
        ({"address": "192.168.1.5/32"}, "address"),
        ({"address": "192.168.1.5/0"}, "address"),
        ({"address": ""}, "address"),
        ({"address": "2001:db8::5/64"}, "address"),
        ({"gateway": "192.168.2.1"}, "gateway"),
        ({"gateway": "192.168.1.5"}, "gateway"),
        ({"gateway": "fe80::1"}, "gateway"),
        ({"dns": "192.168.1.1"}, "dns"),
        ({"dns": ["192.168.1.1\nDNS=6.6.6.6"]}, "dns"),
        ({"dns": ["192.168.1.1#dot"]}, "dns"),
        ({"dns": ["fe80::1%eth0"]}, "dns"),
        ({"dns": ["10.0.0.1"] * 5}, "dns"),
        ({"dns": [["10.0.0.1"]]}, "dns"),
        ({"ntp": ["a b"]}, "ntp"),
        ({"ntp": ["a\nNTP=b"]}, "ntp"),
        ({"ntp": ["pool.ntp.örg"]}, "ntp"),
        ({"ipv6": []}, "ipv6"),
        ({"ipv6": {"method": "dhcp"}}, "ipv6.method"),
        ({"ipv6": {"method": "static"}}, "ipv6.address"),
        ({"ipv6": {"method": "static", "address": "fe80::5/64"}}, "ipv6.address"),
        ({"ipv6": {"method": "static", "address": "2001:db8::5%eth0/64"}}, "ipv6.address"),
        (
            {"ipv6": {"method": "static", "address": "2001:db8::5/64", "gateway": "2001:db9::1"}},
            "ipv6.gateway",
        ),
        ({"wlan": {"ssid": ""}}, "wlan.ssid"),
        ({"wlan": {"ssid": "é" * 17}}, "wlan.ssid"),
        ({"wlan": {"ssid": "a\nb"}}, "wlan.ssid"),
        ({"wlan": {"ssid": "a", "passphrase": "short"}}, "wlan.passphrase"),
        ({"wlan": {"ssid": "a", "passphrase": "x" * 65}}, "wlan.passphrase"),
        ({"wlan": {"ssid": "a", "passphrase": "12345678\n}"}}, "wlan.passphrase"),
        ({"wlan": {"ssid": "a", "passphrase": "pässwörter"}}, "wlan.passphrase"),
        ({"wlan": {"ssid": "a", "country": "CHE"}}, "wlan.country"),
        ({"wlan": {"ssid": "a", "channel": "1"}}, "wlan"),
        ({"exec": "reboot"}, "network"),
    ],
)
def test_what_is_wrong_is_refused_by_its_key(change: dict[str, object], key: str) -> None:
    with pytest.raises(BadNetwork) as caught:
        taken(RIGHT | change)
    assert str(caught.value).partition(":")[0] == key
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [None, [], "x", 3, {1: 2}])
def test_what_is_no_table_is_refused(data: object) -> None:
    with pytest.raises(BadNetwork):
        taken(data)


@given(st.sampled_from(sorted(network.RULES)), st.text())
def test_no_rule_lets_a_line_break_through(key: str, text: str) -> None:
    for broken in (f"{text}\n", f"{text}\nx", f"\n{text}", f"{text}\0"):
        inner, _, last = key.rpartition(".")
        value: object = [broken] if last in ("dns", "ntp") else broken
        with pytest.raises(BadNetwork):
            taken({inner: {last: value}} if inner else {last: value})
