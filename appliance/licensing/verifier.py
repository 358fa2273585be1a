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
        raise malformed_error("needs the Plug's certificate and one signed block (CMS)")
    if len(certificates) > MAX_CERTIFICATES:
        raise malformed_error(f"holds more than {MAX_CERTIFICATES} certificates")
    if not vendor_ca.is_file():
        raise _unverifiable_error(f"there is no vendor certificate {vendor_ca}")
    try:
        facts = claims.parse_claims(_extract_signed_text(signed[0], vendor_ca))
        return _build_licence(facts, certificates, vendor_ca)
    except OSError as error:
        raise _unverifiable_error(error.strerror or str(error)) from error


def check_validity(licence: Licence, data: bytes, vendor_ca: Path, now: datetime) -> None:
    """A new licence must be valid now, and so must the certificate that signed it. Raises BadLicence."""
    if now < licence.valid_from:
        raise InvalidLicenceError("early", f"{too_early_text(licence)} It says {now:%Y-%m-%d %H:%M} UTC")
    if now >= licence.valid_until:
        raise InvalidLicenceError("expired", f"the licence expired on {licence.valid_until:%Y-%m-%d}")
    (signed,) = [block for label, block in _parse_pem_blocks(data) if label != "CERTIFICATE"]
    try:
        _verify_signature(signed, vendor_ca, "-attime", str(int(now.timestamp())))
    except openssl.Failed as error:
        if "not yet valid" in error.said:
            raise InvalidLicenceError(
                "early", f"the licence was signed after {now:%Y-%m-%d %H:%M} UTC: {CLOCK_HINT}"
            ) from None
        raise InvalidLicenceError("expired", "the certificate that signed the licence has expired") from None


CLOCK_HINT = "is the Plug's clock right?"


def too_early_text(licence: Licence) -> str:
    return f"the licence is not valid before {licence.valid_from:%Y-%m-%d %H:%M} UTC: {CLOCK_HINT}"


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
        raise malformed_error(f"has more than {MAX_LICENCE_BYTES:,} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise malformed_error("is no text") from None
    blocks = []
    for label, body in _PEM_BLOCK.findall(text):
        if label not in ("CERTIFICATE", "CMS", "PKCS7"):
            raise malformed_error(f"holds a block {label}, which does not belong there")
        name = "CERTIFICATE" if label == "CERTIFICATE" else "CMS"
        blocks.append(
            (name, "\n".join([f"-----BEGIN {name}-----", *body.split(), f"-----END {name}-----", ""]))
        )
    if len(blocks) != text.count("-----BEGIN "):
        raise malformed_error("has a block that is not complete")
    return blocks


def _verify_signature(signed: str, vendor_ca: Path, *time_check: str) -> bytes:
    # Without -no-CA... the system's own authorities would count as vendors.
    return openssl.run(
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
                raise malformed_error("is not signed by exactly one signer")
            uses = openssl.run("x509", "-in", str(signer), "-noout", "-ext", "extendedKeyUsage").decode()
        except openssl.Failed as error:
            raise _signature_error(error) from error
    # A Plug's own certificate comes from the same vendor: it must not do for signing licences.
    if "E-mail Protection" not in uses:
        raise InvalidLicenceError(
            "foreign", "the licence is signed by a certificate that is not for licences"
        )
    if len(content) > MAX_TOML_CHARS:
        raise malformed_error(f"has a signed text of more than {MAX_TOML_CHARS:,} bytes")
    return content.decode("utf-8", "replace")


def _signature_error(error: openssl.Failed) -> InvalidLicenceError:
    said = error.said
    if not said:
        return _unverifiable_error(str(error))
    if "X509_load_cert" in said or "Error loading file" in said:
        return _unverifiable_error("the vendor certificate cannot be read")
    if "certificate purpose" in said:
        return InvalidLicenceError(
            "foreign", "the licence is signed by a certificate that is not for licences"
        )
    if "certificate verify error" in said or "lookup:" in said:
        return InvalidLicenceError(
            "foreign", "the licence is not from this vendor: another authority signed it"
        )
    if "verification failure" in said or "digest" in said:
        return InvalidLicenceError(
            "altered", "the licence was altered: its signature does not match its text"
        )
    return malformed_error("has a block that cannot be read")


def _build_licence(facts: Mapping[str, object], certificates: Sequence[str], vendor_ca: Path) -> Licence:
    own = _read_plug_certificate(certificates, vendor_ca)
    plug_id = claims.text_claim(facts, "plug_id", required=True)
    if plug_id != own.common_name:
        raise malformed_error("names one Plug in its certificate and another in its signed text")
    _check_chain(certificates[1:])
    starts = [own.not_before, *claims.iter_time_claims(facts, "valid_from")]
    ends = [own.not_after, *claims.iter_time_claims(facts, "valid_until")]
    if len(ends) < 2:
        raise malformed_error("does not say until when it is valid (valid_until)")
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
            said = openssl.run(
                *("x509", "-in", str(own), "-noout", "-startdate", "-enddate", "-dateopt", "iso_8601"),
                *("-subject", "-nameopt", "multiline,-align,utf8,-esc_msb"),
            ).decode("utf-8", "replace")
        except openssl.Failed as error:
            raise malformed_error("has a certificate that cannot be read") from error
        try:
            openssl.run(
                *("verify", "-CAfile", str(vendor_ca), "-no-CApath", "-no-CAstore", "-no_check_time"),
                *("-purpose", "sslclient", *untrusted, str(own)),
            )
        except openssl.Failed as error:
            raise _certificate_error(error) from error
    return _parse_certificate(said)


def _certificate_error(error: openssl.Failed) -> InvalidLicenceError:
    if "certificate purpose" in error.said:
        return malformed_error("has a certificate that is not for a Plug (TLS client)")
    found = _signature_error(error)
    if found.kind != "foreign":
        return found
    return InvalidLicenceError("foreign", "the certificate in the licence is not from this vendor")


def _parse_certificate(output: str) -> _PlugCertificate:
    names = re.findall(r"^ *commonName *= (.*)$", output, re.MULTILINE)
    dates = dict(re.findall(r"^(notBefore|notAfter)=(.*)$", output, re.MULTILINE))
    if len(names) != 1:
        raise malformed_error("has a certificate without the Plug's id (one common name)")
    try:
        return _PlugCertificate(
            names[0], *(_parse_openssl_time(dates[name]) for name in ("notBefore", "notAfter"))
        )
    except (KeyError, ValueError):
        raise malformed_error("has a certificate with dates that cannot be read") from None


def _parse_openssl_time(text: str) -> datetime:
    return datetime.strptime(text.strip(), "%Y-%m-%d %H:%M:%SZ").replace(tzinfo=UTC)


def _check_chain(certificates: Sequence[str]) -> None:
    for each in certificates:
        try:
            said = openssl.run("x509", "-noout", "-ext", "basicConstraints", stdin=each.encode()).decode()
        except openssl.Failed as error:
            raise malformed_error("has a certificate that cannot be read") from error
        if "CA:TRUE" not in said:
            raise malformed_error("holds two certificates of Plugs; the others must be those of authorities")


def _unverifiable_error(reason: str) -> InvalidLicenceError:
    return InvalidLicenceError("unchecked", f"a licence cannot be checked: {reason}")
