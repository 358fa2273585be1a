"""Run `printmonitor plugs`: find the Plugs of this LAN by mDNS."""

import asyncio

from appliance.cli import terminal
from appliance.cli.errors import CommandError
from appliance.cli.json_output import record_to_json
from appliance.discovery import mdns
from appliance.discovery.mdns_txt import DiscoveredPlug
from appliance.host.network_info import list_lan_addresses


def run(timeout_s: float, interface: str | None, as_json: bool) -> int:
    """Send the query, wait for answers, print them."""
    interfaces = (interface,) if interface else list_lan_addresses()
    if not interfaces:
        raise CommandError("this computer has no address in a network")
    plugs = asyncio.run(mdns.find_plugs(timeout_s, interfaces))
    if as_json:
        terminal.print_json({"plugs": [{**record_to_json(plug), "url": plug.url} for plug in plugs]})
    elif plugs:
        terminal.print_table(("Name", "Site", "Page", "Version"), [_plug_row(plug) for plug in plugs])
    else:
        terminal.print_message(f"no Plug answered within {timeout_s:g} s")
    return 0


def _plug_row(plug: DiscoveredPlug) -> tuple[str, ...]:
    return plug.name, plug.site or "-", plug.url, plug.version or "-"
