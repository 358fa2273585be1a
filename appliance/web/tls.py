"""The certificate of this page: made at the first start, or one that the owner brings."""

import asyncio
import ipaddress
import re
import socket
import ssl
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from appliance.domain.messages import Message
from appliance.host import atomic_file, openssl
from appliance.settings.schema import Home
from appliance.web.errors import invalid_value

SELF_SIGNED_DAYS = 3650  # nobody renews a certificate that no browser trusts anyway
UPLOADED_MARKER = "web.uploaded"


class CertificateError(Exception):
    """There is no certificate and none can be made; the text is one clear line."""


@dataclass(frozen=True, slots=True)
class CertificateInfo:
    names: tuple[str, ...]
    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    fingerprint: str


def certificate_path(home: Home) -> Path:
    return home.tls / "web.pem"


def key_path(home: Home) -> Path:
    return home.tls / "web.key"


def is_uploaded(home: Home) -> bool:
    return (home.tls / UPLOADED_MARKER).exists()


async def create_context(home: Home, name: str) -> ssl.SSLContext:
    """TLS 1.2 or later with the page's certificate, made where none works. Raises NoCertificate."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    try:
        load_certificate(made, home)
    except (OSError, ValueError):  # SSLError is an OSError
        await create_self_signed(home, name)
        load_certificate(made, home)
    return made


def load_certificate(ssl_context: ssl.SSLContext, home: Home) -> None:
    """New connections take the certificate as it lies there now. Raises OSError or ValueError."""
    ssl_context.load_cert_chain(certificate_path(home), key_path(home), _reject_password)


async def create_self_signed(home: Home, name: str) -> None:
    """A self-signed certificate for this Plug's names and addresses. Raises NoCertificate."""
    home.create_folders()
    with tempfile.TemporaryDirectory(dir=home.tls, prefix=".new-") as scratch:
        key, certificate = Path(scratch) / "key", Path(scratch) / "pem"
        await _run_openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-sha256"),
            *(
                "-days",
                str(SELF_SIGNED_DAYS),
                "-subj",
                f"/CN={name}",
                "-keyout",
                str(key),
                "-out",
                str(certificate),
            ),
            *("-addext", f"subjectAltName={','.join(_subject_alt_names(name))}"),
            *("-addext", "extendedKeyUsage=serverAuth", "-addext", "basicConstraints=critical,CA:FALSE"),
        )
        _write_pair(home, certificate.read_bytes(), key.read_bytes())
    (home.tls / UPLOADED_MARKER).unlink(missing_ok=True)


async def install_uploaded(home: Home, certificate: str, key: str, now: datetime) -> None:
    """Use the owner's certificate. Raises Trouble if the key does not fit, or its time is not now."""
    home.create_folders()
    with tempfile.TemporaryDirectory(dir=home.tls, prefix=".new-") as scratch:
        pem, private = Path(scratch) / "pem", Path(scratch) / "key"
        pem.write_text(_extract_pem_blocks(certificate, "CERTIFICATE", "certificate"), "ascii")
        private.write_text(_extract_pem_blocks(key, r"(?:EC |RSA )?PRIVATE KEY", "private_key"), "ascii")
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(pem, private, _reject_password)
        except ssl.SSLError as error:
            raise _key_pair_error(error) from error
        except (OSError, ValueError) as error:
            raise invalid_value(Message("certificate.key_encrypted"), "private_key") from error
        found = await read_certificate(pem)
        if not found.not_before <= now < found.not_after:
            raise invalid_value(
                Message(
                    "certificate.validity",
                    start=f"{found.not_before:%Y-%m-%d}",
                    end=f"{found.not_after:%Y-%m-%d}",
                ),
                "certificate",
            )
        _write_pair(home, pem.read_bytes(), private.read_bytes())
    atomic_file.write(home.tls / UPLOADED_MARKER, b"")


async def read_certificate(path: Path) -> CertificateInfo:
    """What a certificate says. Raises NoCertificate."""
    text = await _run_openssl(
        *("x509", "-in", str(path), "-noout", "-subject", "-issuer", "-nameopt", "RFC2253,utf8,-esc_msb"),
        *(
            "-startdate",
            "-enddate",
            "-dateopt",
            "iso_8601",
            "-fingerprint",
            "-sha256",
            "-ext",
            "subjectAltName",
        ),
    )
    said = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    names = re.findall(r"(?:DNS|IP Address):([^,\s]+)", text)
    try:
        return CertificateInfo(
            tuple(names),
            said["subject"],
            said["issuer"],
            _parse_time(said["notBefore"]),
            _parse_time(said["notAfter"]),
            next(value for key, value in said.items() if key.lower().endswith("fingerprint")),
        )
    except (KeyError, ValueError, StopIteration) as error:
        raise CertificateError(Message("certificate.unclear")) from error


def local_addresses() -> Iterable[str]:
    """The box's own addresses, as far as they are known without asking anybody."""
    found = {"127.0.0.1", "::1"}
    for family, somewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:  # connecting UDP sends nothing: it only looks up which address would be used
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((somewhere, 9))
                found.add(str(probe.getsockname()[0]).partition("%")[0])
        except OSError:
            continue
    return sorted(found)


def _subject_alt_names(name: str) -> list[str]:
    host = socket.gethostname()
    wanted = [name, f"{name}.local", host, f"{host.partition('.')[0]}.local", "localhost"]
    good = [text for text in dict.fromkeys(wanted) if re.fullmatch(r"[A-Za-z0-9.-]{1,253}", text)]
    return [f"DNS:{text}" for text in good] + [
        f"IP:{ipaddress.ip_address(text)}" for text in local_addresses()
    ]


def _extract_pem_blocks(text: str, kind: str, field: str) -> str:
    """The PEM blocks of one kind, without whatever else stands in the file. Raises Trouble."""
    found = re.findall(rf"-----BEGIN ({kind})-----([A-Za-z0-9+/=\s]{{1,50000}}?)-----END \1-----", text)
    if not found:
        raise invalid_value(Message("certificate.no_pem"), field)
    return "".join(
        f"-----BEGIN {label}-----\n" + "\n".join(body.split()) + f"\n-----END {label}-----\n"
        for label, body in found[:10]
    )


def _write_pair(home: Home, certificate: bytes, key: bytes) -> None:
    atomic_file.write(key_path(home), key)
    atomic_file.write(certificate_path(home), certificate)


def _key_pair_error(error: ssl.SSLError) -> Exception:
    if error.reason == "KEY_VALUES_MISMATCH":
        return invalid_value(Message("certificate.other_key"), "private_key")
    return invalid_value(Message("certificate.unusable"), "certificate")


def _reject_password() -> str:
    raise ValueError("the key has a password")  # else OpenSSL would ask at the terminal


def _parse_time(text: str) -> datetime:
    return datetime.strptime(text.strip(), "%Y-%m-%d %H:%M:%SZ").replace(tzinfo=UTC)


async def _run_openssl(*arguments: str) -> str:
    try:
        return (await asyncio.to_thread(openssl.run_openssl, *arguments)).decode("utf-8", "replace")
    except openssl.OpensslError as error:
        raise CertificateError(str(error)) from error
