"""The Plug's services: what systemd says of them, and what may be asked of them."""

from appliance.host import unit_status
from appliance.host.unit_status import UNITS, NotAnswered, Unit
from appliance.privileged.request_handler import VERBS
from appliance.settings.schema import Home, TrapsConfig
from appliance.web import privileged_client
from appliance.web.handlers import Asked, Routes
from appliance.web.json_fields import Json, Object
from appliance.web.timestamps import maybe_stamp, stamp

STATES = ("active", "inactive", "failed", "activating", "deactivating")
NOT_HERE = "The services are not run by systemd here."
LEVELS = ("error", "error", "error", "error", "warning", "info", "info", "debug")  # syslog's 0 to 7


class Services:
    """The API of the page of the services."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def routes(self) -> Routes:
        return [
            ("GET", "/api/services", self._list),
            ("POST", "/api/services/{name}/{action}", self._control),
            ("GET", "/api/services/{name}/log", self._log),
        ]

    async def _list(self, _asked: Asked) -> Object:
        try:
            found, text = await unit_status.show(), ""
            if not any(unit.loaded for unit in found.values()):
                found, text = {}, NOT_HERE
        except NotAnswered as error:
            found, text = {}, str(error)
        here = privileged_client.is_box(self._home)
        return {
            "available": bool(found),
            "text": text or ("" if here else privileged_client.ELSEWHERE),
            "services": [_shaped(name, found.get(name), here=here) for name in UNITS],
        }

    async def _control(self, asked: Asked) -> Object:
        name, action = asked.where["name"], asked.where["action"]
        asked_for = privileged_client.request(self._home, {"do": action, "unit": UNITS[name]})
        return {"id": asked_for, "text": f"{name}: {action} was asked for."}

    async def _log(self, asked: Asked) -> Object:
        return await log_lines(UNITS[asked.where["name"]], int(asked.where.get("lines", "200")))


async def receiver_state(traps: TrapsConfig) -> str:
    """off, running, stopped or unknown."""
    if not traps.enabled:
        return "off"
    try:
        unit = (await unit_status.show()).get("traps")
    except NotAnswered:
        return "unknown"
    if unit is None or not unit.loaded:
        return "unknown"
    return "running" if unit.state == "active" else "stopped"


async def log_lines(unit: str, most: int) -> dict[str, Json]:
    """Log, as openapi.json has it."""
    try:
        if not unit_status.is_booted():
            raise NotAnswered(NOT_HERE)
        lines = await unit_status.log_lines(unit, most)
    except NotAnswered as error:
        return {"available": False, "text": str(error), "lines": []}
    shaped: list[Json] = [
        {"at": stamp(line.at), "level": LEVELS[line.priority], "text": line.text} for line in lines
    ]
    return {"available": True, "text": "", "lines": shaped}


def _shaped(name: str, unit: Unit | None, *, here: bool) -> dict[str, Json]:
    known = unit if unit and unit.loaded and unit.state in STATES else None
    return {
        "name": name,
        "unit": UNITS[name],
        "state": known.state if known else "unknown",
        "detail": known.detail if known else "There is no such unit here.",
        "since": maybe_stamp(known.since) if known else None,
        "memory_bytes": known.memory if known else None,
        "restarts": known.restarts if known else None,
        "actions": _actions(known) if here and known else [],
    }


def _actions(unit: Unit) -> list[Json]:
    """What makes sense just now, of what may be asked of it."""
    sensible = ("stop", "restart") if unit.state == "active" else ("start", "restart")
    return [action for action in sensible if unit.unit in VERBS[action].units]
