"""The authority that signs licences and the Plugs' certificates, with nothing but the `openssl` command."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import tomli_w

YEAR = timedelta(days=365)

CONFIGURATION = """\
[ca]
default_ca = provider
[provider]
database = {folder}/index.txt
new_certs_dir = {folder}/issued
rand_serial = yes
default_md = sha256
unique_subject = no
policy = subject
[subject]
commonName = supplied
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[plug]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
[signer]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = emailProtection
[bare]
basicConstraints = critical,CA:FALSE
[server]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = IP:127.0.0.1,DNS:localhost
[req]
distinguished_name = name
[name]
"""


class Refused(Exception):
    """The authority does not do that; the text says why."""


@dataclass(frozen=True)
class Pair:
    """A certificate and its key."""

    certificate: Path
    key: Path


def openssl(*arguments: str, stdin: bytes = b"") -> bytes:
    ended = subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, timeout=30, check=False)
    if ended.returncode:
        raise Refused(f"openssl {arguments[0]}: {ended.stderr.decode(errors='replace').strip()[-500:]}")
    return ended.stdout


class Authority:
    """`Authority(folder)` opens what lies there, or makes a new one; of a given root, if there is one."""

    def __init__(self, folder: Path, name: str = "Example vendor CA", *, root: Pair | None = None) -> None:
        self._folder = folder.resolve()
        self._configuration = self._folder / "openssl.cnf"
        self.root = Pair(self._folder / "vendor-ca.pem", self._folder / "vendor-ca.key")
        self.signer = Pair(self._folder / "signer.pem", self._folder / "signer.key")
        self.server = Pair(self._folder / "server.pem", self._folder / "server.key")
        if not self.root.certificate.exists():
            self._make(name, root)

    @property
    def ca_file(self) -> Path:
        return self.root.certificate

    def _make(self, name: str, root: Pair | None) -> None:
        (self._folder / "issued").mkdir(mode=0o700, parents=True)
        (self._folder / "index.txt").touch()
        self._configuration.write_text(CONFIGURATION.format(folder=self._folder))
        now = datetime.now(UTC)
        if root:
            shutil.copy(root.key, self.root.key)
            shutil.copy(root.certificate, self.root.certificate)
        else:
            request = self._key_and_request(self.root.key, name)
            self._sign(
                request, self.root.certificate, "authority", now - 2 * YEAR, now + 20 * YEAR, self_signed=True
            )
        for pair, kind in ((self.signer, "signer"), (self.server, "server")):
            request = self._key_and_request(pair.key, f"{name}: {kind}")
            self._sign(request, pair.certificate, kind, now - 2 * YEAR, now + 10 * YEAR)

    def _key_and_request(self, key: Path, name: str) -> bytes:
        key.touch(mode=0o600)
        key.write_bytes(openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"))
        return openssl(
            *("req", "-new", "-key", str(key), "-subj", f"/CN={name}", "-config", str(self._configuration))
        )

    def _sign(
        self,
        request: bytes,
        into: Path,
        kind: str,
        start: datetime,
        end: datetime,
        *,
        self_signed: bool = False,
    ) -> None:
        issuer = ("-selfsign",) if self_signed else ("-cert", str(self.root.certificate))
        openssl(
            *("ca", "-batch", "-notext", "-config", str(self._configuration), *issuer),
            *("-keyfile", str(self.root.key), "-in", "/dev/stdin", "-out", str(into), "-extensions", kind),
            *("-startdate", f"{start:%Y%m%d%H%M%S}Z", "-enddate", f"{end:%Y%m%d%H%M%S}Z"),
            stdin=request,
        )

    def pair(self, name: str, kind: str, start: datetime, end: datetime) -> Pair:
        """One more certificate of a kind: plug, signer, server, or bare: for no stated use."""
        made = Pair(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        self._sign(self._key_and_request(made.key, name), made.certificate, kind, start, end)
        return made

    def certificate(self, request: bytes, start: datetime, end: datetime) -> bytes:
        """A Plug's certificate for its request."""
        into = self._folder / "last.pem"
        self._sign(request, into, "plug", start, end)
        return into.read_bytes()

    def signed(self, text: bytes, signer: Pair | None = None) -> bytes:
        """A CMS block with the text in it."""
        by = signer or self.signer
        return openssl(
            *("cms", "-sign", "-binary", "-nodetach", "-nosmimecap", "-md", "sha256", "-outform", "PEM"),
            *("-signer", str(by.certificate), "-inkey", str(by.key)),
            stdin=text,
        )

    def licence(
        self,
        request: bytes,
        terms: Mapping[str, object],
        start: datetime,
        end: datetime,
        *,
        signer: Pair | None = None,
    ) -> bytes:
        """A licence file. `terms` may replace what stands in it by default."""
        plug_id = self.plug_id(request)
        if plug_id in self.revoked():
            raise Refused(f"{plug_id} is revoked")
        text = tomli_w.dumps({"plug_id": plug_id, "valid_until": end, **terms}).encode()
        return self.certificate(request, start, end) + self.signed(text, signer)

    def plug_id(self, request: bytes) -> str:
        said = openssl(
            *("req", "-in", "/dev/stdin", "-noout", "-verify", "-subject", "-nameopt", "multiline,-align"),
            stdin=request,
        )
        found = re.search(r"^ *commonName = ([A-Za-z0-9-]+)$", said.decode(), re.MULTILINE)
        if not found:
            raise Refused("this is no request of a Plug")
        return found[1]

    def revoke(self, plug_id: str) -> None:
        """No licence for this Plug any more; its certificates are revoked."""
        for line in (self._folder / "index.txt").read_text().splitlines():
            state, *_, serial, _, subject = line.split("\t")
            if state == "V" and subject == f"/CN={plug_id}":
                certificate = str(self._folder / "issued" / f"{serial}.pem")
                openssl(
                    *("ca", "-config", str(self._configuration), "-keyfile", str(self.root.key)),
                    *("-cert", str(self.root.certificate), "-revoke", certificate),
                )
        self._revoked.write_text(json.dumps(sorted({*self.revoked(), plug_id})))

    def pardon(self, plug_id: str) -> None:
        """Licences again, with new certificates."""
        self._revoked.write_text(json.dumps(sorted(self.revoked() - {plug_id})))

    def revoked(self) -> set[str]:
        return set(json.loads(self._revoked.read_text())) if self._revoked.exists() else set()

    @property
    def _revoked(self) -> Path:
        return self._folder / "revoked.json"
