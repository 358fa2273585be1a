"""What RAUC itself says of real bundles, and what a person is told."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.privileged import rauc_installer

pytestmark = pytest.mark.skipif(
    not (shutil.which("rauc") and shutil.which("mksquashfs")),
    reason="rauc or mksquashfs is not installed (packages rauc, squashfs-tools)",
)
MANIFEST = """
[update]
compatible=printmonitor-plug
version=1.1.0
[bundle]
format=verity
[image.rootfs]
filename=root.ext4
"""


class Signer:
    """A provider's key, which is its own authority."""

    def __init__(self, folder: Path, purpose: str = "emailProtection") -> None:
        folder.mkdir()
        self.certificate, self.key = folder / "cert.pem", folder / "key.pem"
        self.keyring = self.certificate
        command = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ]
        command += ["-subj", "/CN=builds", "-addext", f"extendedKeyUsage={purpose}"]
        command += ["-keyout", str(self.key), "-out", str(self.certificate)]
        subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return Signer(tmp_path_factory.mktemp("rauc") / "ours")


@pytest.fixture(scope="module")
def bundle(signer: Signer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("bundle"), signer)


def made(folder: Path, signer: Signer) -> Path:
    parts = folder / "parts"
    parts.mkdir()
    (parts / "manifest.raucm").write_text(MANIFEST)
    (parts / "root.ext4").write_bytes(bytes(range(256)) * 4_096)
    subprocess.run(
        [
            "rauc",
            f"--cert={signer.certificate}",
            f"--key={signer.key}",
            "bundle",
            parts,
            folder / "plug.raucb",
        ],
        check=True,
        capture_output=True,
    )
    return folder / "plug.raucb"


def said(bundle: Path, signer: Signer) -> str:
    """The last line; empty where RAUC has nothing against the bundle."""
    command = ["rauc", f"--keyring={signer.keyring}", "info", "--output-format=json", str(bundle)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr.strip().splitlines()[-1] if done.returncode else ""


def test_a_good_one(bundle: Path, signer: Signer) -> None:
    assert said(bundle, signer) == ""


def test_one_of_another_provider(bundle: Path, tmp_path: Path) -> None:
    assert (
        rauc_installer.explain_message(said(bundle, Signer(tmp_path / "other")))
        == "it is not signed by this Plug's provider"
    )


def test_one_whose_certificate_is_for_something_else(tmp_path: Path) -> None:
    server = Signer(tmp_path / "server", "serverAuth")
    line = "the signer's certificate is not for signing updates"
    assert rauc_installer.explain_message(said(made(tmp_path, server), server)) == line


CHANGED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "in its signature": (
        lambda data: flipped(data, -100),
        "its signature is wrong: it was changed or damaged",
    ),
    "in its signature's size": (
        lambda data: flipped(data, -3),
        "it is not an update for a Plug, or is damaged",
    ),
    "cut off": (lambda data: data[:-1_000], "it is not an update for a Plug, or is damaged"),
    "a byte": (lambda _: b"x", "it is not an update for a Plug, or is damaged"),
    "something else": (lambda _: b"hello " * 50_000, "it is not an update for a Plug, or is damaged"),
}


@pytest.mark.parametrize("what", CHANGED)
def test_one_that_was_changed(bundle: Path, signer: Signer, tmp_path: Path, what: str) -> None:
    change, line = CHANGED[what]
    other = tmp_path / "changed.raucb"
    other.write_bytes(change(bundle.read_bytes()))
    assert rauc_installer.explain_message(said(other, signer)) == line


def flipped(data: bytes, place: int) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 0xFF
    return bytes(changed)
