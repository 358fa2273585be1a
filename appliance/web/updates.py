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
from appliance.domain.clock import utc_now
from appliance.domain.messages import Message, message_of
from appliance.host import semver
from appliance.privileged import update_trial
from appliance.settings.schema import Config, Home
from appliance.storage import key_value
from appliance.updates import bundle_store, channel, hawkbit_agent, update_status
from appliance.updates.channel import UpdateOffer
from appliance.updates.update_status import RequestedUpdate, SlotStatus, UpdateProgress
from appliance.web import services
from appliance.web.db_thread import DatabaseThread
from appliance.web.errors import ApiError, invalid_value, not_on_plug
from appliance.web.handlers import ApiRequest, Routes, build_response
from appliance.web.jobs import PollerClient
from appliance.web.json_fields import (
    Json,
    JsonMapping,
    format_timestamp,
    get_bool,
    get_object,
    get_str,
    get_str_or,
)
from appliance.web.middleware import BUNDLE_UPLOAD_PATH
from appliance.web.settings_store import SettingsStore

STALL_TIMEOUT_S = 30.0  # without a byte, while a bundle comes
BUNDLE_MEDIA_TYPE = "application/octet-stream"
CHUNK_BYTES = 256 << 10


@dataclass(frozen=True, slots=True)
class _UpdateInfo:
    """What the poller has found out."""

    offer: UpdateOffer | None
    channel_problem: str
    hawkbit_problem: str


class UpdatesApi:
    """The API of the page of the updates."""

    def __init__(
        self,
        home: Home,
        settings: SettingsStore,
        store: DatabaseThread,
        poller: PollerClient,
        *,
        root: Path = Path("/"),
    ) -> None:
        self._home = home
        self._settings = settings
        self._store = store
        self._poller = poller
        self._root = root
        self._upload_lock = asyncio.Lock()
        self._requested_update: RequestedUpdate | None = None  # the latest one

    def upload_routes(self) -> list[web.RouteDef]:
        """What is no JSON."""
        return [web.put(BUNDLE_UPLOAD_PATH, self._upload_bundle)]

    def routes(self) -> Routes:
        return [
            ("GET", "/api/updates", self._get_updates),
            ("PATCH", "/api/updates", self._patch_update_settings),
            ("DELETE", "/api/updates/bundle", self._delete_bundle),
            ("POST", "/api/updates/install", self._install_update),
            ("POST", "/api/updates/look", self._check_channel),
        ]

    async def _upload_bundle(self, request: web.Request) -> web.StreamResponse:
        """The body is the bundle, however large. Raises Trouble."""
        self._require_installed()
        if request.content_type != BUNDLE_MEDIA_TYPE or "Content-Encoding" in request.headers:
            raise ApiError(415, Message("upload.type", media_type=BUNDLE_MEDIA_TYPE))
        if self._upload_lock.locked():
            raise ApiError(503, Message("upload.busy"), code="busy")
        async with self._upload_lock:
            await self._require_idle()
            try:
                await self._receive_bundle(request)
            except bundle_store.BundleTooLargeError as error:
                raise ApiError(413, message_of(error)) from error
            except bundle_store.BundleStoreError as error:
                raise ApiError(507, message_of(error)) from error
        return build_response(request, await self._serialize_updates())

    async def _receive_bundle(self, request: web.Request) -> None:
        with bundle_store.receive_bundle(self._home.updates, request.content_length) as bundle:
            while True:
                try:
                    async with asyncio.timeout(STALL_TIMEOUT_S):
                        piece = await request.content.read(CHUNK_BYTES)
                except TimeoutError:
                    raise ApiError(400, Message("upload.stalled")) from None
                except web.RequestPayloadError:
                    raise ApiError(400, Message("upload.cut_off")) from None
                if not piece:
                    break
                await asyncio.to_thread(bundle.write, piece)
            if not bundle.size:
                raise ApiError(400, Message("upload.empty"))

    async def _get_updates(self, _request: ApiRequest) -> JsonMapping:
        return await self._serialize_updates()

    async def _patch_update_settings(self, request: ApiRequest) -> JsonMapping:
        await self._settings.update(lambda config: _merge_update_settings(config, request.body), "update")
        self._poller.wake()
        return await self._serialize_updates()

    async def _delete_bundle(self, _request: ApiRequest) -> JsonMapping:
        self._require_installed()
        await self._require_idle()
        await asyncio.to_thread(bundle_store.remove_bundle, self._home.updates)
        return await self._serialize_updates()

    async def _install_update(self, request: ApiRequest) -> JsonMapping:
        self._require_installed()
        await self._require_idle()
        source = await self._resolve_source(request.body)
        older = "yes" if get_bool(request.body, "older") else "no"
        reboot = "no" if get_str(request.body, "when") == "window" else "yes"
        from_channel = get_str(request.body, "source") == "channel"
        fetch = "yes" if from_channel and channel.needs_local_download(self._settings.current) else "no"
        order = {"source": source, "fetch": fetch, "older": older, "reboot": reboot, "action": ""}
        previous = await asyncio.to_thread(update_status.read_update_progress, self._home.run)
        request_id = services.submit_privileged_request(self._home, {"do": "update", **order}, self._root)
        self._requested_update = RequestedUpdate(request_id, utc_now(), time.monotonic(), previous)
        return {"id": request_id, "text": Message("update.started")}

    async def _resolve_source(self, body: JsonMapping) -> str:
        """The URL, or the word for the uploaded bundle. Raises Trouble."""
        wanted, url = get_str(body, "source"), get_str(body, "url")
        if wanted == "url":
            if not url:
                raise invalid_value(Message("settings.missing"), "url")
            return url
        if wanted == "channel":
            offer = (await self._store.call(_read_update_info)).offer
            if offer is None:
                raise ApiError(409, Message("update.no_version"))
            return offer.url
        if await asyncio.to_thread(bundle_store.find_bundle, self._home.updates) is None:
            raise ApiError(409, Message("update.nothing_uploaded"))
        return "upload"

    async def _check_channel(self, _request: ApiRequest) -> JsonMapping:
        if not self._settings.current.update.channel:
            raise ApiError(409, Message("update.no_channel"))
        await self._store.call(key_value.put, channel.NEXT_CHECK_KEY, None)
        self._poller.wake()
        return {"text": Message("update.checking")}

    def _require_installed(self) -> None:
        if not services.is_installed_plug(self._home, self._root):
            raise not_on_plug(services.NOT_INSTALLED_TEXT)

    async def _require_idle(self) -> None:
        """What is being installed must not be pulled away from under it."""
        progress = await asyncio.to_thread(update_status.read_update_progress, self._home.run)
        if progress and progress.is_under_way:
            raise ApiError(409, Message("update.busy"))

    async def _serialize_updates(self) -> dict[str, Json]:
        known = await self._store.call(_read_update_info)
        return await asyncio.to_thread(self._serialize_update_state, known)

    def _serialize_update_state(self, info: _UpdateInfo) -> dict[str, Json]:
        here, config = services.is_installed_plug(self._home, self._root), self._settings.current
        slots = update_status.read_slot_status(self._home.run)
        version = slots.version if slots and slots.version else __version__
        bundle = bundle_store.find_bundle(self._home.updates)
        hours = config.update.hours
        return {
            "box": here,
            "box_text": "" if here else services.NOT_INSTALLED_TEXT,
            "version": version,
            "slots": _serialize_slots(slots, self._root) if slots else None,
            "waiting": _pending_version(slots, self._root),
            "progress": _serialize_update_progress(
                update_status.read_latest_progress(self._home.run, self._requested_update, time.monotonic())
            ),
            "outcome": _serialize_update_outcome(update_trial.read_outcome(self._root)),
            "bundle": {"bytes": bundle.size, "at": format_timestamp(bundle.at)} if bundle else None,
            "most_bytes": bundle_store.MAX_BUNDLE_BYTES,
            "offer": _serialize_offer(info.offer, config, version),
            "channel_problem": info.channel_problem,
            "fleet_problem": info.hawkbit_problem,
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


def _read_update_info(db: sqlite3.Connection) -> _UpdateInfo:
    return _UpdateInfo(
        channel.load_offer(db),
        key_value.get_message(db, channel.PROBLEM_KEY) or "",
        key_value.get_message(db, hawkbit_agent.PROBLEM_KEY) or "",
    )


def _merge_update_settings(config: Config, body: JsonMapping) -> Config:
    before, told = config.update, get_object(body, "hawkbit")
    fleets = before.hawkbit
    kinds: dict[str, Literal["target", "gateway"]] = {"target": "target", "gateway": "gateway"}
    fleets = replace(
        fleets,
        url=get_str_or(told, "url", fleets.url),
        tenant=get_str_or(told, "tenant", fleets.tenant),
        controller=get_str_or(told, "controller", fleets.controller),
        token=get_str_or(told, "token", fleets.token),
        token_kind=kinds.get(get_str(told, "token_kind") or "", fleets.token_kind),
    )
    automatic = get_bool(body, "automatic")
    after = replace(
        before,
        channel=get_str_or(body, "channel", before.channel),
        automatic=before.automatic if automatic is None else automatic,
        window=get_str_or(body, "window", before.window),
        ca_file=get_str_or(body, "ca_file", before.ca_file),
        hawkbit=fleets,
    )
    return replace(config, update=after)


def _serialize_slots(slots: SlotStatus, root: Path) -> dict[str, Json]:
    return {
        "booted": slots.booted,
        "other": slots.other,
        "other_version": slots.other_version or None,
        "other_good": slots.other_state == "good",
        "on_trial": update_status.is_update_on_trial(slots, root),
    }


def _pending_version(slots: SlotStatus | None, root: Path) -> str | None:
    """The version that the next restart brings."""
    marker = update_trial.read_marker(root)
    installed = marker is not None and marker.installed and slots is not None and marker.boot == slots.boot
    return marker.to_version if marker and installed else None


def _serialize_update_progress(progress: UpdateProgress | None) -> dict[str, Json] | None:
    if progress is None:
        return None
    return {
        "state": progress.state,
        "percent": progress.percent,
        "step": progress.step,
        "text": progress.text,
        "version": progress.version or None,
        "reboots": progress.reboots,
        "at": format_timestamp(progress.at),
    }


def _serialize_update_outcome(outcome: update_trial.UpdateOutcome | None) -> dict[str, Json] | None:
    if outcome is None:
        return None
    at = None
    with suppress(ValueError):
        at = format_timestamp(datetime.fromisoformat(outcome.at))
    return {
        "came": outcome.came,
        "from_version": outcome.trial.from_version,
        "to_version": outcome.trial.to_version,
        "why": outcome.trial.why,
        "at": at,
    }


def _serialize_offer(offer: UpdateOffer | None, config: Config, version: str) -> dict[str, Json] | None:
    if offer is None or offer.channel != config.update.channel:
        return None
    return {
        "version": offer.version,
        "notes": offer.notes,
        "newer": semver.is_newer(offer.version, version),
    }
