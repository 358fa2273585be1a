"""Updates as a provider makes them: bundles of RAUC, of a root file system that the test has changed."""

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.children import ROOT
from tests.image.disk import ROOT_A, Disk, Files, tool
from tests.provider.authority import Pair

VENDOR = Pair(ROOT / "image/development/ca.pem", ROOT / "image/development/ca.key")
DEVICE = "printmonitor-plug"
OS_RELEASE = "/usr/lib/os-release"
Change = Callable[[Files], None]


@dataclass(frozen=True)
class Bundles:
    """Makes bundles in a folder; `disk` has the root that they are made of in its slot A."""

    folder: Path
    disk: Disk

    def version(self) -> str:
        """Of the root."""
        said = self.disk.files(ROOT_A).read(OS_RELEASE).decode()
        found = re.search(r'^VERSION_ID="?([^"\n]+)', said, re.MULTILINE)
        assert found, said
        return found[1]

    def full(self, name: str, version: str, change: Change | None = None) -> Path:
        """A whole root of this version, with something changed in it."""
        parts = self._parts(name)
        root = parts / "root.ext4"
        self.disk.take(ROOT_A, root)
        files = Files(root)
        tool("truncate", "-s", str(files.size()), root)  # the file system is smaller than its slot
        release = files.read(OS_RELEASE).decode()
        files.write(OS_RELEASE, re.sub(r"(?m)^VERSION_ID=.*$", f'VERSION_ID="{version}"', release))
        if change:
            change(files)
        return self._packed(name, version, DEVICE, VENDOR)

    def small(self, name: str, version: str, *, device: str = DEVICE, signer: Pair = VENDOR) -> Path:
        """One that is refused before anybody looks at the root: there is none in it."""
        (self._parts(name) / "root.ext4").write_bytes(os.urandom(1 << 20))
        return self._packed(name, version, device, signer)

    def opened(self, name: str, version: str) -> Path:
        """One that RAUC opens and mounts, and that then turns itself down: nothing is written."""
        parts = self._parts(name)
        (parts / "root.ext4").write_bytes(os.urandom(1 << 20))
        (parts / "hook").write_text("#!/bin/sh\necho opened >&2\nexit 10\n")
        (parts / "hook").chmod(0o755)
        hooks = "\n[hooks]\nfilename=hook\nhooks=install-check\n"
        return self._packed(name, version, DEVICE, VENDOR, hooks)

    def _parts(self, name: str) -> Path:
        parts = self.folder / name
        parts.mkdir(parents=True)
        return parts

    def _packed(self, name: str, version: str, device: str, signer: Pair, more: str = "") -> Path:
        parts, packed = self.folder / name, self.folder / f"{name}.raucb"
        manifest = (
            f"[update]\ncompatible={device}\nversion={version}\n\n[bundle]\nformat=verity\n\n"
            f"[image.rootfs]\nfilename=root.ext4\n{more}"
        )
        (parts / "manifest.raucm").write_text(manifest)
        command = ["rauc", f"--cert={signer.certificate}", f"--key={signer.key}", "bundle"]
        tool(*command, "--mksquashfs-args=-comp gzip -Xcompression-level 1", parts, packed)
        tool("rm", "-r", parts)
        return packed


def stranger(folder: Path) -> Pair:
    """Somebody else's key."""
    made = Pair(folder / "stranger.pem", folder / "stranger.key")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-subj", "/CN=stranger", "-keyout", str(made.key), "-out", str(made.certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return made


def without_init(files: Files) -> None:
    """It does not boot: the initrd finds nothing to hand over to."""
    path = "/usr/sbin/init"
    assert files.exists(path)
    files.remove(path)


def without_page(files: Files) -> None:
    """It boots, and its page never answers."""
    unit = "/usr/lib/systemd/system/printmonitor-web.service"
    text = files.read(unit).decode()
    files.write(unit, re.sub(r"(?m)^ExecStart=.*$", "ExecStart=/usr/bin/false", text))
