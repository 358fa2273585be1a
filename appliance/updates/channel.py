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

from appliance.config import Config
from appliance.store import meta
from appliance.system import versions
from appliance.updates.client import Client, NotFetched

OFFER, NEXT, PROBLEM = "update.offer", "update.channel.next", "update.channel.problem"
MOST_OCTETS = 64 << 10
MOST_NOTES = 2_000  # characters
MOST_URL = 1_000


@dataclass(frozen=True, slots=True)
class Offer:
    """The newest version, as a channel tells it."""

    channel: str  # the document's URL
    etag: str
    version: str
    url: str
    notes: str


def is_roundabout(config: Config) -> bool:
    """Whether a bundle has to be fetched first: RAUC knows neither the proxy nor the certificates."""
    return bool(config.update.ca_file or config.transmission.https.proxy)


def kept(db: sqlite3.Connection) -> Offer | None:
    """What the channel said last."""
    told = meta.get(db, OFFER)
    try:
        return Offer(**json.loads(told)) if told else None
    except (ValueError, TypeError):  # of another version of the Plug
        return None


def keep(db: sqlite3.Connection, offer: Offer | None) -> None:
    meta.put(db, OFFER, json.dumps(asdict(offer)) if offer else None)


async def look(client: Client, channel: str, before: Offer | None) -> Offer:
    """What the channel says now. Raises NotFetched."""
    etag = before.etag if before and before.channel == channel else ""
    reply = await client.get(channel, most=MOST_OCTETS, etag=etag)
    if reply.status == 304 and before:
        return before
    return parsed(channel, reply.etag, reply.body)


def parsed(channel: str, etag: str, body: bytes) -> Offer:
    """Raises NotFetched."""
    try:
        found = json.loads(body)
        version, url, notes = found["version"], found["url"], found.get("notes", "")
        if not all(isinstance(each, str) for each in (version, url, notes)):
            raise TypeError
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise NotFetched("the channel's document does not say version and url") from None
    try:
        versions.order(version)
    except versions.BadVersion as error:
        raise NotFetched(f"the channel's document: {error}") from None
    whole = urljoin(channel, url)
    if not re.fullmatch(rf"https?://[!-~]{{1,{MOST_URL}}}", whole):
        raise NotFetched("the channel's document names no address of a bundle")
    return Offer(channel, etag[:200], version, whole, _printable(notes)[:MOST_NOTES])


def _printable(text: str) -> str:
    """Several lines may be; nothing else that is no character."""
    return "".join(each if each.isprintable() or each == "\n" else " " for each in text).strip()
