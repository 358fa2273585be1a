"""What a Plug says of itself by mDNS, as its TXT record has it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from appliance.discovery.mdns_cache import sanitize_text

MAX_LABEL_BYTES = 63  # bytes, RFC 1035
MAX_TXT_STRING_BYTES = 255  # bytes of key, sign and value, RFC 6763, 6.1
MAX_ADDRESSES = 10


@dataclass(frozen=True, slots=True)
class PlugAnnouncement:
    """Of this Plug."""

    id: str  # by which the provider knows it
    name: str
    site: str
    version: str
    port: int  # of the page
    path: str = "/"


@dataclass(frozen=True, slots=True)
class DiscoveredPlug:
    """Of any Plug, as far as it says so."""

    name: str
    id: str | None
    site: str | None
    version: str | None
    host: str
    addresses: tuple[str, ...]
    port: int
    path: str

    @property
    def url(self) -> str:
        """Where its page is, by address: not every computer understands names in .local."""
        address = self.addresses[0] if self.addresses else self.host
        where = f"[{address}]" if ":" in address else address
        return f"http://{where}{'' if self.port == 80 else f':{self.port}'}{self.path}"


def build_txt_record(announcement: PlugAnnouncement) -> dict[str | bytes, str | bytes | None]:
    """The TXT record."""
    said = {
        "id": announcement.id,
        "name": announcement.name,
        "site": announcement.site,
        "version": announcement.version,
        "path": announcement.path,
    }
    return {
        key.encode(): _truncate_utf8(value, MAX_TXT_STRING_BYTES - len(key) - 1)
        for key, value in said.items()
    }


def parse_plug(
    name: str, host: str, addresses: Sequence[str], port: int | None, properties: Mapping[bytes, bytes | None]
) -> DiscoveredPlug:
    """What a stranger claims to be; its texts are made harmless."""
    path = sanitize_text(properties.get(b"path")) or "/"
    return DiscoveredPlug(
        name=sanitize_text(properties.get(b"name")) or sanitize_text(name.encode("utf-8", "replace")) or "-",
        id=sanitize_text(properties.get(b"id")),
        site=sanitize_text(properties.get(b"site")),
        version=sanitize_text(properties.get(b"version")),
        host=sanitize_text(host.removesuffix(".").encode("utf-8", "replace")) or "",
        addresses=tuple(addresses[:MAX_ADDRESSES]),
        port=port or 80,
        path=path if path.startswith("/") else "/",
    )


def append_number(name: str, number: int) -> str:
    """A name with its number, where it is not the first of its kind."""
    suffix = "" if number == 1 else f"-{number}"
    return name[: MAX_LABEL_BYTES - len(suffix)].rstrip("-") + suffix


def _truncate_utf8(value: str, max_bytes: int) -> bytes:
    return value.encode()[:max_bytes].decode(errors="ignore").encode()  # no half characters
