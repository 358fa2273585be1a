"""The network's settings as the files of systemd-networkd and wpa_supplicant; pure."""

import hashlib
from collections.abc import Iterator
from ipaddress import IPv4Interface, IPv6Interface

from appliance.settings.network import NetworkConfig

ITERATIONS = 4_096  # IEEE 802.11, J.4.1: from a passphrase to the key
CABLE, WLAN = 100, 600  # metrics: where both lead out, the cable does


def network_file(config: NetworkConfig, name: str) -> str:
    """The .network file of the interface; `name` is how the Plug calls itself to a DHCP server."""
    return "\n".join(
        [
            *_section("Match", [f"Name={config.interface}"]),
            *_section("Network", _network(config)),
            *_section("DHCPv4", [*_leased(config, name), f"RouteMetric={_metric(config)}"]),
            *_section("DHCPv6", [f"UseDNS={_yes(not config.dns)}", f"UseNTP={_yes(not config.ntp)}"]),
            *_section("IPv6AcceptRA", [f"UseDNS={_yes(not config.dns)}", f"RouteMetric={_metric(config)}"]),
            *_routes(config),
            *_section("Link", ["RequiredForOnline=no"]),
        ]
    )


def wpa_supplicant(config: NetworkConfig) -> str:
    """The configuration of wpa_supplicant; the names are hexadecimal, so that nothing has to be escaped."""
    wlan = config.wlan
    lines = [f"country={wlan.country}"] if wlan.country else []
    lines += ["network={", f"\tssid={wlan.ssid.encode().hex()}", "\tscan_ssid=1"]
    if wlan.passphrase:
        lines += ["\tkey_mgmt=WPA-PSK WPA-PSK-SHA256", "\tieee80211w=1", f"\tpsk={_key(config)}"]
    else:
        lines += ["\tkey_mgmt=NONE"]
    return "\n".join([*lines, "}", ""])


def _section(name: str, lines: list[str]) -> Iterator[str]:
    yield f"[{name}]"
    yield from lines
    yield ""


def _network(config: NetworkConfig) -> list[str]:
    dhcp, ipv6 = config.method == "dhcp", config.ipv6.method
    # Without a DHCP server 169.254.x.x: a laptop on the same cable still finds the Plug's name.
    link_local = {(True, True): "yes", (True, False): "ipv4", (False, True): "ipv6", (False, False): "no"}
    return [
        f"DHCP={'ipv4' if dhcp else 'no'}",
        f"LinkLocalAddressing={link_local[dhcp, ipv6 != 'off']}",
        f"IPv6AcceptRA={_yes(ipv6 == 'auto')}",
        *([] if dhcp else [f"Address={IPv4Interface(config.address)}"]),
        *([f"Address={IPv6Interface(config.ipv6.address)}"] if ipv6 == "static" else []),
        *(f"DNS={each}" for each in config.dns),
        *(f"NTP={each}" for each in config.ntp),
        # The Plug's page announces itself; nothing else of it answers by name.
        "LLMNR=no",
        "MulticastDNS=no",
    ]


def _leased(config: NetworkConfig, name: str) -> list[str]:
    """By its MAC address a Plug has the same lease whichever slot it runs from."""
    return [
        "ClientIdentifier=mac",
        f"Hostname={name}",
        f"UseDNS={_yes(not config.dns)}",
        f"UseNTP={_yes(not config.ntp)}",
        "UseDomains=yes",
        "UseHostname=no",
    ]


def _routes(config: NetworkConfig) -> Iterator[str]:
    gateways = [config.gateway] if config.method == "static" else []
    gateways += [config.ipv6.gateway] if config.ipv6.method == "static" else []
    for gateway in filter(None, gateways):
        # A gateway's own link-local address lies in no network of ours: it is on the link all the same.
        yield from _section("Route", [f"Gateway={gateway}", "GatewayOnLink=yes", f"Metric={_metric(config)}"])


def _key(config: NetworkConfig) -> str:
    given = config.wlan.passphrase
    if len(given) == 64:
        return given.lower()
    made = hashlib.pbkdf2_hmac("sha1", given.encode(), config.wlan.ssid.encode(), ITERATIONS, 32)
    return made.hex()


def _metric(config: NetworkConfig) -> int:
    return WLAN if config.is_wlan else CABLE


def _yes(value: bool) -> str:
    return "yes" if value else "no"
