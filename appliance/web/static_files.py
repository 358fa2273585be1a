"""The files of the page: known by name before anybody asks, so that no path leads anywhere else."""

import gzip
import hashlib
import mimetypes
import re
import sys
import sysconfig
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from appliance.domain.messages import CATALOGUE_DIR, Message
from appliance.web.errors import ApiError
from appliance.web.handlers import MIN_GZIP_BYTES, accepts_gzip, is_not_modified
from appliance.web.middleware import SESSION_KEY

# Pages by their URLs; each is one HTML file.
PAGES = {
    "/": "index",
    "/printers": "printers",
    r"/printers/{id:[1-9][0-9]{0,9}}": "printer",
    "/discovery": "discovery",
    "/transmission": "transmission",
    "/traps": "traps",
    "/services": "services",
    "/network": "network",
    "/updates": "updates",
    "/system": "system",
    "/guide": "guide",
}
PUBLIC_PAGES = {"/login": "login", "/password": "password"}
PAGE_PATH_PATTERN = re.compile(
    r"/|/printers(/[1-9][0-9]{0,9})?|/discovery|/transmission|/traps|/services|/network|/updates|/system|/guide"
)
MEDIA_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/vnd.microsoft.icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
COMPRESSIBLE_TYPES = re.compile(r"text/|image/svg|application/(json|manifest)")
INSTALLED_DIR = "share/printmonitor/webui"  # below the prefix; pip has two of them on Debian
RESCAN_INTERVAL_S = 2.0  # seconds; a new file in a checkout is seen without a restart


class StaticFilesMissingError(OSError):
    """The files of the page are not installed."""


@dataclass(frozen=True, slots=True)
class _StaticFile:
    stamp: tuple[int, int]
    media_type: str
    data: bytes
    gzipped: bytes | None
    etag: str


def find_webui_dir() -> Path:
    """Where the files are: beside the package in a checkout, else where an installed package has them."""
    here = Path(__file__).resolve()
    for place in (
        here.parents[2] / "webui",
        Path(sysconfig.get_path("data")) / INSTALLED_DIR,
        Path(sys.prefix) / INSTALLED_DIR,
        here.parents[1] / "webui",
    ):
        if (place / "openapi.json").is_file():
            return place
    raise StaticFilesMissingError(Message("request.no_files"))


class StaticFiles:
    """What a browser gets besides JSON."""

    def __init__(self, webui_dir: Path) -> None:
        self._webui_dir = webui_dir
        self._paths_by_name: dict[str, Path] = {}
        self._scanned_at = 0.0
        self._cache: dict[Path, _StaticFile] = {}

    def routes(self) -> list[web.RouteDef]:
        """Pages for who is logged in, the login, and everything that they load."""
        return [
            *(web.get(path, self._get_page) for path in PAGES),
            *(web.get(path, self._get_public_page) for path in PUBLIC_PAGES),
            web.get(r"/{file:(?!api/).+\.[a-z0-9]+}", self._get_asset),
        ]

    async def _get_page(self, request: web.Request) -> web.Response:
        session = request.get(SESSION_KEY)
        if session is None:
            after = "" if request.path == "/" else f"?next={quote(request.path)}"
            return redirect(f"/login{after}")
        if session.must_change:
            return redirect("/password")
        route = request.match_info.route.resource
        canonical = route.canonical if route else ""
        return self._file_response(request, f"{'printer' if '{id' in canonical else PAGES[canonical]}.html")

    async def _get_public_page(self, request: web.Request) -> web.Response:
        if request.path == "/password" and request.get(SESSION_KEY) is None:
            return redirect("/login")
        name = PUBLIC_PAGES[request.path]
        wanted = preferred_language(request.headers.get("Accept-Language", ""))
        named = f"{name}.{wanted}.html"
        return self._file_response(
            request, named if f"/{named}" in self._scan_files() else f"{name}.html", vary="Accept-Language, "
        )

    async def _get_asset(self, request: web.Request) -> web.Response:
        name = request.path
        if name.endswith(".html") or name not in self._scan_files():
            raise ApiError(404, Message("request.no_page"))
        return self._file_response(request, name[1:])

    def _file_response(self, request: web.Request, name: str, vary: str = "") -> web.Response:
        path = self._scan_files().get(f"/{name}")
        if path is None:
            raise ApiError(404, Message("request.no_page"))
        file = self._load_cached(path)
        headers = {"ETag": file.etag, "Cache-Control": "no-cache", "Vary": f"{vary}Accept-Encoding"}
        if is_not_modified(request, file.etag):
            return web.Response(status=304, headers=headers)
        body = file.data
        if file.gzipped is not None and accepts_gzip(request):
            body = file.gzipped
            headers["Content-Encoding"] = "gzip"
        response = web.Response(body=body, headers=headers)
        response.content_type = file.media_type
        if not file.media_type.startswith(("image/", "font/")):
            response.charset = "utf-8"
        return response

    def _scan_files(self) -> dict[str, Path]:
        now = time.monotonic()
        if not self._paths_by_name or now - self._scanned_at > RESCAN_INTERVAL_S:
            self._paths_by_name = {**dict(_list_files(self._webui_dir)), **_list_catalogues()}
            self._scanned_at = now
        return self._paths_by_name

    def _load_cached(self, path: Path) -> _StaticFile:
        status = path.stat()
        stamp = (status.st_mtime_ns, status.st_size)
        known = self._cache.get(path)
        if known is None or known.stamp != stamp:
            known = self._cache[path] = _load_file(path, stamp)
        return known


def redirect(location: str) -> web.Response:
    """Send the browser to another page."""
    return web.Response(status=303, headers={"Location": location, "Cache-Control": "no-store"})


def preferred_language(accept_language: str) -> str:
    """The better liked of the page's languages (RFC 9110, 12.5.4)."""
    best = {"en": 0.0, "de": 0.0}
    for part in accept_language.lower().split(",")[:20]:
        tag, _, weight = part.strip().partition(";q=")
        short = tag.strip().partition("-")[0]
        if short in best and re.fullmatch(r"|[01](\.[0-9]{0,3})?", weight.strip()):
            best[short] = max(best[short], float(weight) if weight.strip() else 1.0)
    return "de" if best["de"] > best["en"] else "en"


def _list_files(directory: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory).as_posix()
        if (
            path.suffix in MEDIA_TYPES
            and path.is_file()
            and not any(part.startswith(".") for part in name.split("/"))
        ):
            yield f"/{name}", path


def _list_catalogues() -> dict[str, Path]:
    """The messages of the Plug, which the pages show in their language."""
    return {f"/i18n/messages.{path.stem}.json": path for path in CATALOGUE_DIR.glob("*.json")}


def _load_file(path: Path, stamp: tuple[int, int]) -> _StaticFile:
    data = path.read_bytes()
    media_type = (
        MEDIA_TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    )
    packed = (
        gzip.compress(data, 9, mtime=0)
        if COMPRESSIBLE_TYPES.match(media_type) and len(data) > MIN_GZIP_BYTES
        else None
    )
    return _StaticFile(stamp, media_type, data, packed, f'W/"{hashlib.sha256(data).hexdigest()[:22]}"')
