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

from appliance.web.errors import Trouble
from appliance.web.handlers import WORTH_PACKING, takes_gzip, unchanged
from appliance.web.middleware import SESSION

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
OPEN_PAGES = {"/login": "login", "/password": "password"}
PAGE_PATH = re.compile(
    r"/|/printers(/[1-9][0-9]{0,9})?|/discovery|/transmission|/traps|/services|/network|/updates|/system|/guide"
)
TYPES = {
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
PACKABLE = re.compile(r"text/|image/svg|application/(json|manifest)")
INSTALLED = "share/printmonitor/webui"  # below the prefix; pip has two of them on Debian
LOOK_AGAIN = 2.0  # seconds; a new file in a checkout is seen without a restart


class NoFiles(OSError):
    """The files of the page are not installed."""


@dataclass(frozen=True, slots=True)
class _File:
    stamp: tuple[int, int]
    media_type: str
    data: bytes
    packed: bytes | None
    etag: str


def folder() -> Path:
    """Where the files are: beside the package in a checkout, else where an installed package has them."""
    here = Path(__file__).resolve()
    for place in (
        here.parents[2] / "webui",
        Path(sysconfig.get_path("data")) / INSTALLED,
        Path(sys.prefix) / INSTALLED,
        here.parents[1] / "webui",
    ):
        if (place / "openapi.json").is_file():
            return place
    raise NoFiles("The page's files (webui) are not installed.")


class Files:
    """What a browser gets besides JSON."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._names: dict[str, Path] = {}
        self._looked_at = 0.0
        self._read: dict[Path, _File] = {}

    def routes(self) -> list[web.RouteDef]:
        """Pages for who is logged in, the login, and everything that they load."""
        return [
            *(web.get(path, self._page) for path in PAGES),
            *(web.get(path, self._open_page) for path in OPEN_PAGES),
            web.get(r"/{file:(?!api/).+\.[a-z0-9]+}", self._asset),
        ]

    async def _page(self, request: web.Request) -> web.Response:
        session = request.get(SESSION)
        if session is None:
            after = "" if request.path == "/" else f"?next={quote(request.path)}"
            return seen_other(f"/login{after}")
        if session.must_change:
            return seen_other("/password")
        route = request.match_info.route.resource
        canonical = route.canonical if route else ""
        return self._answer(request, f"{'printer' if '{id' in canonical else PAGES[canonical]}.html")

    async def _open_page(self, request: web.Request) -> web.Response:
        if request.path == "/password" and request.get(SESSION) is None:
            return seen_other("/login")
        name = OPEN_PAGES[request.path]
        wanted = language(request.headers.get("Accept-Language", ""))
        named = f"{name}.{wanted}.html"
        return self._answer(
            request, named if f"/{named}" in self._known() else f"{name}.html", vary="Accept-Language, "
        )

    async def _asset(self, request: web.Request) -> web.Response:
        name = request.path
        if name.endswith(".html") or name not in self._known():
            raise Trouble(404, "There is no such page.")
        return self._answer(request, name[1:])

    def _answer(self, request: web.Request, name: str, vary: str = "") -> web.Response:
        path = self._known().get(f"/{name}")
        if path is None:
            raise Trouble(404, "There is no such page.")
        file = self._file(path)
        headers = {"ETag": file.etag, "Cache-Control": "no-cache", "Vary": f"{vary}Accept-Encoding"}
        if unchanged(request, file.etag):
            return web.Response(status=304, headers=headers)
        body = file.data
        if file.packed is not None and takes_gzip(request):
            body = file.packed
            headers["Content-Encoding"] = "gzip"
        response = web.Response(body=body, headers=headers)
        response.content_type = file.media_type
        if not file.media_type.startswith(("image/", "font/")):
            response.charset = "utf-8"
        return response

    def _known(self) -> dict[str, Path]:
        now = time.monotonic()
        if not self._names or now - self._looked_at > LOOK_AGAIN:
            self._names = dict(_listed(self._place))
            self._looked_at = now
        return self._names

    def _file(self, path: Path) -> _File:
        status = path.stat()
        stamp = (status.st_mtime_ns, status.st_size)
        known = self._read.get(path)
        if known is None or known.stamp != stamp:
            known = self._read[path] = _load(path, stamp)
        return known


def seen_other(place: str) -> web.Response:
    """Send the browser to another page."""
    return web.Response(status=303, headers={"Location": place, "Cache-Control": "no-store"})


def language(accepted: str) -> str:
    """The better liked of the page's languages (RFC 9110, 12.5.4)."""
    best = {"en": 0.0, "de": 0.0}
    for part in accepted.lower().split(",")[:20]:
        tag, _, weight = part.strip().partition(";q=")
        short = tag.strip().partition("-")[0]
        if short in best and re.fullmatch(r"|[01](\.[0-9]{0,3})?", weight.strip()):
            best[short] = max(best[short], float(weight) if weight.strip() else 1.0)
    return "de" if best["de"] > best["en"] else "en"


def _listed(place: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(place.rglob("*")):
        name = path.relative_to(place).as_posix()
        if (
            path.suffix in TYPES
            and path.is_file()
            and not any(part.startswith(".") for part in name.split("/"))
        ):
            yield f"/{name}", path


def _load(path: Path, stamp: tuple[int, int]) -> _File:
    data = path.read_bytes()
    media_type = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    packed = (
        gzip.compress(data, 9, mtime=0) if PACKABLE.match(media_type) and len(data) > WORTH_PACKING else None
    )
    return _File(stamp, media_type, data, packed, f'W/"{hashlib.sha256(data).hexdigest()[:22]}"')
