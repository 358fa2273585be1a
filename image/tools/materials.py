#!/usr/bin/env python3
"""List what the image is made of: materials.py spdx VERSION WORK WHEELS, materials.py sizes WORK WHEELS.

WORK holds the built root, dpkg's database from before it was removed (dpkg/), what was only unpacked (deb/),
the lock that was used (packages.lock), and how that one differs from the repository's (packages.state).
`spdx` prints an SPDX 2.3 document, `sizes` what each package takes of the root.
"""

import hashlib
import json
import os
import re
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.parser import HeaderParser
from pathlib import Path
from urllib.parse import quote

from lockfile import Package, read

PLUG = "printmonitor-plug"
# Debian's short names (copyright-format/1.0) and what wheels say, in SPDX's words.
LICENCES = {
    "apache-2": "Apache-2.0",
    "apache-2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "artistic": "Artistic-1.0-Perl",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "bsd-4-clause-uc": "BSD-4-Clause-UC",
    "bsl-1": "BSL-1.0",
    "cc0-1.0": "CC0-1.0",
    "expat": "MIT",
    "gfdl-1.3+": "GFDL-1.3-or-later",
    "gpl-1+": "GPL-1.0-or-later",
    "gpl-2": "GPL-2.0-only",
    "gpl-2+": "GPL-2.0-or-later",
    "gpl-2.0": "GPL-2.0-only",
    "gpl-2.0+": "GPL-2.0-or-later",
    "gpl-3": "GPL-3.0-only",
    "gpl-3+": "GPL-3.0-or-later",
    "isc": "ISC",
    "lgpl-2": "LGPL-2.0-only",
    "lgpl-2+": "LGPL-2.0-or-later",
    "lgpl-2.0+": "LGPL-2.0-or-later",
    "lgpl-2.1": "LGPL-2.1-only",
    "lgpl-2.1+": "LGPL-2.1-or-later",
    "lgpl-2.1-or-later": "LGPL-2.1-or-later",
    "lgpl-3": "LGPL-3.0-only",
    "lgpl-3+": "LGPL-3.0-or-later",
    "mit": "MIT",
    "mpl-2": "MPL-2.0",
    "mpl-2.0": "MPL-2.0",
    "openldap-2.8": "OLDAP-2.8",
    "psf-2": "PSF-2.0",
    "psf-2.0": "PSF-2.0",
    "python-2.0": "Python-2.0",
    "x11": "X11",
    "zlib": "Zlib",
    "zpl-2.1": "ZPL-2.1",
}


@dataclass(frozen=True, slots=True)
class Material:
    name: str
    version: str
    sha256: str
    url: str  # a package URL, https://github.com/package-url/purl-spec
    licences: tuple[str, ...]
    supplier: str


# Whose is a file?


def owners(work: Path, lock: list[Package], wheels: Path) -> dict[str, str]:
    """Paths in the root to names of packages; what is in none is the Plug's own."""
    found = dict(_unpacked(work, lock))
    for listing in (work / "dpkg/info").glob("*.list"):
        for line in listing.read_text("utf-8").splitlines():
            found[_merged(line)] = listing.stem.partition(":")[0]
    for wheel in wheels.glob("*.whl"):
        for name in zipfile.ZipFile(wheel).namelist():
            found[f"usr/lib/python3/dist-packages/{name}"] = wheel.name.partition("-")[0]
    return found


def _merged(line: str) -> str:
    path = line.lstrip("/")
    return f"usr/{path}" if path.startswith(("bin/", "sbin/", "lib/")) else path


def _unpacked(work: Path, lock: list[Package]) -> Iterator[tuple[str, str]]:
    for package in (package for package in lock if package.role == "unpack"):
        name = "kernel" if package.name.startswith("linux-image-") else package.name
        home = work / "deb" / name
        for path in home.rglob("*"):
            yield _merged(str(path.relative_to(home))), package.name
        if name == "kernel":
            yield "boot/vmlinuz", package.name
        if name == "ca-certificates":
            yield "etc/ssl/certs/ca-certificates.crt", package.name
        if name == "wireless-regdb":
            yield from ((f"usr/lib/firmware/regulatory.db{end}", package.name) for end in ("", ".p7s"))


def sizes(work: Path, lock: list[Package], wheels: Path) -> Counter[str]:
    root, owner, total = work / "root", owners(work, lock, wheels), Counter[str]()
    for path in root.rglob("*"):
        name = str(path.relative_to(root))
        if path.is_symlink() or not path.is_file() or name.startswith("usr/share/doc/"):
            continue
        source = re.sub(r"__pycache__/([^/]+)\.cpython-\d+\.pyc$", r"\1.py", name)
        kernel = next((p.name for p in lock if p.name.startswith("linux-image-")), PLUG)
        default = kernel if name.startswith("usr/lib/modules/") else PLUG
        total[owner.get(source, default)] += path.stat().st_size
    return total


# What is in the image, and under which licence


def materials(work: Path, lock: list[Package], wheels: Path) -> Iterator[Material]:
    taken = sizes(work, lock, wheels)
    sources = _sources(work / "dpkg/status")
    for package in lock:
        if package.role == "unpack" or (package.role == "install" and taken[package.name]):
            yield _debian(package, sources.get(package.name), work)
    for wheel in sorted(wheels.glob("*.whl")):
        yield _python(wheel)


def _debian(package: Package, source: str | None, work: Path) -> Material:
    version = package.version.replace("%3a", ":")
    upstream = f"&upstream={quote(source)}" if source else ""
    return Material(
        name=package.name,
        version=version,
        sha256=package.sha256,
        url=f"pkg:deb/debian/{quote(package.name)}@{quote(version)}?arch={package.architecture}"
        f"&distro=debian-13{upstream}",
        licences=_copyright(package, work),
        supplier="Organization: Debian",
    )


def _sources(status: Path) -> dict[str, str]:
    stanzas = status.read_text("utf-8").split("\n\n")
    fields = (dict(re.findall(r"^(Package|Source): (\S+)", stanza, re.MULTILINE)) for stanza in stanzas)
    return {each["Package"]: each["Source"] for each in fields if "Source" in each}


def _copyright(package: Package, work: Path) -> tuple[str, ...]:
    unpacked = "kernel" if package.name.startswith("linux-image-") else package.name
    home = work / "root" if package.role == "install" else work / "deb" / unpacked
    path = home / "usr/share/doc" / package.name / "copyright"
    try:
        text = path.read_text("utf-8", "replace")
    except OSError:
        return ()
    if "copyright-format" not in text.partition("\n")[0]:
        return ()
    said = re.findall(r"^License: *(\S.*)$", text, re.MULTILINE)
    names = (name.strip(" ,") for line in said for name in re.split(r",? (?:and|or)(?:/or)? |,", line))
    return tuple(sorted({name for name in names if name}, key=str.lower))


def _python(wheel: Path) -> Material:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        said = HeaderParser().parsestr(archive.read(name).decode("utf-8"))
    licence = said["License-Expression"] or _classified(said.get_all("Classifier") or []) or said["License"]
    names = re.split(r" AND | and ", licence.splitlines()[0]) if licence else ()
    return Material(
        name=said["Name"],
        version=said["Version"],
        sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        url=f"pkg:pypi/{said['Name'].lower().replace('_', '-')}@{quote(said['Version'])}",
        licences=tuple(names),
        supplier="NOASSERTION",
    )


def _classified(classifiers: list[str]) -> str | None:
    words = [
        each.rpartition(" :: ")[2] for each in classifiers if each.startswith("License :: OSI Approved ::")
    ]
    known = {"MIT License": "MIT", "Apache Software License": "Apache-2.0", "BSD License": "BSD-3-Clause"}
    return next((known[word] for word in words if word in known), None)


# SPDX 2.3, https://spdx.github.io/spdx-spec/v2.3/


def document(version: str, state: list[str], found: list[Material]) -> dict[str, object]:
    names = json.dumps([(each.name, each.version, each.sha256) for each in found])
    digest = hashlib.sha256(names.encode()).hexdigest()
    made = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), UTC)
    packages = [_package(each) for each in found]
    plug = {
        "SPDXID": f"SPDXRef-{PLUG}",
        "name": PLUG,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "MIT",
        "copyrightText": "NOASSERTION",
        "primaryPackagePurpose": "FIRMWARE",
        "comment": "Debian packages: " + "\n".join(state),
    }
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"{PLUG}-{version}",
        "documentNamespace": f"https://spdx.org/spdxdocs/{PLUG}-{version}-{digest[:32]}",
        "creationInfo": {"created": f"{made:%Y-%m-%dT%H:%M:%SZ}", "creators": ["Tool: build-image.sh"]},
        "packages": [plug, *packages],
        "hasExtractedLicensingInfos": _own_licences(found),
        "relationships": [
            _relation("SPDXRef-DOCUMENT", "DESCRIBES", f"SPDXRef-{PLUG}"),
            *(_relation(f"SPDXRef-{PLUG}", "CONTAINS", str(each["SPDXID"])) for each in packages),
        ],
    }


def _package(each: Material) -> dict[str, object]:
    kind = "deb" if each.url.startswith("pkg:deb/") else "python"
    return {
        "SPDXID": f"SPDXRef-{kind}-{_word(each.name)}",
        "name": each.name,
        "versionInfo": each.version,
        "supplier": each.supplier,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "checksums": [{"algorithm": "SHA256", "checksumValue": each.sha256}],
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": " AND ".join(sorted({_licence(name) for name in each.licences})) or "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "externalRefs": [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": each.url}
        ],
    }


def _licence(name: str) -> str:
    return LICENCES.get(name.lower()) or (name if name in LICENCES.values() else f"LicenseRef-{_word(name)}")


def _own_licences(found: list[Material]) -> list[dict[str, str]]:
    """Names that SPDX has no word for: what they mean stands in the package's copyright file."""
    names = {_licence(name): name for each in found for name in each.licences}
    text = "In /usr/share/doc of the image, in the copyright files of the packages that name it: "
    return [
        {"licenseId": word, "name": name, "extractedText": text + name}
        for word, name in sorted(names.items())
        if word.startswith("LicenseRef-")
    ]


def _word(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", "-", name).strip("-")


def _relation(of: str, kind: str, to: str) -> dict[str, str]:
    return {"spdxElementId": of, "relationshipType": kind, "relatedSpdxElement": to}


def main(command: str, *words: str) -> None:
    version = words[0] if command == "spdx" else ""
    work, wheels = (Path(word) for word in words[-2:])
    lock = list(read(work / "packages.lock").packages)
    state = (work / "packages.state").read_text("utf-8").splitlines()
    if command == "spdx":
        print(json.dumps(document(version, state, list(materials(work, lock, wheels))), indent=1))
        return
    print("# Debian packages:", "\n#   ".join(state))
    for name, size in sorted(sizes(work, lock, wheels).items(), key=lambda pair: (-pair[1], pair[0])):
        print(f"{size:>11}  {name}")


if __name__ == "__main__":
    main(*sys.argv[1:])
