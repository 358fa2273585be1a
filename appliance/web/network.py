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

from appliance.domain.messages import Message
from appliance.host import atomic_file, network_info, unit_status
from appliance.host.network_info import NetworkInterface
from appliance.privileged import network_rollback
from appliance.settings import schema as configuration
from appliance.settings.network import (
    METHODS_V4,
    METHODS_V6,
    Ipv6Config,
    NetworkConfig,
    WlanConfig,
    parse_network,
)
from appliance.settings.schema import Config, Home
from appliance.storage import database, events
from appliance.web import services
from appliance.web.db_thread import DatabaseThread
from appliance.web.errors import ApiError
from appliance.web.handlers import ApiRequest, Routes
from appliance.web.json_fields import Json, JsonMapping, get_object, get_str, get_str_or
from appliance.web.settings_store import SettingsStore, settings_error

PENDING_CHANGE_FILE = "network-trial.json"
EVENT_KIND = "network"
CHECK_INTERVAL_S = 0.5  # only while something is tried
REQUEST_TIMEOUT_S = 120.0  # until root has begun; a Plug that has just started has much to do
CONFIRM_TIMEOUT_S = 3.0  # an answer waits for so long until root has ended it
STARTED_TEXT = Message("network.trying")
INTERRUPTED_TEXT = Message("network.trial_rebooted")
ROLLED_BACK_TEXT = Message("network.trial_expired")
NO_PENDING_CHANGE_TEXT = Message("network.no_trial")
FINAL_STATES = ("kept", "rolled-back", "failed")


@dataclass(frozen=True, slots=True)
class _PendingChange:
    """What was asked for, as long as it is not known what came of it."""

    number: str
    request: str
    wanted: NetworkConfig
    asked: float  # of the monotonic clock


@dataclass(frozen=True, slots=True)
class _ChangeStatus:
    state: str = "none"  # ordered trying ending, or one of OVER
    text: str = ""
    deadline: float = 0.0  # of the monotonic clock


class NetworkApi:
    """The API of the page of the network."""

    def __init__(
        self,
        home: Home,
        settings: SettingsStore,
        store: DatabaseThread,
        clock: Callable[[], datetime],
        *,
        installed: bool,
    ) -> None:
        """`here`: whether this is the Plug itself."""
        self._home, self._settings, self._store, self._clock = home, settings, store, clock
        self._is_installed = installed
        self._pending = self._load_pending_change()
        self._pending_event, self._finished_event = asyncio.Event(), asyncio.Event()
        self._last_status = _ChangeStatus()
        self._is_ending = False

    def routes(self) -> Routes:
        return [
            ("GET", "/api/network", self._get_network),
            ("POST", "/api/network/trial", self._apply_network_settings),
            ("DELETE", "/api/network/trial", self._cancel_network_settings),
            ("POST", "/api/network/trial/confirmation", self._confirm_network_settings),
        ]

    @property
    def is_awaiting_confirmation(self) -> bool:
        """Whether somebody has to confirm."""
        return self._change_status().state == "trying"

    @asynccontextmanager
    async def run_watcher(self) -> AsyncIterator[None]:
        """What comes of a trial becomes an event, whoever looks, while the block runs."""
        watching = asyncio.create_task(self._watch_pending_change())
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    async def _get_network(self, _request: ApiRequest) -> JsonMapping:
        return await self._serialize_network()

    async def _apply_network_settings(self, api_request: ApiRequest) -> JsonMapping:
        self._require_installed()
        now = self._settings.current
        wanted = _merge_network_settings(now.network, api_request.body)
        for problem in configuration.find_problems(configuration.to_table(replace(now, network=wanted))):
            if problem.startswith("network."):
                raise settings_error(problem, "network")
        number = secrets.token_hex(8)
        order = {"do": "network-try", "trial": number, "settings": json.dumps(asdict(wanted))}
        request = unit_status.submit_request(self._home.run, order)
        self._store_pending_change(_PendingChange(number, request, wanted, time.monotonic()))
        with suppress(database.DatabaseUnavailableError):  # a full disk is no reason to lock somebody out
            await self._store.call(events.begin, EVENT_KIND, EVENT_KIND, STARTED_TEXT, self._clock())
        return await self._serialize_network()

    async def _confirm_network_settings(self, _request: ApiRequest) -> JsonMapping:
        self._require_installed()
        trial = self._pending
        if trial is None or not self.is_awaiting_confirmation:
            raise ApiError(409, NO_PENDING_CHANGE_TEXT)
        await self._settings.update(lambda config: replace(config, network=trial.wanted), "network")
        self._request_end()
        with suppress(TimeoutError):
            async with asyncio.timeout(CONFIRM_TIMEOUT_S):
                await self._finished_event.wait()
        return await self._serialize_network()

    async def _cancel_network_settings(self, _request: ApiRequest) -> JsonMapping:
        self._require_installed()
        if not self.is_awaiting_confirmation:
            raise ApiError(409, NO_PENDING_CHANGE_TEXT)
        self._request_end()
        return await self._serialize_network()  # at once: the address that it goes to may be gone in a moment

    def _request_end(self) -> None:
        """Root looks into the settings: they say whether it was confirmed."""
        unit_status.submit_request(self._home.run, {"do": "network"})
        self._is_ending = True

    def _require_installed(self) -> None:
        if not self._is_installed:
            raise services.not_installed_error()

    async def _watch_pending_change(self) -> None:
        if self._pending is None:
            await self._end_event(INTERRUPTED_TEXT)
        while True:
            if self._pending is None:
                self._pending_event.clear()
                await self._pending_event.wait()
            trial, standing = self._pending, self._change_status()
            if trial is not None and standing.state in FINAL_STATES:
                self._store_pending_change(None)
                self._last_status = standing
                await self._end_event(_outcome_text(trial.wanted, standing))
                self._finished_event.set()
            await asyncio.sleep(CHECK_INTERVAL_S)

    async def _end_event(self, line: str) -> None:
        """Say what became of a trial, if one has begun."""

        def end(db: sqlite3.Connection) -> None:
            with database.transaction(db):
                if events.end(db, EVENT_KIND, EVENT_KIND, self._clock()):
                    events.note(db, EVENT_KIND, EVENT_KIND, line, self._clock())

        with suppress(database.DatabaseUnavailableError):
            await self._store.call(end)

    def _change_status(self) -> _ChangeStatus:
        trial, said = self._pending, network_rollback.read_change_status(self._home.run)
        if trial is None:
            return self._last_status
        if said and said.change_id == trial.number:
            ending = self._is_ending and said.state == "trying"
            return _ChangeStatus("ending" if ending else said.state, said.text, said.deadline)
        answer = unit_status.read_answer(self._home.run, trial.request)
        if answer and answer.state != "done":
            return _ChangeStatus("failed", answer.text)
        late = time.monotonic() - trial.asked > REQUEST_TIMEOUT_S
        return _ChangeStatus("failed", Message("network.no_answer")) if late else _ChangeStatus("ordered")

    def _store_pending_change(self, pending: _PendingChange | None) -> None:
        """In memory alone, but beyond an end of this service: the candidate may hold a passphrase."""
        self._pending, self._is_ending = pending, False
        path = self._home.run / PENDING_CHANGE_FILE
        if pending is None:
            path.unlink(missing_ok=True)
            return
        atomic_file.write(path, json.dumps(asdict(pending)).encode())
        self._finished_event.clear()
        self._pending_event.set()

    def _load_pending_change(self) -> _PendingChange | None:
        try:
            found = json.loads((self._home.run / PENDING_CHANGE_FILE).read_bytes())
            wanted = parse_network(found["wanted"])
            return _PendingChange(str(found["number"]), str(found["request"]), wanted, float(found["asked"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    async def _serialize_network(self) -> dict[str, Json]:
        config, standing = self._settings.current, self._change_status()
        trial = self._pending
        interfaces = await asyncio.to_thread(network_info.list_interfaces)
        return {
            "box": self._is_installed,
            "box_text": "" if self._is_installed else services.NOT_INSTALLED_TEXT,
            "name": config.plug.name,
            "settings": _serialize_network_settings(trial.wanted if trial else config.network),
            "interfaces": [_serialize_interface(each) for each in interfaces],
            "name_servers": list(network_info.read_name_servers()),
            "synchronised": network_info.is_clock_synchronised(),
            "trial": {
                "state": standing.state,
                "text": standing.text,
                "seconds": max(0, round(standing.deadline - time.monotonic())),
                "hosts": list(_candidate_hosts(config, trial.wanted)) if trial else [],
            },
        }


def _outcome_text(settings: NetworkConfig, status: _ChangeStatus) -> str:
    if status.state == "kept":
        address = settings.address if settings.method == "static" else "DHCP"
        return Message("network.confirmed", interface=settings.interface, address=address)
    if status.state == "failed":
        return Message("network.unusable", reason=status.text)
    return ROLLED_BACK_TEXT


def _candidate_hosts(config: Config, settings: NetworkConfig) -> list[Json]:
    """Under which names and addresses the page is to be opened, as they stand in a URL."""
    found: list[Json] = []
    if settings.method == "static":
        found.append(settings.address.partition("/")[0])
    if settings.ipv6.method == "static":
        found.append(f"[{settings.ipv6.address.partition('/')[0]}]")
    if config.plug.mdns:
        found.append(f"{config.plug.name}.local")
    return found


def _serialize_network_settings(network: NetworkConfig) -> dict[str, Json]:
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


def _serialize_interface(link: NetworkInterface) -> dict[str, Json]:
    return {
        "name": link.name,
        "kind": "wlan" if link.is_wlan else "ethernet",
        "mac_address": link.mac_address,
        "carrier": link.has_carrier,
        "speed": link.speed_mbit_s,
        "addresses": list(link.addresses),
        "gateways": list(link.gateways),
    }


def _merge_network_settings(network: NetworkConfig, body: JsonMapping) -> NetworkConfig:
    v6, wlan = get_object(body, "ipv6"), get_object(body, "wlan")
    return NetworkConfig(
        interface=get_str_or(body, "interface", network.interface),
        method=METHODS_V4.get(get_str(body, "method") or "", network.method),
        address=get_str_or(body, "address", network.address),
        gateway=get_str_or(body, "gateway", network.gateway),
        dns=_list_or(body, "dns", network.dns),
        ntp=_list_or(body, "ntp", network.ntp),
        ipv6=Ipv6Config(
            METHODS_V6.get(get_str(v6, "method") or "", network.ipv6.method),
            get_str_or(v6, "address", network.ipv6.address),
            get_str_or(v6, "gateway", network.ipv6.gateway),
        ),
        wlan=WlanConfig(
            ssid if (ssid := get_str(wlan, "ssid")) is not None else network.wlan.ssid,
            given if (given := get_str(wlan, "passphrase")) is not None else network.wlan.passphrase,
            get_str_or(wlan, "country", network.wlan.country).upper(),
        ),
    )


def _list_or(body: JsonMapping, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
    found = body.get(key)
    return tuple(str(each).strip() for each in found) if isinstance(found, list) else default
