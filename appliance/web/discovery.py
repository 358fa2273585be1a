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
from appliance.discovery.address_ranges import BadEntry
from appliance.domain import schedule
from appliance.domain.model import DiscoveryEntry
from appliance.host import routing_table
from appliance.settings.schema import Config
from appliance.web.errors import Trouble, missing, wrong
from appliance.web.handlers import Asked, Routes
from appliance.web.jobs import Poller
from appliance.web.json_fields import Json, Object, number, text
from appliance.web.settings_store import Settings
from appliance.web.timestamps import maybe_stamp, stamp

MOST_TESTED = 256  # addresses: a test is for somebody who waits
TEST_SECONDS = 15.0
SECRET = ("community_write", "http_password")


@dataclass(frozen=True, slots=True)
class _Tested:
    found: list[scanner.Answer]
    asked: int
    seconds: float


class Discovery:
    """The API of the page of the discovery."""

    def __init__(self, settings: Settings, poller: Poller, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._poller = poller
        self._clock = clock
        self._key = secrets.token_bytes(16)  # ids tell nothing about the secrets of an entry
        self._testing = asyncio.Lock()

    def routes(self) -> Routes:
        return [
            ("GET", "/api/discovery", self._show),
            ("PATCH", "/api/discovery", self._change),
            ("POST", "/api/discovery/entries", self._add),
            ("PATCH", "/api/discovery/entries/{id}", self._change_entry),
            ("DELETE", "/api/discovery/entries/{id}", self._remove),
            ("POST", "/api/discovery/test", self._test),
        ]

    async def _show(self, _asked: Asked) -> Object:
        return self._shaped(self._settings.now)

    async def _change(self, asked: Asked) -> Object:
        body = asked.body

        def change(config: Config) -> Config:
            discovery, when = config.discovery, config.schedule
            exclusions = body.get("exclusions")
            if isinstance(exclusions, list):
                discovery = replace(discovery, exclusions=tuple(str(each) for each in exclusions))
            if (pace := number(body, "packets_per_second")) is not None:
                discovery = replace(discovery, packets_per_second=pace)
            if (most := number(body, "max_addresses")) is not None:
                discovery = replace(discovery, max_addresses=most)
            if (every := text(body, "query_every")) is not None:
                when = replace(when, query_every=every)
            times = body.get("discover_at")
            if isinstance(times, list):
                when = replace(when, discover_at=tuple(str(each) for each in times))
            return replace(config, discovery=discovery, schedule=when)

        changed = await self._save(
            change, "schedule" if {"query_every", "discover_at"} & body.keys() else "discovery"
        )
        return self._shaped(changed)

    async def _add(self, asked: Asked) -> Object:
        entry = _entry(asked.body, DiscoveryEntry(""))
        await self._save(
            lambda config: _with_entries(config, [*config.discovery.entries, _new(entry, config)])
        )
        return self._shaped_entry(entry)

    async def _change_entry(self, asked: Asked) -> Object:
        made: list[DiscoveryEntry] = []

        def change(config: Config) -> Config:
            old = self._find(config, asked.where["id"])
            new = _entry(asked.body, old)
            made.append(new)
            others = [each for each in config.discovery.entries if each != old]
            _new(new, _with_entries(config, others))
            return _with_entries(config, [new if each == old else each for each in config.discovery.entries])

        await self._save(change)
        return self._shaped_entry(made[0])

    async def _remove(self, asked: Asked) -> None:
        def change(config: Config) -> Config:
            old = self._find(config, asked.where["id"])
            return _with_entries(config, [each for each in config.discovery.entries if each != old])

        await self._save(change)

    async def _test(self, asked: Asked) -> Object:
        config = self._settings.now
        known = text(asked.body, "id")
        entry = _entry(asked.body, self._find(config, known) if known else DiscoveryEntry(""))
        _check(entry, min(config.discovery.max_addresses, MOST_TESTED))
        if self._testing.locked():
            raise Trouble(503, "A test is running already.", code="busy")
        async with self._testing:
            return _tested(entry, await _ask(entry, config))

    async def _save(self, change: Callable[[Config], Config], section: str = "discovery") -> Config:
        config = await self._settings.change(change, section)
        self._poller.wake()
        return config

    def _find(self, config: Config, wanted: str) -> DiscoveryEntry:
        for entry in config.discovery.entries:
            if self._id(entry) == wanted:
                return entry
        raise missing("such entry any more: somebody has changed it meanwhile")

    def _id(self, entry: DiscoveryEntry) -> str:
        told = "\0".join(f"{key}={value}" for key, value in sorted(asdict(entry).items()))
        return hmac.new(self._key, told.encode(), hashlib.sha256).hexdigest()[:16]

    def _shaped(self, config: Config) -> dict[str, Json]:
        now, when = self._clock(), config.schedule
        plan = schedule.plan(config.plug.name, when.query_seconds, when.discover_times, when.zone)
        shaped = [self._shaped_entry(entry) for entry in config.discovery.entries]
        return {
            "entries": list(shaped),
            "exclusions": list(config.discovery.exclusions),
            "addresses": sum(count for entry in shaped if isinstance(count := entry["count"], int)),
            "packets_per_second": config.discovery.packets_per_second,
            "max_addresses": config.discovery.max_addresses,
            "query_every": when.query_every,
            "discover_at": list(when.discover_at),
            "time_zone": when.time_zone,
            "next_query_at": stamp(schedule.next_query(plan, now)),
            "next_discover_at": maybe_stamp(schedule.next_discover(plan, now)),
            "suggestion": _suggestion(),
        }

    def _shaped_entry(self, entry: DiscoveryEntry) -> dict[str, Json]:
        try:
            count = entries.count(entry)
        except BadEntry:
            count = 0
        return {
            "id": self._id(entry),
            **{key: value for key, value in asdict(entry).items() if key not in SECRET},
            **{key: {"set": bool(getattr(entry, key))} for key in SECRET},
            "count": count,
        }


def _suggestion() -> str | None:
    """The addresses of the Plug's own network, as the wizard offers them."""
    network = routing_table.own_network()
    return f"{network[1]}-{network[-2]}" if network and network.prefixlen < 31 else None


def _entry(body: Object, old: DiscoveryEntry) -> DiscoveryEntry:
    """An entry with what the body says of it."""
    known = {key: value for key, value in body.items() if key != "id"}
    version, address_by = text(body, "snmp_version"), text(body, "address_by")
    return replace(
        old,
        addresses=(text(known, "addresses") or old.addresses).strip(),
        snmp_version="1"
        if version == "1"
        else "2"
        if version == "2"
        else "auto"
        if version
        else old.snmp_version,
        community_read=text(known, "community_read") or old.community_read,
        community_write=_given(text(known, "community_write"), old.community_write),
        port=number(known, "port") or old.port,
        address_by="name" if address_by == "name" else "ip" if address_by else old.address_by,
        http_username=_given(text(known, "http_username"), old.http_username),
        http_password=_given(text(known, "http_password"), old.http_password),
        source="manual",
    )


def _given(value: str | None, old: str) -> str:
    return old if value is None else value


def _with_entries(config: Config, listed: list[DiscoveryEntry]) -> Config:
    return replace(config, discovery=replace(config.discovery, entries=tuple(listed)))


def _new(entry: DiscoveryEntry, config: Config) -> DiscoveryEntry:
    """An entry that may be added. Raises Trouble."""
    _check(entry, config.discovery.max_addresses)
    if entry in config.discovery.entries:
        raise Trouble(409, "There is such an entry already.", code="wrong", field="addresses")
    return entry


def _check(entry: DiscoveryEntry, most: int) -> None:
    if problem := entries.check(entry, most):
        raise wrong(f"addresses: {problem}.", "addresses")


async def _ask(entry: DiscoveryEntry, config: Config) -> _Tested:
    """Probe every address of an entry, without keeping anything."""
    exclusions = entries.Exclusions(config.discovery.exclusions)
    began, progress, found = time.monotonic(), scanner.Progress(), []
    targets = []
    for target in entries.expand(entry, exclusions, most=MOST_TESTED):
        try:
            targets.append(await entries.resolve(target))
        except entries.NotResolved as error:
            raise wrong(f"addresses: {error}.", "addresses") from error
    if not targets:
        raise wrong("addresses: all of them are excluded.", "addresses")
    try:
        async with asyncio.timeout(TEST_SECONDS):
            async for answer in scanner.answering(targets, config.discovery.packets_per_second, progress):
                found.append(answer)
    except TimeoutError:
        pass  # what answered by then is told
    return _Tested(found, progress.asked, time.monotonic() - began)


def _tested(entry: DiscoveryEntry, tested: _Tested) -> dict[str, Json]:
    printers = sum(answer.is_printer for answer in tested.found)
    others = len(tested.found) - printers
    if printers:
        line = f"{printers} printer{'s' if printers > 1 else ''} answered."
    elif others:
        line = "Something answered, but no printer."
    else:
        line = "Nothing answered."
    return {
        "ok": printers > 0,
        "text": line,
        "advice": None if tested.found else _advice(entry),
        "asked": tested.asked,
        "answered": len(tested.found),
        "seconds": round(tested.seconds, 2),
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
            for answer in tested.found
        ],
    }


def _advice(entry: DiscoveryEntry) -> str:
    """SNMP agents do not say why they are silent: a wrong community looks like no device at all."""
    asked = "SNMP v2c and v1" if entry.snmp_version == "auto" else f"SNMP version {entry.snmp_version}"
    return (
        "Is the device switched on and at this address? Is SNMP switched on in it, "
        f"does it allow {asked} with this community, and this Plug's address? "
        f"Is UDP {entry.port} open in between?"
    )
