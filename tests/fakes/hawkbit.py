"""A fleet server as Eclipse hawkBit's DDI v1 is published; strict about paths, tokens and feedback.

https://eclipse.dev/hawkbit/rest-api/ddi/, and its models DdiControllerBase, DdiDeploymentBase, DdiCancel,
DdiActionFeedback, DdiConfigData. What a real server would shrug off (unknown fields) is a problem here.
"""

import asyncio
import hashlib
import json
import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import trustme
from aiohttp import web

EXECUTIONS = {
    "closed",
    "proceeding",
    "canceled",
    "scheduled",
    "rejected",
    "resumed",
    "downloaded",
    "download",
}
FINISHED = {"success", "failure", "none"}


@dataclass
class Action:
    """What the operator wants of the device."""

    id: str
    bundle: bytes
    version: str = "1.1.0"
    download: str = "forced"
    update: str = "forced"
    window: str | None = None  # available unavailable
    sha256: str | None = None  # None: the right one
    filenames: tuple[str, ...] = ("plug.raucb",)
    plain: bool = False  # only by HTTP
    state: str = "running"  # cancelling finished error cancelled downloaded
    feedback: list[tuple[str, str, str]] = field(default_factory=list)  # execution, finished, details

    @property
    def is_active(self) -> bool:
        return self.state in ("running", "cancelling")


class Hawkbit:
    """`async with Hawkbit(folder) as server:` then `server.assign(Action(...))`."""

    def __init__(
        self,
        folder: Path,
        *,
        controller: str = "printmonitor-4f2a91",
        login: str = "TargetToken s3cret",
        host: str = "127.0.0.1",
        shown: Path | None = None,
    ) -> None:
        """`shown`: a certificate of the server's own, with its key, of whichever authority."""
        self.host = host
        self._shown = shown
        self.ca_file = folder / "hawkbit-ca.pem"
        self.controller = controller
        self.login = login
        self.sleep = "00:05:00"
        self.tenant = "DEFAULT"
        self.attributes: dict[str, str] = {}
        self.wants_attributes = True
        self.actions: dict[str, Action] = {}
        self.problems: list[str] = []  # what a client did wrong
        self.polls = 0
        self.down = False
        self.hold: asyncio.Event | None = None  # the second half of a bundle waits for it
        self._authority = trustme.CA()
        self._authority.cert_pem.write_to_path(self.ca_file)

    @property
    def url(self) -> str:
        return f"https://{self.host}:{self.port}"

    def assign(self, action: Action) -> Action:
        self.actions[action.id] = action
        return action

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if self._shown:
            context.load_cert_chain(self._shown)
        else:
            self._authority.issue_cert(self.host).configure_cert(context)
        await web.TCPSite(self._runner, self.host, 0, ssl_context=context).start()
        await web.TCPSite(self._runner, self.host, 0).start()
        self.port, self.plain_port = (each[1] for each in self._runner.addresses)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if self.down:
            return web.Response(status=503)
        if found := re.fullmatch(r"/artifacts/([\w-]+)/([\w.-]+)", request.path):
            return await self._artifact(request, self.actions[found[1]])
        if request.headers.get("Authorization") != self.login:
            return web.Response(status=401)
        base = f"/{self.tenant}/controller/v1/{self.controller}"
        if not request.path.startswith(base):
            self.problems.append(f"there is no {request.path}")
            return web.Response(status=404)
        return await self._ddi(request, request.path.removeprefix(base))

    async def _ddi(self, request: web.Request, path: str) -> web.Response:
        if (request.method, path) == ("GET", ""):
            return self._base()
        if (request.method, path) == ("PUT", "/configData"):
            return await self._config_data(request)
        found = re.fullmatch(r"/(deploymentBase|cancelAction)/([\w-]+)(/feedback)?", path)
        action = self.actions.get(found[2]) if found else None
        if found is None or action is None or request.method != ("POST" if found[3] else "GET"):
            self.problems.append(f"there is no {request.method} {path}")
            return web.Response(status=404)
        match found[1], found[3]:
            case "deploymentBase", None:
                return self._deployment(action)
            case "cancelAction", None:
                there = action.state == "cancelling"
                body = {"id": action.id, "cancelAction": {"stopId": action.id}}
                return web.json_response(body) if there else web.Response(status=404)
        return await self._feedback(request, action, cancel=found[1] == "cancelAction")

    def _base(self) -> web.Response:
        self.polls += 1
        here = f"{self.url}/{self.tenant}/controller/v1/{self.controller}"
        links = {}
        if self.wants_attributes:
            links["configData"] = {"href": f"{here}/configData"}
        active = next((each for each in self.actions.values() if each.is_active), None)
        if active and active.state == "cancelling":
            links["cancelAction"] = {"href": f"{here}/cancelAction/{active.id}"}
        elif active:
            links["deploymentBase"] = {"href": f"{here}/deploymentBase/{active.id}?c=-2129030598"}
        return web.json_response({"config": {"polling": {"sleep": self.sleep}}, "_links": links})

    def _deployment(self, action: Action) -> web.Response:
        if action.state != "running":
            return web.Response(status=404)
        hashes = {
            "sha1": hashlib.sha1(action.bundle, usedforsecurity=False).hexdigest(),
            "md5": hashlib.md5(action.bundle, usedforsecurity=False).hexdigest(),
            "sha256": action.sha256 or hashlib.sha256(action.bundle).hexdigest(),
        }
        way, place = (
            ("download-http", f"http://{self.host}:{self.plain_port}")
            if action.plain
            else ("download", self.url)
        )
        artifacts = [
            {
                "filename": name,
                "hashes": hashes,
                "size": len(action.bundle),
                "_links": {
                    way: {"href": f"{place}/artifacts/{action.id}/{name}"},
                    "md5sum": {"href": f"{place}/artifacts/{action.id}/{name}.MD5SUM"},
                },
            }
            for name in action.filenames
        ]
        chunk = {"part": "os", "version": action.version, "name": "PrintMonitor Plug", "artifacts": artifacts}
        told = {"download": action.download, "update": action.update, "chunks": [chunk]}
        if action.window:
            told["maintenanceWindow"] = action.window
        return web.json_response({"id": action.id, "deployment": told})

    async def _artifact(self, request: web.Request, action: Action) -> web.StreamResponse:
        if request.secure and request.headers.get("Authorization") != self.login:
            return web.Response(status=401)
        if not request.secure and "Authorization" in request.headers:
            self.problems.append("the token was sent in clear")
        response = web.StreamResponse(headers={"Content-Length": str(len(action.bundle))})
        await response.prepare(request)
        half = len(action.bundle) // 2
        await response.write(action.bundle[:half])
        if self.hold:
            await self.hold.wait()
        await response.write(action.bundle[half:])
        return response

    async def _config_data(self, request: web.Request) -> web.Response:
        body = await self._body(request)
        data = body.get("data")
        if set(body) - {"mode", "data"} or body.get("mode") not in (None, "merge", "replace", "remove"):
            self.problems.append(f"configData: {body}")
        if not isinstance(data, dict) or not data or not all(isinstance(each, str) for each in data.values()):
            return self._wrong(f"configData: {body}")
        self.attributes.update(data)
        self.wants_attributes = False
        return web.Response()

    async def _feedback(self, request: web.Request, action: Action, *, cancel: bool) -> web.Response:
        body = await self._body(request)
        found = as_described(body, action.id)
        if found is None:
            return self._wrong(f"feedback: {body}")
        if not action.is_active:
            return web.Response(status=410)
        execution, finished, _ = found
        action.feedback.append(found)
        if cancel:
            action.state = {"closed": "cancelled", "rejected": "running"}.get(execution, action.state)
        elif execution == "closed":
            action.state = "finished" if finished == "success" else "error"
        elif execution == "downloaded" and action.update == "skip" and not action.window:
            action.state = "downloaded"
        return web.Response()

    async def _body(self, request: web.Request) -> dict[str, object]:
        if request.content_type != "application/json":
            self.problems.append(f"{request.path}: Content-Type {request.content_type}")
        try:
            found = json.loads(await request.read())
        except ValueError:
            found = None
        return found if isinstance(found, dict) else {}

    def _wrong(self, problem: str) -> web.Response:
        self.problems.append(problem)
        return web.Response(status=400)


def as_described(body: dict[str, object], action: str) -> tuple[str, str, str] | None:
    """Execution, result and details of a DdiActionFeedback; None where it is none."""
    status = body.get("status")
    result = status.get("result") if isinstance(status, dict) else None
    if not isinstance(status, dict) or not isinstance(result, dict) or body.get("id", action) != action:
        return None
    unknown = (
        set(body) - {"id", "timestamp", "status"}
        or set(status) - {"execution", "result", "code", "details"}
        or set(result) - {"finished", "progress"}
    )
    execution, finished, details = status.get("execution"), result.get("finished"), status.get("details", [])
    lines = isinstance(details, list) and all(isinstance(each, str) and len(each) <= 512 for each in details)
    if unknown or execution not in EXECUTIONS or finished not in FINISHED or not lines:
        return None
    return str(execution), str(finished), " / ".join(details)
