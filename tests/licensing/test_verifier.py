"""Licence files as providers, attackers and accidents make them; openssl is the judge."""

import base64
import subprocess
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.licensing import verifier
from appliance.licensing.claims import InvalidLicenceError, Licence
from tests.licensing.licences import DAY, HOUR, NOW, PLUG, TERMS, asked, licence, pem_blocks
from tests.provider.authority import Authority, Pair, openssl


@pytest.fixture(scope="module")
def request_pem(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return asked(tmp_path_factory.mktemp("plug"))


@pytest.fixture(scope="module")
def certificate(vendor: Authority, request_pem: bytes) -> bytes:
    return vendor.certificate(request_pem, NOW - HOUR, NOW + 365 * DAY)


def text(**terms: object) -> bytes:
    """The signed text; a term that is None is left out."""
    facts = {"plug_id": PLUG, "valid_until": NOW + 300 * DAY, **TERMS, **terms}
    return tomli_w.dumps({key: value for key, value in facts.items() if value is not None}).encode()


def refused(data: bytes, vendor: Authority) -> InvalidLicenceError:
    with pytest.raises(InvalidLicenceError) as refusal:
        verifier.verify(data, vendor.ca_file)
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < 200
    return refusal.value


def test_a_good_licence_says_everything(vendor: Authority, certificate: bytes) -> None:
    found = verifier.verify(certificate + vendor.signed(text()), vendor.ca_file)
    assert found == Licence(
        plug_id=PLUG,
        customer="Example AG",
        partner="Partner GmbH",
        printers=50,
        valid_from=NOW - HOUR,
        valid_until=NOW + 300 * DAY,
        upload_url="https://cloud.example.com/parcels",
        enrolment_url="https://cloud.example.com/enrol",
        transmission_key="a-secret-key",
        certificates=certificate.decode(),
        fingerprint=found.fingerprint,
    )
    printed = subprocess.run(
        ["openssl", "x509", "-noout", "-fingerprint", "-sha256"],
        input=certificate,
        capture_output=True,
        check=True,
    ).stdout.decode()
    assert printed.strip().partition("=")[2].replace(":", "").lower() == found.fingerprint
    assert "a-secret-key" not in repr(found)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: b"Licence of Example AG, B\xc3\xbcro\n\n" + data + b"\n-- \nsent by mail\n",
        lambda data: b"".join(reversed(pem_blocks(data))),
        lambda data: data.replace(b"BEGIN CMS", b"BEGIN PKCS7").replace(b"END CMS", b"END PKCS7"),
    ],
    ids=["crlf", "bom", "words around", "other order", "old label"],
)
def test_what_mail_programs_do_to_it_does_no_harm(
    vendor: Authority, certificate: bytes, change: Callable[[bytes], bytes]
) -> None:
    data = change(certificate + vendor.signed(text()))
    assert verifier.verify(data, vendor.ca_file).customer == "Example AG"


def test_whichever_ends_first_ends_the_licence(vendor: Authority, request_pem: bytes) -> None:
    short = vendor.certificate(request_pem, NOW - HOUR, NOW + 10 * DAY)
    found = verifier.verify(short + vendor.signed(text(valid_from=NOW)), vendor.ca_file)
    assert (found.valid_from, found.valid_until) == (NOW, NOW + 10 * DAY)


def test_a_day_means_the_whole_of_it(vendor: Authority, certificate: bytes) -> None:
    day = (NOW + 30 * DAY).date()
    found = verifier.verify(certificate + vendor.signed(text(valid_until=day)), vendor.ca_file)
    assert found.valid_until == datetime.combine(day, datetime.min.time(), UTC) + DAY


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"plug_id": "printmonitor-000001"}, "one Plug in its certificate and another"),
        ({"plug_id": None}, "no plug_id"),
        ({"valid_until": None}, "until when"),
        ({"valid_until": "2030-01-01"}, "valid_until that is neither"),
        ({"valid_until": datetime(2030, 1, 1)}, "valid_until that is neither"),  # noqa: DTZ001
        ({"valid_until": date.max}, "valid_until that is neither"),
        ({"printers": 0}, "number of printers"),
        ({"printers": True}, "number of printers"),
        ({"printers": 10**18}, "number of printers"),
        ({"customer": ""}, "no customer"),
        ({"customer": ["Example"]}, "customer that is not a text"),
        ({"customer": "Example\x1b[2J"}, "customer that is not a text"),
        ({"customer": "x" * 201}, "customer that is not a text"),
        ({"upload_url": "http://cloud.example.com/"}, "upload_url that is not an https"),
        ({"upload_url": "https://user:word@cloud.example.com/"}, "upload_url that is not an https"),
        ({"upload_url": "https://[::1/"}, "upload_url that is not an https"),
        ({"enrolment_url": "file:///etc/passwd"}, "enrolment_url that is not an https"),
        ({"transmission_key": None}, "no transmission_key"),
        ({"padding": "x" * verifier.MAX_TOML_CHARS}, "more than"),
    ],
)
def test_a_vendor_s_own_mistakes_are_named(
    vendor: Authority, certificate: bytes, terms: dict[str, object], said: str
) -> None:
    found = refused(certificate + vendor.signed(text(**terms)), vendor)
    assert found.kind == "malformed"
    assert said in str(found)


def test_what_a_newer_provider_adds_is_left_alone(vendor: Authority, certificate: bytes) -> None:
    found = verifier.verify(certificate + vendor.signed(text(colour="blue", more={"a": [1]})), vendor.ca_file)
    assert found.customer == "Example AG"


@pytest.mark.parametrize(
    "bomb",
    [
        b"a = " + b"[" * 8000,
        b".".join([b"a"] * 7000) + b" = 1",
        b"a = " + b"9" * 9000,
        b"\xff\xfe\x00",
        b"{}",
        b"",
    ],
)
def test_a_signed_text_that_is_no_toml(vendor: Authority, certificate: bytes, bomb: bytes) -> None:
    assert refused(certificate + vendor.signed(bomb), vendor).kind == "malformed"


def altered(data: bytes, old: bytes, new: bytes) -> bytes:
    """The file with other bytes inside its signed block."""
    *certificates, signed = pem_blocks(data)
    inner = base64.b64decode(b"".join(signed.splitlines()[1:-1]))
    assert old in inner
    body = base64.encodebytes(inner.replace(old, new))
    return b"".join(certificates) + b"-----BEGIN CMS-----\n" + body + b"-----END CMS-----\n"


def test_an_altered_text_is_refused(vendor: Authority, certificate: bytes) -> None:
    good = certificate + vendor.signed(text())
    found = refused(altered(good, b"printers = 50", b"printers = 99"), vendor)
    assert found.kind == "altered"
    assert "was altered" in str(found)


def test_an_altered_certificate_is_refused(vendor: Authority, certificate: bytes) -> None:
    body = bytearray(base64.b64decode(b"".join(certificate.splitlines()[1:-1])))
    body[body.index(PLUG.encode()) + len(PLUG) - 1] ^= 1
    other = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(body) + b"-----END CERTIFICATE-----\n"
    assert refused(other + vendor.signed(text()), vendor).kind == "foreign"


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Somebody who calls himself as the vendor does."""
    return Authority(tmp_path_factory.mktemp("other") / "authority")


def test_another_authority_is_foreign(
    vendor: Authority, other: Authority, request_pem: bytes, certificate: bytes
) -> None:
    theirs = other.certificate(request_pem, NOW - HOUR, NOW + 365 * DAY)
    assert refused(theirs + other.signed(text()), vendor).kind == "foreign"
    assert refused(theirs + vendor.signed(text()), vendor).kind == "foreign"
    found = refused(certificate + other.signed(text()), vendor)
    assert "not from this vendor" in str(found)


def test_the_system_s_authorities_are_no_vendors(
    vendor: Authority,
    request_pem: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = Authority(tmp_path / "other", "Somebody with another name")
    roots = tmp_path / "roots"
    roots.mkdir()
    (roots / "other.pem").write_bytes(other.ca_file.read_bytes())
    subprocess.run(["openssl", "rehash", str(roots)], check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_DIR", str(roots))
    monkeypatch.setenv("SSL_CERT_FILE", str(other.ca_file))
    theirs = other.certificate(request_pem, NOW - HOUR, NOW + 365 * DAY)
    assert refused(theirs + vendor.signed(text()), vendor).kind == "foreign"
    ours = vendor.certificate(request_pem, NOW - HOUR, NOW + 365 * DAY)
    assert refused(ours + other.signed(text()), vendor).kind == "foreign"


def test_a_plug_cannot_sign_its_own_licence(vendor: Authority, certificate: bytes) -> None:
    for kind in ("plug", "server"):
        pair = vendor.pair(f"sly-{kind}", kind, NOW - HOUR, NOW + DAY)
        found = refused(certificate + vendor.signed(text(printers=999_999), pair), vendor)
        assert (found.kind, "not for licences" in str(found)) == ("foreign", True)


def test_a_signer_without_any_stated_use_is_no_signer(vendor: Authority, certificate: bytes) -> None:
    """openssl itself takes a certificate without extended key usage for everything."""
    bare = vendor.pair("bare", "bare", NOW - HOUR, NOW + DAY)
    assert refused(certificate + vendor.signed(text(), bare), vendor).kind == "foreign"


def test_a_certificate_that_is_not_for_a_plug(vendor: Authority) -> None:
    pair = vendor.pair(PLUG, "server", NOW - HOUR, NOW + 365 * DAY)
    found = refused(pair.certificate.read_bytes() + vendor.signed(text()), vendor)
    assert "not for a Plug" in str(found)


def hostile(vendor: Authority, certificate: bytes) -> dict[str, bytes]:
    signed = vendor.signed(text())
    chain = certificate * verifier.MAX_CERTIFICATES
    envelope = openssl("cms", "-encrypt", "-outform", "PEM", str(vendor.signer.certificate), stdin=text())
    nested = vendor.signed(signed)
    no_signer = openssl("crl2pkcs7", "-nocrl", "-certfile", str(vendor.signer.certificate))
    plain = openssl("cms", "-data_create", "-outform", "PEM", stdin=text())
    detached = openssl(
        *("cms", "-sign", "-binary", "-outform", "PEM", "-signer", str(vendor.signer.certificate)),
        *("-inkey", str(vendor.signer.key)),
        stdin=text(),
    )
    return {
        "empty": b"",
        "binary": bytes(range(256)) * 20,
        "zeros": b"\0" * 1000,
        "huge": b"#" * (verifier.MAX_LICENCE_BYTES + 1),
        "a web page": b"<html><body>Please log in</body></html>",
        "no certificate": signed,
        "no signature": certificate,
        "two signatures": certificate + signed + signed,
        "two Plugs": certificate + certificate + signed,
        "too many certificates": chain + certificate + signed,
        "cut off": (certificate + signed)[:-40],
        "cut in the middle": certificate[:-80] + signed,
        "private key": certificate + signed + vendor.signer.key.read_bytes(),
        "rubbish in PEM": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" + signed,
        "rubbish in CMS": certificate + b"-----BEGIN CMS-----\nMIIB\n-----END CMS-----\n",
        "no base64": certificate + b"-----BEGIN CMS-----\n====\n-----END CMS-----\n",
        "many beginnings": b"-----BEGIN CMS-----\n" * 3000,
        "envelope": certificate + envelope,
        "nested": certificate + nested,
        "no signer": certificate + no_signer,
        "not signed": certificate + plain,
        "detached": certificate + detached,
    }


def test_hostile_files_are_answered_by_one_line(vendor: Authority, certificate: bytes) -> None:
    kinds = {name: refused(data, vendor).kind for name, data in hostile(vendor, certificate).items()}
    assert {name for name, kind in kinds.items() if kind != "malformed"} == set()


@settings(
    max_examples=40,
    deadline=timedelta(seconds=5),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.binary(max_size=300), st.integers(0, 2000))
def test_random_damage_never_passes(vendor: Authority, certificate: bytes, noise: bytes, place: int) -> None:
    signed = vendor.signed(text())
    at = len(b"-----BEGIN CMS-----\n") + place % (len(signed) - 60)
    damaged = certificate + signed[:at] + noise + signed[at + len(noise) :]
    assert read_or_said(damaged, vendor) in ("Example AG", "one line")


def read_or_said(data: bytes, vendor: Authority) -> str:
    try:
        return verifier.verify(data, vendor.ca_file).customer
    except InvalidLicenceError as error:
        return "one line" if str(error).isprintable() else str(error)


@pytest.mark.parametrize(
    "key",
    [("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"), ("-algorithm", "ED25519")],
    ids=["RSA", "Ed25519"],
)
def test_a_key_of_another_kind_fits_no_plug(vendor: Authority, tmp_path: Path, key: tuple[str, ...]) -> None:
    other_key = tmp_path / "key.pem"
    other_key.write_bytes(openssl("genpkey", *key))
    theirs = openssl("req", "-new", "-key", str(other_key), "-subj", f"/CN={PLUG}", "-config", "/dev/null")
    data = vendor.certificate(theirs, NOW - HOUR, NOW + DAY) + vendor.signed(text())
    found = verifier.verify(data, vendor.ca_file)
    assert verifier.is_matching_key(found, other_key)
    own_key = tmp_path / "tls" / "request.key"
    asked(tmp_path)
    assert not verifier.is_matching_key(found, own_key)


def test_no_vendor_certificate(vendor: Authority, certificate: bytes, tmp_path: Path) -> None:
    data = certificate + vendor.signed(text())
    with pytest.raises(InvalidLicenceError, match=r"there is no vendor certificate .*ca\.pem") as missing:
        verifier.verify(data, tmp_path / "ca.pem")
    assert missing.value.kind == "unchecked"
    (tmp_path / "ca.pem").write_text("rubbish")
    with pytest.raises(InvalidLicenceError, match="vendor certificate cannot be read") as damaged:
        verifier.verify(data, tmp_path / "ca.pem")
    assert damaged.value.kind == "unchecked"


@pytest.mark.parametrize(
    ("start", "end", "kind", "said"),
    [
        (NOW - 400 * DAY, NOW - DAY, "expired", f"expired on {NOW - DAY:%Y-%m-%d}"),
        (NOW + DAY, NOW + 400 * DAY, "early", "is the Plug's clock right?"),
    ],
)
def test_the_time_of_a_new_licence(
    vendor: Authority, tmp_path: Path, *, start: datetime, end: datetime, kind: str, said: str
) -> None:
    data = licence(vendor, tmp_path, start=start, end=end)
    found = verifier.verify(data, vendor.ca_file)
    with pytest.raises(InvalidLicenceError) as refusal:
        verifier.check_validity(found, data, vendor.ca_file, NOW)
    assert refusal.value.kind == kind
    assert said in str(refusal.value)


@pytest.mark.parametrize(
    ("start", "end", "kind"),
    [(NOW - 20 * DAY, NOW - DAY, "expired"), (NOW + DAY, NOW + 20 * DAY, "early")],
)
def test_the_time_of_the_signer(
    vendor: Authority, certificate: bytes, *, start: datetime, end: datetime, kind: str
) -> None:
    pair: Pair = vendor.pair(f"signer-{kind}", "signer", start, end)
    data = certificate + vendor.signed(text(), pair)
    found = verifier.verify(data, vendor.ca_file)  # what was good when it was installed stays good
    with pytest.raises(InvalidLicenceError) as refusal:
        verifier.check_validity(found, data, vendor.ca_file, NOW)
    assert refusal.value.kind == kind
