"""The network as the settings want it: its keys, a rule for each, and what must fit together."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_address
from typing import Literal, TypeVar

Choice = TypeVar("Choice", bound=str)
MOST_SERVERS = 4  # of each kind; resolvers ask no more than three or four
# What would be right, None where the value is right.
Rule = Callable[[str | int], str | None]
Method = Literal["dhcp", "static"]
MethodV6 = Literal["auto", "static", "off"]
METHODS: Mapping[str, Method] = {"dhcp": "dhcp", "static": "static"}
METHODS_V6: Mapping[str, MethodV6] = {"auto": "auto", "static": "static", "off": "off"}


class BadNetwork(ValueError):
    """It cannot be used; one line that begins with the key."""


@dataclass(frozen=True, slots=True)
class Ipv6Config:
    method: MethodV6 = "auto"  # auto: as the network's router says
    address: str = ""  # with its prefix
    gateway: str = ""


@dataclass(frozen=True, slots=True)
class WlanConfig:
    ssid: str = ""
    passphrase: str = field(default="", repr=False)  # "": an open network
    country: str = ""


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    interface: str = "eth0"
    method: Method = "dhcp"
    address: str = ""  # with its prefix
    gateway: str = ""
    dns: tuple[str, ...] = ()
    ntp: tuple[str, ...] = ()
    ipv6: Ipv6Config = Ipv6Config()
    wlan: WlanConfig = WlanConfig()

    @property
    def is_wlan(self) -> bool:
        return self.interface.startswith("wlan")


def _interface_v4(value: str | int) -> str | None:
    if not value:
        return None
    try:
        found = IPv4Interface(value) if re.fullmatch(r"[0-9.]{7,15}/[0-9]{1,2}", str(value)) else None
    except ValueError:
        found = None
    if found is None:
        return 'must be an address with its prefix, such as "192.168.1.5/24"'
    if not 1 <= found.network.prefixlen <= 31:
        return "must have a prefix from 1 to 31, such as 24"
    ends = (found.network.network_address, found.network.broadcast_address)
    if not _is_device(found.ip) or (found.network.prefixlen < 31 and found.ip in ends):
        return "must be the address of one device, neither the first nor the last of its network"
    return None


def _interface_v6(value: str | int) -> str | None:
    if not value:
        return None
    try:
        found = IPv6Interface(value) if re.fullmatch(r"[0-9a-fA-F:.]{2,45}/[0-9]{1,3}", str(value)) else None
    except ValueError:
        found = None
    if found is None:
        return 'must be an address with its prefix, such as "2001:db8::5/64"'
    if not 1 <= found.network.prefixlen <= 127:
        return "must have a prefix from 1 to 127, such as 64"
    if not _is_device(found.ip) or found.ip.is_link_local:
        return "must be the address of one device, and not of its link alone"
    return None


def _gateway_v4(value: str | int) -> str | None:
    fits = isinstance(found := _address(str(value)), IPv4Address) and _is_device(found)
    return None if fits or not value else 'must be an address such as "192.168.1.1"'


def _gateway_v6(value: str | int) -> str | None:
    fits = isinstance(found := _address(str(value)), IPv6Address) and _is_device(found)
    return None if fits or not value else 'must be an address such as "fe80::1"'


def _server(value: str | int) -> str | None:
    found = _address(str(value))
    return None if found and _is_device(found) else 'must be an address such as "192.168.1.1"'


def _pattern(regex: str, right: str) -> Rule:
    return lambda value: None if re.fullmatch(regex, str(value), re.ASCII) else right


def _ssid(value: str | int) -> str | None:
    fits = len(str(value).encode("utf-8", "replace")) <= 32
    return None if fits else "must be at most 32 bytes: letters beyond ASCII count as two or more"


RULES: Mapping[str, Rule] = {
    "interface": _pattern("(eth|wlan)[0-9]{1,2}", 'must be "eth0" for the cable, or "wlan0" for WLAN'),
    "address": _interface_v4,
    "gateway": _gateway_v4,
    "dns": _server,
    "ntp": _pattern(r"[A-Za-z0-9_.:-]{1,253}", "must be a host name or an address"),
    "ipv6.address": _interface_v6,
    "ipv6.gateway": _gateway_v6,
    "wlan.ssid": _ssid,
    "wlan.passphrase": _pattern(
        "|[ -~]{8,63}|[0-9a-fA-F]{64}",
        "must be 8 to 63 letters, digits and signs of ASCII, or 64 hexadecimal digits",
    ),
    "wlan.country": _pattern("|[A-Z]{2}", 'must be the two letters of a country, such as "CH"'),
}


def disagreements(config: NetworkConfig) -> Iterator[str]:
    """What is right by itself, and wrong together."""
    for key, servers in (("dns", config.dns), ("ntp", config.ntp)):
        if len(servers) > MOST_SERVERS:
            yield f"{key}: has {len(servers)} items; more than {MOST_SERVERS} are never asked"
    if config.method == "static":
        if not config.address:
            yield 'address: is missing, and network.method is "static"'
        elif config.gateway:
            yield from _apart("gateway", IPv4Address(config.gateway), IPv4Interface(config.address))
    if config.ipv6.method == "static":
        if not config.ipv6.address:
            yield 'ipv6.address: is missing, and network.ipv6.method is "static"'
        elif config.ipv6.gateway:
            yield from _apart(
                "ipv6.gateway", IPv6Address(config.ipv6.gateway), IPv6Interface(config.ipv6.address)
            )
    if config.is_wlan and not config.wlan.ssid:
        yield f'wlan.ssid: is missing, and network.interface is "{config.interface}"'


def taken(data: object) -> NetworkConfig:
    """What a stranger's table says. Raises BadNetwork."""
    usual, table = NetworkConfig(), _Table(data, NetworkConfig, "")
    ipv6, wlan = table.inner("ipv6", Ipv6Config), table.inner("wlan", WlanConfig)
    config = NetworkConfig(
        interface=table.text("interface", usual.interface),
        method=table.choice("method", METHODS, usual.method),
        address=table.text("address"),
        gateway=table.text("gateway"),
        dns=table.texts("dns"),
        ntp=table.texts("ntp"),
        ipv6=Ipv6Config(
            method=ipv6.choice("method", METHODS_V6, usual.ipv6.method),
            address=ipv6.text("address"),
            gateway=ipv6.text("gateway"),
        ),
        wlan=WlanConfig(wlan.text("ssid"), wlan.text("passphrase"), wlan.text("country")),
    )
    if wrong := next(disagreements(config), None):
        raise BadNetwork(wrong)
    return config


class _Table:
    """A stranger's table, value by value."""

    def __init__(
        self, data: object, record: type[NetworkConfig | Ipv6Config | WlanConfig], path: str
    ) -> None:
        known = set(record.__dataclass_fields__)
        if not isinstance(data, dict) or not known.issuperset(data):
            raise BadNetwork(f"{path or 'network'}: is no table of what is known here")
        self._data: Mapping[str, object] = data
        self._path = path

    def inner(self, key: str, record: type[Ipv6Config | WlanConfig]) -> "_Table":
        return _Table(self._data.get(key, {}), record, key)

    def text(self, key: str, usual: str = "") -> str:
        return self._checked(key, self._data.get(key, usual))

    def texts(self, key: str) -> tuple[str, ...]:
        found = self._data.get(key, [])
        if not isinstance(found, list):
            raise BadNetwork(f"{key}: is no list")
        return tuple(self._checked(key, item) for item in found[: MOST_SERVERS + 1])

    def choice(self, key: str, choices: Mapping[str, Choice], usual: Choice) -> Choice:
        found = self._data.get(key, usual)
        if not isinstance(found, str) or found not in choices:
            raise BadNetwork(f"{self._named(key)}: is none of {', '.join(choices)}")
        return choices[found]

    def _checked(self, key: str, value: object) -> str:
        where = self._named(key)
        if not isinstance(value, str) or not value.isprintable():
            raise BadNetwork(f"{where}: is no text that can be printed")
        if right := RULES[where](value):
            raise BadNetwork(f"{where}: {right}")
        return value

    def _named(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key


def _apart(key: str, gateway: IPv4Address | IPv6Address, own: IPv4Interface | IPv6Interface) -> Iterator[str]:
    if gateway == own.ip:
        yield f"{key}: {gateway} is the Plug's own address"
    elif gateway not in own.network and not (gateway.version == 6 and gateway.is_link_local):
        yield f"{key}: {gateway} is not in the network {own.network}"


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text) if re.fullmatch(r"[0-9a-fA-F:.]{2,45}", text) else None
    except ValueError:
        return None


def _is_device(address: IPv4Address | IPv6Address) -> bool:
    if address.version == 4 and address.packed[0] == 0:  # "this network", RFC 1122, 3.2.1.3
        return False
    return not (address.is_multicast or address.is_unspecified or address.is_loopback or address.is_reserved)
