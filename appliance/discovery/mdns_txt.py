"""What a Plug says of itself by mDNS, as its TXT record has it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from appliance.discovery.mdns_cache import text

LONGEST_LABEL = 63  # bytes, RFC 1035
LONGEST_STRING = 255  # bytes of key, sign and value, RFC 6763, 6.1
MOST_ADDRESSES = 10


@dataclass(frozen=True, slots=True)
class Notice:
    """Of this Plug."""

    id: str  # by which the provider knows it
    name: str
    site: str
    version: str
    port: int  # of the page
    path: str = "/"


@dataclass(frozen=True, slots=True)
class FoundPlug:
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


def txt(notice: Notice) -> dict[str | bytes, str | bytes | None]:
    """The TXT record."""
    said = {
        "id": notice.id,
        "name": notice.name,
        "site": notice.site,
        "version": notice.version,
        "path": notice.path,
    }
    return {key.encode(): _fitting(value, LONGEST_STRING - len(key) - 1) for key, value in said.items()}


def plug(
    name: str, host: str, addresses: Sequence[str], port: int | None, said: Mapping[bytes, bytes | None]
) -> FoundPlug:
    """What a stranger claims to be; its texts are made harmless."""
    path = text(said.get(b"path")) or "/"
    return FoundPlug(
        name=text(said.get(b"name")) or text(name.encode("utf-8", "replace")) or "-",
        id=text(said.get(b"id")),
        site=text(said.get(b"site")),
        version=text(said.get(b"version")),
        host=text(host.removesuffix(".").encode("utf-8", "replace")) or "",
        addresses=tuple(addresses[:MOST_ADDRESSES]),
        port=port or 80,
        path=path if path.startswith("/") else "/",
    )


def numbered(name: str, number: int) -> str:
    """A name with its number, where it is not the first of its kind."""
    suffix = "" if number == 1 else f"-{number}"
    return name[: LONGEST_LABEL - len(suffix)].rstrip("-") + suffix


def _fitting(value: str, room: int) -> bytes:
    return value.encode()[:room].decode(errors="ignore").encode()  # no half characters
