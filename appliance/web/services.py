"""Serve the state of the services, and submit privileged requests."""

from pathlib import Path

from appliance.domain.messages import Message, message_of
from appliance.host import unit_status
from appliance.host.unit_status import SERVICE_UNITS, UnitQueryError, UnitStatus
from appliance.privileged.request_handler import VERBS
from appliance.settings.schema import PLUG_STATE_DIR, Home, TrapsConfig
from appliance.web.errors import ApiError, not_on_plug
from appliance.web.handlers import ApiRequest, Routes
from appliance.web.json_fields import Json, JsonMapping, format_optional_timestamp, format_timestamp

NOT_INSTALLED_TEXT = Message("plug.not_on_device")
UNIT_STATES = ("active", "inactive", "failed", "activating", "deactivating")
NO_SYSTEMD_TEXT = Message("services.no_systemd")
SYSLOG_LEVELS = ("error", "error", "error", "error", "warning", "info", "info", "debug")  # syslog's 0 to 7


def is_installed_plug(home: Home, root: Path = Path("/")) -> bool:
    """Whether this is the installed Plug, run by systemd."""
    return home.folder == root / PLUG_STATE_DIR.relative_to("/") and unit_status.is_systemd_running(root)


def submit_privileged_request(home: Home, payload: JsonMapping, root: Path = Path("/")) -> str:
    """Ask for something that needs root; its id. Raises Trouble."""
    if not is_installed_plug(home, root):
        raise not_installed_error()
    return unit_status.submit_request(home.run, payload)


def not_installed_error() -> ApiError:
    """Why that cannot be had."""
    return not_on_plug(NOT_INSTALLED_TEXT)


def request_apply_settings(home: Home) -> None:
    """Let sockets and trap receiver become what the settings say, where that is ours to do."""
    if is_installed_plug(home):
        unit_status.submit_request(home.run, {"do": "apply"})


class ServicesApi:
    """The API of the page of the services."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def routes(self) -> Routes:
        return [
            ("GET", "/api/services", self._get_services),
            ("POST", "/api/services/{name}/{action}", self._control_service),
            ("GET", "/api/services/{name}/log", self._get_service_log),
        ]

    async def _get_services(self, _request: ApiRequest) -> JsonMapping:
        try:
            found, text = await unit_status.query_units(), ""
            if not any(unit.loaded for unit in found.values()):
                found, text = {}, NO_SYSTEMD_TEXT
        except UnitQueryError as error:
            found, text = {}, message_of(error)
        here = is_installed_plug(self._home)
        return {
            "available": bool(found),
            "text": text or ("" if here else NOT_INSTALLED_TEXT),
            "services": [_serialize_service(name, found.get(name), installed=here) for name in SERVICE_UNITS],
        }

    async def _control_service(self, request: ApiRequest) -> JsonMapping:
        name, action = request.params["name"], request.params["action"]
        asked_for = submit_privileged_request(self._home, {"do": action, "unit": SERVICE_UNITS[name]})
        return {"id": asked_for, "text": _action_text(name, action)}

    async def _get_service_log(self, request: ApiRequest) -> JsonMapping:
        return await read_unit_log(
            SERVICE_UNITS[request.params["name"]], int(request.params.get("lines", "200"))
        )


def _action_text(name: str, action: str) -> Message:
    match action:
        case "start":
            return Message("services.starting", service=name)
        case "stop":
            return Message("services.stopping", service=name)
        case _:
            return Message("services.restarting", service=name)


async def trap_receiver_state(traps: TrapsConfig) -> str:
    """off, running, stopped or unknown."""
    if not traps.enabled:
        return "off"
    try:
        unit = (await unit_status.query_units()).get("traps")
    except UnitQueryError:
        return "unknown"
    if unit is None or not unit.loaded:
        return "unknown"
    return "running" if unit.state == "active" else "stopped"


async def read_unit_log(unit: str, max_lines: int) -> dict[str, Json]:
    """Log, as openapi.json has it."""
    try:
        if not unit_status.is_systemd_running():
            raise UnitQueryError(NO_SYSTEMD_TEXT)
        lines = await unit_status.query_log_lines(unit, max_lines)
    except UnitQueryError as error:
        return {"available": False, "text": message_of(error), "lines": []}
    shaped: list[Json] = [
        {"at": format_timestamp(line.at), "level": SYSLOG_LEVELS[line.priority], "text": line.text}
        for line in lines
    ]
    return {"available": True, "text": "", "lines": shaped}


def _serialize_service(name: str, unit: UnitStatus | None, *, installed: bool) -> dict[str, Json]:
    known = unit if unit and unit.loaded and unit.state in UNIT_STATES else None
    return {
        "name": name,
        "unit": SERVICE_UNITS[name],
        "state": known.state if known else "unknown",
        "detail": known.detail if known else Message("services.no_unit"),
        "since": format_optional_timestamp(known.since) if known else None,
        "memory_bytes": known.memory if known else None,
        "restarts": known.restarts if known else None,
        "actions": _allowed_actions(known) if installed and known else [],
    }


def _allowed_actions(unit: UnitStatus) -> list[Json]:
    """What makes sense just now, of what may be asked of it."""
    sensible = ("stop", "restart") if unit.state == "active" else ("start", "restart")
    return [action for action in sensible if unit.unit in VERBS[action].allowed_units]
