"""Where parcels go: the settings, the test, and the outbox with exactly what left the site."""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Literal

from appliance.delivery import licence_policy, outbox, spool_files, transmission_test
from appliance.delivery.outbox import Parcel
from appliance.settings.schema import Config, Home, HttpsConfig, MailConfig
from appliance.web import tls
from appliance.web.db_thread import Store
from appliance.web.errors import Trouble, missing
from appliance.web.handlers import Asked, Download, Routes
from appliance.web.jobs import Poller
from appliance.web.json_fields import Json, Object, number, part, text
from appliance.web.settings_store import Settings
from appliance.web.timestamps import maybe_stamp, stamp

MOST_LISTED = 500


class Transmission:
    """The API of the page of the transmission."""

    def __init__(
        self, home: Home, settings: Settings, store: Store, poller: Poller, clock: Callable[[], datetime]
    ) -> None:
        self._home = home
        self._settings = settings
        self._store = store
        self._poller = poller
        self._clock = clock
        self._testing = asyncio.Lock()

    def routes(self) -> Routes:
        return [
            ("GET", "/api/transmission", self._show),
            ("PATCH", "/api/transmission", self._change),
            ("POST", "/api/transmission/test", self._test),
            ("GET", "/api/outbox", self._list),
            ("POST", "/api/outbox/{id}/retry", self._retry),
            ("GET", "/api/outbox/{id}/download", self._download),
        ]

    async def _show(self, _asked: Asked) -> Object:
        return await self._shaped(self._settings.now)

    async def _change(self, asked: Asked) -> Object:
        config = await self._settings.change(lambda config: _changed(config, asked.body), "transmission")
        self._poller.wake()
        return await self._shaped(config)

    async def _test(self, _asked: Asked) -> Object:
        if self._testing.locked():
            raise Trouble(503, "A test is running already.", code="busy")
        async with self._testing:
            steps = await transmission_test.run(self._home, self._settings.now, self._clock())
        return {"ok": transmission_test.passed(steps), "steps": [_step(step) for step in steps]}

    async def _list(self, _asked: Asked) -> Object:
        return await self._store.ask(_outbox, self._home)

    async def _retry(self, asked: Asked) -> Object:
        answer = await self._store.ask(_retry, self._home, asked.where["id"], self._clock())
        self._poller.wake()
        return answer

    async def _download(self, asked: Asked) -> Download:
        return await self._store.ask(_download, self._home, asked.where["id"])

    async def _shaped(self, config: Config) -> dict[str, Json]:
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
            "certificate": await self._certificate(),
        }

    async def _certificate(self) -> dict[str, Json]:
        pair = licence_policy.certificate(self._home)
        if pair is None:
            return {"set": False, "not_after": None}
        try:
            return {"set": True, "not_after": stamp((await tls.read(pair[0])).not_after)}
        except tls.NoCertificate:
            return {"set": True, "not_after": None}


def _step(step: transmission_test.Step) -> dict[str, Json]:
    return {
        "name": step.name,
        "ok": step.ok,
        "text": step.text,
        "advice": step.advice,
        "seconds": step.seconds,
    }


def _changed(config: Config, body: Object) -> Config:
    wanted = config.transmission
    mode, names, key = text(body, "mode"), text(body, "xml_names"), text(body, "key")
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
            https=_https(wanted.https, part(body, "https")),
            mail=_mail(wanted.mail, part(body, "mail")),
        ),
    )


def _https(https: HttpsConfig, body: Object) -> HttpsConfig:
    def said(key: str, old: str) -> str:
        value = text(body, key)
        return old if value is None else value.strip()

    password = text(body, "proxy_password")
    return HttpsConfig(
        url=said("url", https.url),
        ca_file=said("ca_file", https.ca_file),
        proxy=said("proxy", https.proxy),
        proxy_username=said("proxy_username", https.proxy_username),
        proxy_password=https.proxy_password if password is None else password,
    )


def _mail(mail: MailConfig, body: Object) -> MailConfig:
    def said(key: str, old: str) -> str:
        value = text(body, key)
        return old if value is None else value.strip()

    chosen: dict[str, Literal["none", "starttls", "tls"]] = {
        "none": "none",
        "starttls": "starttls",
        "tls": "tls",
    }
    password = text(body, "password")
    return MailConfig(
        host=said("host", mail.host),
        port=number(body, "port") or mail.port,
        security=chosen.get(text(body, "security") or "", mail.security),
        ca_file=said("ca_file", mail.ca_file),
        username=said("username", mail.username),
        password=mail.password if password is None else password,
        sender=said("sender", mail.sender),
        recipient=said("recipient", mail.recipient),
    )


def _outbox(db: sqlite3.Connection, home: Home) -> dict[str, Json]:
    listed = outbox.listing(db)
    there = _files(home)
    return {
        "parcels": [_parcel(each, there) for each in reversed(listed[-MOST_LISTED:])],
        **{
            state: sum(each.state == state for each in listed)
            for state in ("waiting", "refused", "delivered", "lost")
        },
        "bytes": sum(each.size for each in listed if each.file in there),
    }


def _parcel(parcel: Parcel, there: set[str]) -> dict[str, Json]:
    return {
        "id": parcel.id,
        "name": parcel.name,
        "created_at": stamp(parcel.created_at),
        "size": parcel.size,
        "digest": parcel.digest,
        "state": parcel.state,
        "attempts": parcel.attempts,
        "next_at": maybe_stamp(parcel.next_at),
        "error": parcel.error,
        "delivered_at": maybe_stamp(parcel.delivered_at),
        "downloadable": parcel.file in there,
    }


def _files(home: Home) -> set[str]:
    return {path.name for folder in (home.outbox, home.outbox / "sent") for path in folder.glob("*.zip")}


def _retry(db: sqlite3.Connection, home: Home, parcel_id: str, now: datetime) -> dict[str, Json]:
    if outbox.get(db, parcel_id) is None:
        raise missing("such parcel")
    try:
        return _parcel(outbox.retry(db, home.outbox, parcel_id, now), _files(home))
    except outbox.NotRetried as error:
        raise Trouble(409, f"It cannot be sent again: {error}.") from error


def _download(db: sqlite3.Connection, home: Home, parcel_id: str) -> Download:
    parcel = outbox.get(db, parcel_id)
    if parcel is None:
        raise missing("such parcel")
    try:
        return Download(f"{parcel.name}.zip", "application/zip", outbox.read(home.outbox, parcel))
    except (spool_files.Unreadable, OSError) as error:
        raise Trouble(404, f"It cannot be had any more: {error}.") from error
