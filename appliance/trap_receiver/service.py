"""The trap receiver: the service that keeps what printers say of themselves, reads them at once.

It reads by itself instead of asking the poller to: a discovery may take many minutes, and one run is on at a
time. What it reads is one printer, at the address where that printer is known, or at the sender's if that is
one that a discovery would ask.
"""

import asyncio
import logging
import os
import socket
import sqlite3
import time
from collections import Counter
from contextlib import suppress

from appliance.collector import trap_meaning as meanings
from appliance.discovery.address_ranges import InvalidEntryError
from appliance.discovery.entries import Exclusions
from appliance.domain.clock import Clock
from appliance.domain.messages import Message, message_of
from appliance.domain.model import Target, Trap
from appliance.host import service_runtime, systemd
from appliance.settings import schema
from appliance.settings.schema import Config, Home
from appliance.snmp.transport import SnmpEndpoint
from appliance.storage import database, events, key_value, printers, service_lifecycle
from appliance.storage.db_outage import DatabaseOutage
from appliance.storage.printers import KnownPrinter
from appliance.storage.traps import ReceivedTrap
from appliance.trap_receiver.probe_limiter import ProbeLimiter
from appliance.trap_receiver.sender_index import SenderIndex
from appliance.trap_receiver.trap_polls import TrapPoller
from appliance.trap_receiver.udp_intake import FLOOD_REASONS, ListenError, UdpIntake, bind_sockets
from appliance.trap_receiver.write_buffer import TrapWriteBuffer

log = logging.getLogger(__name__)

SERVICE_NAME = "traps"  # of the sockets that systemd passes, of the lock, of the service in events
BATCH_DELAY_S = 0.1  # that a trap waits for others: one durable write for all
FLOOD_BATCH_DELAY_S = 0.4  # and well below debounce.QUIET_PERIOD_S
FLOOD_HOLD_S = 1.0  # after a drop
RETRY_INTERVAL_S = 1.0  # after which what waits for a database that could not be written is tried again
SETTINGS_CHECK_INTERVAL_S = 2.0  # how late a change of the settings may be noticed
FLOOD_END_DELAY_S = 30.0  # without a drop: then a flood is over
FLOOD_EVENT_KIND = "too many traps"


def serve(home: Home, port: int | None = None, address: str = "") -> int:
    """Serve until SIGTERM or SIGINT; gives the exit code. `port` stands in for the settings' one."""
    return service_runtime.run_exclusively(
        home.run / "traps.lock",
        lambda: _serve(home, port, address),
        log=log,
        name="trap receiver",
        folder=home.folder,
        errors=(ListenError, database.DatabaseUnavailableError),
    )


async def _serve(home: Home, port: int | None, address: str) -> None:
    home.create_folders()
    db = database.open_database(home.database)
    try:
        given = [each for name, each in systemd.take_sockets(os.environ, os.getpid()) if name == SERVICE_NAME]
        async with SnmpEndpoint() as endpoint:
            receiver = TrapReceiver(home, db, endpoint, given, port=port, address=address)
            with receiver.outage.tolerate():
                service_lifecycle.mark_service_started(db, SERVICE_NAME, receiver.clock())
            service_runtime.on_stop_signal(receiver.stop)
            async with service_runtime.watchdog():
                await receiver.run()
            with receiver.outage.tolerate():
                service_lifecycle.mark_service_stopped(db, SERVICE_NAME)
    finally:
        db.close()


class TrapReceiver:
    """The service while it runs."""

    def __init__(
        self,
        home: Home,
        db: sqlite3.Connection,
        endpoint: SnmpEndpoint,
        passed_sockets: list[socket.socket],
        *,
        port: int | None,
        address: str,
    ) -> None:
        """`given`: sockets that were opened already, for whatever port."""
        self._home, self._db = home, db
        self._passed_sockets, self._port, self._address = passed_sockets, port, address
        self.clock = Clock(key_value.get_time(db, "clock.seen"))
        self.outage = DatabaseOutage(db, SERVICE_NAME, self.clock)
        self._write_buffer, self._probe_limiter = TrapWriteBuffer(db), ProbeLimiter()
        self._stop = asyncio.Event()
        self._trap_poller = TrapPoller(home, db, self.clock, endpoint, self.outage)
        self._intake: UdpIntake | None = None
        self._arrived = asyncio.Event()
        self._own_sockets: list[socket.socket] = []
        self._listening: tuple[int, tuple[str, ...]] | None = (0, ())  # not looked yet; None: switched off
        self._settings_fingerprint: tuple[int, int, int] | None = (0, 0, 0)
        self._last_drop_at = -FLOOD_END_DELAY_S
        self._is_flood_reported = True  # perhaps: the event of an earlier life may be open
        self._data_version = -1
        self._last_error = ""
        self._config = Config()
        self._exclusions = Exclusions(())
        self.senders = SenderIndex((), ())

    def stop(self) -> None:
        systemd.notify_stopping()
        self._stop.set()

    async def run(self) -> None:
        """Until `stop`."""
        self._refresh(first=True)
        systemd.notify_ready()
        work = [
            asyncio.create_task(each)
            for each in (
                self._store_loop(),
                self._trap_poller.run(),
                self._refresh_loop(),
            )
        ]
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({*work, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in (*work, stopping):
                each.cancel()
            results = await asyncio.gather(*work, return_exceptions=True)
            self._close_sockets()
        for result in results:
            if isinstance(result, Exception):
                raise result  # a fault of ours: systemd starts us again

    async def _refresh_loop(self) -> None:
        while True:
            await asyncio.sleep(SETTINGS_CHECK_INTERVAL_S)
            with self.outage.tolerate():
                self._refresh()
                self._record_dropped()

    def _refresh(self, *, first: bool = False) -> None:
        """Take over what changed in the settings, or among the printers."""
        changed = self._settings_fingerprint != (stamp := self._home.settings_fingerprint())
        if changed:
            self._settings_fingerprint = stamp
            self._config, problems = schema.load_last_good_settings(self._home)
            for problem in problems:
                log.error("%s", problem)
        try:
            if changed:
                self._exclusions = Exclusions(self._config.discovery.exclusions)
            self._refresh_senders(force=changed)
            self._update_sockets()
        except (ListenError, InvalidEntryError) as error:
            if first:
                raise
            if message_of(error) != self._last_error:
                log.error("%s", error)
            self._last_error = message_of(error)
        else:
            self._last_error = ""

    def _refresh_senders(self, *, force: bool = False) -> None:
        if not force and database.get_data_version(self._db) == self._data_version:
            return
        with database.snapshot(self._db):
            self._data_version = database.get_data_version(self._db)
            self.senders = SenderIndex(printers.list_known(self._db), self._config.discovery.entries)

    def _update_sockets(self) -> None:
        """Listen as the settings say, if they say so."""
        wanted = self._config.traps
        port = self._port or wanted.port
        key = (port, wanted.communities) if wanted.enabled else None
        if key == self._listening:
            return
        self._close_sockets()
        if key is None:
            log.info("the trap receiver is switched off: printmonitor traps --enable switches it on")
            systemd.notify_status("switched off")
            return
        if not self._passed_sockets:
            self._own_sockets = bind_sockets(port, self._address)
        self._intake = UdpIntake(
            self._passed_sockets or self._own_sockets,
            self._arrived,
            communities=wanted.communities,
            is_known=lambda host: self.senders.find_by_address(host) is not None,
            may_answer=lambda host: self.senders.may_answer(host, self._exclusions),
        )
        self._listening = key
        heard = sorted({each.getsockname()[1] for each in self._passed_sockets or self._own_sockets})
        log.info("traps are taken on UDP port %s", ", ".join(map(str, heard)))
        systemd.notify_status(f"listening on UDP port {', '.join(map(str, heard))}")

    def _close_sockets(self) -> None:
        if self._intake:
            self._intake.close()
        for each in self._own_sockets:
            each.close()
        self._intake, self._own_sockets, self._listening = None, [], None

    async def _store_loop(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(RETRY_INTERVAL_S if self._write_buffer.has_pending else None):
                    await self._arrived.wait()
            flooded = time.monotonic() - self._last_drop_at < FLOOD_HOLD_S
            await asyncio.sleep(FLOOD_BATCH_DELAY_S if flooded else BATCH_DELAY_S)
            with self.outage.tolerate():
                self._store_traps()

    def _store_traps(self) -> None:
        """Keep what came; whoever is known is to be read."""
        intake = self._intake
        if intake is None:
            self._arrived.clear()
            return
        self._refresh_senders()
        now = self.clock()
        came: Counter[tuple[str, int | None, Trap]] = Counter()
        for heard in intake.take_pending():
            try:
                trap = meanings.interpret_notification(heard.notification)
            except Exception:  # a fault of ours in one trap must not cost the others
                log.exception("%s: a trap cannot be understood", heard.sender)
                continue
            printer = self.senders.find_printer(heard.sender, trap)
            came[heard.sender, printer.id if printer else None, trap] += 1
            self._schedule_poll(heard.sender, printer, trap)
        missed, intake.flooding_printers = intake.flooding_printers, set()
        for printer in filter(None, map(self.senders.find_by_address, missed)):
            self._trap_poller.schedule_poll(printer, self._exclusions)
        self._write_buffer.write(
            [ReceivedTrap(sender, number, trap, now, times) for (sender, number, trap), times in came.items()]
        )

    def _schedule_poll(self, sender: str, printer: KnownPrinter | None, trap: Trap) -> None:
        """It is read where it is known, or where it sends from now."""
        full = trap.kind == meanings.COLD_START
        elsewhere = printer is None or printer.target.host not in (sender, trap.agent_address)
        if elsewhere and (places := self._list_probe_targets(sender)):
            self._trap_poller.schedule_probe(places, self._exclusions, printer)
        elif printer:
            self._trap_poller.schedule_poll(printer, self._exclusions, full=full)

    def _list_probe_targets(self, sender: str) -> list[Target]:
        """How to ask who is there; nothing where somebody is known, or the Plug would not ask now."""
        if self.senders.find_by_address(sender) or not self.senders.may_answer(sender, self._exclusions):
            return []
        return (
            self.senders.list_probe_targets(sender, self._exclusions)
            if self._probe_limiter.try_acquire(sender, time.monotonic())
            else []
        )

    def _record_dropped(self) -> None:
        """Write down what was dropped, and say once that it is too much, once that it is over."""
        if self._intake is None:
            return
        dropped, now = self._intake.take_dropped(), time.monotonic()
        self._write_buffer.add_dropped(dropped)
        if FLOOD_REASONS.intersection(dropped):
            if now - self._last_drop_at > FLOOD_END_DELAY_S:
                text = Message("trap.too_many")
                events.begin(self._db, FLOOD_EVENT_KIND, SERVICE_NAME, text, self.clock())
                log.warning("%s", text)
            self._last_drop_at, self._is_flood_reported = now, True
        elif self._is_flood_reported and now - self._last_drop_at > FLOOD_END_DELAY_S:
            if events.end(self._db, FLOOD_EVENT_KIND, SERVICE_NAME, self.clock()):
                log.info("traps can all be kept again")
            self._is_flood_reported = False
