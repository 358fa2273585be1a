from pathlib import Path

import pytest

from appliance.host import openssl


def test_what_it_writes() -> None:
    assert openssl.run_openssl("version").startswith(b"OpenSSL 3")
    assert b"PRIVATE KEY" in openssl.run_openssl(
        "pkey",
        stdin=openssl.run_openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
    )


def test_what_it_cannot_do_is_one_line() -> None:
    with pytest.raises(openssl.OpensslError) as failure:
        openssl.run_openssl("x509", "-noout", stdin=b"no certificate")
    assert str(failure.value).startswith("openssl x509 fails: ")
    assert str(failure.value).isprintable()
    assert failure.value.stderr


def test_it_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "openssl"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(openssl.OpensslError, match="openssl does not finish"):
        openssl.run_openssl("version", timeout_s=0.1)


def test_it_may_be_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(openssl.OpensslError, match="openssl cannot be run: No such file"):
        openssl.run_openssl("version")


def test_nobody_s_configuration_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = tmp_path / "openssl.cnf"
    bad.write_text("openssl_conf = missing_section\n")
    monkeypatch.setenv("OPENSSL_CONF", str(bad))
    assert openssl.run_openssl("version")
