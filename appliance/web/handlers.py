"""From a described operation to its function: requests are checked before, answers written after it."""

import asyncio
import gzip
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from appliance.web.errors import Trouble
from appliance.web.json_fields import Json, Object
from appliance.web.middleware import SESSION
from appliance.web.openapi import Description, parsed
from appliance.web.sessions import Session

MOST_BYTES = 2**20
BODY_SECONDS = 20.0  # a megabyte at 400 kbit/s
WORTH_PACKING = 1_024  # bytes; below, gzip saves no packet


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that is as described."""

    where: Mapping[str, str]  # parameters of path and query
    body: Object
    session: Session | None

    @property
    def id(self) -> int:
        """The number in the path."""
        return int(self.where["id"])


@dataclass(frozen=True, slots=True)
class Ready:
    """JSON that was written before."""

    data: bytes
    etag: str
    packed: bytes


@dataclass(frozen=True, slots=True)
class Download:
    """A file to keep."""

    name: str
    media_type: str
    data: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = Object | Ready | Download | None
Function = Callable[[Asked], Awaitable[Answer]]
Routes = list[tuple[str, str, Function]]


def routes(description: Description, functions: Routes) -> list[web.RouteDef]:
    """aiohttp's routes for functions of described operations."""
    made = []
    for method, path, function in functions:
        handler = _handler(description, method, path, function)
        where = description.route(method, path)
        made.append(web.get(where, handler) if method == "GET" else web.route(method, where, handler))
    return made


def _handler(
    description: Description, method: str, path: str, function: Function
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    status = description.success(method, path)

    async def handle(request: web.Request) -> web.StreamResponse:
        asked = Asked(
            check_parameters(request, description, method, path),
            await read_body(request, description, method, path),
            request.get(SESSION),
        )
        return written(request, await function(asked), status)

    return handle


def check_parameters(
    request: web.Request, description: Description, method: str, path: str
) -> Mapping[str, str]:
    """Parameters of path and query. Raises Trouble."""
    found = {**request.match_info, **request.query}
    description.check_parameters(method, path, found, [name for name, _ in request.query.items()])
    return found


async def read_body(request: web.Request, description: Description, method: str, path: str) -> Object:
    """The body as described; {} where none is. Raises Trouble."""
    data = await read(request)
    if not description.wants_body(method, path):
        if data:
            raise Trouble(400, "Nothing is expected in the body.")
        return {}
    if request.content_type != "application/json" or (request.charset or "utf-8").lower() != "utf-8":
        raise Trouble(415, "Send JSON with Content-Type: application/json.")
    return description.check_body(method, path, parsed(data))


async def read(request: web.Request) -> bytes:
    """The bytes of a body, bounded in size and time. Raises Trouble."""
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Trouble(415, "The body must not be compressed.")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise Trouble(413, f"The body is larger than {MOST_BYTES} bytes.") from None
    except TimeoutError:
        raise Trouble(400, "The body did not come in time.") from None
    except web.RequestPayloadError:
        raise Trouble(400, "The body is broken.") from None


def ready(answer: Object) -> Ready:
    """Write an answer once for many requests."""
    data = _dumped(answer)
    return Ready(data, _etag(data), gzip.compress(data, 5, mtime=0))


def written(request: web.Request, answer: Answer, status: int = 200) -> web.Response:
    """A response of what a function answered."""
    if answer is None:
        return web.Response(status=204, headers={"Cache-Control": "no-store"})
    if isinstance(answer, Download):
        return _download(answer)
    if isinstance(answer, Ready):
        data, etag = answer.data, answer.etag
    else:
        data = _dumped(answer)
        etag = _etag(data) if request.method in ("GET", "HEAD") else ""
    headers = (
        {"Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
        if etag
        else {"Cache-Control": "no-store"}
    )
    if etag:
        headers["ETag"] = etag
        if unchanged(request, etag):
            return web.Response(status=304, headers=headers)
    if len(data) > WORTH_PACKING and takes_gzip(request):
        data = answer.packed if isinstance(answer, Ready) else gzip.compress(data, 1, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return web.Response(
        status=status, body=data, content_type="application/json", charset="utf-8", headers=headers
    )


def unchanged(request: web.Request, etag: str) -> bool:
    """Whether the browser has this very version (RFC 9110, 13.1.2: weak comparison)."""
    asked = request.headers.get("If-None-Match", "")
    return asked.strip() == "*" or etag in {part.strip() for part in asked.split(",")}


def takes_gzip(request: web.Request) -> bool:
    """Whether the browser unpacks gzip."""
    parts = [
        part.strip().replace(" ", "")
        for part in request.headers.get("Accept-Encoding", "").lower().split(",")
    ]
    return "gzip" in parts or any(
        part.startswith("gzip;q=") and not part.startswith("gzip;q=0") for part in parts
    )


def _download(answer: Download) -> web.Response:
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{answer.name}"',
        **answer.headers,
    }
    response = web.Response(body=answer.data, headers=headers)
    response.content_type = answer.media_type
    if answer.media_type.startswith("text/"):
        response.charset = "utf-8"
    return response


def _dumped(answer: Json | Object) -> bytes:
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _etag(data: bytes) -> str:
    return f'W/"{hashlib.sha256(data).hexdigest()[:22]}"'  # weak: packed and unpacked are the same to us
