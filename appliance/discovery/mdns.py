"""Multicast DNS (RFC 6762, 6763): what this Plug says on the LAN, and who else is heard there.

Only UDP 5353 is used, and nothing is sent to a printer: questions go to the group that all listen to.
"""

import asyncio
import logging
import random
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import zeroconf
from zeroconf import (  # type: ignore[attr-defined]  # documented, not exported
    AddressResolver,
    DNSAddress,
    DNSQuestionType,
    RecordUpdate,
    RecordUpdateListener,
    ServiceStateChange,
    Zeroconf,
)
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from appliance.discovery import mdns_txt
from appliance.discovery.mdns_cache import Heard
from appliance.discovery.mdns_txt import FoundPlug, Notice

log = logging.getLogger(__name__)
logging.getLogger("zeroconf").setLevel(logging.CRITICAL)  # strangers' malformed packets are no fault of ours

PLUGS, PAGES = "_printmonitor._tcp.local.", "_http._tcp.local."
PRINTERS = tuple(f"_{name}._tcp.local." for name in ("ipp", "ipps", "pdl-datastream", "printer", "uscan"))

LOOK_SECONDS = 10.0  # between two looks at addresses and settings
PROBE_SECONDS = 1.5  # RFC 6762, 6: whoever has said it just now says it again after a second
SETTLE_SECONDS = 5.0  # for another one to give way, before we do
ANSWER_SECONDS = 3.0
MOST_NUMBERS = 99  # of "-2", "-3" ... behind a name
MOST_AT_ONCE = 3  # times that a name is tried again, RFC 6762, 8.2
AGAIN_SECONDS = (0.2, 6.0)  # until then, by lot: whoever is a second later hears the other's announcement
MOST_IN_LINE = 1_000  # announcements that wait to be looked into ...
MOST_ASKED = 8  # ... and that are, at once: each asks the group a few questions
MOST_PLUGS = 500

# Answers to all: those to us alone may end at another program of this computer that uses the port as well.
ALOUD = DNSQuestionType.QM
Found = Callable[[str, str, AsyncServiceInfo | None], None]  # service, name, None: it is gone


class AtOnce(Exception):
    """Somebody else probes for the same name just now."""


class Neighbours:
    """Keeps this Plug on the air, and its ears open."""

    def __init__(
        self,
        notice: Callable[[], Notice | None],
        addresses: Callable[[], tuple[str, ...]],
        *,
        interfaces: tuple[str, ...] = (),
        look: float = LOOK_SECONDS,
        lot: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """`notice` gives None while nothing is to be said or heard. `interfaces`: by default, all."""
        self.heard = Heard()
        self.host: str | None = None  # the name that this Plug has in .local, while it has one
        self._notice, self._addresses, self._interfaces = notice, addresses, interfaces
        self._look, self._lot = look, lot
        self._name, self._number, self._at_once = "", 1, 0
        self._told = ""

    async def stay(self) -> None:
        """Until cancelled; then say goodbye."""
        while True:
            wanted, addresses = self._notice(), self._addresses()
            try:
                if wanted and addresses:
                    await self._be_on_air(wanted, addresses)
                else:
                    await asyncio.sleep(self._look)
            except AtOnce:
                await self._give_way()
            except (OSError, zeroconf.Error) as error:
                self._say(str(error))
                await asyncio.sleep(self._look)

    async def _be_on_air(self, wanted: Notice, addresses: tuple[str, ...]) -> None:
        """Until something changes: on another link all is to be probed anew (RFC 6762, 8.3)."""
        self.heard.clear()
        try:
            async with _opened(self._interfaces or _v4(addresses)) as air:
                name, watch = await self._take_name(air, wanted, addresses)
                self._at_once = 0
                async with _listening(air, PRINTERS, self._hear):
                    self.host = f"{name}.local"
                    self._say(f"this Plug is {self.host}")
                    await self._until_it_changes(watch.conflict, wanted, addresses)
        finally:
            self.host = None
        if watch.conflict.is_set():
            self._number = self._number % MOST_NUMBERS + 1

    async def _until_it_changes(
        self, conflict: asyncio.Event, wanted: Notice, addresses: tuple[str, ...]
    ) -> None:
        while (self._notice(), self._addresses()) == (wanted, addresses) and not conflict.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look):
                    await conflict.wait()

    async def _give_way(self) -> None:
        """Whoever is next has the name. Off the air meanwhile: the other's probes would stay in the cache."""
        self._at_once += 1
        if self._at_once > MOST_AT_ONCE:
            self._number, self._at_once = self._number % MOST_NUMBERS + 1, 0
        await asyncio.sleep(self._lot(*AGAIN_SECONDS))

    async def _take_name(
        self, air: AsyncZeroconf, wanted: Notice, addresses: tuple[str, ...]
    ) -> tuple[str, "_Watch"]:
        """The first free one of name, name-2, name-3 ...; announced (RFC 6762, 8 and 9). Raises AtOnce."""
        if wanted.name != self._name:
            self._name, self._number, self._at_once = wanted.name, 1, 0
        for _ in range(MOST_NUMBERS):
            name = mdns_txt.numbered(wanted.name, self._number)
            if not await _is_taken(air, name, addresses):
                watch = _Watch(f"{name}.local.", addresses)
                air.zeroconf.async_add_listener(watch, None)
                await _announce(air, wanted, name, addresses)
                return name, watch
            self._say(f"the name {name}.local belongs to another device")
            self._number, self._at_once = self._number % MOST_NUMBERS + 1, 0
        raise zeroconf.NonUniqueNameException(f"{wanted.name}.local and all like it belong to other devices")

    def _hear(self, service: str, name: str, info: AsyncServiceInfo | None) -> None:
        if info is None:
            self.heard.gone(service, name)
        else:
            self.heard.note(service, name, info.parsed_addresses(), info.properties, datetime.now(UTC))

    def _say(self, line: str) -> None:
        if line != self._told:
            log.info("%s", line)
            self._told = line


async def plugs(seconds: float, interfaces: Sequence[str]) -> list[FoundPlug]:
    """The Plugs that answer within some seconds. Raises OSError where that cannot be asked."""
    found: dict[str, FoundPlug] = {}

    def note(_service: str, name: str, info: AsyncServiceInfo | None) -> None:
        if info is None:
            found.pop(name, None)
        elif len(found) < MOST_PLUGS:
            found[name] = mdns_txt.plug(
                name, info.server or "", info.parsed_addresses(), info.port, info.properties
            )

    async with _opened(interfaces) as air, _listening(air, (PLUGS,), note):
        await asyncio.sleep(seconds)
    return sorted(found.values(), key=lambda plug: plug.name)


@asynccontextmanager
async def _opened(interfaces: Sequence[str]) -> AsyncIterator[AsyncZeroconf]:
    """Sockets; in the end goodbye to whatever was announced. Raises OSError."""
    try:
        for address in interfaces:
            _check(address)
        air = AsyncZeroconf(interfaces=list(interfaces))
    except (OSError, RuntimeError) as error:  # RuntimeError: none of them is there any more
        why = getattr(error, "strerror", None) or error
        raise OSError(f"mDNS cannot be used on {', '.join(interfaces)}: {why}") from error
    try:
        await air.zeroconf.async_wait_for_start()
        yield air
    finally:
        await air.async_close()


def _check(address: str) -> None:
    """Whether it is ours: zeroconf would find out later, and leave a socket open."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.bind((address, 0))


@asynccontextmanager
async def _listening(air: AsyncZeroconf, types: Sequence[str], found: Found) -> AsyncIterator[None]:
    """Tell of everybody who announces one of the types, and of their going."""
    line: asyncio.Queue[tuple[str, str]] = asyncio.Queue(MOST_IN_LINE)

    def note(
        zeroconf: Zeroconf,  # noqa: ARG001  called by keyword
        service_type: str,
        name: str,
        state_change: ServiceStateChange,
    ) -> None:
        if state_change is ServiceStateChange.Removed:
            found(_service(service_type), _instance(name, service_type), None)
            return
        with suppress(asyncio.QueueFull):  # nobody has so many printers: somebody plays tricks
            line.put_nowait((service_type, name))

    workers = [asyncio.create_task(_look_into(air, line, found)) for _ in range(MOST_ASKED)]
    browser = AsyncServiceBrowser(air.zeroconf, list(types), handlers=[note], question_type=ALOUD)
    try:
        yield
    finally:
        await browser.async_cancel()
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


async def _look_into(air: AsyncZeroconf, line: asyncio.Queue[tuple[str, str]], found: Found) -> None:
    while True:
        service_type, name = await line.get()
        with suppress(zeroconf.Error, ValueError, OSError):  # ValueError: names that are none, in some way
            info = AsyncServiceInfo(service_type, name)
            if await info.async_request(air.zeroconf, ANSWER_SECONDS * 1000, ALOUD):
                found(_service(service_type), _instance(name, service_type), info)


class _Watch(RecordUpdateListener):
    """Notices another device that uses our name. Where it has the greater address, we give way at once."""

    def __init__(self, host: str, ours: Sequence[str]) -> None:
        super().__init__()
        self.conflict = asyncio.Event()
        self._host, self._ours = host.lower(), ours
        self._since: float | None = None

    def async_update_records(
        self,
        zc: Zeroconf,  # noqa: ARG002
        now: float,  # noqa: ARG002
        records: list[RecordUpdate],
    ) -> None:
        for record in (update.new for update in records):
            # Of IPv6, a device may announce addresses that we do not count as ours, though it be ourselves.
            if isinstance(record, DNSAddress) and record.key == self._host and len(record.address) == 4:
                self._judge(".".join(map(str, record.address)), record)

    def _judge(self, address: str, record: DNSAddress) -> None:
        if address in self._ours or not record.ttl:
            return
        moment = time.monotonic()
        if self._since is None:
            self._since = moment
        lost = all(record.address > bytes(map(int, ours.split("."))) for ours in _v4(self._ours))
        if lost or moment - self._since > SETTLE_SECONDS:
            self.conflict.set()


async def _is_taken(air: AsyncZeroconf, name: str, addresses: Sequence[str]) -> bool:
    asked = AddressResolver(f"{name}.local.")
    answered = await asked.async_request(air.zeroconf, PROBE_SECONDS * 1000)
    return answered and set(asked.parsed_addresses()).isdisjoint(addresses)


async def _announce(air: AsyncZeroconf, wanted: Notice, name: str, addresses: Sequence[str]) -> None:
    """Take the name for both of our services. Raises AtOnce."""
    infos = [
        AsyncServiceInfo(
            each,
            f"{name}.{each}",
            port=wanted.port,
            properties=mdns_txt.txt(wanted),
            server=f"{name}.local.",
            parsed_addresses=list(addresses),
        )
        for each in (PLUGS, PAGES)
    ]
    began = await asyncio.gather(*map(air.async_register_service, infos), return_exceptions=True)
    sent = await asyncio.gather(*(each for each in began if not isinstance(each, BaseException)))
    for each in (*began, *sent):
        if isinstance(each, zeroconf.NonUniqueNameException):
            raise AtOnce from each
        if isinstance(each, BaseException):
            raise each


def _v4(addresses: Sequence[str]) -> tuple[str, ...]:
    """IPv4 is what is spoken; IPv6 where there is nothing else."""
    return tuple(address for address in addresses if ":" not in address) or tuple(addresses)


def _service(service_type: str) -> str:
    return service_type.removeprefix("_").partition(".")[0]


def _instance(name: str, service_type: str) -> str:
    return name.removesuffix(f".{service_type}")
