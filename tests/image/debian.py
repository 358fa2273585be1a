"""A Debian mirror of a few small packages, and a snapshot archive, on loopback."""

import functools
import hashlib
import http
import http.server
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

SUITES = (("debian", "trixie"), ("debian", "trixie-updates"), ("debian-security", "trixie-security"))
ARCHITECTURES = ("arm64", "amd64")
COMPONENTS = ("main", "non-free-firmware")


@dataclass(frozen=True)
class Deb:
    name: str
    version: str
    architecture: str = "arm64"
    depends: str = ""
    source: str = ""
    essential: bool = False
    security: bool = False

    @property
    def archive(self) -> str:
        return "debian-security" if self.security else "debian"

    @property
    def path(self) -> str:
        """Below the mirrors' common parent, as in the lock."""
        pool = "pool/updates/main" if self.security else "pool/main"
        source = self.source or self.name
        return (
            f"{self.archive}/{pool}/{source[0]}/{source}/{self.name}_{self.version}_{self.architecture}.deb"
        )

    def control(self) -> str:
        fields = {
            "Package": self.name,
            "Version": self.version,
            "Architecture": self.architecture,
            "Maintainer": "Nobody <nobody@example.com>",
            "Depends": self.depends,
            "Essential": "yes" if self.essential else "",
            "Multi-Arch": "same" if self.architecture != "all" else "",
            "Description": "for a test",
        }
        return "".join(f"{key}: {value}\n" for key, value in fields.items() if value)


class Mirror:
    """Serves debian/ and debian-security/ of a folder by HTTP."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url

    def publish(self, *debs: Deb) -> None:
        """Offer these packages; files of others stay in the pool, but no index lists them any more."""
        for deb in debs:
            self._build(deb)
        for archive, suite in SUITES:
            offered = [deb for deb in debs if deb.archive == archive and suite != "trixie-updates"]
            self._index(self.folder / archive, suite, offered)

    def withdraw(self, *debs: Deb) -> None:
        """Remove files from the pool, as mirrors do with superseded versions."""
        for deb in debs:
            (self.folder / deb.path).unlink()

    def snapshot(self, time: str) -> None:
        """Copy the archives to where a snapshot archive has them."""
        for archive in ("debian", "debian-security"):
            shutil.copytree(self.folder / archive, self.folder / "archive" / archive / time)

    def _build(self, deb: Deb) -> None:
        path = self.folder / deb.path
        if path.exists():
            return
        tree = self.folder / "build"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text(deb.control())
        path.parent.mkdir(parents=True, exist_ok=True)
        command = ["dpkg-deb", "--root-owner-group", "-Zgzip", "--build", str(tree), str(path)]
        subprocess.run(command, check=True, capture_output=True)
        shutil.rmtree(tree)

    def _index(self, archive: Path, suite: str, debs: list[Deb]) -> None:
        folder, sums = archive / "dists" / suite, []
        for component in COMPONENTS:
            for architecture in ARCHITECTURES:
                fits = [deb for deb in debs if deb.architecture in (architecture, "all")]
                text = "\n".join(self._stanza(deb) for deb in fits) if component == "main" else ""
                name = f"{component}/binary-{architecture}/Packages"
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(text)
                sums.append(f" {hashlib.sha256(text.encode()).hexdigest()} {len(text)} {name}\n")
        (folder / "Release").write_text(
            f"Suite: {suite}\nCodename: {suite}\nDate: Thu, 01 Jan 2026 00:00:00 UTC\n"
            f"Architectures: {' '.join(ARCHITECTURES)}\nComponents: {' '.join(COMPONENTS)}\n"
            f"SHA256:\n{''.join(sums)}"
        )

    def _stanza(self, deb: Deb) -> str:
        data = (self.folder / deb.path).read_bytes()
        filename = deb.path.partition("/")[2]
        return f"{deb.control()}Filename: {filename}\nSize: {len(data)}\nSHA256: {digest(data)}\n"


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class _Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class _Refusal(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(http.HTTPStatus.BAD_GATEWAY)

    def log_message(self, *_: object) -> None:
        pass


def refuse() -> AbstractContextManager[str]:
    """Answer every request as a proxy does that cannot reach the server."""
    return _serve(_Refusal)


def serve(folder: Path) -> AbstractContextManager[str]:
    """Serve a folder on loopback until the end of the block."""
    folder.mkdir(parents=True, exist_ok=True)
    return _serve(functools.partial(_Handler, directory=str(folder)))


@contextmanager
def _serve(handler: Callable[..., http.server.BaseHTTPRequestHandler]) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
