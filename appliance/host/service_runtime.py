"""Run a service: one process per lock file, stop signals, the watchdog of systemd."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

from appliance.host import file_lock, systemd

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def run_exclusively(
    lock: Path,
    serve: Callable[[], Coroutine[object, object, None]],
    *,
    log: logging.Logger,
    name: str,
    folder: Path,
    errors: tuple[type[Exception], ...],
) -> int:
    """Run a service while it holds its lock; return the exit code.

    `name` and `folder` are for the message if another process holds the lock; `errors` end the service with
    their text.
    """
    try:
        with file_lock.acquire(lock):
            asyncio.run(serve())
    except file_lock.LockBusyError:
        log.error("another %s serves %s", name, folder)
        return 1
    except errors as error:
        log.error("%s", error)
        return 1
    return 0


def on_stop_signal(stop: Callable[[], object]) -> None:
    """Call `stop` in the running loop at SIGTERM and SIGINT."""
    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop)


@asynccontextmanager
async def watchdog() -> AsyncIterator[None]:
    """Notify the watchdog as long as the event loop runs and the block has not ended."""
    feeding = asyncio.create_task(systemd.feed_watchdog())
    try:
        yield
    finally:
        feeding.cancel()
