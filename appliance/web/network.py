"""The network: how it is, how it shall be, and two minutes in which somebody has to confirm that it works."""

import asyncio
import json
import secrets
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from appliance.host import atomic_file, unit_status
from appliance.host import interfaces as network_interfaces
from appliance.host.interfaces import Link
from appliance.privileged import network_rollback
from appliance.settings import schema as configuration
from appliance.settings.network import METHODS, METHODS_V6, Ipv6Config, NetworkConfig, WlanConfig, taken
from appliance.settings.schema import Config, Home
from appliance.storage import database, events
from appliance.web import privileged_client
from appliance.web.db_thread import Store
from appliance.web.errors import Trouble
from appliance.web.handlers import Asked, Routes
from appliance.web.json_fields import Json, Object, part, text, text_or
from appliance.web.settings_store import Settings, unusable

FILE = "network-trial.json"
EVENT = "network"
LOOK_SECONDS = 0.5  # only while something is tried
ORDER_SECONDS = 120.0  # until root has begun; a Plug that has just started has much to do
END_SECONDS = 3.0  # an answer waits for so long until root has ended it
BEGUN = "new network settings are tried for two minutes"
FORGOTTEN = "the Plug was restarted while new network settings were tried: the old ones hold"
ROLLED_BACK = "new network settings were not confirmed: the old ones hold again"
NOTHING = "No network settings are being tried just now."
OVER = ("kept", "rolled-back", "failed")


@dataclass(frozen=True, slots=True)
class _Trial:
    """What was asked for, as long as it is not known what came of it."""

    number: str
    request: str
    wanted: NetworkConfig
    asked: float  # of the monotonic clock


@dataclass(frozen=True, slots=True)
class _Standing:
    state: str = "none"  # ordered trying ending, or one of OVER
    text: str = ""
    until: float = 0.0  # of the monotonic clock


class Network:
    """The API of the page of the network."""

    def __init__(
        self, home: Home, settings: Settings, store: Store, clock: Callable[[], datetime], *, here: bool
    ) -> None:
        """`here`: whether this is the Plug itself."""
        self._home, self._settings, self._store, self._clock = home, settings, store, clock
        self._here = here
        self._trial = self._read()
        self._begun, self._over = asyncio.Event(), asyncio.Event()
        self._last = _Standing()
        self._ending = False

    def routes(self) -> Routes:
        return [
            ("GET", "/api/network", self._show),
            ("POST", "/api/network/trial", self._try),
            ("DELETE", "/api/network/trial", self._give_up),
            ("POST", "/api/network/trial/confirmation", self._confirm),
        ]

    @property
    def is_trying(self) -> bool:
        """Whether somebody has to confirm."""
        return self._standing().state == "trying"

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """What comes of a trial becomes an event, whoever looks, while the block runs."""
        watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    async def _show(self, _asked: Asked) -> Object:
        return await self._shaped()

    async def _try(self, asked: Asked) -> Object:
        self._must_be_here()
        now = self._settings.now
        wanted = _changed(now.network, asked.body)
        for problem in configuration.problems(configuration.as_data(replace(now, network=wanted))):
            if problem.startswith("network."):
                raise unusable(problem, "network")
        number = secrets.token_hex(8)
        order = {"do": "network-try", "trial": number, "settings": json.dumps(asdict(wanted))}
        request = unit_status.request(self._home.run, order)
        self._keep(_Trial(number, request, wanted, time.monotonic()))
        with suppress(database.Unusable):  # a full disk is no reason to lock somebody out
            await self._store.ask(events.begin, EVENT, EVENT, BEGUN, self._clock())
        return await self._shaped()

    async def _confirm(self, _asked: Asked) -> Object:
        self._must_be_here()
        trial = self._trial
        if trial is None or not self.is_trying:
            raise Trouble(409, NOTHING)
        await self._settings.change(lambda config: replace(config, network=trial.wanted), "network")
        self._let_it_end()
        with suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                await self._over.wait()
        return await self._shaped()

    async def _give_up(self, _asked: Asked) -> Object:
        self._must_be_here()
        if not self.is_trying:
            raise Trouble(409, NOTHING)
        self._let_it_end()
        return await self._shaped()  # at once: the address that it goes to may be gone in a moment

    def _let_it_end(self) -> None:
        """Root looks into the settings: they say whether it was confirmed."""
        unit_status.request(self._home.run, {"do": "network"})
        self._ending = True

    def _must_be_here(self) -> None:
        if not self._here:
            raise privileged_client.not_here()

    async def _watch(self) -> None:
        if self._trial is None:
            await self._end(FORGOTTEN)
        while True:
            if self._trial is None:
                self._begun.clear()
                await self._begun.wait()
            trial, standing = self._trial, self._standing()
            if trial is not None and standing.state in OVER:
                self._keep(None)
                self._last = standing
                await self._end(_told(trial.wanted, standing))
                self._over.set()
            await asyncio.sleep(LOOK_SECONDS)

    async def _end(self, line: str) -> None:
        """Say what became of a trial, if one has begun."""

        def end(db: sqlite3.Connection) -> None:
            with database.transaction(db):
                if events.end(db, EVENT, EVENT, self._clock()):
                    events.note(db, EVENT, EVENT, line, self._clock())

        with suppress(database.Unusable):
            await self._store.ask(end)

    def _standing(self) -> _Standing:
        trial, said = self._trial, network_rollback.said(self._home.run)
        if trial is None:
            return self._last
        if said and said.trial == trial.number:
            ending = self._ending and said.state == "trying"
            return _Standing("ending" if ending else said.state, said.text, said.until)
        answer = unit_status.answer(self._home.run, trial.request)
        if answer and answer.state != "done":
            return _Standing("failed", answer.text)
        late = time.monotonic() - trial.asked > ORDER_SECONDS
        return _Standing("failed", "nobody has done it") if late else _Standing("ordered")

    def _keep(self, trial: _Trial | None) -> None:
        """In memory alone, but beyond an end of this service: the candidate may hold a passphrase."""
        self._trial, self._ending = trial, False
        path = self._home.run / FILE
        if trial is None:
            path.unlink(missing_ok=True)
            return
        atomic_file.write(path, json.dumps(asdict(trial)).encode())
        self._over.clear()
        self._begun.set()

    def _read(self) -> _Trial | None:
        try:
            found = json.loads((self._home.run / FILE).read_bytes())
            wanted = taken(found["wanted"])
            return _Trial(str(found["number"]), str(found["request"]), wanted, float(found["asked"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    async def _shaped(self) -> dict[str, Json]:
        config, standing = self._settings.now, self._standing()
        trial = self._trial
        interfaces = await asyncio.to_thread(network_interfaces.links)
        return {
            "box": self._here,
            "box_text": "" if self._here else privileged_client.ELSEWHERE,
            "name": config.plug.name,
            "settings": _settings(trial.wanted if trial else config.network),
            "interfaces": [_link(each) for each in interfaces],
            "name_servers": list(network_interfaces.name_servers()),
            "synchronised": network_interfaces.is_synchronised(),
            "trial": {
                "state": standing.state,
                "text": standing.text,
                "seconds": max(0, round(standing.until - time.monotonic())),
                "hosts": list(_hosts(config, trial.wanted)) if trial else [],
            },
        }


def _told(wanted: NetworkConfig, standing: _Standing) -> str:
    if standing.state == "kept":
        address = wanted.address if wanted.method == "static" else "DHCP"
        return f"new network settings were confirmed: {wanted.interface}, {address}"
    if standing.state == "failed":
        return f"new network settings could not be used: {standing.text}"
    return ROLLED_BACK


def _hosts(config: Config, wanted: NetworkConfig) -> list[Json]:
    """Under which names and addresses the page is to be opened, as they stand in a URL."""
    found: list[Json] = []
    if wanted.method == "static":
        found.append(wanted.address.partition("/")[0])
    if wanted.ipv6.method == "static":
        found.append(f"[{wanted.ipv6.address.partition('/')[0]}]")
    if config.plug.mdns:
        found.append(f"{config.plug.name}.local")
    return found


def _settings(network: NetworkConfig) -> dict[str, Json]:
    ipv6, wlan = network.ipv6, network.wlan
    return {
        "interface": network.interface,
        "method": network.method,
        "address": network.address,
        "gateway": network.gateway,
        "dns": list(network.dns),
        "ntp": list(network.ntp),
        "ipv6": {"method": ipv6.method, "address": ipv6.address, "gateway": ipv6.gateway},
        "wlan": {"ssid": wlan.ssid, "passphrase": {"set": bool(wlan.passphrase)}, "country": wlan.country},
    }


def _link(link: Link) -> dict[str, Json]:
    return {
        "name": link.name,
        "kind": "wlan" if link.is_wlan else "ethernet",
        "mac_address": link.mac_address,
        "carrier": link.carrier,
        "speed": link.speed,
        "addresses": list(link.addresses),
        "gateways": list(link.gateways),
    }


def _changed(network: NetworkConfig, body: Object) -> NetworkConfig:
    v6, wlan = part(body, "ipv6"), part(body, "wlan")
    return NetworkConfig(
        interface=text_or(body, "interface", network.interface),
        method=METHODS.get(text(body, "method") or "", network.method),
        address=text_or(body, "address", network.address),
        gateway=text_or(body, "gateway", network.gateway),
        dns=_list(body, "dns", network.dns),
        ntp=_list(body, "ntp", network.ntp),
        ipv6=Ipv6Config(
            METHODS_V6.get(text(v6, "method") or "", network.ipv6.method),
            text_or(v6, "address", network.ipv6.address),
            text_or(v6, "gateway", network.ipv6.gateway),
        ),
        wlan=WlanConfig(
            ssid if (ssid := text(wlan, "ssid")) is not None else network.wlan.ssid,
            given if (given := text(wlan, "passphrase")) is not None else network.wlan.passphrase,
            text_or(wlan, "country", network.wlan.country).upper(),
        ),
    )


def _list(body: Object, key: str, before: tuple[str, ...]) -> tuple[str, ...]:
    found = body.get(key)
    return tuple(str(each).strip() for each in found) if isinstance(found, list) else before
