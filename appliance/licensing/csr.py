"""What the Plug sends to get a licence: a certificate request for a key that never leaves it."""

import contextlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from appliance.domain.messages import Message
from appliance.host import atomic_file, board, file_lock, openssl
from appliance.licensing import keystore
from appliance.licensing.claims import is_https_url

PLUG_ID_PATTERN = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """A request that waits for its licence."""

    plug_id: str
    pem: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Where the request was sent, until the licence is there."""

    url: str
    code: str = field(repr=False)


def generate_plug_id() -> str:
    """The box's own id; a box without serial number gets one by lot."""
    name = board.default_plug_name()
    return name if name != board.FALLBACK_NAME else f"printmonitor-{secrets.token_hex(6)}"


def get_or_create(folder: Path, plug_id: str) -> CertificateRequest:
    """The request that waits, or a new one with a new key pair. Raises openssl.Failed, lock.Busy, OSError.

    A request that somebody carries to the provider stays good until its licence comes, however often the Plug
    is asked for it.
    """
    if not re.fullmatch(PLUG_ID_PATTERN, plug_id):
        raise ValueError(f"{plug_id!r} is no id of a Plug")
    tls = keystore.ensure_tls_folder(folder)
    with file_lock.acquire(tls / keystore.LOCK_FILE):
        waiting = read_request(folder)
        if waiting and waiting.plug_id == plug_id and not _is_key_installed(tls):
            return waiting
        if _is_key_installed(tls) or not (tls / keystore.REQUEST_KEY_FILE).exists():
            atomic_file.write(tls / keystore.REQUEST_KEY_FILE, _generate_key())
        atomic_file.write(tls / keystore.REQUEST_FILE, _create_csr(tls / keystore.REQUEST_KEY_FILE, plug_id))
    made = read_request(folder)
    if made is None:
        raise openssl.OpensslError(Message("licence.bad_csr"))
    return made


def read_request(folder: Path) -> CertificateRequest | None:
    """The request that waits for a licence."""
    path = folder / "tls" / keystore.REQUEST_FILE
    try:
        pem = path.read_text("ascii")
        made_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        said = openssl.run_openssl(
            "req", "-noout", "-subject", "-nameopt", "multiline,-align", stdin=pem.encode()
        )
    except (OSError, ValueError, openssl.OpensslError):
        return None
    if not (path.parent / keystore.REQUEST_KEY_FILE).exists():
        return None
    found = re.search(r"^ *commonName = (\S+)$", said.decode(), re.MULTILINE)
    return CertificateRequest(found[1], pem, made_at) if found else None


def url_problem(url: str) -> str | None:
    """Why this cannot be an enrolment URL."""
    return None if is_https_url(url) else Message("enrolment.bad_url")


def code_problem(code: str) -> str | None:
    """Why this cannot be an enrolment code."""
    return None if re.fullmatch("[!-~]{0,200}", code) else Message("enrolment.bad_code")


def save_enrolment(folder: Path, enrolment: Enrolment) -> None:
    """The provider has not decided yet: it is to be asked again there."""
    atomic_file.write(
        keystore.ensure_tls_folder(folder) / keystore.ENROLMENT_FILE,
        f"{enrolment.url}\n{enrolment.code}\n".encode(),
    )


def load_enrolment(folder: Path) -> Enrolment | None:
    try:
        url, code = (folder / "tls" / keystore.ENROLMENT_FILE).read_text("utf-8").split("\n")[:2]
    except (OSError, ValueError):
        return None
    return Enrolment(url, code)


def delete_request(folder: Path) -> None:
    """Nothing is waited for any more; the key goes last, as without it the rest is worthless."""
    for name in (keystore.ENROLMENT_FILE, keystore.REQUEST_FILE, keystore.REQUEST_KEY_FILE):
        with contextlib.suppress(FileNotFoundError):
            (folder / "tls" / name).unlink()


def _is_key_installed(tls: Path) -> bool:
    """Whether a licence for the request's key is installed: a crash can leave the request behind."""
    try:
        return (tls / keystore.REQUEST_KEY_FILE).read_bytes() == (tls / keystore.CLIENT_KEY_FILE).read_bytes()
    except OSError:
        return False


def _generate_key() -> bytes:
    return openssl.run_openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")


def _create_csr(key: Path, plug_id: str) -> bytes:
    return openssl.run_openssl("req", "-new", "-key", str(key), "-subj", f"/CN={plug_id}", "-sha256")
