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
from appliance.discovery.mdns_cache import MdnsPrinterCache
from appliance.discovery.mdns_txt import DiscoveredPlug, PlugAnnouncement
from appliance.domain.messages import Message, message_of

log = logging.getLogger(__name__)
logging.getLogger("zeroconf").setLevel(logging.CRITICAL)  # strangers' malformed packets are no fault of ours

PLUG_SERVICE, HTTP_SERVICE = "_printmonitor._tcp.local.", "_http._tcp.local."
PRINTER_SERVICES = tuple(
    f"_{name}._tcp.local." for name in ("ipp", "ipps", "pdl-datastream", "printer", "uscan")
)

CHECK_INTERVAL_S = 10.0  # between two looks at addresses and settings
PROBE_TIMEOUT_S = 1.5  # RFC 6762, 6: whoever has said it just now says it again after a second
CONFLICT_TIMEOUT_S = 5.0  # for another one to give way, before we do
ANSWER_TIMEOUT_S = 3.0
MAX_NAME_NUMBER = 99  # of "-2", "-3" ... behind a name
MAX_SIMULTANEOUS_PROBES = 3  # times that a name is tried again, RFC 6762, 8.2
RETRY_DELAY_RANGE_S = (
    0.2,
    6.0,
)  # until then, by lot: whoever is a second later hears the other's announcement
MAX_QUEUED_SERVICES = 1_000  # announcements that wait to be looked into ...
MAX_RESOLVERS = 8  # ... and that are, at once: each asks the group a few questions
MAX_PLUGS = 500

# Answers to all: those to us alone may end at another program of this computer that uses the port as well.
MULTICAST_QUESTION = DNSQuestionType.QM
ServiceCallback = Callable[[str, str, AsyncServiceInfo | None], None]  # service, name, None: it is gone


class SimultaneousProbeError(Exception):
    """Somebody else probes for the same name just now."""


class MdnsResponder:
    """Keeps this Plug on the air, and its ears open."""

    def __init__(
        self,
        get_announcement: Callable[[], PlugAnnouncement | None],
        get_addresses: Callable[[], tuple[str, ...]],
        *,
        interfaces: tuple[str, ...] = (),
        check_interval: float = CHECK_INTERVAL_S,
        random_delay: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """`notice` gives None while nothing is to be said or heard. `interfaces`: by default, all."""
        self.cache = MdnsPrinterCache()
        self.host: str | None = None  # the name that this Plug has in .local, while it has one
        self._get_announcement, self._get_addresses, self._interfaces = (
            get_announcement,
            get_addresses,
            interfaces,
        )
        self._check_interval, self._random_delay = check_interval, random_delay
        self._name, self._number, self._simultaneous_probes = "", 1, 0
        self._last_logged = ""

    async def run(self) -> None:
        """Until cancelled; then say goodbye."""
        while True:
            wanted, addresses = self._get_announcement(), self._get_addresses()
            try:
                if wanted and addresses:
                    await self._announce_and_browse(wanted, addresses)
                else:
                    await asyncio.sleep(self._check_interval)
            except SimultaneousProbeError:
                await self._back_off()
            except (OSError, zeroconf.Error) as error:
                self._log_once(message_of(error))
                await asyncio.sleep(self._check_interval)

    async def _announce_and_browse(self, announcement: PlugAnnouncement, addresses: tuple[str, ...]) -> None:
        """Until something changes: on another link all is to be probed anew (RFC 6762, 8.3)."""
        self.cache.clear()
        try:
            async with _open_zeroconf(self._interfaces or _prefer_ipv4(addresses)) as air:
                name, watch = await self._claim_name(air, announcement, addresses)
                self._simultaneous_probes = 0
                async with _browse(air, PRINTER_SERVICES, self._handle_printer):
                    self.host = f"{name}.local"
                    self._log_once(Message("mdns.host", host=self.host))
                    await self._wait_for_change(watch.conflict, announcement, addresses)
        finally:
            self.host = None
        if watch.conflict.is_set():
            self._number = self._number % MAX_NAME_NUMBER + 1

    async def _wait_for_change(
        self, conflict: asyncio.Event, announcement: PlugAnnouncement, addresses: tuple[str, ...]
    ) -> None:
        while (self._get_announcement(), self._get_addresses()) == (
            announcement,
            addresses,
        ) and not conflict.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._check_interval):
                    await conflict.wait()

    async def _back_off(self) -> None:
        """Whoever is next has the name. Off the air meanwhile: the other's probes would stay in the cache."""
        self._simultaneous_probes += 1
        if self._simultaneous_probes > MAX_SIMULTANEOUS_PROBES:
            self._number, self._simultaneous_probes = self._number % MAX_NAME_NUMBER + 1, 0
        await asyncio.sleep(self._random_delay(*RETRY_DELAY_RANGE_S))

    async def _claim_name(
        self, aiozc: AsyncZeroconf, announcement: PlugAnnouncement, addresses: tuple[str, ...]
    ) -> tuple[str, "_ConflictListener"]:
        """The first free one of name, name-2, name-3 ...; announced (RFC 6762, 8 and 9). Raises AtOnce."""
        if announcement.name != self._name:
            self._name, self._number, self._simultaneous_probes = announcement.name, 1, 0
        for _ in range(MAX_NAME_NUMBER):
            name = mdns_txt.append_number(announcement.name, self._number)
            if not await _is_taken(aiozc, name, addresses):
                watch = _ConflictListener(f"{name}.local.", addresses)
                aiozc.zeroconf.async_add_listener(watch, None)
                await _announce(aiozc, announcement, name, addresses)
                return name, watch
            self._log_once(Message("mdns.name_taken", name=name))
            self._number, self._simultaneous_probes = self._number % MAX_NAME_NUMBER + 1, 0
        raise zeroconf.NonUniqueNameException(Message("mdns.all_names_taken", name=announcement.name))

    def _handle_printer(self, service: str, name: str, info: AsyncServiceInfo | None) -> None:
        if info is None:
            self.cache.remove(service, name)
        else:
            self.cache.add(service, name, info.parsed_addresses(), info.properties, datetime.now(UTC))

    def _log_once(self, line: str) -> None:
        if line != self._last_logged:
            log.info("%s", line)
            self._last_logged = line


async def find_plugs(seconds: float, interfaces: Sequence[str]) -> list[DiscoveredPlug]:
    """The Plugs that answer within some seconds. Raises OSError where that cannot be asked."""
    found: dict[str, DiscoveredPlug] = {}

    def note(_service: str, name: str, info: AsyncServiceInfo | None) -> None:
        if info is None:
            found.pop(name, None)
        elif len(found) < MAX_PLUGS:
            found[name] = mdns_txt.parse_plug(
                name, info.server or "", info.parsed_addresses(), info.port, info.properties
            )

    async with _open_zeroconf(interfaces) as air, _browse(air, (PLUG_SERVICE,), note):
        await asyncio.sleep(seconds)
    return sorted(found.values(), key=lambda plug: plug.name)


@asynccontextmanager
async def _open_zeroconf(interfaces: Sequence[str]) -> AsyncIterator[AsyncZeroconf]:
    """Sockets; in the end goodbye to whatever was announced. Raises OSError."""
    try:
        for address in interfaces:
            _check_own_address(address)
        air = AsyncZeroconf(interfaces=list(interfaces))
    except (OSError, RuntimeError) as error:  # RuntimeError: none of them is there any more
        why = getattr(error, "strerror", None) or error
        raise OSError(Message("mdns.unusable", interfaces=", ".join(interfaces), reason=why)) from error
    try:
        await air.zeroconf.async_wait_for_start()
        yield air
    finally:
        await air.async_close()


def _check_own_address(address: str) -> None:
    """Whether it is ours: zeroconf would find out later, and leave a socket open."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.bind((address, 0))


@asynccontextmanager
async def _browse(
    aiozc: AsyncZeroconf, types: Sequence[str], on_service: ServiceCallback
) -> AsyncIterator[None]:
    """Tell of everybody who announces one of the types, and of their going."""
    line: asyncio.Queue[tuple[str, str]] = asyncio.Queue(MAX_QUEUED_SERVICES)

    def note(
        zeroconf: Zeroconf,  # noqa: ARG001  called by keyword
        service_type: str,
        name: str,
        state_change: ServiceStateChange,
    ) -> None:
        if state_change is ServiceStateChange.Removed:
            on_service(_service_name(service_type), _instance_name(name, service_type), None)
            return
        with suppress(asyncio.QueueFull):  # nobody has so many printers: somebody plays tricks
            line.put_nowait((service_type, name))

    workers = [asyncio.create_task(_resolve_services(aiozc, line, on_service)) for _ in range(MAX_RESOLVERS)]
    browser = AsyncServiceBrowser(
        aiozc.zeroconf, list(types), handlers=[note], question_type=MULTICAST_QUESTION
    )
    try:
        yield
    finally:
        await browser.async_cancel()
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


async def _resolve_services(
    aiozc: AsyncZeroconf, queue: asyncio.Queue[tuple[str, str]], on_service: ServiceCallback
) -> None:
    while True:
        service_type, name = await queue.get()
        with suppress(zeroconf.Error, ValueError, OSError):  # ValueError: names that are none, in some way
            info = AsyncServiceInfo(service_type, name)
            if await info.async_request(aiozc.zeroconf, ANSWER_TIMEOUT_S * 1000, MULTICAST_QUESTION):
                on_service(_service_name(service_type), _instance_name(name, service_type), info)


class _ConflictListener(RecordUpdateListener):
    """Notices another device that uses our name. Where it has the greater address, we give way at once."""

    def __init__(self, host: str, own_addresses: Sequence[str]) -> None:
        super().__init__()
        self.conflict = asyncio.Event()
        self._host, self._own_addresses = host.lower(), own_addresses
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
                self._check_address(".".join(map(str, record.address)), record)

    def _check_address(self, address: str, record: DNSAddress) -> None:
        if address in self._own_addresses or not record.ttl:
            return
        moment = time.monotonic()
        if self._since is None:
            self._since = moment
        lost = all(
            record.address > bytes(map(int, ours.split("."))) for ours in _prefer_ipv4(self._own_addresses)
        )
        if lost or moment - self._since > CONFLICT_TIMEOUT_S:
            self.conflict.set()


async def _is_taken(aiozc: AsyncZeroconf, name: str, addresses: Sequence[str]) -> bool:
    asked = AddressResolver(f"{name}.local.")
    answered = await asked.async_request(aiozc.zeroconf, PROBE_TIMEOUT_S * 1000)
    return answered and set(asked.parsed_addresses()).isdisjoint(addresses)


async def _announce(
    aiozc: AsyncZeroconf, announcement: PlugAnnouncement, name: str, addresses: Sequence[str]
) -> None:
    """Take the name for both of our services. Raises AtOnce."""
    infos = [
        AsyncServiceInfo(
            each,
            f"{name}.{each}",
            port=announcement.port,
            properties=mdns_txt.build_txt_record(announcement),
            server=f"{name}.local.",
            parsed_addresses=list(addresses),
        )
        for each in (PLUG_SERVICE, HTTP_SERVICE)
    ]
    began = await asyncio.gather(*map(aiozc.async_register_service, infos), return_exceptions=True)
    sent = await asyncio.gather(*(each for each in began if not isinstance(each, BaseException)))
    for each in (*began, *sent):
        if isinstance(each, zeroconf.NonUniqueNameException):
            raise SimultaneousProbeError from each
        if isinstance(each, BaseException):
            raise each


def _prefer_ipv4(addresses: Sequence[str]) -> tuple[str, ...]:
    """IPv4 is what is spoken; IPv6 where there is nothing else."""
    return tuple(address for address in addresses if ":" not in address) or tuple(addresses)


def _service_name(service_type: str) -> str:
    return service_type.removeprefix("_").partition(".")[0]


def _instance_name(name: str, service_type: str) -> str:
    return name.removesuffix(f".{service_type}")
