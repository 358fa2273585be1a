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
from appliance.domain.messages import Message
from appliance.host import board
from appliance.host.board import read_serial_number
from appliance.privileged.request_handler import ALL_UNITS_TARGET
from appliance.settings import schema as configuration
from appliance.settings import validation
from appliance.settings.schema import Config, Home
from appliance.web import services, tls
from appliance.web.db_thread import DatabaseThread
from appliance.web.errors import ApiError, invalid_value
from appliance.web.handlers import ApiRequest, Download, Routes
from appliance.web.json_fields import (
    Json,
    JsonMapping,
    format_timestamp,
    get_bool,
    get_int,
    get_object,
    get_str,
)
from appliance.web.licences import serialize_licence
from appliance.web.sessions import SessionStore
from appliance.web.settings_store import SettingsStore
from appliance.web.support_bundle import build_support_bundle

BACKUP_FORMAT = "printmonitor-settings-1"
UNRESTORED_SECTIONS = (
    "web",
    "network",
)  # of this Plug, whatever a backup says: else a restore locks people out
TEMPERATURE_FILE = Path("/sys/class/thermal/thermal_zone0/temp")


@dataclass(frozen=True, slots=True)
class ListenInfo:
    """How the page can be reached."""

    port: int | None
    tls_port: int | None
    context: ssl.SSLContext | None


class SystemApi:
    """The API of the page of the system."""

    def __init__(
        self,
        home: Home,
        *,
        settings: SettingsStore,
        store: DatabaseThread,
        sessions: SessionStore,
        listen_info: ListenInfo,
        clock: Callable[[], datetime],
        root: Path = Path("/"),
    ) -> None:
        self._home = home
        self._root = root
        self._settings = settings
        self._store = store
        self._sessions = sessions
        self._listen_info = listen_info
        self._clock = clock
        self._started_at = clock()

    def routes(self) -> Routes:
        return [
            ("GET", "/api/system", self._get_system),
            ("PATCH", "/api/system", self._update_system_settings),
            ("PUT", "/api/system/certificate", self._upload_certificate),
            ("DELETE", "/api/system/certificate", self._delete_certificate),
            ("POST", "/api/system/backup", self._download_backup),
            ("POST", "/api/system/restore", self._restore_backup),
            ("GET", "/api/system/support", self._download_support_bundle),
            ("POST", "/api/system/restart", self._request_restart),
            ("POST", "/api/system/factory-reset", self._request_factory_reset),
            ("POST", "/api/system/metrics-token", self._create_metrics_token),
            ("DELETE", "/api/system/metrics-token", self._delete_metrics_token),
            ("GET", "/api/time-zones", self._get_time_zones),
        ]

    async def _get_system(self, _request: ApiRequest) -> JsonMapping:
        return await self._serialize_system()

    async def _update_system_settings(self, request: ApiRequest) -> JsonMapping:
        await self._settings.update(lambda config: _merge_system_settings(config, request.body))
        if {"port", "tls_port", "mdns"} & request.body.keys():
            services.request_apply_settings(self._home)
        return await self._serialize_system()

    async def _serialize_system(self) -> dict[str, Json]:
        config, here = self._settings.current, services.is_installed_plug(self._home, self._root)
        return {
            "name": config.plug.name,
            "site": config.plug.site,
            "language": config.plug.language,
            "mdns": config.plug.mdns,
            "time_zone": config.schedule.time_zone,
            "time": format_timestamp(self._clock()),
            "version": __version__,
            "started_at": format_timestamp(self._started_at),
            "box": here,
            "box_text": "" if here else services.NOT_INSTALLED_TEXT,
            "port": self._listen_info.port,
            "tls_port": self._listen_info.tls_port,
            "certificate": await self._serialize_certificate(),
            "licence": serialize_licence(self._home, self._clock()),
            "metrics": {"enabled": bool(config.web.metrics_token)},
            "storage": await asyncio.to_thread(_storage_usage, self._home),
            "host": _host_info(self._home),
            "settings_problems": list(self._settings.problems),
            "sessions": len(self._sessions),
        }

    async def _serialize_certificate(self) -> dict[str, Json] | None:
        if self._listen_info.context is None:
            return None
        try:
            found = await tls.read_certificate(tls.certificate_path(self._home))
        except tls.CertificateError:
            return None
        return {
            "names": list(found.names),
            "issuer": found.issuer,
            "self_signed": found.issuer == found.subject,
            "not_before": format_timestamp(found.not_before),
            "not_after": format_timestamp(found.not_after),
            "fingerprint": found.fingerprint,
            "uploaded": tls.is_uploaded(self._home),
        }

    async def _upload_certificate(self, request: ApiRequest) -> JsonMapping:
        self._require_tls()
        certificate, key = (
            get_str(request.body, "certificate") or "",
            get_str(request.body, "private_key") or "",
        )
        try:
            await tls.install_uploaded(self._home, certificate, key, self._clock())
        except tls.CertificateError as error:
            raise invalid_value(error, "certificate") from error
        return await self._reload_certificate()

    async def _delete_certificate(self, _request: ApiRequest) -> JsonMapping:
        self._require_tls()
        await tls.create_self_signed(self._home, self._settings.current.plug.name)
        return await self._reload_certificate()

    def _require_tls(self) -> None:
        if self._listen_info.context is None:
            raise ApiError(409, Message("certificate.no_https"))

    async def _reload_certificate(self) -> JsonMapping:
        """The certificate that new connections get."""
        context, shaped = self._listen_info.context, await self._serialize_certificate()
        if context is None or shaped is None:
            raise ApiError(409, Message("certificate.unreadable"))
        tls.load_certificate(context, self._home)
        return shaped

    async def _download_backup(self, request: ApiRequest) -> Download:
        config = self._settings.current
        settings = {
            key: value
            for key, value in configuration.to_table(config).items()
            if key not in UNRESTORED_SECTIONS
        }
        document = {
            "format": BACKUP_FORMAT,
            "version": __version__,
            "at": format_timestamp(self._clock()),
            "settings": settings,
        }
        data = json.dumps(document, indent=1).encode()
        packed = await asyncio.to_thread(
            archive.pack, "settings", data, get_str(request.body, "password") or "", ".json"
        )
        return Download(f"{config.plug.name}-settings-{self._clock():%Y%m%d}.zip", "application/zip", packed)

    async def _restore_backup(self, request: ApiRequest) -> JsonMapping:
        settings = await asyncio.to_thread(
            _unpack_backup, get_str(request.body, "backup") or "", get_str(request.body, "password") or ""
        )
        before = self._settings.current

        def change(config: Config) -> Config:
            kept = {
                key: value
                for key, value in configuration.to_table(config).items()
                if key in UNRESTORED_SECTIONS
            }
            data = {
                **{key: value for key, value in settings.items() if key not in UNRESTORED_SECTIONS},
                **kept,
            }
            if problems := configuration.find_problems(data):
                raise invalid_value(problems[0], "backup")
            return validation.build_record(Config(), data)

        after = await self._settings.update(change)
        changed = _count_differences(configuration.to_table(before), configuration.to_table(after))
        return {
            "text": Message("backup.restored", count=changed) if changed else Message("backup.unchanged"),
            "settings": changed,
        }

    async def _download_support_bundle(self, _request: ApiRequest) -> Download:
        data = await build_support_bundle(self._settings, self._store, self._clock())
        return Download(
            f"{self._settings.current.plug.name}-support-{self._clock():%Y%m%d}.zip", "application/zip", data
        )

    async def _request_restart(self, request: ApiRequest) -> JsonMapping:
        what = get_str(request.body, "what")
        order: dict[str, Json] = (
            {"do": "reboot"} if what == "box" else {"do": "restart", "unit": ALL_UNITS_TARGET}
        )
        asked_for = services.submit_privileged_request(self._home, order, self._root)
        return {"id": asked_for, "text": Message("system.restarting")}

    async def _request_factory_reset(self, request: ApiRequest) -> JsonMapping:
        """Nobody does this by a slip: the Plug's name has to be typed."""
        if get_str(request.body, "name") != self._settings.current.plug.name:
            raise invalid_value(Message("system.wrong_name"), "name")
        asked_for = services.submit_privileged_request(self._home, {"do": "factory-reset"}, self._root)
        return {"id": asked_for, "text": Message("system.factory_reset")}

    async def _create_metrics_token(self, _request: ApiRequest) -> JsonMapping:
        token = secrets.token_urlsafe(32)
        await self._save_metrics_token(token)
        return {"token": token}

    async def _delete_metrics_token(self, _request: ApiRequest) -> None:
        await self._save_metrics_token("")

    async def _save_metrics_token(self, token: str) -> None:
        await self._settings.update(
            lambda config: replace(config, web=replace(config.web, metrics_token=token)), "web"
        )

    async def _get_time_zones(self, _request: ApiRequest) -> JsonMapping:
        known = await asyncio.to_thread(available_timezones)
        zones = sorted(name for name in known if "/" in name and not name.startswith(("Etc/", "SystemV/")))
        return {"zones": [*zones, "UTC"]}


def _merge_system_settings(config: Config, body: JsonMapping) -> Config:
    plug, when, web = config.plug, config.schedule, config.web
    languages: dict[str, Literal["en", "de"]] = {"en": "en", "de": "de"}
    plug = replace(
        plug,
        name=get_str(body, "name") or plug.name,
        site=plug.site if (site := get_str(body, "site")) is None else site.strip(),
        language=languages.get(get_str(body, "language") or "", plug.language),
        mdns=plug.mdns if (mdns := get_bool(body, "mdns")) is None else mdns,
    )
    when = replace(when, time_zone=get_str(body, "time_zone") or when.time_zone)
    web = replace(
        web, port=get_int(body, "port") or web.port, tls_port=get_int(body, "tls_port") or web.tls_port
    )
    return replace(config, plug=plug, schedule=when, web=web)


def _unpack_backup(backup: str, password: str) -> JsonMapping:
    """The settings of a backup. Raises Trouble."""
    try:
        _, data = archive.unpack(base64.b64decode(backup, validate=True), password, ".json")
        document = json.loads(data)
    except archive.ParcelKeyError as error:
        raise invalid_value(Message("backup.wrong_password"), "password") from error
    except (archive.InvalidParcelError, binascii.Error, ValueError, RecursionError) as error:
        raise invalid_value(Message("backup.damaged"), "backup") from error
    if not isinstance(document, dict) or document.get("format") != BACKUP_FORMAT:
        raise invalid_value(Message("backup.none"), "backup")
    return get_object(document, "settings")


def _count_differences(before: object, after: object) -> int:
    if isinstance(before, dict) and isinstance(after, dict):
        return sum(
            _count_differences(before.get(key), after.get(key)) for key in before.keys() | after.keys()
        )
    return int(before != after)


def _storage_usage(home: Home) -> dict[str, Json]:
    database = sum(_file_size(Path(f"{home.database}{suffix}")) for suffix in ("", "-wal"))
    parcels = sum(_file_size(path) for path in home.outbox.rglob("*.zip"))
    return {
        "database_bytes": database,
        "outbox_bytes": parcels,
        "free_bytes": shutil.disk_usage(home.folder).free,
    }


def _host_info(home: Home) -> dict[str, Json]:
    temperature = _read_sysfs_text(TEMPERATURE_FILE)
    return {
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "temperature": round(int(temperature) / 1000, 1) if temperature.lstrip("-").isdecimal() else None,
        "serial_number": read_serial_number() or None,
        "uptime_seconds": float(round(time.clock_gettime(time.CLOCK_BOOTTIME))),
        "card_written_bytes": board.read_bytes_written(home.folder),
    }


def _file_size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0


def _read_sysfs_text(path: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text("ascii").strip("\0 \n")
    return ""
