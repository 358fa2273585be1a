"""When the Plug may restart by itself."""

from datetime import datetime, time

TimeWindow = tuple[time, time]


def is_open(window: TimeWindow | None, now: datetime) -> bool:
    """Whether it may now, in the zone of `now`; the window may lie around midnight."""
    if window is None:
        return True
    begin, end = window
    clock = now.time()
    return begin <= clock < end if begin < end else clock >= begin or clock < end
