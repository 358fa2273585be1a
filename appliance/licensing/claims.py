"""What a licence says, once its signature is believed."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from urllib.parse import urlsplit

from appliance.domain.messages import Message

MAX_TEXT_CHARS = 200  # characters of a name, a key or a URL
MAX_PRINTERS = 1_000_000

LicenceErrorKind = Literal[
    "malformed", "altered", "foreign", "other plug", "expired", "early", "revoked", "unchecked"
]


class InvalidLicenceError(Exception):
    """A licence that is not taken; the text is one clear line."""

    def __init__(self, kind: LicenceErrorKind, reason: str) -> None:
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


def parse_claims(signed: str) -> Mapping[str, object]:
    try:
        found = tomllib.loads(signed)
    except (ValueError, RecursionError):
        raise malformed_error(Message("licence.no_toml")) from None
    return found


def text_claim(claims: Mapping[str, object], name: str, *, required: bool = False) -> str:
    value = claims.get(name, "")
    if not isinstance(value, str) or not value.isprintable() or len(value) > MAX_TEXT_CHARS:
        raise malformed_error(Message("licence.bad_text", name=name, limit=MAX_TEXT_CHARS))
    if required and not value:
        raise malformed_error(Message("licence.field_missing", name=name))
    return value


def printer_limit(claims: Mapping[str, object]) -> int | None:
    value = claims.get("printers")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MAX_PRINTERS:
        raise malformed_error(Message("licence.bad_printers", limit=MAX_PRINTERS))
    return value


def url_claim(claims: Mapping[str, object], name: str, *, required: bool = False) -> str:
    address = text_claim(claims, name, required=required)
    if address and not is_https_url(address):
        raise malformed_error(Message("licence.bad_url", name=name))
    return address


def is_https_url(address: str) -> bool:
    """Whether something can be sent there: HTTPS, with a host, without a password in it."""
    try:
        parts = urlsplit(address)
        good = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return good and parts.username is None and " " not in address


def iter_time_claims(claims: Mapping[str, object], name: str) -> Iterator[datetime]:
    """A time with its zone, or a day: the whole of it, in UTC; nothing where the key is missing."""
    value = claims.get(name)
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
    raise malformed_error(Message("licence.bad_time", name=name))


def malformed_error(detail: str) -> InvalidLicenceError:
    return InvalidLicenceError("malformed", Message("licence.no_licence", reason=detail))
