"""Discovery: where printers are looked for, how often, and what one entry finds."""

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from appliance.collector import scanner
from appliance.discovery import entries
from appliance.discovery.address_ranges import InvalidEntryError
from appliance.domain import schedule
from appliance.domain.messages import Message
from appliance.domain.model import DiscoveryEntry
from appliance.host import network_info
from appliance.settings.schema import Config
from appliance.web.errors import ApiError, invalid_value
from appliance.web.handlers import ApiRequest, Routes
from appliance.web.jobs import PollerClient
from appliance.web.json_fields import (
    Json,
    JsonMapping,
    format_optional_timestamp,
    format_timestamp,
    get_int,
    get_str,
)
from appliance.web.settings_store import SettingsStore

MAX_TEST_ADDRESSES = 256  # addresses: a test is for somebody who waits
TEST_TIMEOUT_S = 15.0
SECRET_FIELDS = ("community_write", "http_password")


@dataclass(frozen=True, slots=True)
class _TestResult:
    answers: list[scanner.ProbeResult]
    probed: int
    seconds: float


class DiscoveryApi:
    """The API of the page of the discovery."""

    def __init__(self, settings: SettingsStore, poller: PollerClient, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._poller = poller
        self._clock = clock
        self._id_key = secrets.token_bytes(16)  # ids tell nothing about the secrets of an entry
        self._test_lock = asyncio.Lock()

    def routes(self) -> Routes:
        return [
            ("GET", "/api/discovery", self._get_discovery),
            ("PATCH", "/api/discovery", self._update_discovery),
            ("POST", "/api/discovery/entries", self._add_entry),
            ("PATCH", "/api/discovery/entries/{id}", self._update_entry),
            ("DELETE", "/api/discovery/entries/{id}", self._delete_entry),
            ("POST", "/api/discovery/test", self._test_entry),
        ]

    async def _get_discovery(self, _request: ApiRequest) -> JsonMapping:
        return self._serialize_discovery(self._settings.current)

    async def _update_discovery(self, request: ApiRequest) -> JsonMapping:
        body = request.body

        def change(config: Config) -> Config:
            discovery, when = config.discovery, config.schedule
            exclusions = body.get("exclusions")
            if isinstance(exclusions, list):
                discovery = replace(discovery, exclusions=tuple(str(each) for each in exclusions))
            if (pace := get_int(body, "packets_per_second")) is not None:
                discovery = replace(discovery, packets_per_second=pace)
            if (most := get_int(body, "max_addresses")) is not None:
                discovery = replace(discovery, max_addresses=most)
            if (every := get_str(body, "query_every")) is not None:
                when = replace(when, query_every=every)
            times = body.get("discover_at")
            if isinstance(times, list):
                when = replace(when, discover_at=tuple(str(each) for each in times))
            return replace(config, discovery=discovery, schedule=when)

        changed = await self._save_settings(
            change, "schedule" if {"query_every", "discover_at"} & body.keys() else "discovery"
        )
        return self._serialize_discovery(changed)

    async def _add_entry(self, request: ApiRequest) -> JsonMapping:
        entry = _merge_entry(request.body, DiscoveryEntry(""))
        await self._save_settings(
            lambda config: _with_entries(
                config, [*config.discovery.entries, _validate_new_entry(entry, config)]
            )
        )
        return self._serialize_entry(entry)

    async def _update_entry(self, request: ApiRequest) -> JsonMapping:
        made: list[DiscoveryEntry] = []

        def change(config: Config) -> Config:
            old = self._find_entry(config, request.params["id"])
            new = _merge_entry(request.body, old)
            made.append(new)
            others = [each for each in config.discovery.entries if each != old]
            _validate_new_entry(new, _with_entries(config, others))
            return _with_entries(config, [new if each == old else each for each in config.discovery.entries])

        await self._save_settings(change)
        return self._serialize_entry(made[0])

    async def _delete_entry(self, request: ApiRequest) -> None:
        def change(config: Config) -> Config:
            old = self._find_entry(config, request.params["id"])
            return _with_entries(config, [each for each in config.discovery.entries if each != old])

        await self._save_settings(change)

    async def _test_entry(self, request: ApiRequest) -> JsonMapping:
        config = self._settings.current
        known = get_str(request.body, "id")
        entry = _merge_entry(request.body, self._find_entry(config, known) if known else DiscoveryEntry(""))
        _validate_entry(entry, min(config.discovery.max_addresses, MAX_TEST_ADDRESSES))
        if self._test_lock.locked():
            raise ApiError(503, Message("test.running"), code="busy")
        async with self._test_lock:
            return _serialize_test_result(entry, await _probe_entry(entry, config))

    async def _save_settings(self, change: Callable[[Config], Config], section: str = "discovery") -> Config:
        config = await self._settings.update(change, section)
        self._poller.wake()
        return config

    def _find_entry(self, config: Config, entry_id: str) -> DiscoveryEntry:
        for entry in config.discovery.entries:
            if self._entry_id(entry) == entry_id:
                return entry
        raise ApiError(404, Message("entries.gone"))

    def _entry_id(self, entry: DiscoveryEntry) -> str:
        told = "\0".join(f"{key}={value}" for key, value in sorted(asdict(entry).items()))
        return hmac.new(self._id_key, told.encode(), hashlib.sha256).hexdigest()[:16]

    def _serialize_discovery(self, config: Config) -> dict[str, Json]:
        now, when = self._clock(), config.schedule
        plan = config.run_schedule()
        shaped = [self._serialize_entry(entry) for entry in config.discovery.entries]
        return {
            "entries": list(shaped),
            "exclusions": list(config.discovery.exclusions),
            "addresses": sum(count for entry in shaped if isinstance(count := entry["count"], int)),
            "packets_per_second": config.discovery.packets_per_second,
            "max_addresses": config.discovery.max_addresses,
            "query_every": when.query_every,
            "discover_at": list(when.discover_at),
            "time_zone": when.time_zone,
            "next_query_at": format_timestamp(schedule.next_query_at(plan, now)),
            "next_discover_at": format_optional_timestamp(schedule.next_discover_at(plan, now)),
            "suggestion": _suggest_range(),
        }

    def _serialize_entry(self, entry: DiscoveryEntry) -> dict[str, Json]:
        try:
            count = entries.count_targets(entry)
        except InvalidEntryError:
            count = 0
        return {
            "id": self._entry_id(entry),
            **{key: value for key, value in asdict(entry).items() if key not in SECRET_FIELDS},
            **{key: {"set": bool(getattr(entry, key))} for key in SECRET_FIELDS},
            "count": count,
        }


def _suggest_range() -> str | None:
    """The addresses of the Plug's own network, as the wizard offers them."""
    network = network_info.detect_lan_network()
    return f"{network[1]}-{network[-2]}" if network and network.prefixlen < 31 else None


def _merge_entry(body: JsonMapping, old: DiscoveryEntry) -> DiscoveryEntry:
    """An entry with what the body says of it."""
    known = {key: value for key, value in body.items() if key != "id"}
    version, address_by = get_str(body, "snmp_version"), get_str(body, "address_by")
    return replace(
        old,
        addresses=(get_str(known, "addresses") or old.addresses).strip(),
        snmp_version="1"
        if version == "1"
        else "2"
        if version == "2"
        else "auto"
        if version
        else old.snmp_version,
        community_read=get_str(known, "community_read") or old.community_read,
        community_write=_value_or(get_str(known, "community_write"), old.community_write),
        port=get_int(known, "port") or old.port,
        address_by="name" if address_by == "name" else "ip" if address_by else old.address_by,
        http_username=_value_or(get_str(known, "http_username"), old.http_username),
        http_password=_value_or(get_str(known, "http_password"), old.http_password),
        source="manual",
    )


def _value_or(value: str | None, old: str) -> str:
    return old if value is None else value


def _with_entries(config: Config, new_entries: list[DiscoveryEntry]) -> Config:
    return replace(config, discovery=replace(config.discovery, entries=tuple(new_entries)))


def _validate_new_entry(entry: DiscoveryEntry, config: Config) -> DiscoveryEntry:
    """An entry that may be added. Raises Trouble."""
    _validate_entry(entry, config.discovery.max_addresses)
    if entry in config.discovery.entries:
        raise ApiError(409, Message("entries.duplicate"), code="wrong", field="addresses")
    return entry


def _validate_entry(entry: DiscoveryEntry, max_addresses: int) -> None:
    if problem := entries.entry_problem(entry, max_addresses):
        raise invalid_value(problem, "addresses")


async def _probe_entry(entry: DiscoveryEntry, config: Config) -> _TestResult:
    """Probe every address of an entry, without keeping anything."""
    exclusions = entries.Exclusions(config.discovery.exclusions)
    began, progress, found = time.monotonic(), scanner.ScanProgress(), []
    targets = []
    for target in entries.expand(entry, exclusions, limit=MAX_TEST_ADDRESSES):
        try:
            targets.append(await entries.resolve_target(target))
        except entries.NameNotResolvedError as error:
            raise invalid_value(error, "addresses") from error
    if not targets:
        raise invalid_value(Message("entries.all_excluded"), "addresses")
    try:
        async with asyncio.timeout(TEST_TIMEOUT_S):
            async for answer in scanner.scan_targets(targets, config.discovery.packets_per_second, progress):
                found.append(answer)
    except TimeoutError:
        pass  # what answered by then is told
    return _TestResult(found, progress.asked, time.monotonic() - began)


def _serialize_test_result(entry: DiscoveryEntry, result: _TestResult) -> dict[str, Json]:
    printers = sum(answer.is_printer for answer in result.answers)
    others = len(result.answers) - printers
    if printers:
        line = Message("entry_test.printers", count=printers)
    elif others:
        line = Message("entry_test.no_printer")
    else:
        line = Message("entry_test.nothing")
    return {
        "ok": printers > 0,
        "text": line,
        "advice": None if result.answers else _no_answer_advice(entry),
        "asked": result.probed,
        "answered": len(result.answers),
        "seconds": round(result.seconds, 2),
        "found": [
            {
                "address": answer.target.host,
                "is_printer": answer.is_printer,
                "manufacturer": answer.identity.manufacturer,
                "model": answer.identity.model,
                "serial_number": answer.identity.serial_number,
                "description": answer.description,
                "snmp_version": answer.target.snmp_version,
            }
            for answer in result.answers
        ],
    }


def _no_answer_advice(entry: DiscoveryEntry) -> str:
    """SNMP agents do not say why they are silent: a wrong community looks like no device at all."""
    asked = "SNMP v2c / v1" if entry.snmp_version == "auto" else f"SNMP v{entry.snmp_version}"
    return Message("entry_test.advice", versions=asked, port=entry.port)
