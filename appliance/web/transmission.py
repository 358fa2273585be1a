"""Where parcels go: the settings, the test, and the outbox with exactly what left the site."""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Literal

from appliance.delivery import licence_policy, outbox, spool_files, transmission_test
from appliance.delivery.outbox import Parcel
from appliance.domain.messages import Message
from appliance.settings.schema import Config, Home, HttpsConfig, MailConfig
from appliance.web import tls
from appliance.web.db_thread import DatabaseThread
from appliance.web.errors import ApiError
from appliance.web.handlers import ApiRequest, Download, Routes
from appliance.web.jobs import PollerClient
from appliance.web.json_fields import (
    Json,
    JsonMapping,
    format_optional_timestamp,
    format_timestamp,
    get_int,
    get_object,
    get_str,
)
from appliance.web.settings_store import SettingsStore

MAX_LISTED_PARCELS = 500


class TransmissionApi:
    """The API of the page of the transmission."""

    def __init__(
        self,
        home: Home,
        settings: SettingsStore,
        store: DatabaseThread,
        poller: PollerClient,
        clock: Callable[[], datetime],
    ) -> None:
        self._home = home
        self._settings = settings
        self._store = store
        self._poller = poller
        self._clock = clock
        self._test_lock = asyncio.Lock()

    def routes(self) -> Routes:
        return [
            ("GET", "/api/transmission", self._get_transmission),
            ("PATCH", "/api/transmission", self._update_transmission_settings),
            ("POST", "/api/transmission/test", self._test_transmission),
            ("GET", "/api/outbox", self._get_outbox),
            ("POST", "/api/outbox/{id}/retry", self._retry_parcel),
            ("GET", "/api/outbox/{id}/download", self._download_parcel),
        ]

    async def _get_transmission(self, _request: ApiRequest) -> JsonMapping:
        return await self._serialize_transmission(self._settings.current)

    async def _update_transmission_settings(self, request: ApiRequest) -> JsonMapping:
        config = await self._settings.update(
            lambda config: _merge_transmission_settings(config, request.body), "transmission"
        )
        self._poller.wake()
        return await self._serialize_transmission(config)

    async def _test_transmission(self, _request: ApiRequest) -> JsonMapping:
        if self._test_lock.locked():
            raise ApiError(503, Message("test.running"), code="busy")
        async with self._test_lock:
            steps = await transmission_test.run(self._home, self._settings.current, self._clock())
        return {
            "ok": transmission_test.has_passed(steps),
            "steps": [_serialize_test_step(step) for step in steps],
        }

    async def _get_outbox(self, _request: ApiRequest) -> JsonMapping:
        return await self._store.call(_serialize_outbox, self._home)

    async def _retry_parcel(self, request: ApiRequest) -> JsonMapping:
        answer = await self._store.call(_retry_parcel, self._home, request.params["id"], self._clock())
        self._poller.wake()
        return answer

    async def _download_parcel(self, request: ApiRequest) -> Download:
        return await self._store.call(_read_parcel, self._home, request.params["id"])

    async def _serialize_transmission(self, config: Config) -> dict[str, Json]:
        wanted = config.transmission
        https, mail = wanted.https, wanted.mail
        return {
            "mode": wanted.mode,
            "key": {"set": bool(wanted.key)},
            "xml_names": wanted.xml_names,
            "https": {
                "url": https.url,
                "ca_file": https.ca_file,
                "proxy": https.proxy,
                "proxy_username": https.proxy_username,
                "proxy_password": {"set": bool(https.proxy_password)},
            },
            "mail": {
                "host": mail.host,
                "port": mail.port,
                "security": mail.security,
                "ca_file": mail.ca_file,
                "username": mail.username,
                "password": {"set": bool(mail.password)},
                "sender": mail.sender,
                "recipient": mail.recipient,
            },
            "certificate": await self._serialize_client_certificate(),
        }

    async def _serialize_client_certificate(self) -> dict[str, Json]:
        pair = licence_policy.find_client_certificate(self._home)
        if pair is None:
            return {"set": False, "not_after": None}
        try:
            return {
                "set": True,
                "not_after": format_timestamp((await tls.read_certificate(pair[0])).not_after),
            }
        except tls.CertificateError:
            return {"set": True, "not_after": None}


def _serialize_test_step(step: transmission_test.TransmissionStep) -> dict[str, Json]:
    return {
        "name": step.name,
        "ok": step.ok,
        "text": step.text,
        "advice": step.advice,
        "seconds": step.seconds,
    }


def _merge_transmission_settings(config: Config, body: JsonMapping) -> Config:
    wanted = config.transmission
    mode, names, key = get_str(body, "mode"), get_str(body, "xml_names"), get_str(body, "key")
    if mode is not None:
        wanted = replace(wanted, mode="https" if mode == "https" else "mail" if mode == "mail" else "off")
    if names is not None:
        wanted = replace(wanted, xml_names="mib" if names == "mib" else "printed")
    if key is not None:
        wanted = replace(wanted, key=key)
    return replace(
        config,
        transmission=replace(
            wanted,
            https=_merge_https_settings(wanted.https, get_object(body, "https")),
            mail=_merge_mail_settings(wanted.mail, get_object(body, "mail")),
        ),
    )


def _merge_https_settings(https: HttpsConfig, body: JsonMapping) -> HttpsConfig:
    def said(key: str, old: str) -> str:
        value = get_str(body, key)
        return old if value is None else value.strip()

    password = get_str(body, "proxy_password")
    return HttpsConfig(
        url=said("url", https.url),
        ca_file=said("ca_file", https.ca_file),
        proxy=said("proxy", https.proxy),
        proxy_username=said("proxy_username", https.proxy_username),
        proxy_password=https.proxy_password if password is None else password,
    )


def _merge_mail_settings(mail: MailConfig, body: JsonMapping) -> MailConfig:
    def said(key: str, old: str) -> str:
        value = get_str(body, key)
        return old if value is None else value.strip()

    chosen: dict[str, Literal["none", "starttls", "tls"]] = {
        "none": "none",
        "starttls": "starttls",
        "tls": "tls",
    }
    password = get_str(body, "password")
    return MailConfig(
        host=said("host", mail.host),
        port=get_int(body, "port") or mail.port,
        security=chosen.get(get_str(body, "security") or "", mail.security),
        ca_file=said("ca_file", mail.ca_file),
        username=said("username", mail.username),
        password=mail.password if password is None else password,
        sender=said("sender", mail.sender),
        recipient=said("recipient", mail.recipient),
    )


def _serialize_outbox(db: sqlite3.Connection, home: Home) -> dict[str, Json]:
    listed = outbox.list_parcels(db)
    there = _spooled_file_names(home)
    return {
        "parcels": [_serialize_parcel(each, there) for each in reversed(listed[-MAX_LISTED_PARCELS:])],
        **{
            state: sum(each.state == state for each in listed)
            for state in ("waiting", "refused", "delivered", "lost")
        },
        "bytes": sum(each.size for each in listed if each.file in there),
    }


def _serialize_parcel(parcel: Parcel, spooled: set[str]) -> dict[str, Json]:
    return {
        "id": parcel.id,
        "name": parcel.name,
        "created_at": format_timestamp(parcel.created_at),
        "size": parcel.size,
        "digest": parcel.digest,
        "state": parcel.state,
        "attempts": parcel.attempts,
        "next_at": format_optional_timestamp(parcel.next_at),
        "error": parcel.error,
        "delivered_at": format_optional_timestamp(parcel.delivered_at),
        "downloadable": parcel.file in spooled,
    }


def _spooled_file_names(home: Home) -> set[str]:
    return {path.name for folder in (home.outbox, home.outbox / "sent") for path in folder.glob("*.zip")}


def _retry_parcel(db: sqlite3.Connection, home: Home, parcel_id: str, now: datetime) -> dict[str, Json]:
    if outbox.get(db, parcel_id) is None:
        raise ApiError(404, Message("outbox.not_found"))
    try:
        return _serialize_parcel(outbox.retry(db, home.outbox, parcel_id, now), _spooled_file_names(home))
    except outbox.ParcelRetryError as error:
        raise ApiError(409, Message("outbox.no_retry", reason=error)) from error


def _read_parcel(db: sqlite3.Connection, home: Home, parcel_id: str) -> Download:
    parcel = outbox.get(db, parcel_id)
    if parcel is None:
        raise ApiError(404, Message("outbox.not_found"))
    try:
        return Download(f"{parcel.name}.zip", "application/zip", outbox.read(home.outbox, parcel))
    except (spool_files.ParcelFileError, OSError) as error:
        raise ApiError(404, Message("outbox.not_available", reason=error)) from error
