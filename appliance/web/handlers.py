"""From a described operation to its function: requests are checked before, answers written after it."""

import asyncio
import gzip
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from appliance.domain.messages import Message, add_message_fields
from appliance.web.errors import ApiError
from appliance.web.json_fields import Json, JsonMapping
from appliance.web.middleware import SESSION_KEY
from appliance.web.openapi import OpenApiDocument, parse_json
from appliance.web.sessions import LoginSession

MAX_BODY_BYTES = 2**20
BODY_TIMEOUT_S = 20.0  # a megabyte at 400 kbit/s
MIN_GZIP_BYTES = 1_024  # bytes; below, gzip saves no packet


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request that is as described."""

    params: Mapping[str, str]  # parameters of path and query
    body: JsonMapping
    session: LoginSession | None

    @property
    def path_id(self) -> int:
        """The number in the path."""
        return int(self.params["id"])


@dataclass(frozen=True, slots=True)
class EncodedJson:
    """JSON that was written before."""

    data: bytes
    etag: str
    gzipped: bytes


@dataclass(frozen=True, slots=True)
class Download:
    """A file to keep."""

    name: str
    media_type: str
    data: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


ApiResponse = JsonMapping | EncodedJson | Download | None
ApiHandler = Callable[[ApiRequest], Awaitable[ApiResponse]]
Routes = list[tuple[str, str, ApiHandler]]


def build_routes(description: OpenApiDocument, handlers: Routes) -> list[web.RouteDef]:
    """aiohttp's routes for functions of described operations."""
    made = []
    for method, path, function in handlers:
        handler = _make_handler(description, method, path, function)
        where = description.route_pattern(method, path)
        made.append(web.get(where, handler) if method == "GET" else web.route(method, where, handler))
    return made


def _make_handler(
    description: OpenApiDocument, method: str, path: str, handler: ApiHandler
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    status = description.success_status(method, path)

    async def handle(request: web.Request) -> web.StreamResponse:
        asked = ApiRequest(
            check_parameters(request, description, method, path),
            await read_json_body(request, description, method, path),
            request.get(SESSION_KEY),
        )
        return build_response(request, await handler(asked), status)

    return handle


def check_parameters(
    request: web.Request, description: OpenApiDocument, method: str, path: str
) -> Mapping[str, str]:
    """Parameters of path and query. Raises Trouble."""
    found = {**request.match_info, **request.query}
    description.check_parameters(method, path, found, [name for name, _ in request.query.items()])
    return found


async def read_json_body(
    request: web.Request, description: OpenApiDocument, method: str, path: str
) -> JsonMapping:
    """The body as described; {} where none is. Raises Trouble."""
    data = await read_raw_body(request)
    if not description.has_body(method, path):
        if data:
            raise ApiError(400, Message("request.no_body"))
        return {}
    if request.content_type != "application/json" or (request.charset or "utf-8").lower() != "utf-8":
        raise ApiError(415, Message("request.json_type"))
    return description.check_body(method, path, parse_json(data))


async def read_raw_body(request: web.Request) -> bytes:
    """The bytes of a body, bounded in size and time. Raises Trouble."""
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise ApiError(415, Message("request.compressed"))
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise ApiError(413, Message("request.body_too_large", limit=MAX_BODY_BYTES)) from None
    except TimeoutError:
        raise ApiError(400, Message("request.body_timeout")) from None
    except web.RequestPayloadError:
        raise ApiError(400, Message("request.body_broken")) from None


def encode_json(document: JsonMapping) -> EncodedJson:
    """Write an answer once for many requests."""
    data = _dump_json(document)
    return EncodedJson(data, _weak_etag(data), gzip.compress(data, 5, mtime=0))


def build_response(request: web.Request, content: ApiResponse, status: int = 200) -> web.Response:
    """A response of what a function answered."""
    if content is None:
        return web.Response(status=204, headers={"Cache-Control": "no-store"})
    if isinstance(content, Download):
        return _download_response(content)
    if isinstance(content, EncodedJson):
        data, etag = content.data, content.etag
    else:
        data = _dump_json(content)
        etag = _weak_etag(data) if request.method in ("GET", "HEAD") else ""
    headers = (
        {"Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
        if etag
        else {"Cache-Control": "no-store"}
    )
    if etag:
        headers["ETag"] = etag
        if is_not_modified(request, etag):
            return web.Response(status=304, headers=headers)
    if len(data) > MIN_GZIP_BYTES and accepts_gzip(request):
        data = content.gzipped if isinstance(content, EncodedJson) else gzip.compress(data, 1, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return web.Response(
        status=status, body=data, content_type="application/json", charset="utf-8", headers=headers
    )


def is_not_modified(request: web.Request, etag: str) -> bool:
    """Whether the browser has this very version (RFC 9110, 13.1.2: weak comparison)."""
    asked = request.headers.get("If-None-Match", "")
    return asked.strip() == "*" or etag in {part.strip() for part in asked.split(",")}


def accepts_gzip(request: web.Request) -> bool:
    """Whether the browser unpacks gzip."""
    parts = [
        part.strip().replace(" ", "")
        for part in request.headers.get("Accept-Encoding", "").lower().split(",")
    ]
    return "gzip" in parts or any(
        part.startswith("gzip;q=") and not part.startswith("gzip;q=0") for part in parts
    )


def _download_response(download: Download) -> web.Response:
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{download.name}"',
        **download.headers,
    }
    response = web.Response(body=download.data, headers=headers)
    response.content_type = download.media_type
    if download.media_type.startswith("text/"):
        response.charset = "utf-8"
    return response


def _dump_json(document: Json | JsonMapping) -> bytes:
    return json.dumps(add_message_fields(document), ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "replace"
    )


def _weak_etag(data: bytes) -> str:
    return f'W/"{hashlib.sha256(data).hexdigest()[:22]}"'  # weak: packed and unpacked are the same to us
