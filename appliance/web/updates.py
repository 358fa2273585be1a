"""Updates of the Plug's system: what runs, what could, and the bundle that somebody brings."""

import asyncio
import sqlite3
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from aiohttp import web

from appliance import __version__
from appliance.clock import utc_now
from appliance.config import Config, Home
from appliance.store import meta
from appliance.system import trial, versions
from appliance.updates import bundles, channel, fleet, standing
from appliance.updates.channel import Offer
from appliance.updates.standing import Order, Progress, Slots
from appliance.web import box
from appliance.web.api import Asked, Routes, written
from appliance.web.gate import UPLOAD
from appliance.web.jobs import Poller
from appliance.web.settings import Settings
from appliance.web.store import Store
from appliance.web.times import stamp
from appliance.web.trouble import Trouble, elsewhere, wrong
from appliance.web.values import Json, Object, part, text, text_or, truth

STALL_SECONDS = 30.0  # without a byte, while a bundle comes
MEDIA_TYPE = "application/octet-stream"
PIECE = 256 << 10


@dataclass(frozen=True, slots=True)
class _Known:
    """What the poller has found out."""

    offer: Offer | None
    channel_problem: str
    fleet_problem: str


class Updates:
    """The API of the page of the updates."""

    def __init__(
        self,
        home: Home,
        settings: Settings,
        store: Store,
        poller: Poller,
        *,
        root: Path = Path("/"),
    ) -> None:
        self._home = home
        self._settings = settings
        self._store = store
        self._poller = poller
        self._root = root
        self._taking = asyncio.Lock()
        self._order: Order | None = None  # the latest one that was given here

    def plain_routes(self) -> list[web.RouteDef]:
        """What is no JSON."""
        return [web.put(UPLOAD, self._upload)]

    def routes(self) -> Routes:
        return [
            ("GET", "/api/updates", self._show),
            ("PATCH", "/api/updates", self._change),
            ("DELETE", "/api/updates/bundle", self._forget),
            ("POST", "/api/updates/install", self._install),
            ("POST", "/api/updates/look", self._look),
        ]

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        """The body is the bundle, however large. Raises Trouble."""
        self._must_be_box()
        if request.content_type != MEDIA_TYPE or "Content-Encoding" in request.headers:
            raise Trouble(415, f"Send the bundle as it is, with Content-Type: {MEDIA_TYPE}.")
        if self._taking.locked():
            raise Trouble(503, "Another bundle is just being uploaded.", code="busy")
        async with self._taking:
            await self._must_be_idle()
            try:
                await self._take(request)
            except bundles.TooLarge as error:
                raise Trouble(413, str(error)) from error
            except bundles.NotKept as error:
                raise Trouble(507, str(error)) from error
        return written(request, await self._shaped())

    async def _take(self, request: web.Request) -> None:
        with bundles.arriving(self._home.updates, request.content_length) as bundle:
            while True:
                try:
                    async with asyncio.timeout(STALL_SECONDS):
                        piece = await request.content.read(PIECE)
                except TimeoutError:
                    raise Trouble(400, "The bundle did not come on.") from None
                except web.RequestPayloadError:
                    raise Trouble(400, "The bundle broke off.") from None
                if not piece:
                    break
                await asyncio.to_thread(bundle.write, piece)
            if not bundle.size:
                raise Trouble(400, "The bundle is empty.")

    async def _show(self, _asked: Asked) -> Object:
        return await self._shaped()

    async def _change(self, asked: Asked) -> Object:
        await self._settings.change(lambda config: _changed(config, asked.body), "update")
        self._poller.wake()
        return await self._shaped()

    async def _forget(self, _asked: Asked) -> Object:
        self._must_be_box()
        await self._must_be_idle()
        await asyncio.to_thread(bundles.remove, self._home.updates)
        return await self._shaped()

    async def _install(self, asked: Asked) -> Object:
        self._must_be_box()
        await self._must_be_idle()
        source = await self._source(asked.body)
        older = "yes" if truth(asked.body, "older") else "no"
        reboot = "no" if text(asked.body, "when") == "window" else "yes"
        roundabout = text(asked.body, "source") == "channel" and channel.is_roundabout(self._settings.now)
        fetch = "yes" if roundabout else "no"
        order = {"source": source, "fetch": fetch, "older": older, "reboot": reboot, "action": ""}
        before = await asyncio.to_thread(standing.progress, self._home.run)
        request = box.request(self._home, {"do": "update", **order}, self._root)
        self._order = Order(request, utc_now(), time.monotonic(), before)
        return {"id": request, "text": "The update was asked for."}

    async def _source(self, body: Object) -> str:
        """The URL, or the word for the uploaded bundle. Raises Trouble."""
        wanted, url = text(body, "source"), text(body, "url")
        if wanted == "url":
            if not url:
                raise wrong("url: is missing.", "url")
            return url
        if wanted == "channel":
            offer = (await self._store.ask(_known)).offer
            if offer is None:
                raise Trouble(409, "The channel has not named a version yet.")
            return offer.url
        if await asyncio.to_thread(bundles.kept, self._home.updates) is None:
            raise Trouble(409, "No bundle was uploaded.")
        return "upload"

    async def _look(self, _asked: Asked) -> Object:
        if not self._settings.now.update.channel:
            raise Trouble(409, "No channel is set.")
        await self._store.ask(meta.put, channel.NEXT, None)
        self._poller.wake()
        return {"text": "The channel is asked."}

    def _must_be_box(self) -> None:
        if not box.is_box(self._home, self._root):
            raise elsewhere(box.ELSEWHERE)

    async def _must_be_idle(self) -> None:
        """What is being installed must not be pulled away from under it."""
        progress = await asyncio.to_thread(standing.progress, self._home.run)
        if progress and progress.is_under_way:
            raise Trouble(409, "An update is being installed just now.")

    async def _shaped(self) -> dict[str, Json]:
        known = await self._store.ask(_known)
        return await asyncio.to_thread(self._described, known)

    def _described(self, known: _Known) -> dict[str, Json]:
        here, config = box.is_box(self._home, self._root), self._settings.now
        slots = standing.slots(self._home.run)
        version = slots.version if slots and slots.version else __version__
        bundle = bundles.kept(self._home.updates)
        hours = config.update.hours
        return {
            "box": here,
            "box_text": "" if here else box.ELSEWHERE,
            "version": version,
            "slots": _slots(slots, self._root) if slots else None,
            "waiting": _waiting(slots, self._root),
            "progress": _progress(standing.latest(self._home.run, self._order, time.monotonic())),
            "outcome": _outcome(trial.outcome(self._root)),
            "bundle": {"bytes": bundle.size, "at": stamp(bundle.at)} if bundle else None,
            "most_bytes": bundles.MOST_BYTES,
            "offer": _offer(known.offer, config, version),
            "channel_problem": known.channel_problem,
            "fleet_problem": known.fleet_problem,
            "has_window": hours is not None,
            "channel": config.update.channel,
            "automatic": config.update.automatic,
            "window": config.update.window,
            "ca_file": config.update.ca_file,
            "hawkbit": {
                "url": config.update.hawkbit.url,
                "tenant": config.update.hawkbit.tenant,
                "controller": config.update.hawkbit.controller,
                "token": {"set": bool(config.update.hawkbit.token)},
                "token_kind": config.update.hawkbit.token_kind,
            },
        }


def _known(db: sqlite3.Connection) -> _Known:
    return _Known(channel.kept(db), meta.get(db, channel.PROBLEM) or "", meta.get(db, fleet.PROBLEM) or "")


def _changed(config: Config, body: Object) -> Config:
    before, told = config.update, part(body, "hawkbit")
    fleets = before.hawkbit
    kinds: dict[str, Literal["target", "gateway"]] = {"target": "target", "gateway": "gateway"}
    fleets = replace(
        fleets,
        url=text_or(told, "url", fleets.url),
        tenant=text_or(told, "tenant", fleets.tenant),
        controller=text_or(told, "controller", fleets.controller),
        token=text_or(told, "token", fleets.token),
        token_kind=kinds.get(text(told, "token_kind") or "", fleets.token_kind),
    )
    automatic = truth(body, "automatic")
    after = replace(
        before,
        channel=text_or(body, "channel", before.channel),
        automatic=before.automatic if automatic is None else automatic,
        window=text_or(body, "window", before.window),
        ca_file=text_or(body, "ca_file", before.ca_file),
        hawkbit=fleets,
    )
    return replace(config, update=after)


def _slots(slots: Slots, root: Path) -> dict[str, Json]:
    return {
        "booted": slots.booted,
        "other": slots.other,
        "other_version": slots.other_version or None,
        "other_good": slots.other_state == "good",
        "on_trial": standing.is_on_trial(slots, root),
    }


def _waiting(slots: Slots | None, root: Path) -> str | None:
    """The version that the next restart brings."""
    marker = trial.read(root)
    installed = marker is not None and marker.installed and slots is not None and marker.boot == slots.boot
    return marker.to_version if marker and installed else None


def _progress(found: Progress | None) -> dict[str, Json] | None:
    if found is None:
        return None
    return {
        "state": found.state,
        "percent": found.percent,
        "step": found.step,
        "text": found.text,
        "version": found.version or None,
        "reboots": found.reboots,
        "at": stamp(found.at),
    }


def _outcome(found: trial.Outcome | None) -> dict[str, Json] | None:
    if found is None:
        return None
    at = None
    with suppress(ValueError):
        at = stamp(datetime.fromisoformat(found.at))
    return {
        "came": found.came,
        "from_version": found.trial.from_version,
        "to_version": found.trial.to_version,
        "why": found.trial.why,
        "at": at,
    }


def _offer(found: Offer | None, config: Config, version: str) -> dict[str, Json] | None:
    if found is None or found.channel != config.update.channel:
        return None
    return {
        "version": found.version,
        "notes": found.notes,
        "newer": versions.is_newer(found.version, version),
    }
