"""The Plug's light: the kernel blinks it, so that nobody has to stay awake for that."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from appliance.privileged import request_handler
from appliance.privileged.request_handler import POLLER_UNIT, WEB_UNIT, OperationFailedError, RunCommand

LEDS_DIR = Path("/sys/class/leds")
LED_NAMES = ("ACT", "led0")  # of the boards, by mainline's and by the Raspberry Pi's own device tree
NETWORKD_STATE_PATH = Path("/run/systemd/netif/state")
HEALTH_UNIT, UPDATE_UNIT = "printmonitor-health.service", "printmonitor-update.service"
STARTUP_GRACE_S = 600.0  # seconds since the start, after which a Plug that is not well needs somebody
ATTENTION_FILENAME = "attention"  # the poller's file: a line for each thing that somebody should look at

LedState = Literal["starting", "well", "no network", "attention", "updating"]


@dataclass(frozen=True, slots=True)
class BlinkPattern:
    """Milliseconds on and off, in turn; on for good without any."""

    durations_ms: tuple[int, ...] = ()


BLINK_PATTERNS: Mapping[LedState, BlinkPattern] = {
    "starting": BlinkPattern((250, 250)),
    "well": BlinkPattern(),
    "no network": BlinkPattern((100, 1_900)),
    "attention": BlinkPattern((150, 200, 150, 1_500)),
    "updating": BlinkPattern((50, 150)),
}


def read_led_state(
    folder: Path, uptime: float, run: RunCommand, network: Path = NETWORKD_STATE_PATH
) -> LedState:
    """What there is to show; `folder` is /run/printmonitor."""
    units = _read_unit_states(run)
    if units.get(UPDATE_UNIT) == "activating":
        return "updating"
    if units.get(HEALTH_UNIT) != "active" and uptime < STARTUP_GRACE_S:
        return "starting"
    if not _has_network(network):
        return "no network"
    well = all(units.get(unit) == "active" for unit in (POLLER_UNIT, WEB_UNIT, HEALTH_UNIT))
    return "well" if well and not _needs_attention(folder) else "attention"


def show_state(state: LedState, folder: Path = LEDS_DIR) -> None:
    """Let the light say it; nothing happens where there is none, or none that may be touched."""
    for name in LED_NAMES:
        if (folder / name).is_dir():
            with contextlib.suppress(OSError):
                _apply_pattern(BLINK_PATTERNS[state], folder / name)
            return


def _apply_pattern(pattern: BlinkPattern, led: Path) -> None:
    brightest = (led / "max_brightness").read_text().strip()
    match pattern.durations_ms:
        case ():
            _set_trigger(led, "none", {"brightness": brightest})
        case (on, off):
            _set_trigger(led, "timer", {"delay_on": str(on), "delay_off": str(off)})
        case times:
            _set_trigger(led, "pattern", {"pattern": _pattern_steps(times, brightest)})


def _pattern_steps(durations_ms: tuple[int, ...], brightest: str) -> str:
    """For the trigger `pattern`: each brightness held, then left at once instead of fading."""
    levels = [brightest if number % 2 == 0 else "0" for number in range(len(durations_ms))]
    return " ".join(f"{level} {time} {level} 0" for level, time in zip(levels, durations_ms, strict=True))


def _set_trigger(led: Path, trigger: str, values: Mapping[str, str]) -> None:
    """What is so already stays: a pattern that is written again begins anew."""
    if f"[{trigger}]" not in (led / "trigger").read_text():
        (led / "trigger").write_text(trigger)
    for name, value in values.items():
        if (led / name).read_text().strip() != value:
            (led / name).write_text(value)


def _read_unit_states(run: RunCommand) -> dict[str, str]:
    try:
        return request_handler.read_unit_states(run, POLLER_UNIT, WEB_UNIT, HEALTH_UNIT, UPDATE_UNIT)
    except OperationFailedError:
        return {}


def _has_network(path: Path) -> bool:
    """Whether an address was given; a computer without networkd has its network from elsewhere."""
    try:
        return "OPER_STATE=routable" in path.read_text().splitlines()
    except OSError:
        return True


def _needs_attention(folder: Path) -> bool:
    try:
        return (folder / ATTENTION_FILENAME).stat().st_size > 0
    except OSError:
        return False
