"""What systemd says of units, for root's part of the Plug."""

from appliance.privileged.request_handler import Failed, Run


def is_active(run: Run, unit: str) -> bool:
    """Whether systemd says that a unit is active."""
    try:
        run("systemctl", "is-active", "--quiet", unit)
    except Failed:
        return False
    return True


def states(run: Run, *units: str) -> dict[str, str]:
    """The ActiveState of units, such as active or failed; only of those that there are. Raises Failed."""
    said = run("systemctl", "show", "--property=Id,LoadState,ActiveState", *units)
    found = {}
    for block in said.split("\n\n"):
        told = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if told.get("LoadState") == "loaded":
            found[told.get("Id", "")] = told.get("ActiveState", "")
    return {unit: found[unit] for unit in units if unit in found}
