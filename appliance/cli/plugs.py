"""`printmonitor plugs`: the Plugs of this LAN, by mDNS."""

import asyncio

from appliance.cli import terminal
from appliance.cli.errors import Wrong
from appliance.cli.json_output import record
from appliance.discovery import mdns
from appliance.discovery.mdns_txt import DiscoveredPlug
from appliance.host.lan_addresses import own_addresses


def run(seconds: float, interface: str | None, as_json: bool) -> int:
    """Ask, wait for the answers, show them."""
    interfaces = (interface,) if interface else own_addresses()
    if not interfaces:
        raise Wrong("this computer has no address in a network")
    found = asyncio.run(mdns.find_plugs(seconds, interfaces))
    if as_json:
        terminal.document({"plugs": [{**record(plug), "url": plug.url} for plug in found]})
    elif found:
        terminal.show_table(("Name", "Site", "Page", "Version"), [_row(plug) for plug in found])
    else:
        terminal.tell(f"no Plug answered within {seconds:g} s")
    return 0


def _row(plug: DiscoveredPlug) -> tuple[str, ...]:
    return plug.name, plug.site or "-", plug.url, plug.version or "-"
