"""Plugs and licences that the tests of this folder share."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance.licensing import csr
from tests.provider.authority import Authority, Pair

PLUG = "printmonitor-4f2a91"
NOW = datetime.now(UTC).replace(microsecond=0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TERMS = {
    "customer": "Example AG",
    "partner": "Partner GmbH",
    "printers": 50,
    "upload_url": "https://cloud.example.com/parcels",
    "transmission_key": "a-secret-key",
    "enrolment_url": "https://cloud.example.com/enrol",
}


def asked(home: Path, plug: str = PLUG) -> bytes:
    """The request of a Plug."""
    return csr.get_or_create(home, plug).pem.encode()


def licence(
    authority: Authority,
    home: Path,
    *,
    start: datetime = NOW - HOUR,
    end: datetime = NOW + 365 * DAY,
    signer: Pair | None = None,
    **terms: object,
) -> bytes:
    """A licence for the request of the Plug in `home`."""
    return authority.licence(asked(home), {**TERMS, **terms}, start, end, signer=signer)


def pem_blocks(data: bytes) -> list[bytes]:
    """The blocks of a licence file: certificates first, the signed one last."""
    end = b"-----END "
    parts = data.split(b"-----BEGIN ")[1:]
    return [b"-----BEGIN " + part for part in parts if end in part]
