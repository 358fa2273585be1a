#!/usr/bin/env python3
"""The Debian packages of the image: resolves the lock, fetches what it names.

debs.py resolve LIST LOCK              writes the lock
debs.py fetch LOCK CACHE ARCH          into CACHE, verified
debs.py repository LOCK CACHE FOLDER   a flat repository of the packages to install
debs.py files LOCK CACHE ROLE [ARCH]   names of packages, and their files in the cache

MIRROR and MIRROR_SECURITY name Debian's mirrors; else those of the machine's apt count, else Debian's own.
SNAPSHOT=1 asks snapshot.debian.org for what a mirror no longer has.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote

ARCHIVES = ("debian", "debian-security")
DEBIAN = "http://deb.debian.org/debian"
SNAPSHOT = "https://snapshot.debian.org"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
COMPONENTS = "main non-free-firmware"
TOOL_ARCHITECTURES = ("amd64", "arm64")
ESSENTIAL = "?and(?essential,?architecture(arm64))"


class Package(NamedTuple):
    role: str
    name: str
    version: str
    architecture: str
    sha256: str
    path: str  # below the mirrors' common parent: debian/pool/... or debian-security/pool/...

    @property
    def file(self) -> str:
        return Path(self.path).name


def read(lock: Path) -> list[Package]:
    lines = lock.read_text("utf-8").splitlines()
    return [Package(*line.split()) for line in lines if line and not line.startswith("#")]


def mirrors() -> dict[str, str]:
    try:
        known = _output(["apt-get", "indextargets", "--format", "$(REPO_URI)"]).split()
    except (OSError, subprocess.CalledProcessError):
        known = []
    found = {uri.rstrip("/").rpartition("/")[2]: uri.rstrip("/") for uri in known}
    main = os.environ.get("MIRROR") or found.get("debian", DEBIAN)
    security = os.environ.get("MIRROR_SECURITY") or found.get("debian-security", f"{main}-security")
    return {"debian": main.rstrip("/"), "debian-security": security.rstrip("/")}


# Resolving: apt with a root of its own, so that nothing of the build machine has a say.


def resolve(listing: str, lock: str) -> None:
    mirror, security = (mirrors()[archive] for archive in ARCHIVES)
    wanted = [
        line.split() for line in Path(listing).read_text("utf-8").splitlines() if line[:1] not in ("", "#")
    ]
    with tempfile.TemporaryDirectory() as folder:
        apt = _apt(Path(folder), mirror, security)
        subprocess.run([*apt, "update", "-qq"], check=True, stdout=sys.stderr)
        packages = _resolve(apt, wanted, {mirror: "debian", security: "debian-security"})
    lines = [
        "# role name version architecture sha256 path; by ./build-image.sh lock, from packages.list",
        f"# snapshot {datetime.now(UTC):%Y%m%dT%H%M%SZ}",
        *(" ".join(package) for package in sorted(set(packages))),
    ]
    Path(lock).write_text("".join(f"{line}\n" for line in lines), "utf-8")


def _resolve(apt: list[str], wanted: list[list[str]], mirrors: dict[str, str]) -> list[Package]:
    names = {
        role: [name for r, name in wanted if r == role] for role in ("install", "unpack", "kernel", "tool")
    }
    unpack = names["unpack"] + [_depends(apt, name) for name in names["kernel"]]
    tools = [f"{name}:{arch}" for arch in TOOL_ARCHITECTURES for name in names["tool"]]
    return [
        *_uris(apt, "install", ["install", "-y", ESSENTIAL, *names["install"]], mirrors),
        *_uris(apt, "unpack", ["download", *unpack], mirrors),
        *_uris(apt, "tool", ["download", *tools], mirrors),
    ]


def _apt(folder: Path, mirror: str, security: str) -> list[str]:
    for name in ("etc", "state/lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    suites = ((mirror, "trixie"), (mirror, "trixie-updates"), (security, "trixie-security"))
    (folder / "etc/sources.list").write_text(
        "".join(f"deb [signed-by={KEYRING}] {uri} {suite} {COMPONENTS}\n" for uri, suite in suites)
    )
    options = {
        "Dir::Etc": folder / "etc",
        "Dir::Etc::parts": "/dev/null",
        "Dir::State": folder / "state",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64,amd64",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "",
        "Acquire::ForceHash": "SHA256",
        "Acquire::Languages": "none",
    }
    return ["apt-get", *(word for key, value in options.items() for word in ("-o", f"{key}={value}"))]


def _depends(apt: list[str], name: str) -> str:
    found = _output(["apt-cache", *apt[1:], "depends", name])
    return re.findall(r"Depends: (linux-image-\S+)", found)[0]


def _uris(apt: list[str], role: str, words: list[str], mirrors: dict[str, str]) -> list[Package]:
    out = _output([*apt, "-qq", "--print-uris", *words])
    found = re.findall(r"^'(\S+)' (\S+) \d+ SHA256:([0-9a-f]{64})$", out, re.MULTILINE)
    return [_package(role, uri, unquote(file), digest, mirrors) for uri, file, digest in found]


def _package(role: str, uri: str, file: str, digest: str, mirrors: dict[str, str]) -> Package:
    name, version, architecture = file.removesuffix(".deb").split("_")
    for mirror, archive in mirrors.items():
        if uri.startswith(mirror + "/"):
            return Package(role, name, version, architecture, digest, archive + unquote(uri[len(mirror) :]))
    sys.exit(f"debs.py: {uri} is from neither mirror")


# Fetching: a file with the right hash is as good from anywhere.


def fetch(lock: str, cache: str, architecture: str) -> None:
    folder = Path(cache)
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {
        p.file: p for p in read(Path(lock)) if p.role != "tool" or p.architecture in (architecture, "all")
    }
    missing = [p for p in wanted.values() if not _is_cached(folder / p.file, p.sha256)]
    if missing:
        print(f"build-image: {len(missing)} packages to fetch", file=sys.stderr)
    bases = [mirrors()]
    if os.environ.get("SNAPSHOT"):
        bases.append(_snapshot(Path(lock)))
    with ThreadPoolExecutor(8) as pool:
        problems = [problem for problem in pool.map(lambda p: _fetch(p, folder, bases), missing) if problem]
    if problems:
        sys.exit(
            "\n".join([f"build-image: {problem}" for problem in problems[:5]])
            + f"\nbuild-image: {len(problems)} packages of the lock cannot be had; SNAPSHOT=1 asks"
            " snapshot.debian.org, ./build-image.sh lock takes today's versions"
        )


def _is_cached(path: Path, digest: str) -> bool:
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == digest


def _snapshot(lock: Path) -> dict[str, str]:
    """Debian's archives as they were when the lock was made."""
    time = re.findall(r"^# snapshot (\w+)$", lock.read_text("utf-8"), re.MULTILINE)[0]
    return {name: f"{SNAPSHOT}/archive/{name}/{time}" for name in ARCHIVES}


def _fetch(package: Package, folder: Path, bases: list[dict[str, str]]) -> str | None:
    problem = None
    archive, _, rest = package.path.partition("/")
    for base in bases:
        url = f"{base[archive]}/{quote(rest)}"
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                data = answer.read()
        except OSError as error:
            problem = f"{url}: {error}"
            continue
        if hashlib.sha256(data).hexdigest() == package.sha256:
            temporary = folder / f".{package.file}.{os.getpid()}"
            temporary.write_bytes(data)
            temporary.rename(folder / package.file)
            return None
        problem = f"{url}: not the file of the lock (sha256)"
    return problem


# What mmdebstrap installs from.


def repository(lock: str, cache: str, target: str) -> None:
    folder = Path(target)
    stanzas = []
    for package in read(Path(lock)):
        if package.role != "install":
            continue
        shutil.copyfile(Path(cache) / package.file, folder / package.file)
        control = _output(["dpkg-deb", "--field", str(folder / package.file)]).rstrip("\n")
        size = (folder / package.file).stat().st_size
        stanzas.append(f"{control}\nFilename: ./{package.file}\nSize: {size}\nSHA256: {package.sha256}\n")
    index = "\n".join(stanzas).encode()
    (folder / "Packages").write_bytes(index)
    # mmdebstrap looks for the essential packages of the suite it was asked for.
    digest = hashlib.sha256(index).hexdigest()
    (folder / "Release").write_text(
        f"Suite: trixie\nCodename: trixie\nSHA256:\n {digest} {len(index)} Packages\n"
    )


def files(lock: str, cache: str, role: str, architecture: str = "arm64") -> None:
    for package in read(Path(lock)):
        if package.role == role and package.architecture in (architecture, "all"):
            print(package.name, Path(cache) / package.file)


def _output(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


COMMANDS = {"resolve": resolve, "fetch": fetch, "repository": repository, "files": files}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
