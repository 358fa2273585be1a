"""Which printer a trap is about, and to whom an acknowledgement may go."""

from collections.abc import Iterable
from dataclasses import replace

from appliance.discovery.entries import Coverage, Exclusions, expand_all, find_entry
from appliance.domain.identifiers import identifier_key
from appliance.domain.model import DiscoveryEntry, Target, Trap
from appliance.storage.printers import KnownPrinter


class SenderIndex:
    """The known printers by all that a trap can name them by; a picture of one moment."""

    def __init__(self, known_printers: Iterable[KnownPrinter], entries: Iterable[DiscoveryEntry]) -> None:
        """Raises BadEntry."""
        self._by_host: dict[str, KnownPrinter] = {}
        self._by_serial: dict[str, KnownPrinter] = {}
        self._by_mac: dict[str, KnownPrinter] = {}
        for each in reversed(list(known_printers)):
            self._by_host[each.target.host] = each
            if serial := identifier_key(each.identity.serial_number):
                self._by_serial[serial] = each
            if each.identity.mac_address:
                self._by_mac[each.identity.mac_address] = each
        self._entries = tuple(entries)
        self._coverage = Coverage(self._entries)

    def find_by_address(self, host: str) -> KnownPrinter | None:
        """The printer that is known at an address."""
        return self._by_host.get(host)

    def find_printer(self, sender: str, trap: Trap) -> KnownPrinter | None:
        """Who it is by serial number, MAC address, sender, or whom the sender names; None: a stranger.

        The sender before whom it names: many printers name an address that they had in the factory.
        """
        return (
            self._by_serial.get(identifier_key(trap.serial_number))
            or self._by_mac.get(trap.mac_address or "")
            or self._by_host.get(sender)
            or self._by_host.get(trap.agent_address or "")
        )

    def may_answer(self, host: str, exclusions: Exclusions) -> bool:
        """Whether the Plug would ask at this address anyway."""
        if exclusions.excludes_address(host):
            return False
        return host in self._by_host or Target(host) in self._coverage

    def list_probe_targets(self, host: str, exclusions: Exclusions) -> list[Target]:
        """How a discovery would ask at this address: once for each community that may be right."""
        covering = (each for each in self._entries if find_entry([each], host))
        return list(expand_all([replace(each, addresses=host) for each in covering], exclusions))
