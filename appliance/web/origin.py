"""Check the host name and the origin of a request."""

import ipaddress
import re
import socket
from collections.abc import Iterable, Iterator

from aiohttp import web

from appliance.domain.messages import Message
from appliance.web.errors import ApiError
from appliance.web.settings_store import SettingsStore

SchemePort = tuple[str, int]  # scheme and our own port: cookies know no ports, so sessions have to
_DEFAULT_PORTS = {"http": 80, "https": 443}


def scheme_and_port(request: web.Request) -> SchemePort:
    """Scheme and port at our end of the connection."""
    transport = request.transport
    address = transport.get_extra_info("sockname") if transport else None
    secure = transport is not None and transport.get_extra_info("ssl_object") is not None
    return ("https" if secure else "http", address[1] if address else 0)


def cookie_name(scheme_port: SchemePort) -> str:
    """A cookie of its own for each door; with __Host- HTTP cannot set the one of HTTPS (RFC 6265bis)."""
    scheme, port = scheme_port
    return f"__Host-printmonitor-{port}" if scheme == "https" else f"printmonitor-{port}"


def check_host(request: web.Request, allowed: Iterable[str]) -> None:
    """Refuse names that are not ours: else a stranger's name that points here is a way in (DNS rebinding)."""
    hosts = request.headers.getall("Host", [])
    host = hosts[0] if len(hosts) == 1 else ""
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._\-]+)(?::([0-9]{1,5}))?", host)
    if not found:
        raise ApiError(400, Message("request.host_header"), code="host")
    name = found[1].lower().removesuffix(".")
    if _is_address(name) or name == "localhost" or name.endswith(".local"):
        return
    if name not in {known.lower() for known in allowed}:
        raise ApiError(
            421,
            Message("request.unknown_host", name=name[:100]),
            code="host",
        )


def check_origin(request: web.Request, *, strict: bool) -> None:
    """Refuse what another site's page sent. `strict`: also what does not say where it comes from."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is None and origin is None and not strict:
        return
    same = site in (None, "same-origin") and (origin is None or _is_same_origin(origin, request))
    if not same or (site is None and origin is None):
        raise ApiError(403, Message("request.foreign_origin"), code="origin")


def _is_same_origin(origin: str, request: web.Request) -> bool:
    scheme, _ = scheme_and_port(request)
    return _origin_with_port(origin.lower()) == _origin_with_port(
        f"{scheme}://{request.headers.get('Host', '').lower()}"
    )


def _origin_with_port(origin: str) -> str:
    """An origin with its port."""
    scheme, _, rest = origin.partition("://")
    return origin if re.search(r":[0-9]+$", rest) else f"{origin}:{_DEFAULT_PORTS.get(scheme, 0)}"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def allowed_hostnames(settings: SettingsStore) -> Iterator[str]:
    """The names of just now."""
    config = settings.current
    yield config.plug.name
    yield socket.gethostname()
    yield from config.web.names
