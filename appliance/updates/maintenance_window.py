"""When the Plug may restart by itself."""

from datetime import datetime, time

Hours = tuple[time, time]


def is_open(hours: Hours | None, now: datetime) -> bool:
    """Whether it may now, in the zone of `now`; the window may lie around midnight."""
    if hours is None:
        return True
    begin, end = hours
    clock = now.time()
    return begin <= clock < end if begin < end else clock >= begin or clock < end
