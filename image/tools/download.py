"""Fetch packages into the cache, from the mirrors and from the snapshot archive.

A file with the right SHA-256 is as good from anywhere, the cache included.
"""

import functools
import hashlib
import http
import http.client
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from lockfile import ARCHIVES, SNAPSHOT_FORMAT, Lock, Package

SNAPSHOT = "https://snapshot.debian.org"
PROBE_TIMEOUT_S = 5
FETCH_TIMEOUT_S = 60
MAX_ATTEMPTS = 3
PAUSE_S = 0.5
CONNECTIONS = 8
NETWORK_ERRORS = (OSError, http.client.HTTPException)


@dataclass(frozen=True, slots=True)
class Site:
    """Something that has Debian's archives, each at a URL of its own."""

    name: str
    archives: dict[str, str]
    probe: str  # a URL that exists, or is "not found", where the site can be reached


def mirror_site(archives: dict[str, str]) -> Site:
    return Site("the mirror", archives, f"{archives['debian']}/dists/trixie/Release")


def snapshot_sites(lock: Lock) -> list[Site]:
    """Return Debian's archives as they were when the lock was made."""
    base = os.environ.get("MIRROR_SNAPSHOT", SNAPSHOT).rstrip("/")
    times = [f"{time:{SNAPSHOT_FORMAT}}" for time in lock.snapshots]
    return [
        Site(
            "the snapshot archive",
            {name: f"{base}/archive/{name}/{time}" for name in ARCHIVES},
            f"{base}/archive/debian/",
        )
        for time in times
    ]


def is_cached(package: Package, cache: Path) -> bool:
    path = cache / package.file
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == package.sha256


def fetch(packages: Iterable[Package], cache: Path, sites: Iterable[Site]) -> dict[Package, str]:
    """Fetch what the cache lacks, from the first site that has it; return what none has, and why."""
    cache.mkdir(parents=True, exist_ok=True)
    missing = {package: "" for package in packages if not is_cached(package, cache)}
    probed: dict[str, str] = {}  # one request for all packages, so that not each of them waits for a time-out
    for site in sites:
        if not missing:
            break
        if site.probe not in probed:
            probed[site.probe] = unreachable(site)
        reason = probed[site.probe]
        task = f"{len(missing)} package{'' if len(missing) == 1 else 's'} to fetch from {site.name}"
        print(f"build-image: {task}{reason and ': '}{reason}", file=sys.stderr)
        if reason:
            missing = {package: known or f"{site.name}: {reason}" for package, known in missing.items()}
            continue
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            reasons = pool.map(functools.partial(_fetch, cache=cache, site=site), missing)
            missing = {package: why for package, why in zip(missing, reasons, strict=True) if why}
    return missing


def unreachable(site: Site) -> str:
    """Return why a site cannot be reached, or nothing."""
    try:
        urllib.request.urlopen(site.probe, timeout=PROBE_TIMEOUT_S).close()
    except NETWORK_ERRORS as error:
        if isinstance(error, urllib.error.HTTPError) and error.code == http.HTTPStatus.NOT_FOUND:
            return ""
        return f"not reachable ({error})"
    return ""


def _fetch(package: Package, cache: Path, site: Site) -> str:
    archive, _, rest = package.path.partition("/")
    url = f"{site.archives[archive]}/{quote(rest)}"
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            with urllib.request.urlopen(url, timeout=FETCH_TIMEOUT_S) as answer:
                data = answer.read()
            break
        except NETWORK_ERRORS as error:
            is_final = isinstance(error, urllib.error.HTTPError) and error.code < 500
            if is_final or attempt == MAX_ATTEMPTS:
                return f"{url}: {error}"
            time.sleep(PAUSE_S * attempt)
    if hashlib.sha256(data).hexdigest() != package.sha256:
        return f"{url}: not the file of the lock (sha256)"
    temporary = cache / f".{package.file}.{os.getpid()}"
    temporary.write_bytes(data)
    temporary.rename(cache / package.file)
    return ""
