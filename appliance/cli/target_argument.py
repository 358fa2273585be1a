"""The one printer that a command's HOST means."""

from appliance.cli.errors import Wrong
from appliance.discovery import address_ranges, entries
from appliance.domain.model import DiscoveryEntry, SnmpVersion, Target


def target(host: str, version: SnmpVersion, community: str, port: int, command: str) -> Target:
    """What was typed, as somebody to ask; raises Wrong where it is none, or many."""
    entry = DiscoveryEntry(host, snmp_version=version, community_read=community, port=port)
    problem = entries.entry_problem(entry)
    if problem:
        raise Wrong(problem)
    if entries.count_targets(entry) != 1:
        raise Wrong(
            f"{address_ranges.quote_for_message(host)} is more than one address; {command} reads one printer"
        )
    return next(entries.expand(entry, entries.Exclusions()))


async def resolved(typed: Target) -> Target:
    """The same with an address; raises Wrong where its name leads to none."""
    try:
        return await entries.resolve_target(typed)
    except entries.NameNotResolvedError as error:
        raise Wrong(str(error)) from error
