"""What a licence says, once its signature is believed."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from urllib.parse import urlsplit

MOST_TEXT = 200  # characters of a name, a key or a URL
MOST_PRINTERS = 1_000_000

Kind = Literal["malformed", "altered", "foreign", "other plug", "expired", "early", "revoked", "unchecked"]


class BadLicence(Exception):
    """A licence that is not taken; the text is one clear line."""

    def __init__(self, kind: Kind, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Licence:
    """What the vendor has signed, and the certificate that goes with it."""

    plug_id: str
    customer: str
    partner: str
    printers: int | None  # most printers; None: the licence sets no limit
    valid_from: datetime
    valid_until: datetime  # the earlier end of the signed facts and of the certificate
    upload_url: str
    enrolment_url: str  # "" = it cannot be renewed online
    transmission_key: str = field(repr=False)
    certificates: str = field(repr=False)  # PEM: the Plug's own, then its chain
    fingerprint: str = ""  # of the Plug's own certificate, SHA-256


def facts(signed: str) -> Mapping[str, object]:
    try:
        found = tomllib.loads(signed)
    except (ValueError, RecursionError):
        raise malformed("has a signed text that is no TOML") from None
    return found


def text(facts: Mapping[str, object], name: str, *, needed: bool = False) -> str:
    value = facts.get(name, "")
    if not isinstance(value, str) or not value.isprintable() or len(value) > MOST_TEXT:
        raise malformed(f"has a {name} that is no text of at most {MOST_TEXT} characters")
    if needed and not value:
        raise malformed(f"has no {name}")
    return value


def printers(facts: Mapping[str, object]) -> int | None:
    value = facts.get("printers")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MOST_PRINTERS:
        raise malformed(f"has a number of printers that is not from 1 to {MOST_PRINTERS:,}")
    return value


def url(facts: Mapping[str, object], name: str, *, needed: bool = False) -> str:
    address = text(facts, name, needed=needed)
    if address and not is_https(address):
        raise malformed(f"has an {name} that is no https:// address")
    return address


def is_https(address: str) -> bool:
    """Whether something can be sent there: HTTPS, with a host, without a password in it."""
    try:
        parts = urlsplit(address)
        good = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return good and parts.username is None and " " not in address


def moments(facts: Mapping[str, object], name: str) -> Iterator[datetime]:
    """A time with its zone, or a day: the whole of it, in UTC; nothing where the key is missing."""
    value = facts.get(name)
    if value is None:
        return
    try:
        if isinstance(value, datetime) and value.tzinfo is not None:
            yield value.astimezone(UTC)
            return
        if isinstance(value, date) and not isinstance(value, datetime):
            midnight = datetime.combine(value, time(), UTC)
            yield midnight + timedelta(days=1) if name == "valid_until" else midnight
            return
    except OverflowError:
        pass
    raise malformed(f"has a {name} that is neither a day nor a time with its zone")


def malformed(what: str) -> BadLicence:
    return BadLicence("malformed", f"this is no licence file: it {what}")
