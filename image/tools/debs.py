#!/usr/bin/env python3
"""The Debian packages of the image: resolve the lock, fetch what it names.

debs.py resolve LIST LOCK                  write the lock, print what changed as a commit message
debs.py fetch LIST LOCK CACHE ARCH USED    into CACHE, verified; USED becomes the lock that was really used
debs.py compare LOCK USED                  print the state of an image of USED: "locked", or what differs
debs.py repository LOCK CACHE FOLDER       a flat repository of the packages to install
debs.py files LOCK CACHE ROLE [ARCH]       names of packages, and their files in the cache

MIRROR and MIRROR_SECURITY name Debian's mirrors, MIRROR_SNAPSHOT its snapshot archive. LOCKED=1 makes `fetch`
fail where a package of the lock cannot be fetched; else it is resolved anew.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import lockfile
from download import fetch, is_cached, mirror_site, snapshot_sites, unreachable
from lockfile import Lock, Package
from resolver import Mirrors, ResolveError, mirrors, resolve

MAX_REASONS = 5  # each is a URL; the packages are named anyway


def resolve_lock(listing: Path, path: Path, where: Mirrors, now: datetime) -> str:
    """Write the lock anew; return what changed, as a commit message."""
    old = lockfile.read(path) if path.exists() else Lock((), ())
    new = Lock(tuple(resolve(listing, where)), (now.replace(microsecond=0),))
    path.write_text(new.text(), "utf-8")
    return lockfile.message(lockfile.changes(old, new), now)


# Fetching what the lock names, or what is nearest to it


@dataclass(frozen=True, slots=True)
class Inputs:
    listing: Path
    lock: Path
    cache: Path
    architecture: str  # of the build machine
    mirrors: Mirrors

    def is_cached(self, lock: Lock) -> bool:
        return all(is_cached(package, self.cache) for package in lock.used_on(self.architecture))

    def resolution(self) -> Path:
        """Where the cache keeps what was resolved for this very lock."""
        digest = hashlib.sha256(self.lock.read_bytes() + self.listing.read_bytes()).hexdigest()
        return self.cache / f"resolved-{digest[:16]}.lock"


def obtain(inputs: Inputs, now: datetime, *, is_strict: bool = False) -> Lock:
    """Fetch the packages of a lock, and return the lock that was really used.

    Versions that neither the mirror nor the snapshot archive still has are resolved anew, with whatever has
    to change along with them. The cache keeps the resolution, so that later builds of this lock are the same.
    `is_strict` ends the build instead.
    """
    lock = lockfile.read(inputs.lock)
    _say(f"{inputs.lock} is {lockfile.age(lock, now)}")
    if inputs.is_cached(lock):
        return lock
    if not is_strict and (known := _known_resolution(inputs)):
        _report(lock, known)
        _say(f"resolved before, {lockfile.age(known, now)}; to resolve anew, remove {inputs.resolution()}")
        return known
    mirror = mirror_site(inputs.mirrors.archives())
    wanted = lock.used_on(inputs.architecture)
    unavailable = fetch(wanted, inputs.cache, [mirror, *snapshot_sites(lock)])
    if not unavailable:
        return lock
    if is_strict or unreachable(mirror):
        strict = "LOCKED=1, but " if is_strict else ""
        sys.exit(_failure(f"{strict}these packages of the lock cannot be fetched", unavailable))
    _say("what cannot be fetched is resolved anew")
    used = Lock(
        _resolve_unavailable(inputs, lock, unavailable), (now.replace(microsecond=0), *lock.snapshots)
    )
    if failed := fetch(used.used_on(inputs.architecture), inputs.cache, [mirror]):
        sys.exit(_failure("these packages cannot be fetched", failed))
    _report(lock, used)
    _write(inputs.resolution(), used.text())
    return used


def _known_resolution(inputs: Inputs) -> Lock | None:
    if not inputs.resolution().exists():
        return None
    lock = lockfile.read(inputs.resolution())
    return lock if inputs.is_cached(lock) else None


def _resolve_unavailable(inputs: Inputs, lock: Lock, unavailable: dict[Package, str]) -> tuple[Package, ...]:
    # Packages of one source may depend on each other's exact version: they change together.
    sources = {package.source for package in unavailable}
    kept = [package for package in lock.packages if package.source not in sources]
    with tempfile.TemporaryDirectory() as folder:
        write_index([package for package in kept if package.role == "install"], inputs.cache, Path(folder))
        try:
            return tuple(resolve(inputs.listing, inputs.mirrors, kept, Path(folder)))
        except ResolveError as error:
            sys.exit(_failure(f"{error}\nbuild-image: these packages cannot be fetched", unavailable))


def _report(lock: Lock, used: Lock) -> None:
    found = lockfile.changes(lock, used)
    _say("\n  ".join([f"{lockfile.state(found)} from the lock", *map(str, found)]))


def _failure(what: str, packages: dict[Package, str]) -> str:
    names = sorted({f"  {package.name} {package.version} ({package.architecture})" for package in packages})
    reasons = sorted(set(packages.values()))
    more = [f"build-image: and {len(reasons) - MAX_REASONS} more"] if len(reasons) > MAX_REASONS else []
    lines = [
        f"build-image: {what}:",
        *names,
        *(f"build-image: {reason}" for reason in reasons[:MAX_REASONS]),
        *more,
    ]
    return "\n".join(lines)


def _say(text: str) -> None:
    print(f"build-image: {text}", file=sys.stderr)


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, "utf-8")
    temporary.rename(path)


# What apt and mmdebstrap install from


def write_index(packages: Iterable[Package], cache: Path, folder: Path) -> None:
    """Write the index files of a flat repository."""
    stanzas = []
    for package in packages:
        path = cache / package.file
        fields = ["dpkg-deb", "--field", str(path)]
        control = subprocess.run(fields, check=True, capture_output=True, text=True).stdout.rstrip("\n")
        size = path.stat().st_size
        stanzas.append(f"{control}\nFilename: ./{package.file}\nSize: {size}\nSHA256: {package.sha256}\n")
    index = "\n".join(stanzas).encode()
    (folder / "Packages").write_bytes(index)
    # mmdebstrap looks for the essential packages of the suite it was asked for.
    digest = hashlib.sha256(index).hexdigest()
    (folder / "Release").write_text(
        f"Suite: trixie\nCodename: trixie\nSHA256:\n {digest} {len(index)} Packages\n"
    )


def write_repository(lock: Lock, cache: Path, folder: Path) -> None:
    packages = [package for package in lock.packages if package.role == "install"]
    write_index(packages, cache, folder)
    for package in packages:
        shutil.copyfile(cache / package.file, folder / package.file)


def files(lock: Lock, cache: Path, role: str, architecture: str = "arm64") -> Iterable[str]:
    for package in lock.packages:
        if package.role == role and package.architecture in (architecture, "all"):
            yield f"{package.name} {cache / package.file}"


def compare(lock: Lock, used: Lock) -> Iterable[str]:
    changes = lockfile.changes(lock, used)
    yield lockfile.state(changes)
    yield from map(str, changes)


def main(command: str, *words: str) -> None:
    now = datetime.now(UTC)
    paths = [Path(word) for word in words]
    if command == "resolve":
        print(resolve_lock(paths[0], paths[1], mirrors(), now), end="")
    elif command == "fetch":
        inputs = Inputs(paths[0], paths[1], paths[2], words[3], mirrors())
        used = obtain(inputs, now, is_strict=bool(os.environ.get("LOCKED")))
        paths[4].write_text(used.text(), "utf-8")
    elif command == "compare":
        print(*compare(*map(lockfile.read, paths)), sep="\n")
    elif command == "repository":
        write_repository(lockfile.read(paths[0]), *paths[1:])
    elif command == "files":
        print(*files(lockfile.read(paths[0]), paths[1], *words[2:]), sep="\n")
    else:
        sys.exit(f"debs.py: unknown command {command}")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except ResolveError as error:
        sys.exit(f"build-image: {error}")
