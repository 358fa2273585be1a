"""The Plug itself: its names, its certificate, backup and restore, what support wants to see."""

import asyncio
import base64
import binascii
import json
import os
import platform
import secrets
import shutil
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal
from zoneinfo import available_timezones

from appliance import __version__
from appliance.delivery import archive
from appliance.host import disk_stats
from appliance.host.board import serial_number
from appliance.privileged.request_handler import ALL
from appliance.settings import schema as configuration
from appliance.settings import validation
from appliance.settings.schema import Config, Home
from appliance.web import privileged_client, tls
from appliance.web.db_thread import Store
from appliance.web.errors import Trouble, wrong
from appliance.web.handlers import Asked, Download, Routes
from appliance.web.json_fields import Json, Object, number, part, text, truth
from appliance.web.licences import licence
from appliance.web.sessions import Sessions
from appliance.web.settings_store import Settings
from appliance.web.support_bundle import bundle
from appliance.web.timestamps import stamp

BACKUP_FORMAT = "printmonitor-settings-1"
KEPT = ("web", "network")  # of this Plug, whatever a backup says: else a restore locks people out
TEMPERATURE = Path("/sys/class/thermal/thermal_zone0/temp")


@dataclass(frozen=True, slots=True)
class Ways:
    """How the page can be reached."""

    port: int | None
    tls_port: int | None
    context: ssl.SSLContext | None


class System:
    """The API of the page of the system."""

    def __init__(
        self,
        home: Home,
        *,
        settings: Settings,
        store: Store,
        sessions: Sessions,
        ways: Ways,
        clock: Callable[[], datetime],
        root: Path = Path("/"),
    ) -> None:
        self._home = home
        self._root = root
        self._settings = settings
        self._store = store
        self._sessions = sessions
        self._ways = ways
        self._clock = clock
        self._started_at = clock()

    def routes(self) -> Routes:
        return [
            ("GET", "/api/system", self._show),
            ("PATCH", "/api/system", self._change),
            ("PUT", "/api/system/certificate", self._take_certificate),
            ("DELETE", "/api/system/certificate", self._new_certificate),
            ("POST", "/api/system/backup", self._back_up),
            ("POST", "/api/system/restore", self._restore),
            ("GET", "/api/system/support", self._support),
            ("POST", "/api/system/restart", self._restart),
            ("POST", "/api/system/factory-reset", self._reset),
            ("POST", "/api/system/metrics-token", self._metrics_on),
            ("DELETE", "/api/system/metrics-token", self._metrics_off),
            ("GET", "/api/time-zones", self._zones),
        ]

    async def _show(self, _asked: Asked) -> Object:
        return await self._shaped()

    async def _change(self, asked: Asked) -> Object:
        await self._settings.change(lambda config: _changed(config, asked.body))
        if {"port", "tls_port", "mdns"} & asked.body.keys():
            privileged_client.apply(self._home)
        return await self._shaped()

    async def _shaped(self) -> dict[str, Json]:
        config, here = self._settings.now, privileged_client.is_box(self._home, self._root)
        return {
            "name": config.plug.name,
            "site": config.plug.site,
            "language": config.plug.language,
            "mdns": config.plug.mdns,
            "time_zone": config.schedule.time_zone,
            "time": stamp(self._clock()),
            "version": __version__,
            "started_at": stamp(self._started_at),
            "box": here,
            "box_text": "" if here else privileged_client.ELSEWHERE,
            "port": self._ways.port,
            "tls_port": self._ways.tls_port,
            "certificate": await self._certificate(),
            "licence": licence(self._home, self._clock()),
            "metrics": {"enabled": bool(config.web.metrics_token)},
            "storage": await asyncio.to_thread(_storage, self._home),
            "host": _host(self._home),
            "settings_problems": list(self._settings.problems),
            "sessions": len(self._sessions),
        }

    async def _certificate(self) -> dict[str, Json] | None:
        if self._ways.context is None:
            return None
        try:
            found = await tls.read(tls.certificate_file(self._home))
        except tls.NoCertificate:
            return None
        return {
            "names": list(found.names),
            "issuer": found.issuer,
            "self_signed": found.issuer == found.subject,
            "not_before": stamp(found.not_before),
            "not_after": stamp(found.not_after),
            "fingerprint": found.fingerprint,
            "uploaded": tls.is_uploaded(self._home),
        }

    async def _take_certificate(self, asked: Asked) -> Object:
        self._must_have_tls()
        certificate, key = text(asked.body, "certificate") or "", text(asked.body, "private_key") or ""
        try:
            await tls.take(self._home, certificate, key, self._clock())
        except tls.NoCertificate as error:
            raise wrong(f"certificate: {error}.", "certificate") from error
        return await self._loaded()

    async def _new_certificate(self, _asked: Asked) -> Object:
        self._must_have_tls()
        await tls.make(self._home, self._settings.now.plug.name)
        return await self._loaded()

    def _must_have_tls(self) -> None:
        if self._ways.context is None:
            raise Trouble(409, "HTTPS is not to be had here: see the log of the page.")

    async def _loaded(self) -> Object:
        """The certificate that new connections get."""
        context, shaped = self._ways.context, await self._certificate()
        if context is None or shaped is None:
            raise Trouble(409, "The certificate cannot be read.")
        tls.load(context, self._home)
        return shaped

    async def _back_up(self, asked: Asked) -> Download:
        config = self._settings.now
        settings = {key: value for key, value in configuration.as_data(config).items() if key not in KEPT}
        document = {
            "format": BACKUP_FORMAT,
            "version": __version__,
            "at": stamp(self._clock()),
            "settings": settings,
        }
        data = json.dumps(document, indent=1).encode()
        packed = await asyncio.to_thread(
            archive.pack, "settings", data, text(asked.body, "password") or "", ".json"
        )
        return Download(f"{config.plug.name}-settings-{self._clock():%Y%m%d}.zip", "application/zip", packed)

    async def _restore(self, asked: Asked) -> Object:
        settings = await asyncio.to_thread(
            _unpacked, text(asked.body, "backup") or "", text(asked.body, "password") or ""
        )
        before = self._settings.now

        def change(config: Config) -> Config:
            kept = {key: value for key, value in configuration.as_data(config).items() if key in KEPT}
            data = {**{key: value for key, value in settings.items() if key not in KEPT}, **kept}
            if problems := configuration.problems(data):
                raise wrong(f"backup: {problems[0]}", "backup")
            return validation.build(Config(), data)

        after = await self._settings.change(change)
        changed = _differences(configuration.as_data(before), configuration.as_data(after))
        return {
            "text": f"{changed} settings were taken over." if changed else "Nothing had changed.",
            "settings": changed,
        }

    async def _support(self, _asked: Asked) -> Download:
        data = await bundle(self._settings, self._store, self._clock())
        return Download(
            f"{self._settings.now.plug.name}-support-{self._clock():%Y%m%d}.zip", "application/zip", data
        )

    async def _restart(self, asked: Asked) -> Object:
        what = text(asked.body, "what")
        order: dict[str, Json] = {"do": "reboot"} if what == "box" else {"do": "restart", "unit": ALL}
        asked_for = privileged_client.request(self._home, order, self._root)
        return {"id": asked_for, "text": "The restart was asked for."}

    async def _reset(self, asked: Asked) -> Object:
        """Nobody does this by a slip: the Plug's name has to be typed."""
        if text(asked.body, "name") != self._settings.now.plug.name:
            raise wrong("name: is not the name of this Plug.", "name")
        asked_for = privileged_client.request(self._home, {"do": "factory-reset"}, self._root)
        return {"id": asked_for, "text": "The Plug forgets everything and starts again."}

    async def _metrics_on(self, _asked: Asked) -> Object:
        token = secrets.token_urlsafe(32)
        await self._set_token(token)
        return {"token": token}

    async def _metrics_off(self, _asked: Asked) -> None:
        await self._set_token("")

    async def _set_token(self, token: str) -> None:
        await self._settings.change(
            lambda config: replace(config, web=replace(config.web, metrics_token=token)), "web"
        )

    async def _zones(self, _asked: Asked) -> Object:
        known = await asyncio.to_thread(available_timezones)
        zones = sorted(name for name in known if "/" in name and not name.startswith(("Etc/", "SystemV/")))
        return {"zones": [*zones, "UTC"]}


def _changed(config: Config, body: Object) -> Config:
    plug, when, web = config.plug, config.schedule, config.web
    languages: dict[str, Literal["en", "de"]] = {"en": "en", "de": "de"}
    plug = replace(
        plug,
        name=text(body, "name") or plug.name,
        site=plug.site if (site := text(body, "site")) is None else site.strip(),
        language=languages.get(text(body, "language") or "", plug.language),
        mdns=plug.mdns if (mdns := truth(body, "mdns")) is None else mdns,
    )
    when = replace(when, time_zone=text(body, "time_zone") or when.time_zone)
    web = replace(
        web, port=number(body, "port") or web.port, tls_port=number(body, "tls_port") or web.tls_port
    )
    return replace(config, plug=plug, schedule=when, web=web)


def _unpacked(backup: str, password: str) -> Object:
    """The settings of a backup. Raises Trouble."""
    try:
        _, data = archive.unpack(base64.b64decode(backup, validate=True), password, ".json")
        document = json.loads(data)
    except archive.BadKey as error:
        raise wrong("password: does not open this backup.", "password") from error
    except (archive.BadParcel, binascii.Error, ValueError, RecursionError) as error:
        raise wrong("backup: is no backup of a Plug's settings, or is damaged.", "backup") from error
    if not isinstance(document, dict) or document.get("format") != BACKUP_FORMAT:
        raise wrong("backup: is no backup of a Plug's settings.", "backup")
    return part(document, "settings")


def _differences(before: object, after: object) -> int:
    if isinstance(before, dict) and isinstance(after, dict):
        return sum(_differences(before.get(key), after.get(key)) for key in before.keys() | after.keys())
    return int(before != after)


def _storage(home: Home) -> dict[str, Json]:
    database = sum(_size(Path(f"{home.database}{suffix}")) for suffix in ("", "-wal"))
    parcels = sum(_size(path) for path in home.outbox.rglob("*.zip"))
    return {
        "database_bytes": database,
        "outbox_bytes": parcels,
        "free_bytes": shutil.disk_usage(home.folder).free,
    }


def _host(home: Home) -> dict[str, Json]:
    temperature = _read(TEMPERATURE)
    return {
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "temperature": round(int(temperature) / 1000, 1) if temperature.lstrip("-").isdecimal() else None,
        "serial_number": serial_number() or None,
        "uptime_seconds": float(round(time.clock_gettime(time.CLOCK_BOOTTIME))),
        "card_written_bytes": disk_stats.written(home.folder),
    }


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0


def _read(path: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text("ascii").strip("\0 \n")
    return ""
