"""A small document, fetched daily, says which version is the newest and where its bundle is.

`{"version": "1.4.2", "url": "https://updates.example.com/plug-1.4.2.raucb", "notes": "What is new."}`; the
URL may be relative to the document's, notes may be left out, other names are passed over. Nothing in it is
trusted: what counts is the signature of the bundle.
"""

import json
import re
import sqlite3
from dataclasses import asdict, dataclass
from urllib.parse import urljoin

from appliance.domain.messages import Message
from appliance.host import semver
from appliance.net.text_sanitizer import printable
from appliance.settings.schema import Config
from appliance.storage import key_value
from appliance.updates.http_client import UpdateClient, UpdateFetchError

OFFER_KEY, NEXT_CHECK_KEY, PROBLEM_KEY = "update.offer", "update.channel.next", "update.channel.problem"
MAX_DOCUMENT_BYTES = 64 << 10
MAX_NOTES_CHARS = 2_000  # characters
MAX_URL_CHARS = 1_000


@dataclass(frozen=True, slots=True)
class UpdateOffer:
    """The newest version, as a channel tells it."""

    channel: str  # the document's URL
    etag: str
    version: str
    url: str
    notes: str


def needs_local_download(config: Config) -> bool:
    """Whether a bundle has to be fetched first: RAUC knows neither the proxy nor the certificates."""
    return bool(config.update.ca_file or config.transmission.https.proxy)


def load_offer(db: sqlite3.Connection) -> UpdateOffer | None:
    """What the channel said last."""
    told = key_value.get(db, OFFER_KEY)
    try:
        return UpdateOffer(**json.loads(told)) if told else None
    except (ValueError, TypeError):  # of another version of the Plug
        return None


def save_offer(db: sqlite3.Connection, offer: UpdateOffer | None) -> None:
    key_value.put(db, OFFER_KEY, json.dumps(asdict(offer)) if offer else None)


async def fetch_offer(client: UpdateClient, channel: str, previous: UpdateOffer | None) -> UpdateOffer:
    """What the channel says now. Raises NotFetched."""
    etag = previous.etag if previous and previous.channel == channel else ""
    reply = await client.get(channel, max_bytes=MAX_DOCUMENT_BYTES, etag=etag)
    if reply.status == 304 and previous:
        return previous
    return parse_offer(channel, reply.etag, reply.body)


def parse_offer(channel: str, etag: str, body: bytes) -> UpdateOffer:
    """Raises NotFetched."""
    try:
        found = json.loads(body)
        version, url, notes = found["version"], found["url"], found.get("notes", "")
        if not all(isinstance(each, str) for each in (version, url, notes)):
            raise TypeError
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise UpdateFetchError(Message("channel.incomplete")) from None
    try:
        semver.version_key(version)
    except semver.InvalidVersionError as error:
        raise UpdateFetchError(Message("channel.invalid", reason=error)) from None
    whole = urljoin(channel, url)
    if not re.fullmatch(rf"https?://[!-~]{{1,{MAX_URL_CHARS}}}", whole):
        raise UpdateFetchError(Message("channel.no_url"))
    return UpdateOffer(
        channel, etag[:200], version, whole, printable(notes, keep="\n").strip()[:MAX_NOTES_CHARS]
    )
