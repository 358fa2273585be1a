"""The Plug's light: the kernel blinks it, so that nobody has to stay awake for that."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from appliance.privileged import systemctl
from appliance.privileged.request_handler import POLLER, WEB, Failed, Run

LEDS = Path("/sys/class/leds")
NAMES = ("ACT", "led0")  # of the boards, by mainline's and by the Raspberry Pi's own device tree
NETWORK = Path("/run/systemd/netif/state")
STARTED, UPDATER = "printmonitor-health.service", "printmonitor-update.service"
LONG_START = 600.0  # seconds since the start, after which a Plug that is not well needs somebody
ATTENTION = "attention"  # the poller's file: a line for each thing that somebody should look at

State = Literal["starting", "well", "no network", "attention", "updating"]


@dataclass(frozen=True, slots=True)
class Pattern:
    """Milliseconds on and off, in turn; on for good without any."""

    times: tuple[int, ...] = ()


PATTERNS: Mapping[State, Pattern] = {
    "starting": Pattern((250, 250)),
    "well": Pattern(),
    "no network": Pattern((100, 1_900)),
    "attention": Pattern((150, 200, 150, 1_500)),
    "updating": Pattern((50, 150)),
}


def state(folder: Path, uptime: float, run: Run, network: Path = NETWORK) -> State:
    """What there is to show; `folder` is /run/printmonitor."""
    units = _units(run)
    if units.get(UPDATER) == "activating":
        return "updating"
    if units.get(STARTED) != "active" and uptime < LONG_START:
        return "starting"
    if not _has_network(network):
        return "no network"
    well = all(units.get(unit) == "active" for unit in (POLLER, WEB, STARTED))
    return "well" if well and not _needs_somebody(folder) else "attention"


def show(wanted: State, folder: Path = LEDS) -> None:
    """Let the light say it; nothing happens where there is none, or none that may be touched."""
    for name in NAMES:
        if (folder / name).is_dir():
            with contextlib.suppress(OSError):
                _show(PATTERNS[wanted], folder / name)
            return


def _show(pattern: Pattern, led: Path) -> None:
    brightest = (led / "max_brightness").read_text().strip()
    match pattern.times:
        case ():
            _become(led, "none", {"brightness": brightest})
        case (on, off):
            _become(led, "timer", {"delay_on": str(on), "delay_off": str(off)})
        case times:
            _become(led, "pattern", {"pattern": _steps(times, brightest)})


def _steps(times: tuple[int, ...], brightest: str) -> str:
    """For the trigger `pattern`: each brightness held, then left at once instead of fading."""
    levels = [brightest if number % 2 == 0 else "0" for number in range(len(times))]
    return " ".join(f"{level} {time} {level} 0" for level, time in zip(levels, times, strict=True))


def _become(led: Path, trigger: str, values: Mapping[str, str]) -> None:
    """What is so already stays: a pattern that is written again begins anew."""
    if f"[{trigger}]" not in (led / "trigger").read_text():
        (led / "trigger").write_text(trigger)
    for name, value in values.items():
        if (led / name).read_text().strip() != value:
            (led / name).write_text(value)


def _units(run: Run) -> dict[str, str]:
    try:
        return systemctl.states(run, POLLER, WEB, STARTED, UPDATER)
    except Failed:
        return {}


def _has_network(path: Path) -> bool:
    """Whether an address was given; a computer without networkd has its network from elsewhere."""
    try:
        return "OPER_STATE=routable" in path.read_text().splitlines()
    except OSError:
        return True


def _needs_somebody(folder: Path) -> bool:
    try:
        return (folder / ATTENTION).stat().st_size > 0
    except OSError:
        return False
