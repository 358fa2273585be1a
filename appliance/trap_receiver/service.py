"""The trap receiver: the service that keeps what printers say of themselves, reads them at once.

It reads by itself instead of asking the poller to: a discovery may take many minutes, and one run is on at a
time. What it reads is one printer, at the address where that printer is known, or at the sender's if that is
one that a discovery would ask.
"""

import asyncio
import logging
import os
import signal
import socket
import sqlite3
import time
from collections import Counter
from contextlib import suppress

from appliance.collector import trap_meaning as meanings
from appliance.discovery.address_ranges import InvalidEntryError
from appliance.discovery.entries import Exclusions
from appliance.domain.clock import Clock
from appliance.domain.model import Target, Trap
from appliance.host import file_lock, sd_notify, socket_activation
from appliance.settings import schema
from appliance.settings.schema import Config, Home
from appliance.snmp.transport import SnmpEndpoint
from appliance.storage import database, events, key_value, printers, service_lifecycle
from appliance.storage.db_outage import DatabaseOutage
from appliance.storage.printers import KnownPrinter
from appliance.storage.traps import ReceivedTrap
from appliance.trap_receiver.probe_limiter import Visits
from appliance.trap_receiver.sender_index import Senders
from appliance.trap_receiver.trap_polls import Readings
from appliance.trap_receiver.udp_intake import FLOOD, CannotListen, Intake, bind
from appliance.trap_receiver.write_buffer import Book

log = logging.getLogger(__name__)

NAME = "traps"  # of the sockets that systemd passes, of the lock, of the service in events
GATHER_SECONDS = 0.1  # that a trap waits for others: one durable write for all
FLOOD_GATHER_SECONDS = 0.4  # and well below trap_bundles.QUIET
FLOODED_SECONDS = 1.0  # after a drop
AGAIN_SECONDS = 1.0  # after which what waits for a database that could not be written is tried again
LOOK_SECONDS = 2.0  # how late a change of the settings may be noticed
CALM_SECONDS = 30.0  # without a drop: then a flood is over
FLOODED = "too many traps"


def serve(home: Home, port: int | None = None, address: str = "") -> int:
    """Serve until SIGTERM or SIGINT; gives the exit code. `port` stands in for the settings' one."""
    try:
        with file_lock.held(home.run / "traps.lock"):
            asyncio.run(_serve(home, port, address))
    except file_lock.Busy:
        log.error("another trap receiver serves %s", home.folder)
        return 1
    except (CannotListen, database.DatabaseUnavailableError) as error:
        log.error("%s", error)
        return 1
    return 0


async def _serve(home: Home, port: int | None, address: str) -> None:
    home.create()
    db = database.open_database(home.database)
    try:
        given = [each for name, each in socket_activation.take(os.environ, os.getpid()) if name == NAME]
        async with SnmpEndpoint() as endpoint:
            receiver = Receiver(home, db, endpoint, given, port=port, address=address)
            with receiver.outage.tolerate():
                service_lifecycle.mark_service_started(db, NAME, receiver.clock())
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, receiver.stop)
            await receiver.run()
            with receiver.outage.tolerate():
                service_lifecycle.mark_service_stopped(db, NAME)
    finally:
        db.close()


class Receiver:
    """The service while it runs."""

    def __init__(
        self,
        home: Home,
        db: sqlite3.Connection,
        endpoint: SnmpEndpoint,
        given: list[socket.socket],
        *,
        port: int | None,
        address: str,
    ) -> None:
        """`given`: sockets that were opened already, for whatever port."""
        self._home, self._db = home, db
        self._given, self._port, self._address = given, port, address
        self.clock = Clock(key_value.get_time(db, "clock.seen"))
        self.outage = DatabaseOutage(db, NAME, self.clock)
        self._book, self._visits = Book(db), Visits()
        self._stop = asyncio.Event()
        self._readings = Readings(home, db, self.clock, endpoint, self.outage)
        self._intake: Intake | None = None
        self._arrived = asyncio.Event()
        self._own: list[socket.socket] = []
        self._listening: tuple[int, tuple[str, ...]] | None = (0, ())  # not looked yet; None: switched off
        self._stamp: tuple[int, int, int] | None = (0, 0, 0)
        self._dropped_at = -CALM_SECONDS
        self._flooded = True  # perhaps: the event of an earlier life may be open
        self._version = -1
        self._trouble = ""
        self._config = Config()
        self._exclusions = Exclusions(())
        self.senders = Senders((), ())

    def stop(self) -> None:
        sd_notify.stopping()
        self._stop.set()

    async def run(self) -> None:
        """Until `stop`."""
        self._look(first=True)
        sd_notify.ready()
        work = [
            asyncio.create_task(each)
            for each in (self._keep_all(), self._readings.run(), self._look_all(), _watched())
        ]
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({*work, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in (*work, stopping):
                each.cancel()
            results = await asyncio.gather(*work, return_exceptions=True)
            self._shut()
        for result in results:
            if isinstance(result, Exception):
                raise result  # a fault of ours: systemd starts us again

    async def _look_all(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            with self.outage.tolerate():
                self._look()
                self._count()

    def _look(self, *, first: bool = False) -> None:
        """Take over what changed in the settings, or among the printers."""
        changed = self._stamp != (stamp := self._home.stamp())
        if changed:
            self._stamp = stamp
            self._config, problems = schema.load_last_good(self._home)
            for problem in problems:
                log.error("%s", problem)
        try:
            if changed:
                self._exclusions = Exclusions(self._config.discovery.exclusions)
            self._know(anew=changed)
            self._listen()
        except (CannotListen, InvalidEntryError) as error:
            if first:
                raise
            if str(error) != self._trouble:
                log.error("%s", error)
            self._trouble = str(error)
        else:
            self._trouble = ""

    def _know(self, *, anew: bool = False) -> None:
        if not anew and database.get_data_version(self._db) == self._version:
            return
        with database.snapshot(self._db):
            self._version = database.get_data_version(self._db)
            self.senders = Senders(printers.list_known(self._db), self._config.discovery.entries)

    def _listen(self) -> None:
        """Listen as the settings say, if they say so."""
        wanted = self._config.traps
        port = self._port or wanted.port
        key = (port, wanted.communities) if wanted.enabled else None
        if key == self._listening:
            return
        self._shut()
        if key is None:
            log.info("the trap receiver is switched off: printmonitor traps --enable switches it on")
            sd_notify.status("switched off")
            return
        if not self._given:
            self._own = bind(port, self._address)
        self._intake = Intake(
            self._given or self._own,
            self._arrived,
            communities=wanted.communities,
            is_known=lambda host: self.senders.at(host) is not None,
            may_answer=lambda host: self.senders.may_answer(host, self._exclusions),
        )
        self._listening = key
        heard = sorted({each.getsockname()[1] for each in self._given or self._own})
        log.info("traps are taken on UDP port %s", ", ".join(map(str, heard)))
        sd_notify.status(f"listening on UDP port {', '.join(map(str, heard))}")

    def _shut(self) -> None:
        if self._intake:
            self._intake.close()
        for each in self._own:
            each.close()
        self._intake, self._own, self._listening = None, [], None

    async def _keep_all(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_SECONDS if self._book.is_behind else None):
                    await self._arrived.wait()
            flooded = time.monotonic() - self._dropped_at < FLOODED_SECONDS
            await asyncio.sleep(FLOOD_GATHER_SECONDS if flooded else GATHER_SECONDS)
            with self.outage.tolerate():
                self._keep()

    def _keep(self) -> None:
        """Keep what came; whoever is known is to be read."""
        intake = self._intake
        if intake is None:
            self._arrived.clear()
            return
        self._know()
        now = self.clock()
        came: Counter[tuple[str, int | None, Trap]] = Counter()
        for heard in intake.take():
            try:
                trap = meanings.interpret_notification(heard.notification)
            except Exception:  # a fault of ours in one trap must not cost the others
                log.exception("%s: a trap cannot be understood", heard.sender)
                continue
            printer = self.senders.find(heard.sender, trap)
            came[heard.sender, printer.id if printer else None, trap] += 1
            self._order(heard.sender, printer, trap)
        missed, intake.missed = intake.missed, set()
        for printer in filter(None, map(self.senders.at, missed)):
            self._readings.order(printer, self._exclusions)
        self._book.write(
            [ReceivedTrap(sender, number, trap, now, times) for (sender, number, trap), times in came.items()]
        )

    def _order(self, sender: str, printer: KnownPrinter | None, trap: Trap) -> None:
        """It is read where it is known, or where it sends from now."""
        full = trap.kind == meanings.COLD_START
        elsewhere = printer is None or printer.target.host not in (sender, trap.agent_address)
        if elsewhere and (places := self._places(sender)):
            self._readings.meet(places, self._exclusions, printer)
        elif printer:
            self._readings.order(printer, self._exclusions, full=full)

    def _places(self, sender: str) -> list[Target]:
        """How to ask who is there; nothing where somebody is known, or the Plug would not ask now."""
        if self.senders.at(sender) or not self.senders.may_answer(sender, self._exclusions):
            return []
        return (
            self.senders.places(sender, self._exclusions)
            if self._visits.take(sender, time.monotonic())
            else []
        )

    def _count(self) -> None:
        """Write down what was dropped, and say once that it is too much, once that it is over."""
        if self._intake is None:
            return
        dropped, now = self._intake.take_dropped(), time.monotonic()
        self._book.count(dropped)
        if FLOOD.intersection(dropped):
            if now - self._dropped_at > CALM_SECONDS:
                text = "more traps come than can be kept: some are counted only, their printers are read"
                events.begin(self._db, FLOODED, NAME, text, self.clock())
                log.warning("%s", text)
            self._dropped_at, self._flooded = now, True
        elif self._flooded and now - self._dropped_at > CALM_SECONDS:
            if events.end(self._db, FLOODED, NAME, self.clock()):
                log.info("traps can all be kept again")
            self._flooded = False


async def _watched() -> None:
    await sd_notify.feed_watchdog()
    await asyncio.Event().wait()  # nobody watches: this is no reason to end
