"""Parse the HOST argument of commands that read one printer."""

from appliance.cli.errors import CommandError
from appliance.discovery import address_ranges, entries
from appliance.domain.model import DiscoveryEntry, SnmpVersion, Target


def parse_target(host: str, version: SnmpVersion, community: str, port: int, command: str) -> Target:
    """Return the target; raise CommandError if it is none, or more than one."""
    entry = DiscoveryEntry(host, snmp_version=version, community_read=community, port=port)
    problem = entries.entry_problem(entry)
    if problem:
        raise CommandError(problem)
    if entries.count_targets(entry) != 1:
        raise CommandError(
            f"{address_ranges.quote_for_message(host)} is more than one address; {command} reads one printer"
        )
    return next(entries.expand(entry, entries.Exclusions()))


async def resolve_target(unresolved: Target) -> Target:
    """Return the target with its address; raise CommandError if its name has none."""
    try:
        return await entries.resolve_target(unresolved)
    except entries.NameNotResolvedError as error:
        raise CommandError(str(error)) from error
