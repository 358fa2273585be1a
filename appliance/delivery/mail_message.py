"""A parcel as a mail: what its receiver can sort by, and the same bytes however often it is sent."""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from email import policy
from email.message import EmailMessage

from appliance import __version__
from appliance.delivery.errors import DeliveryNotConfiguredError
from appliance.delivery.outbox import Parcel
from appliance.net.text_sanitizer import one_line

# A stricter form than the settings ask for: nothing that would have to be quoted, or could end a command.
_ADDRESS_PATTERN = re.compile(
    r'(?P<local>[^\s<>()\[\]\\,;:"@]{1,64})@(?P<domain>[\w.-]{1,253}|\[[0-9A-Fa-f.:]{2,45}\]|\[IPv6:[0-9A-Fa-f.:]+\])'
)


@dataclass(frozen=True, slots=True)
class MailMessage:
    """What is handed to the mail server."""

    sender: str
    recipients: tuple[str, ...]
    data: bytes
    needs_smtputf8: bool  # an address needs SMTPUTF8 (RFC 6531)


def compose(
    parcel: Parcel,
    data: bytes,
    *,
    sender: str,
    recipients: Sequence[str],
    plug: str,
    plug_id: str = "",
    site: str = "",
) -> MailMessage:
    """The parcel as the attachment of a message. Raises NotConfigured for an address that is none."""
    sender = _normalize_address(sender, "sender")
    recipients = tuple(dict.fromkeys(_normalize_address(text, "recipient") for text in recipients))
    beyond_ascii = not all(text.isascii() for text in (sender, *recipients))
    message = EmailMessage((policy.SMTPUTF8 if beyond_ascii else policy.SMTP).clone(cte_type="7bit"))
    plug, site = one_line(plug), one_line(site)
    message["From"] = sender
    message["To"] = ", ".join(recipients)
    message["Subject"] = ": ".join(part for part in ("PrintMonitor", plug, site, parcel.name) if part)
    message["Date"] = parcel.created_at.astimezone(UTC)
    # The parcel's own: a receiver that gets the mail again, since an answer was lost, can tell.
    message["Message-ID"] = f"<{parcel.id}@{sender.rpartition('@')[2].strip('[]').replace(':', '.')}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answer by a machine, please
    message["X-Auto-Response-Suppress"] = "All"  # the same for Exchange
    message["User-Agent"] = f"PrintMonitor-Plug/{__version__}"
    message["PrintMonitor-Plug"] = one_line(plug_id) or plug
    message["PrintMonitor-Parcel"] = parcel.id
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    message["PrintMonitor-Digest"] = f"sha-256=:{digest}:"
    message.set_content(_body_text(parcel, plug, site))
    message.add_attachment(data, maintype="application", subtype="zip", filename=f"{parcel.name}.zip")
    message.set_boundary(f"=_{parcel.id}")  # else a random one
    return MailMessage(sender, recipients, message.as_bytes(), beyond_ascii)


def _body_text(parcel: Parcel, plug: str, site: str) -> str:
    where = f"{plug} ({site})" if site else plug
    return (
        f"The attached encrypted ZIP holds what PrintMonitor Plug {where} knew of its printers\n"
        f"at {parcel.created_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC.\n\n"
        f"Parcel  {parcel.id}\n"
        f"Bytes   {parcel.size}\n"
        f"SHA-256 {parcel.digest}\n\n"
        "Sent by a machine; nobody reads answers.\n"
    )


def _normalize_address(text: str, setting: str) -> str:
    """The address with its domain as name servers know it."""
    found = _ADDRESS_PATTERN.fullmatch(text.strip())
    if found is None or not text.strip().isprintable():
        raise DeliveryNotConfiguredError(f"transmission.mail.{setting} is no mail address")
    domain = found["domain"]
    if not domain.startswith("["):
        try:
            domain = domain.encode("idna").decode()
        except UnicodeError:
            raise DeliveryNotConfiguredError(f"transmission.mail.{setting}: its domain is no name") from None
    return f"{found['local']}@{domain}"
