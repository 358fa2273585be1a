"""A licence file: what it must hold to be believed.

It is PEM text with the Plug's client certificate, that certificate's chain, and a block of TOML that the
vendor has signed (CMS, RFC 5652). Whoever carries it may be anybody: nothing counts before the signatures do.
"""

import hashlib
import re
import ssl
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from appliance.domain.messages import Message, message_of
from appliance.host import openssl
from appliance.licensing import claims
from appliance.licensing.claims import InvalidLicenceError, Licence, malformed_error

MAX_LICENCE_BYTES = 65_536  # a file with a chain of three certificates has some 6,000
MAX_CERTIFICATES = 5
MAX_TOML_CHARS = 16_384  # characters; the facts are some 400

_PEM_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----([A-Za-z0-9+/=\s]*)-----END \1-----")


def verify(data: bytes, vendor_ca: Path) -> Licence:
    """The licence of a file that the vendor has signed, whatever the date. Raises BadLicence."""
    blocks = _parse_pem_blocks(data)
    certificates = [block for label, block in blocks if label == "CERTIFICATE"]
    signed = [block for label, block in blocks if label != "CERTIFICATE"]
    if not certificates or len(signed) != 1:
        raise malformed_error(Message("licence.parts"))
    if len(certificates) > MAX_CERTIFICATES:
        raise malformed_error(Message("licence.too_many_certificates", count=MAX_CERTIFICATES))
    if not vendor_ca.is_file():
        raise _unverifiable_error(Message("licence.no_vendor_ca", path=vendor_ca))
    try:
        facts = claims.parse_claims(_extract_signed_text(signed[0], vendor_ca))
        return _build_licence(facts, certificates, vendor_ca)
    except OSError as error:
        raise _unverifiable_error(error.strerror or message_of(error)) from error


def check_validity(licence: Licence, data: bytes, vendor_ca: Path, now: datetime) -> None:
    """A new licence must be valid now, and so must the certificate that signed it. Raises BadLicence."""
    if now < licence.valid_from:
        raise InvalidLicenceError(
            "early", Message("licence.early_now", reason=too_early_text(licence), now=f"{now:%Y-%m-%d %H:%M}")
        )
    if now >= licence.valid_until:
        raise InvalidLicenceError(
            "expired", Message("licence.expired", day=f"{licence.valid_until:%Y-%m-%d}")
        )
    (signed,) = [block for label, block in _parse_pem_blocks(data) if label != "CERTIFICATE"]
    try:
        _verify_signature(signed, vendor_ca, "-attime", str(int(now.timestamp())))
    except openssl.OpensslError as error:
        if "not yet valid" in error.stderr:
            raise InvalidLicenceError(
                "early", Message("licence.signed_later", time=f"{now:%Y-%m-%d %H:%M}")
            ) from None
        raise InvalidLicenceError("expired", Message("licence.signer_expired")) from None


CLOCK_HINT = "is the Plug's clock right?"


def too_early_text(licence: Licence) -> str:
    return Message("licence.early", time=f"{licence.valid_from:%Y-%m-%d %H:%M}")


def is_matching_key(licence: Licence, key: Path) -> bool:
    """Whether a private key is the one of the licence's certificate."""
    with tempfile.NamedTemporaryFile("w", encoding="ascii", suffix=".pem") as file:
        file.write(licence.certificates)
        file.flush()
        try:
            # The empty password keeps OpenSSL from asking for one on the terminal.
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(file.name, key, password="")
        except (OSError, ValueError):
            return False
    return True


def _parse_pem_blocks(data: bytes) -> list[tuple[str, str]]:
    """The PEM blocks with their labels, each written anew; words between them are nobody's business."""
    if len(data) > MAX_LICENCE_BYTES:
        raise malformed_error(Message("licence.too_large", limit=MAX_LICENCE_BYTES))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise malformed_error(Message("licence.not_text")) from None
    blocks = []
    for label, body in _PEM_BLOCK.findall(text):
        if label not in ("CERTIFICATE", "CMS", "PKCS7"):
            raise malformed_error(Message("licence.foreign_block", label=label))
        name = "CERTIFICATE" if label == "CERTIFICATE" else "CMS"
        blocks.append(
            (name, "\n".join([f"-----BEGIN {name}-----", *body.split(), f"-----END {name}-----", ""]))
        )
    if len(blocks) != text.count("-----BEGIN "):
        raise malformed_error(Message("licence.incomplete_block"))
    return blocks


def _verify_signature(signed: str, vendor_ca: Path, *time_check: str) -> bytes:
    # Without -no-CA... the system's own authorities would count as vendors.
    return openssl.run_openssl(
        *("cms", "-verify", "-binary", "-inform", "PEM", "-CAfile", str(vendor_ca)),
        *("-no-CApath", "-no-CAstore", "-purpose", "smimesign", *time_check),
        stdin=signed.encode(),
    )


def _extract_signed_text(signed: str, vendor_ca: Path) -> str:
    with tempfile.TemporaryDirectory(prefix="licence-") as scratch:
        signer = Path(scratch) / "signer.pem"
        try:
            content = _verify_signature(signed, vendor_ca, "-no_check_time", "-signer", str(signer))
            if signer.read_text().count("-----BEGIN CERTIFICATE-----") != 1:
                raise malformed_error(Message("licence.signers"))
            uses = openssl.run_openssl(
                "x509", "-in", str(signer), "-noout", "-ext", "extendedKeyUsage"
            ).decode()
        except openssl.OpensslError as error:
            raise _signature_error(error) from error
    # A Plug's own certificate comes from the same vendor: it must not do for signing licences.
    if "E-mail Protection" not in uses:
        raise InvalidLicenceError("foreign", Message("licence.signer_purpose"))
    if len(content) > MAX_TOML_CHARS:
        raise malformed_error(Message("licence.text_too_large", limit=MAX_TOML_CHARS))
    return content.decode("utf-8", "replace")


def _signature_error(error: openssl.OpensslError) -> InvalidLicenceError:
    said = error.stderr
    if not said:
        return _unverifiable_error(message_of(error))
    if "X509_load_cert" in said or "Error loading file" in said:
        return _unverifiable_error(Message("licence.bad_vendor_ca"))
    if "certificate purpose" in said:
        return InvalidLicenceError("foreign", Message("licence.signer_purpose"))
    if "certificate verify error" in said or "lookup:" in said:
        return InvalidLicenceError("foreign", Message("licence.other_vendor"))
    if "verification failure" in said or "digest" in said:
        return InvalidLicenceError("altered", Message("licence.altered"))
    return malformed_error(Message("licence.unreadable_block"))


def _build_licence(facts: Mapping[str, object], certificates: Sequence[str], vendor_ca: Path) -> Licence:
    own = _read_plug_certificate(certificates, vendor_ca)
    plug_id = claims.text_claim(facts, "plug_id", required=True)
    if plug_id != own.common_name:
        raise malformed_error(Message("licence.two_plugs"))
    _check_chain(certificates[1:])
    starts = [own.not_before, *claims.iter_time_claims(facts, "valid_from")]
    ends = [own.not_after, *claims.iter_time_claims(facts, "valid_until")]
    if len(ends) < 2:
        raise malformed_error(Message("licence.no_end"))
    return Licence(
        plug_id=plug_id,
        customer=claims.text_claim(facts, "customer", required=True),
        partner=claims.text_claim(facts, "partner"),
        printers=claims.printer_limit(facts),
        valid_from=max(starts),
        valid_until=min(ends),
        upload_url=claims.url_claim(facts, "upload_url", required=True),
        enrolment_url=claims.url_claim(facts, "enrolment_url"),
        transmission_key=claims.text_claim(facts, "transmission_key", required=True),
        certificates="".join(certificates),
        fingerprint=hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificates[0])).hexdigest(),
    )


@dataclass(frozen=True, slots=True)
class _PlugCertificate:
    common_name: str
    not_before: datetime
    not_after: datetime


def _read_plug_certificate(certificates: Sequence[str], vendor_ca: Path) -> _PlugCertificate:
    """The Plug's certificate: from the vendor, and for TLS clients."""
    with tempfile.TemporaryDirectory(prefix="licence-") as scratch:
        own, chain = Path(scratch) / "own.pem", Path(scratch) / "chain.pem"
        own.write_text(certificates[0])
        chain.write_text("".join(certificates[1:]))
        untrusted = ("-untrusted", str(chain)) if certificates[1:] else ()
        try:
            said = openssl.run_openssl(
                *("x509", "-in", str(own), "-noout", "-startdate", "-enddate", "-dateopt", "iso_8601"),
                *("-subject", "-nameopt", "multiline,-align,utf8,-esc_msb"),
            ).decode("utf-8", "replace")
        except openssl.OpensslError as error:
            raise malformed_error(Message("licence.unreadable_certificate")) from error
        try:
            openssl.run_openssl(
                *("verify", "-CAfile", str(vendor_ca), "-no-CApath", "-no-CAstore", "-no_check_time"),
                *("-purpose", "sslclient", *untrusted, str(own)),
            )
        except openssl.OpensslError as error:
            raise _certificate_error(error) from error
    return _parse_certificate(said)


def _certificate_error(error: openssl.OpensslError) -> InvalidLicenceError:
    if "certificate purpose" in error.stderr:
        return malformed_error(Message("licence.certificate_purpose"))
    found = _signature_error(error)
    if found.kind != "foreign":
        return found
    return InvalidLicenceError("foreign", Message("licence.certificate_vendor"))


def _parse_certificate(output: str) -> _PlugCertificate:
    names = re.findall(r"^ *commonName *= (.*)$", output, re.MULTILINE)
    dates = dict(re.findall(r"^(notBefore|notAfter)=(.*)$", output, re.MULTILINE))
    if len(names) != 1:
        raise malformed_error(Message("licence.no_common_name"))
    try:
        return _PlugCertificate(
            names[0], *(_parse_openssl_time(dates[name]) for name in ("notBefore", "notAfter"))
        )
    except (KeyError, ValueError):
        raise malformed_error(Message("licence.bad_dates")) from None


def _parse_openssl_time(text: str) -> datetime:
    return datetime.strptime(text.strip(), "%Y-%m-%d %H:%M:%SZ").replace(tzinfo=UTC)


def _check_chain(certificates: Sequence[str]) -> None:
    for each in certificates:
        try:
            said = openssl.run_openssl(
                "x509", "-noout", "-ext", "basicConstraints", stdin=each.encode()
            ).decode()
        except openssl.OpensslError as error:
            raise malformed_error(Message("licence.unreadable_certificate")) from error
        if "CA:TRUE" not in said:
            raise malformed_error(Message("licence.two_certificates"))


def _unverifiable_error(reason: str) -> InvalidLicenceError:
    return InvalidLicenceError("unchecked", Message("licence.unverifiable", reason=reason))
