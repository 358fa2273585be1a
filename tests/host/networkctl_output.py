"""What `systemctl show` prints, for fakes of systemd."""

from collections.abc import Callable, Iterable


def shown(units: Iterable[str], state: Callable[[str], str]) -> str:
    """A block for each unit, which is there; `state` gives its ActiveState."""
    return "\n\n".join(f"Id={unit}\nLoadState=loaded\nActiveState={state(unit)}" for unit in units)
