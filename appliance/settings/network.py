"""The network as the settings want it: its keys, a rule for each, and what must fit together."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_address
from typing import Literal, TypeVar

from appliance.domain.messages import Message

Choice = TypeVar("Choice", bound=str)
MAX_SERVERS = 4  # of each kind; resolvers ask no more than three or four
# What would be right, None where the value is right.
Rule = Callable[[str | int], str | None]
MethodV4 = Literal["dhcp", "static"]
MethodV6 = Literal["auto", "static", "off"]
METHODS_V4: Mapping[str, MethodV4] = {"dhcp": "dhcp", "static": "static"}
METHODS_V6: Mapping[str, MethodV6] = {"auto": "auto", "static": "static", "off": "off"}


class NetworkSettingsError(ValueError):
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
    method: MethodV4 = "dhcp"
    address: str = ""  # with its prefix
    gateway: str = ""
    dns: tuple[str, ...] = ()
    ntp: tuple[str, ...] = ()
    ipv6: Ipv6Config = Ipv6Config()
    wlan: WlanConfig = WlanConfig()

    @property
    def is_wlan(self) -> bool:
        return self.interface.startswith("wlan")


def _check_ipv4_interface(value: str | int) -> str | None:
    if not value:
        return None
    try:
        found = IPv4Interface(value) if re.fullmatch(r"[0-9.]{7,15}/[0-9]{1,2}", str(value)) else None
    except ValueError:
        found = None
    if found is None:
        return Message("settings.address_prefix", example="192.168.1.5/24")
    if not 1 <= found.network.prefixlen <= 31:
        return Message("settings.prefix", low=1, high=31, example=24)
    ends = (found.network.network_address, found.network.broadcast_address)
    if not _is_host_address(found.ip) or (found.network.prefixlen < 31 and found.ip in ends):
        return Message("settings.device_address")
    return None


def _check_ipv6_interface(value: str | int) -> str | None:
    if not value:
        return None
    try:
        found = IPv6Interface(value) if re.fullmatch(r"[0-9a-fA-F:.]{2,45}/[0-9]{1,3}", str(value)) else None
    except ValueError:
        found = None
    if found is None:
        return Message("settings.address_prefix", example="2001:db8::5/64")
    if not 1 <= found.network.prefixlen <= 127:
        return Message("settings.prefix", low=1, high=127, example=64)
    if not _is_host_address(found.ip) or found.ip.is_link_local:
        return Message("settings.device_address_v6")
    return None


def _check_ipv4_gateway(value: str | int) -> str | None:
    fits = isinstance(found := _parse_address(str(value)), IPv4Address) and _is_host_address(found)
    return None if fits or not value else Message("settings.address", example="192.168.1.1")


def _check_ipv6_gateway(value: str | int) -> str | None:
    fits = isinstance(found := _parse_address(str(value)), IPv6Address) and _is_host_address(found)
    return None if fits or not value else Message("settings.address", example="fe80::1")


def _check_server(value: str | int) -> str | None:
    found = _parse_address(str(value))
    return None if found and _is_host_address(found) else Message("settings.address", example="192.168.1.1")


def _pattern_rule(regex: str, requirement: str) -> Rule:
    return lambda value: None if re.fullmatch(regex, str(value), re.ASCII) else requirement


def _check_ssid(value: str | int) -> str | None:
    fits = len(str(value).encode("utf-8", "replace")) <= 32
    return None if fits else Message("settings.ssid")


RULES: Mapping[str, Rule] = {
    "interface": _pattern_rule("(eth|wlan)[0-9]{1,2}", Message("settings.interface")),
    "address": _check_ipv4_interface,
    "gateway": _check_ipv4_gateway,
    "dns": _check_server,
    "ntp": _pattern_rule(r"[A-Za-z0-9_.:-]{1,253}", Message("settings.host")),
    "ipv6.address": _check_ipv6_interface,
    "ipv6.gateway": _check_ipv6_gateway,
    "wlan.ssid": _check_ssid,
    "wlan.passphrase": _pattern_rule(
        "|[ -~]{8,63}|[0-9a-fA-F]{64}",
        Message("settings.passphrase"),
    ),
    "wlan.country": _pattern_rule("|[A-Z]{2}", Message("settings.country")),
}


def find_conflicts(config: NetworkConfig) -> Iterator[Message]:
    """What is right by itself, and wrong together."""
    for key, servers in (("dns", config.dns), ("ntp", config.ntp)):
        if len(servers) > MAX_SERVERS:
            yield Message(
                "field_problem",
                field=key,
                problem=Message("settings.too_many_servers", count=len(servers), limit=MAX_SERVERS),
            )
    if config.method == "static":
        if not config.address:
            yield Message(
                "field_problem",
                field="address",
                problem=Message("settings.needed_for", setting='network.method = "static"'),
            )
        elif config.gateway:
            yield from _check_gateway_network(
                "gateway", IPv4Address(config.gateway), IPv4Interface(config.address)
            )
    if config.ipv6.method == "static":
        if not config.ipv6.address:
            yield Message(
                "field_problem",
                field="ipv6.address",
                problem=Message("settings.needed_for", setting='network.ipv6.method = "static"'),
            )
        elif config.ipv6.gateway:
            yield from _check_gateway_network(
                "ipv6.gateway", IPv6Address(config.ipv6.gateway), IPv6Interface(config.ipv6.address)
            )
    if config.is_wlan and not config.wlan.ssid:
        yield Message(
            "field_problem",
            field="wlan.ssid",
            problem=Message("settings.needed_for", setting=f'network.interface = "{config.interface}"'),
        )


def parse_network(data: object) -> NetworkConfig:
    """What a stranger's table says. Raises BadNetwork."""
    usual, table = NetworkConfig(), _UntrustedTable(data, NetworkConfig, "")
    ipv6, wlan = table.sub_table("ipv6", Ipv6Config), table.sub_table("wlan", WlanConfig)
    config = NetworkConfig(
        interface=table.text("interface", usual.interface),
        method=table.choice("method", METHODS_V4, usual.method),
        address=table.text("address"),
        gateway=table.text("gateway"),
        dns=table.text_list("dns"),
        ntp=table.text_list("ntp"),
        ipv6=Ipv6Config(
            method=ipv6.choice("method", METHODS_V6, usual.ipv6.method),
            address=ipv6.text("address"),
            gateway=ipv6.text("gateway"),
        ),
        wlan=WlanConfig(wlan.text("ssid"), wlan.text("passphrase"), wlan.text("country")),
    )
    if wrong := next(find_conflicts(config), None):
        raise NetworkSettingsError(wrong)
    return config


class _UntrustedTable:
    """A stranger's table, value by value."""

    def __init__(
        self, data: object, record: type[NetworkConfig | Ipv6Config | WlanConfig], path: str
    ) -> None:
        known = set(record.__dataclass_fields__)
        if not isinstance(data, dict) or not known.issuperset(data):
            raise NetworkSettingsError(f"{path or 'network'}: is no table of what is known here")
        self._data: Mapping[str, object] = data
        self._path = path

    def sub_table(self, key: str, record: type[Ipv6Config | WlanConfig]) -> "_UntrustedTable":
        return _UntrustedTable(self._data.get(key, {}), record, key)

    def text(self, key: str, default: str = "") -> str:
        return self._validate(key, self._data.get(key, default))

    def text_list(self, key: str) -> tuple[str, ...]:
        found = self._data.get(key, [])
        if not isinstance(found, list):
            raise NetworkSettingsError(f"{key}: is no list")
        return tuple(self._validate(key, item) for item in found[: MAX_SERVERS + 1])

    def choice(self, key: str, choices: Mapping[str, Choice], default: Choice) -> Choice:
        found = self._data.get(key, default)
        if not isinstance(found, str) or found not in choices:
            raise NetworkSettingsError(f"{self._full_key(key)}: is none of {', '.join(choices)}")
        return choices[found]

    def _validate(self, key: str, value: object) -> str:
        where = self._full_key(key)
        if not isinstance(value, str) or not value.isprintable():
            raise NetworkSettingsError(f"{where}: is no text that can be printed")
        if right := RULES[where](value):
            raise NetworkSettingsError(f"{where}: {right}")
        return value

    def _full_key(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key


def _check_gateway_network(
    key: str, gateway: IPv4Address | IPv6Address, interface: IPv4Interface | IPv6Interface
) -> Iterator[Message]:
    if gateway == interface.ip:
        yield Message("field_problem", field=key, problem=Message("settings.own_address", address=gateway))
    elif gateway not in interface.network and not (gateway.version == 6 and gateway.is_link_local):
        yield Message(
            "field_problem",
            field=key,
            problem=Message("settings.other_network", address=gateway, network=interface.network),
        )


def _parse_address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text) if re.fullmatch(r"[0-9a-fA-F:.]{2,45}", text) else None
    except ValueError:
        return None


def _is_host_address(address: IPv4Address | IPv6Address) -> bool:
    if address.version == 4 and address.packed[0] == 0:  # "this network", RFC 1122, 3.2.1.3
        return False
    return not (address.is_multicast or address.is_unspecified or address.is_loopback or address.is_reserved)
