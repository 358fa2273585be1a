"""The lock: which file of Debian's archives each package of the image is.

A lock is a text file. Lines `# snapshot TIME` say when a mirror offered its versions; each line without `#`
is a package: role, name, version, architecture, sha256, path.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

ARCHIVES = ("debian", "debian-security")
HEADER = "# role name version architecture sha256 path; by ./build-image.sh lock, from packages.list"
SNAPSHOT_FORMAT = "%Y%m%dT%H%M%SZ"


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

    @property
    def source(self) -> str:
        """The source package: packages of one source have to be of one version."""
        return Path(self.path).parent.name

    @property
    def stem(self) -> str:
        """The name, without the version that a kernel has in its name."""
        return re.sub(r"^linux-image-\d\S*", "linux-image", self.name)


@dataclass(frozen=True, slots=True)
class Lock:
    packages: tuple[Package, ...]
    snapshots: tuple[datetime, ...]  # when a mirror offered these versions, the latest first

    def used_on(self, architecture: str) -> list[Package]:
        """Return the packages of a build on such a machine: of the tools only its own, and each file once."""
        fits = (architecture, "all")
        return list({p.file: p for p in self.packages if p.role != "tool" or p.architecture in fits}.values())

    def text(self) -> str:
        snapshots = [f"# snapshot {time:{SNAPSHOT_FORMAT}}" for time in self.snapshots]
        rows = [" ".join(package) for package in sorted(set(self.packages))]
        return "".join(f"{line}\n" for line in (HEADER, *snapshots, *rows))


def parse(text: str) -> Lock:
    lines = [line for line in text.splitlines() if line]
    times = re.findall(r"^# snapshot (\w+)$", text, re.MULTILINE)
    return Lock(
        tuple(Package(*line.split()) for line in lines if not line.startswith("#")),
        tuple(datetime.strptime(time, SNAPSHOT_FORMAT).replace(tzinfo=UTC) for time in times),
    )


def read(path: Path) -> Lock:
    return parse(path.read_text("utf-8"))


def age(lock: Lock, now: datetime) -> str:
    """Return how old the lock's versions are, in words."""
    if not lock.snapshots:
        return "of unknown age"
    days = (now - max(lock.snapshots)).days
    return f"{days} day{'' if days == 1 else 's'} old, of {max(lock.snapshots):%Y-%m-%d}"


# What changed from one lock to another


@dataclass(frozen=True, slots=True, order=True)
class Change:
    name: str
    old: str  # a version; empty where the package is new
    new: str  # empty where the package is gone
    source: str = ""
    is_security_fix: bool = False  # the new version comes from debian-security

    @property
    def versions(self) -> str:
        same = " (another file)" if self.old == self.new else ""
        return f"{self.old or 'none'} -> {self.new or 'none'}{same}"

    def __str__(self) -> str:
        return f"{self.name} {self.versions}"


def changes(old: Lock, new: Lock) -> list[Change]:
    """Compare two locks; a package with several roles or architectures counts once."""
    before, after = _by_place(old), _by_place(new)
    found = [_change(before.get(place), after.get(place)) for place in before.keys() | after.keys()]
    return sorted({change for change in found if change})


def _by_place(lock: Lock) -> dict[tuple[str, str, str], Package]:
    return {(p.role, p.stem, p.architecture if p.role == "tool" else ""): p for p in lock.packages}


def _change(old: Package | None, new: Package | None) -> Change | None:
    package = new or old
    if not package or (old and new and (old.version, old.sha256) == (new.version, new.sha256)):
        return None
    return Change(
        package.stem,
        old.version if old else "",
        new.version if new else "",
        package.source,
        new is not None and new.path.startswith("debian-security/"),
    )


def state(found: Iterable[Change]) -> str:
    """Describe an image by what differs from the repository's lock."""
    count = len({change.name for change in found})
    if not count:
        return "locked"
    return f"resolved, {count} package{' differs' if count == 1 else 's differ'}"


def message(found: list[Change], date: datetime) -> str:
    """Write the changes as a commit message, security fixes first, one line for each source package."""
    if not found:
        return "No package has changed.\n"
    groups: dict[tuple[bool, str, str], set[str]] = {}
    for change in found:
        groups.setdefault((change.is_security_fix, change.source, change.versions), set()).add(change.name)
    parts = [f"image: update Debian's packages to {date:%Y-%m-%d}\n"]
    for is_security, title in ((True, "Security fixes:"), (False, "Other updates:")):
        lines = [
            f"- {', '.join(sorted(names))}: {versions}"
            for (security, _, versions), names in sorted(groups.items())
            if security == is_security
        ]
        if lines:
            parts.append("\n".join([title, *lines]) + "\n")
    return "\n".join(parts)
