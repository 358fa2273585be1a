"""Resolve the image's Debian packages with apt.

apt works in a root of its own here, so that the build machine's packages and settings have no influence.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from lockfile import Package

DEBIAN = "http://deb.debian.org/debian"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
COMPONENTS = "main non-free-firmware"
TOOL_ARCHITECTURES = ("amd64", "arm64")
ESSENTIAL = "?and(?essential,?architecture(arm64))"
MIRROR_TIMEOUT_S = 30


class ResolveError(Exception):
    """No consistent set of packages was found, or the mirrors' indexes could not be read; str() says why."""


@dataclass(frozen=True, slots=True)
class Mirrors:
    main: str
    security: str
    trust: str = f"signed-by={KEYRING}"  # an option of sources.list

    def archives(self) -> dict[str, str]:
        return {"debian": self.main, "debian-security": self.security}


def mirrors() -> Mirrors:
    """Return those of MIRROR and MIRROR_SECURITY, else those of the machine's apt, else Debian's own."""
    try:
        known = _run(["apt-get", "indextargets", "--format", "$(REPO_URI)"]).split()
    except (OSError, ResolveError):
        known = []
    found = {uri.rstrip("/").rpartition("/")[2]: uri.rstrip("/") for uri in known}
    main = os.environ.get("MIRROR") or found.get("debian", DEBIAN)
    security = os.environ.get("MIRROR_SECURITY") or found.get("debian-security", f"{main}-security")
    return Mirrors(main.rstrip("/"), security.rstrip("/"))


def resolve(
    listing: Path, where: Mirrors, kept: Sequence[Package] = (), repository: Path | None = None
) -> list[Package]:
    """Resolve the packages that a list names.

    Those in `kept` keep their version, if everything fits together so; `repository` is a folder whose index
    has those of them that are installed, as the mirrors' indexes may no longer have them.
    """
    lines = [line.split() for line in listing.read_text("utf-8").splitlines() if line[:1] not in ("", "#")]
    names: dict[str, list[str]] = {role: [] for role in ("install", "unpack", "kernel", "tool")}
    for role, name in lines:
        names[role].append(name)
    with tempfile.TemporaryDirectory() as folder:
        apt = _Apt(Path(folder), where, repository)
        if kept:
            apt.pin(kept)
            try:
                return _resolve(apt, names, kept)
            except ResolveError as error:
                print(f"build-image: the versions of the lock do not fit:\n{error}", file=sys.stderr)
                apt.unpin()
        return _resolve(apt, names, ())


def _resolve(apt: "_Apt", names: dict[str, list[str]], kept: Sequence[Package]) -> list[Package]:
    fixed = [package for package in kept if package.role in ("unpack", "tool")]
    stems = {(p.role, p.stem, p.architecture if p.role == "tool" else "") for p in fixed}
    unpack = [name for name in names["unpack"] if ("unpack", name, "") not in stems]
    if ("unpack", "linux-image", "") not in stems:
        unpack += [apt.kernel(name) for name in names["kernel"]]
    tools = [
        f"{name}:{architecture}"
        for architecture in TOOL_ARCHITECTURES
        for name in names["tool"]
        if not {("tool", name, architecture), ("tool", name, "all")} & stems
    ]
    return [
        *fixed,
        *apt.uris("install", ["install", "-y", ESSENTIAL, *names["install"]], kept),
        *(apt.uris("unpack", ["download", *unpack]) if unpack else ()),
        *(apt.uris("tool", ["download", *tools]) if tools else ()),
    ]


class _Apt:
    """apt in a folder, with the mirrors' indexes."""

    def __init__(self, folder: Path, where: Mirrors, repository: Path | None) -> None:
        self._folder, self._mirrors = folder, where
        for name in ("etc/preferences.d", "state/lists/partial", "cache/archives/partial"):
            (folder / name).mkdir(parents=True)
        (folder / "status").touch()
        suites = ((where.main, "trixie"), (where.main, "trixie-updates"), (where.security, "trixie-security"))
        lines = [f"deb [{where.trust}] {uri} {suite} {COMPONENTS}\n" for uri, suite in suites]
        if repository:
            lines.append(f"deb [trusted=yes] copy://{repository} ./\n")
        (folder / "etc/sources.list").write_text("".join(lines))
        settings = {
            "Dir::Etc": folder / "etc",
            "Dir::Etc::parts": "/dev/null",
            "Dir::State": folder / "state",
            "Dir::State::status": folder / "status",
            "Dir::Cache": folder / "cache",
            "APT::Architecture": "arm64",
            "APT::Architectures": "arm64,amd64",
            "APT::Install-Recommends": "false",
            "APT::Sandbox::User": "",
            "APT::Update::Error-Mode": "any",  # an index that is missing is an error, not a warning
            "Acquire::ForceHash": "SHA256",
            "Acquire::Languages": "none",
            "Acquire::Retries": "2",
            "Acquire::http::Timeout": MIRROR_TIMEOUT_S,
            "Acquire::https::Timeout": MIRROR_TIMEOUT_S,
        }
        self._options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
        _run(["apt-get", *self._options, "update", "-qq"])

    def pin(self, packages: Sequence[Package]) -> None:
        stanzas = [
            f"Package: {package.name}\nPin: version {package.version}\nPin-Priority: 1001\n"
            for package in packages
            if package.role == "install"
        ]
        self._preferences.write_text("\n".join(stanzas))

    def unpin(self) -> None:
        self._preferences.unlink()

    @property
    def _preferences(self) -> Path:
        return self._folder / "etc/preferences"

    def kernel(self, name: str) -> str:
        """Return the kernel that a meta package depends on."""
        found = re.findall(
            r"Depends: (linux-image-\S+)", _run(["apt-cache", *self._options, "depends", name])
        )
        if not found:
            raise ResolveError(f"{name} depends on no kernel")
        return str(found[0])

    def uris(self, role: str, words: list[str], kept: Sequence[Package] = ()) -> list[Package]:
        """Return the packages that apt would fetch; those in `kept` as they are there."""
        known = {package.sha256: package for package in kept if package.role == role}
        out = _run(["apt-get", *self._options, "-qq", "--print-uris", *words])
        found = re.findall(r"^'(\S+)' (\S+) \d+ SHA256:([0-9a-f]{64})$", out, re.MULTILINE)
        return [
            known.get(digest) or self._package(role, uri, unquote(file), digest)
            for uri, file, digest in found
        ]

    def _package(self, role: str, uri: str, file: str, digest: str) -> Package:
        name, version, architecture = file.removesuffix(".deb").split("_")
        for archive, mirror in self._mirrors.archives().items():
            if uri.startswith(mirror + "/"):
                return Package(
                    role, name, version, architecture, digest, archive + unquote(uri[len(mirror) :])
                )
        raise ResolveError(f"{uri} is from neither mirror")


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ResolveError((done.stderr or done.stdout).strip() or f"{command[0]} has failed")
    return done.stdout
