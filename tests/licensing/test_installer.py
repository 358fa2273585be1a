"""A licence becomes the Plug's, or everything stays as it was."""

import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from appliance.licensing import csr, installer, keystore, status
from appliance.licensing.claims import InvalidLicenceError
from tests import children
from tests.licensing.licences import DAY, HOUR, NOW, PLUG, TERMS, asked, licence
from tests.provider.authority import Authority, openssl


def files(home: Path) -> dict[str, bytes]:
    """Everything that counts, by name."""
    names = ("licence.pem", "tls/client.pem", "tls/client.key")
    return {name: (home / name).read_bytes() for name in names if (home / name).exists()}


def refused(home: Path, data: bytes, now: datetime = NOW) -> InvalidLicenceError:
    before = files(home)
    with pytest.raises(InvalidLicenceError) as refusal:
        installer.install(home, data, now)
    assert files(home) == before
    return refusal.value


def test_the_familiar_files_are_there(home: Path, authority: Authority) -> None:
    data = licence(authority, home)
    key = (home / "tls" / "request.key").read_bytes()
    installed = installer.install(home, data, NOW)
    assert files(home) == {
        "licence.pem": data,
        "tls/client.pem": installed.certificates.encode(),
        "tls/client.key": key,
    }
    certificate = openssl("x509", "-in", str(home / "tls/client.pem"), "-noout", "-pubkey")
    assert openssl("pkey", "-in", str(home / "tls/client.key"), "-pubout") == certificate
    assert csr.read_request(home) is None
    assert {path.stat().st_mode & 0o077 for path in home.rglob("*") if not path.is_symlink()} == {0}


def test_the_next_licence_replaces_all_of_it(home: Path, authority: Authority) -> None:
    installer.install(home, licence(authority, home), NOW)
    before, pair = files(home), status.client_credentials(home)
    installer.install(home, licence(authority, home, customer="Next AG"), NOW)
    after = files(home)
    assert all(after[name] != before[name] for name in before)
    assert pair is not None
    # Who was sending with the pair meanwhile still can.
    assert [path.read_bytes() for path in pair] == [before["tls/client.pem"], before["tls/client.key"]]
    installer.install(home, licence(authority, home, customer="Last AG"), NOW)
    assert len(list((home / "tls").glob("licence-*"))) == 2


def test_a_certificate_set_by_hand_gives_way(home: Path, authority: Authority) -> None:
    (home / "tls").mkdir()
    for name in ("client.pem", "client.key"):
        (home / "tls" / name).write_text("by hand")
    installer.install(home, licence(authority, home), NOW)
    assert (home / "tls" / "client.pem").read_bytes().startswith(b"-----BEGIN CERTIFICATE")


def test_an_extended_licence_for_the_same_key(home: Path, authority: Authority) -> None:
    pem = asked(home)
    installer.install(home, authority.licence(pem, TERMS, NOW - HOUR, NOW + 9 * DAY), NOW)
    longer = authority.licence(pem, TERMS, NOW - HOUR, NOW + 99 * DAY)
    assert installer.install(home, longer, NOW).valid_until == NOW + 99 * DAY


def test_the_same_file_twice(home: Path, authority: Authority) -> None:
    data = licence(authority, home)
    assert installer.install(home, data, NOW) == installer.install(home, data, NOW)


@pytest.mark.parametrize(
    ("start", "end", "kind"),
    [(NOW - 9 * DAY, NOW - DAY, "expired"), (NOW + DAY, NOW + 9 * DAY, "early")],
)
def test_the_time_must_be_right(
    home: Path, authority: Authority, start: datetime, end: datetime, kind: str
) -> None:
    assert refused(home, licence(authority, home, start=start, end=end)).kind == kind


def test_a_licence_of_another_plug(home: Path, authority: Authority, tmp_path: Path) -> None:
    theirs = tmp_path / "other"
    theirs.mkdir()
    asked(theirs, "printmonitor-000001")
    data = authority.licence(asked(theirs, "printmonitor-000001"), TERMS, NOW - HOUR, NOW + DAY)
    found = refused(home, data)
    assert (found.kind, "has not requested one yet" in str(found)) == ("other plug", True)
    asked(home)
    found = refused(home, data)
    assert "it is for the Plug printmonitor-000001, and this is printmonitor-4f2a91" in str(found)


def test_a_licence_of_another_plug_of_the_same_name(home: Path, authority: Authority, tmp_path: Path) -> None:
    theirs = tmp_path / "other"
    theirs.mkdir()
    data = licence(authority, theirs)
    asked(home)
    found = refused(home, data)
    assert (found.kind, "for a key that this Plug does not have" in str(found)) == ("other plug", True)


def test_foreign_and_altered_licences(home: Path, authority: Authority, tmp_path: Path) -> None:
    foreign = Authority(tmp_path / "foreign")
    assert refused(home, licence(foreign, home)).kind == "foreign"
    assert refused(home, licence(authority, home)[:-60]).kind == "malformed"


def test_a_revoked_licence_does_not_come_back(home: Path, authority: Authority) -> None:
    data = licence(authority, home)
    found = installer.install(home, data, NOW)
    installer.record_revocation(home, found, "the contract\nhas ended", NOW)
    installer.record_revocation(home, found, "again", NOW)
    refusal = refused(home, data)
    assert refusal.kind == "revoked"
    assert f"reported on {NOW:%Y-%m-%d}): the contract has ended" in str(refusal)
    fresh = installer.install(home, licence(authority, home), NOW)
    assert installer.revocation_reason(home, fresh) is None


def test_no_vendor_certificate(
    home: Path, tmp_path: Path, vendor: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = licence(vendor, home)
    monkeypatch.setenv("PRINTMONITOR_VENDOR_CA", str(tmp_path / "missing.pem"))
    assert "there is no vendor certificate" in str(refused(home, data))
    monkeypatch.delenv("PRINTMONITOR_VENDOR_CA")
    assert installer.vendor_ca_path() == Path("/usr/share/printmonitor/vendor-ca.pem")


def test_a_loss_of_power_at_any_instant_leaves_the_old_or_the_new(
    home: Path, authority: Authority, tmp_path: Path
) -> None:
    installer.install(home, licence(authority, home), NOW)
    old = files(home)
    file = tmp_path / "new.pem"
    file.write_bytes(licence(authority, home, customer="Next AG"))
    seen = set()
    with children.running(
        [sys.executable, "-m", "tests.licensing.dying", str(home), str(file), str(authority.ca_file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as dying:
        for count in range(1, 200):
            ended = ask(dying, count)
            now = files(home)
            seen.add("old" if now == old else "new")
            standing = status.get_status(home, NOW)
            assert standing.state == "valid"
            assert standing.licence is not None
            assert (standing.licence.customer == "Next AG") == (now != old)
            assert now == old or all(now[name] != old[name] for name in old)
            if ended == "installed":
                break
            assert ended == "died"
    assert seen == {"old", "new"}
    asked(home)
    key = (home / "tls" / keystore.REQUEST_KEY_FILE).read_bytes()
    assert (
        key != (home / "tls" / keystore.CLIENT_KEY_FILE).read_bytes()
    )  # a request that was answered is not used again


def ask(dying: "subprocess.Popen[str]", count: int) -> str:
    assert dying.stdin is not None
    assert dying.stdout is not None
    dying.stdin.write(f"{count}\n")
    dying.stdin.flush()
    return dying.stdout.readline().strip()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_installs_belongs_to_the_service(home: Path, authority: Authority) -> None:
    os.chown(home, 12345, 12345)
    installer.install(home, licence(authority, home), NOW)
    owners = {path.lstat().st_uid for path in home.rglob("*") if not path.is_symlink()}
    assert owners == {12345}


def test_the_plug_s_id_is_in_its_certificate(home: Path, authority: Authority) -> None:
    assert installer.install(home, licence(authority, home), NOW).plug_id == PLUG
