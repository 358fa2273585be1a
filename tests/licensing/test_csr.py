"""The Plug's key and its certificate request."""

import subprocess
from pathlib import Path

import pytest

from appliance.host import file_lock
from appliance.licensing import csr
from appliance.licensing.csr import Enrolment
from tests.licensing.licences import PLUG, asked
from tests.provider.authority import openssl


def test_a_request_is_signed_and_names_the_plug(home: Path) -> None:
    made = csr.get_or_create(home, PLUG)
    said = openssl("req", "-in", "/dev/stdin", "-noout", "-text", "-verify", stdin=made.pem.encode()).decode()
    assert f"CN = {PLUG}" in said.replace("CN=", "CN = ")
    assert "NIST CURVE: P-256" in said
    assert csr.read_request(home) == made


def test_the_key_is_for_the_owner_alone_and_in_no_other_place(home: Path) -> None:
    asked(home)
    key = home / "tls" / "request.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert (home / "tls").stat().st_mode & 0o777 == 0o700
    secret = key.read_bytes().splitlines()[1]
    holders = [path for path in home.rglob("*") if path.is_file() and secret in path.read_bytes()]
    assert holders == [key]


def test_a_request_stays_good_until_its_licence_comes(home: Path) -> None:
    assert asked(home) == asked(home)


def test_a_key_without_its_request_gets_one(home: Path) -> None:
    """As a loss of power between the two leaves it."""
    asked(home)
    key = (home / "tls" / "request.key").read_bytes()
    (home / "tls" / "request.pem").unlink()
    assert csr.read_request(home) is None
    asked(home)
    assert (home / "tls" / "request.key").read_bytes() == key


def test_another_plug_asks_under_its_own_name(home: Path) -> None:
    asked(home)
    assert csr.get_or_create(home, "printmonitor-000001").plug_id == "printmonitor-000001"


def test_a_damaged_request_is_made_anew(home: Path) -> None:
    asked(home)
    (home / "tls" / "request.pem").write_bytes(b"\xff rubbish")
    assert csr.read_request(home) is None
    assert csr.get_or_create(home, PLUG).plug_id == PLUG


@pytest.mark.parametrize("plug_id", ["", "a/CN=other", "x" * 64, "-x", "Büro"])
def test_an_id_is_an_id(home: Path, plug_id: str) -> None:
    with pytest.raises(ValueError, match="is no id"):
        csr.get_or_create(home, plug_id)


def test_two_at_once_do_not_mix_their_keys(home: Path) -> None:
    asked(home)
    with file_lock.held(home / "tls" / "licence.lock"), pytest.raises(file_lock.Busy):
        csr.get_or_create(home, PLUG)


def test_a_box_without_serial_number_gets_an_id_by_lot() -> None:
    first = csr.generate_plug_id()
    assert first.startswith("printmonitor-")
    assert first != "printmonitor-000000"


def test_where_it_was_sent_is_remembered_for_the_owner_alone(home: Path) -> None:
    assert csr.load_enrolment(home) is None
    asked(home)
    enrolment = Enrolment("https://cloud.example.com/enrol", "code-1")
    csr.save_enrolment(home, enrolment)
    assert csr.load_enrolment(home) == enrolment
    assert (home / "tls" / "request.enrolment").stat().st_mode & 0o777 == 0o600
    assert "code-1" not in repr(enrolment)
    csr.delete_request(home)
    assert csr.load_enrolment(home) is None
    assert list((home / "tls").glob("request*")) == []


def test_openssl_is_there() -> None:
    assert subprocess.run(["openssl", "version"], check=True, capture_output=True).stdout.startswith(
        b"OpenSSL 3"
    )
