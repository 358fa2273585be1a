"""Puts and delivers without end, and is killed: `python -m tests.delivery.courier STATE URL CA_FILE PLUG`.

Each line of standard input is a time in seconds after which a fresh child, which does the work, is killed.
The child says `kept ID` when a parcel was put; then comes `killed`.
"""

import asyncio
import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from appliance.delivery import dispatcher, outbox
from appliance.settings.schema import Config, Home, HttpsConfig, PlugConfig, TransmissionConfig
from appliance.storage import database


def main(state: str, url: str, ca_file: str, plug: str) -> None:
    home = Home(Path(state))
    https = HttpsConfig(url=url, ca_file=ca_file)
    config = Config(plug=PlugConfig(name=plug), transmission=TransmissionConfig("https", "key", https=https))
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                asyncio.run(work(home, config))
            finally:
                os._exit(1)
        time.sleep(float(line))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        say("killed" if os.WIFSIGNALED(status) else f"ended by itself: {status}")


async def work(home: Home, config: Config) -> None:
    db = database.open_database(home.database)
    outbox.recover(db, home.outbox, datetime.now(UTC))
    while True:
        body = f"{time.time_ns():020d}".encode()
        parcel = outbox.put(db, home.outbox, "parcel", body, datetime.now(UTC))
        say(f"kept {parcel.id}")
        await dispatcher.deliver_due(db, home, config, lambda: datetime.now(UTC))


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
