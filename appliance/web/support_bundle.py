"""The support bundle: what helps to find a fault, without secrets."""

import asyncio
import io
import json
import sqlite3
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from platform import platform, python_version

from appliance import __version__
from appliance.host.unit_status import SERVICE_UNITS
from appliance.settings import schema
from appliance.settings.validation import SECRET_KEYS
from appliance.storage import database, events, jobs, statistics
from appliance.web.db_thread import DatabaseThread
from appliance.web.jobs import serialize_job
from appliance.web.json_fields import format_optional_timestamp, format_timestamp
from appliance.web.services import read_unit_log
from appliance.web.settings_store import SettingsStore

MAX_LOG_LINES = 1_000  # of each log
ERROR_LOG_DIR = Path("/data/log")  # what root keeps of errors through restarts
COUNTED_TABLES = (
    "printers",
    "counters",
    "supplies",
    "alerts",
    "inputs",
    "outputs",
    "storages",
    "history",
    "jobs",
    "events",
    "parcels",
)


async def build_support_bundle(
    settings: SettingsStore, store: DatabaseThread, now: datetime, error_log_dir: Path = ERROR_LOG_DIR
) -> bytes:
    """A ZIP of a few text files."""
    logs = {unit: await read_unit_log(unit, MAX_LOG_LINES) for unit in SERVICE_UNITS.values()}
    about = {
        "version": __version__,
        "python": python_version(),
        "system": platform(),
        "at": format_timestamp(now),
    }
    files: dict[str, object] = {
        "about.json": {**about, "settings_problems": settings.problems},
        "settings.json": mask_secrets(schema.to_table(settings.current)),
        "database.json": await store.call(_summarize_database),
        **{f"{unit}.log.json": lines for unit, lines in logs.items()},
        "errors.json": await asyncio.to_thread(read_error_log, error_log_dir),
    }
    return await asyncio.to_thread(_pack_zip, files)


def read_error_log(directory: Path) -> list[str]:
    """The lines of the errors that outlive a restart, the oldest first; none where none are kept."""
    lines: list[str] = []
    for name in ("errors.1.log", "errors.log"):
        with suppress(OSError):
            lines += (directory / name).read_text("utf-8", "replace").splitlines()
    return lines[-MAX_LOG_LINES:]


def mask_secrets(value: object, path: str = "") -> object:
    """Settings without their secrets: only whether there is one."""
    if path in SECRET_KEYS:
        return {"set": bool(value)}
    if isinstance(value, Mapping):
        return {key: mask_secrets(item, f"{path}.{key}" if path else key) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [mask_secrets(item, path) for item in value]
    return value


def _summarize_database(db: sqlite3.Connection) -> dict[str, object]:
    with database.snapshot(db):
        return {
            "schema": statistics.schema_version(db),
            "sqlite": sqlite3.sqlite_version,
            "rows": statistics.count_rows(db, COUNTED_TABLES),
            "parcels": statistics.read_parcel_statistics(db).count_by_state,
            "models": [asdict(model) for model in statistics.list_model_statistics(db)],
            "failures": statistics.count_failures(db),
            "jobs": [serialize_job(db, job) for job in jobs.list_recent(db)],
            "events": [
                {
                    "kind": event.kind,
                    "subject": event.subject,
                    "text": event.text,
                    "began_at": format_timestamp(event.begun_at),
                    "ended_at": format_optional_timestamp(event.ended_at),
                }
                for event in events.list_recent(db)
            ],
        }


def _pack_zip(files: Mapping[str, object]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(
                name, json.dumps(content, indent=1, ensure_ascii=False).encode("utf-8", "replace")
            )
    return packed.getvalue()
