"""A parcel goes to the provider by HTTPS, with the Plug's certificate, through a proxy if need be."""

import base64
import hashlib
import re
import ssl
from collections.abc import Container, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from io import BytesIO
from pathlib import Path
from typing import TypeGuard
from urllib.parse import urlsplit

import aiohttp

from appliance.delivery.errors import (
    DeliveryDeferredError,
    DeliveryError,
    DeliveryNotConfiguredError,
    DeliveryRejectedError,
    LicenceRejectedError,
)
from appliance.delivery.outbox import Parcel
from appliance.domain.messages import Message
from appliance.net import tls_context
from appliance.net.text_sanitizer import describe_error, exception_chain, one_line

MAX_EXPLANATION_BYTES = 4096  # bytes of the server's answer that are looked at

STATUS_ALREADY_DELIVERED = 409
REJECTED_STATUSES = frozenset({400, 413, 415, 422})
LICENCE_STATUSES = frozenset(
    {401, 403, 495, 496}
)  # 495, 496: nginx's "certificate error" and "certificate required"

# What OpenSSL calls the alerts by which a server turns a client certificate down (RFC 8446, section 6.2).
_CERTIFICATE_ALERTS = {
    "SSLV3_ALERT_BAD_CERTIFICATE": Message("tls.alert.bad"),
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": Message("tls.alert.unsupported"),
    "SSLV3_ALERT_CERTIFICATE_REVOKED": Message("tls.alert.revoked"),
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": Message("tls.alert.expired"),
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": Message("tls.alert.not_accepted"),
    "TLSV1_ALERT_UNKNOWN_CA": Message("tls.alert.unknown_issuer"),
    "TLSV1_ALERT_ACCESS_DENIED": Message("tls.alert.access_denied"),
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": Message("tls.alert.missing"),
}
_HANDSHAKE_FAILURE = "SSLV3_ALERT_HANDSHAKE_FAILURE"  # TLS 1.2 says no more where a certificate is missing


@dataclass(frozen=True, slots=True)
class HttpsDestination:
    """Where parcels go, and as whom."""

    url: str
    ca_file: str = ""  # "" = the system's roots
    certificate: Path | None = None
    private_key: Path | None = None
    proxy: str = ""
    proxy_username: str = ""
    proxy_password: str = ""
    plug_id: str = ""
    url_setting: str = "transmission.https.url"  # the URL, in what is said about it
    connect_timeout_s: float = 30  # name, TCP, proxy and TLS
    total_timeout_s: float = 300  # 1 MB over 64 kbit/s takes 130


@dataclass(frozen=True, slots=True)
class HttpReply:
    """What a server said."""

    status: int
    reason: str
    location: str
    retry_after: float | None  # seconds
    body: bytes


async def send(parcel: Parcel, data: bytes, destination: HttpsDestination) -> None:
    """Returns when the server has the parcel, else raises a NotDelivered that says what to do about it."""
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    headers = {
        "Content-Type": "application/zip",
        "Content-Digest": f"sha-256=:{digest}:",
        "Idempotency-Key": parcel.id,
    }
    raise_for_reply(await post(data, headers, destination), accepted={STATUS_ALREADY_DELIVERED})


async def post(
    data: bytes, headers: Mapping[str, str], destination: HttpsDestination, *, max_body_bytes: int = 0
) -> HttpReply:
    """The server's answer, with at most `wanted` bytes of a 2xx. Raises NotDelivered where none comes."""
    _check_destination(destination)
    context = _tls_context(destination)
    timeout = aiohttp.ClientTimeout(
        total=destination.total_timeout_s,
        connect=destination.connect_timeout_s,
        sock_connect=destination.connect_timeout_s,
    )
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session,
            session.post(
                destination.url,
                data=BytesIO(data),
                headers={**headers, **_plug_headers(destination)},
                ssl=context,
                allow_redirects=False,
                proxy=destination.proxy or None,
                proxy_headers=tls_context.proxy_headers(
                    destination.proxy_username, destination.proxy_password
                ),
            ) as response,
        ):
            good = 200 <= response.status < 300
            # A body that follows a 2xx is nobody's business, unless it is what was asked for.
            body = await _read_body(response, max_body_bytes) if good else await _read_explanation(response)
            return _parse_reply(response, body, datetime.now(UTC))
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise _translate_error(error, destination) from error


def raise_for_reply(reply: HttpReply, accepted: Container[int] = ()) -> None:
    """Raises what is to be done about an answer that is neither a 2xx nor one of the `known`."""
    status = reply.status
    if 200 <= status < 300 or status in accepted:
        return
    phrase = one_line(reply.reason)
    reason: str = (
        Message("http.server_status", status=status, reason=phrase)
        if phrase
        else Message("http.server_status_only", status=status)
    )
    if 300 <= status < 400:
        raise DeliveryDeferredError(
            Message("http.redirect", reason=reason, location=one_line(reply.location))
        )
    words = explanation_line(reply)
    reason = Message("pair", first=reason, second=words) if words else reason
    if status in REJECTED_STATUSES:
        raise DeliveryRejectedError(reason)
    if status in LICENCE_STATUSES:
        raise LicenceRejectedError(reason)
    raise DeliveryDeferredError(reason, retry_after=reply.retry_after)


def explanation_line(reply: HttpReply) -> str:
    """How the server explains itself, made harmless."""
    lines = reply.body.decode(errors="replace").strip().splitlines()
    return one_line(lines[0]) if lines else ""


def _check_destination(destination: HttpsDestination) -> None:
    parts = _parse_scheme(destination.url, destination.url_setting)
    if parts != "https":
        raise DeliveryNotConfiguredError(
            Message("delivery.not_https", setting=destination.url_setting, start=repr(parts))
        )
    if destination.proxy and _parse_scheme(destination.proxy, "transmission.https.proxy") != "http":
        raise DeliveryNotConfiguredError(Message("delivery.bad_proxy"))


def _parse_scheme(url: str, setting: str) -> str:
    try:
        parts = urlsplit(url)
        valid = bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise DeliveryNotConfiguredError(
            Message("delivery.no_url", setting=setting)
        )  # which may hold a password, so it is not shown
    return parts.scheme


def _tls_context(destination: HttpsDestination) -> ssl.SSLContext:
    try:
        context = tls_context.client_context(destination.ca_file)
    except (OSError, ValueError) as error:
        raise DeliveryNotConfiguredError(
            Message(
                "pair",
                first=f"transmission.https.ca_file {destination.ca_file}",
                second=describe_error(error),
            )
        ) from error
    if destination.certificate is not None:
        try:
            # The empty password keeps OpenSSL from asking for one on the terminal.
            context.load_cert_chain(destination.certificate, destination.private_key, password="")
        except (OSError, ValueError) as error:
            raise LicenceRejectedError(
                Message("delivery.own_certificate", reason=describe_error(error))
            ) from error
    return context


def _plug_headers(destination: HttpsDestination) -> dict[str, str]:
    return {
        "PrintMonitor-Plug": re.sub(r"[^!-~]", "-", destination.plug_id),
        "User-Agent": tls_context.USER_AGENT,
        "Accept-Encoding": "identity",
    }


def _parse_reply(response: aiohttp.ClientResponse, body: bytes, now: datetime) -> HttpReply:
    return HttpReply(
        response.status,
        response.reason or "",
        response.headers.get("Location", "nowhere"),
        _parse_retry_after(response.headers.get("Retry-After"), now),
        body,
    )


async def _read_explanation(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    with suppress(aiohttp.ClientError, OSError, TimeoutError):
        await _read_into(response, body, MAX_EXPLANATION_BYTES)
    return bytes(body)  # the status has been understood; its explanation is a courtesy


async def _read_body(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    body = bytearray()
    await _read_into(response, body, max_bytes)
    return bytes(body)


async def _read_into(response: aiohttp.ClientResponse, buffer: bytearray, max_bytes: int) -> None:
    while len(buffer) < max_bytes and (piece := await response.content.read(max_bytes - len(buffer))):
        buffer += piece


def _parse_retry_after(retry_after: str | None, now: datetime) -> float | None:
    """Seconds of a Retry-After (RFC 9110, section 10.2.3): a number, or a date."""
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:10])
    try:
        at = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())


def _translate_error(error: Exception, destination: HttpsDestination) -> DeliveryError:
    host = urlsplit(destination.url).hostname or ""
    tls = [each for each in exception_chain(error) if _is_tls_error(each)]
    if tls:
        return _translate_tls_error(tls[-1], f"{host}: TLS", destination)
    if isinstance(error, ValueError) and not isinstance(error, OSError):  # aiohttp's InvalidURL is one
        return DeliveryNotConfiguredError(Message("delivery.bad_destination"))
    return DeliveryDeferredError(_error_text(error, host, destination))


def _translate_tls_error(error: ssl.SSLError, where: str, destination: HttpsDestination) -> DeliveryError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return DeliveryDeferredError(
            Message("tls.not_trusted", where=where, reason=one_line(error.verify_message))
        )
    alert = error.reason or ""
    if alert in _CERTIFICATE_ALERTS:
        return LicenceRejectedError(
            Message("tls.own_certificate_refused", where=where, reason=_CERTIFICATE_ALERTS[alert])
        )
    if alert == _HANDSHAKE_FAILURE and destination.certificate is None:
        return LicenceRejectedError(Message("tls.handshake_refused", where=where))
    return DeliveryDeferredError(
        Message("tls.failed", where=where, reason=one_line(alert.replace("_", " ").lower() or str(error)))
    )


def _error_text(error: Exception, host: str, destination: HttpsDestination) -> str:
    match error:
        case aiohttp.ClientHttpProxyError():
            reason = Message("http.proxy_status", status=error.status, reason=one_line(error.message))
        case aiohttp.ClientResponseError():
            reason = Message("http.not_http", host=host, reason=one_line(error.message))
        case aiohttp.ClientProxyConnectionError():
            reason = Message(
                "http.proxy_unreachable",
                host=error.host,
                port=error.port,
                reason=describe_error(error.os_error),
            )
        case aiohttp.ClientConnectorDNSError():
            reason = Message("http.name_not_resolved", host=error.host, reason=describe_error(error.os_error))
        case aiohttp.ClientConnectorError():
            reason = Message(
                "pair", first=f"{error.host}:{error.port}", second=describe_error(error.os_error)
            )
        case aiohttp.ConnectionTimeoutError():
            reason = Message("http.connect_timeout", host=host, seconds=f"{destination.connect_timeout_s:g}")
        case TimeoutError():
            reason = Message("http.timeout", host=host, seconds=f"{destination.total_timeout_s:g}")
        case aiohttp.ServerDisconnectedError() | ConnectionError():
            reason = Message("http.cut_off", host=host)
        case _:
            reason = Message("pair", first=host, second=describe_error(error))
    return reason.rstrip()


def _is_tls_error(error: BaseException) -> TypeGuard[ssl.SSLError]:
    """What OpenSSL or the check of names said itself, not aiohttp's wrapping of it."""
    return isinstance(error, ssl.SSLError) and not isinstance(error, aiohttp.ClientError)
