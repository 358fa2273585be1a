"""An emulated computer that boots the image: QEMU's `virt`, or a Raspberry Pi 3."""

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests import children
from tests.image import probe
from tests.image.disk import BOOT, Disk, tool
from tests.image.page import NoAnswer, Page, Wrong

U_BOOT = Path("/usr/lib/u-boot/qemu_arm64/u-boot.bin")
PAGE_SECONDS = 400.0  # far above the bar: a busy machine is no fault of the image
FAILURES = (
    "Failed to start",
    "Dependency failed",
    "ordering cycle",
    "Kernel panic",
    "Timed out waiting for device",
    "EXT4-fs error",
)


class Network(Protocol):
    """What the machine's card is plugged into."""

    def plug_in(self, mac: str) -> list[str]:
        """QEMU's arguments for a `netdev` with the id `net`."""

    def page(self, mac: str) -> Page: ...


class UserNetwork:
    """QEMU's own: nothing gets out, and 127.0.0.1 here leads to the page's ports."""

    def __init__(self) -> None:
        self._ports: dict[str, tuple[int, int]] = {}

    def plug_in(self, mac: str) -> list[str]:
        plain, tls = self._ports.setdefault(mac, _free_ports())
        forward = f"hostfwd=tcp:127.0.0.1:{plain}-:80,hostfwd=tcp:127.0.0.1:{tls}-:443"
        return ["-netdev", f"user,id=net,restrict=on,{forward}"]

    def page(self, mac: str) -> Page:
        return Page("127.0.0.1", self._ports[mac][0])


def _free_ports() -> tuple[int, int]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]


@dataclass(frozen=True)
class Board:
    """What kind of computer."""

    name: str
    arguments: tuple[str, ...]
    drive: tuple[str, ...]
    card: str


VIRT = Board(
    "virt",
    ("-M", "virt", "-cpu", "cortex-a53", "-smp", "2", "-m", "512", "-bios", str(U_BOOT)),
    ("if=none,id=disk", "-device", "virtio-blk-device,drive=disk", "-device", "virtio-rng-device"),
    "virtio-net-device",
)


class Machine:
    """A computer with its card; `start`, `cut` (the power), and again with what was written by then.

    The disk is an overlay (qcow2) on a raw file. Killing QEMU keeps what the guest has flushed: that is in
    the kernel's page cache, which outlives QEMU (so cache=writeback is honest). What was written and not
    flushed may be lost, as the overlay's tables are in QEMU's memory until a flush: as with a real card.
    """

    def __init__(
        self, disk: Disk, folder: Path, network: Network, *, board: Board = VIRT, mac: str = ""
    ) -> None:
        self.mac = mac or "52:54:00:" + ":".join(f"{each:02x}" for each in secrets.token_bytes(3))
        self.board, self.network = board, network
        self.folder = folder
        self._base, self._overlay = disk, folder / "overlay.qcow2"
        self._layer()
        self.console = ""
        self.boots = 0
        self._asked = 0
        self._logged_in: Page | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def _layer(self) -> None:
        self._overlay.unlink(missing_ok=True)
        tool("qemu-img", "create", "-q", "-f", "qcow2", "-b", self._base.path, "-F", "raw", self._overlay)

    # --- power

    def start(self) -> None:
        """Switch it on."""
        assert self._process is None, "it is on already"
        self.console = ""
        self._logged_in = None
        self.boots += 1
        self._qmp_path = Path(tempfile.mkdtemp(prefix="plug-")) / "qmp"  # a short path: socket(7)
        drive, *devices = self.board.drive
        command = [
            "qemu-system-aarch64",
            *self.board.arguments,
            *("-display", "none", "-monitor", "none", "-no-user-config"),
            *("-drive", f"file={self._overlay},format=qcow2,cache=writeback,{drive}", *devices),
            *self.network.plug_in(self.mac),
            *("-device", f"{self.board.card},netdev=net,mac={self.mac}"),
            *("-qmp", f"unix:{self._qmp_path},server=on,wait=off"),
            *("-chardev", "stdio,id=console,signal=off"),
            *(("-serial", "null") if self.board is not VIRT else ()),
            *("-serial", "chardev:console"),
        ]
        self._said = (self.folder / "qemu.log").open("ab")
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            start_new_session=True,
            preexec_fn=children.end_with_parent,  # noqa: PLW1509  two system calls, no lock is taken
        )
        self.started = time.monotonic()
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()

    def _listen(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        with (self.folder / "console.log").open("ab") as log:
            log.write(f"\n=== start {self.boots}\n".encode())
            while data := os.read(process.stdout.fileno(), 65_536):
                log.write(data)
                log.flush()
                if process is self._process:
                    self.console += data.decode(errors="replace")

    def cut(self) -> None:
        """The power is gone, this very instant."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGKILL)
            process.wait()
            for stream in (process.stdin, process.stdout):
                assert stream is not None
                stream.close()
            self._said.close()
            shutil.rmtree(self._qmp_path.parent)

    def power_off(self, seconds: float = 90.0) -> None:
        """In order: needs a probe."""
        self.ask("(sleep 3; systemctl --no-block poweroff) >/dev/null 2>&1 &")  # the answer goes first
        assert self._process is not None
        self._process.wait(seconds)
        self.cut()

    @contextmanager
    def offline(self) -> Iterator[Disk]:
        """The disk of a machine that is off, as a raw file; what is changed is there at the next start."""
        assert self._process is None
        flat = self.folder / f"disk-{self.boots}-{secrets.token_hex(2)}.img"
        tool("qemu-img", "convert", "-f", "qcow2", "-O", "raw", self._overlay, flat)
        yield Disk(flat)
        if self._base.path.parent == self.folder:
            self._base.path.unlink()
        self._base = Disk(flat)
        self._layer()

    # --- what can be seen from outside

    @property
    def page(self) -> Page:
        return self.network.page(self.mac)

    @property
    def page_in(self) -> Page:
        """The page, logged in; the same session each time, while it lasts."""
        page = self._logged_in or self.page
        try:
            page.get("/api/session")
        except Wrong:
            page.log_in()
        self._logged_in = page
        return page

    @property
    def is_on(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def seconds(self) -> float:
        """Since it was switched on."""
        return time.monotonic() - self.started

    def until(
        self, what: str, true: Callable[[], object], seconds: float = 60.0, every: float = 0.2
    ) -> float:
        """Wait for a condition; gives the seconds since the start."""
        deadline = time.monotonic() + seconds
        while not true():
            assert self.is_on, f"QEMU ended: {(self.folder / 'qemu.log').read_text()[-1000:]}"
            assert time.monotonic() < deadline, f"not in {seconds:g} s: {what}\n{self.tail()}"
            time.sleep(every)
        return self.seconds()

    def until_page(self, seconds: float = PAGE_SECONDS) -> float:
        """Until the login page is answered; gives the seconds since the start."""
        # Where it is is asked each time: at first it has no lease.
        return self.until("the login page", lambda: self.page.is_there(), seconds, every=0.25)  # noqa: PLW0108

    def until_said(self, text: str, seconds: float = PAGE_SECONDS) -> float:
        """Until the console has said something, as a regular expression."""
        return self.until(
            f"the console says {text}", lambda: re.search(text, self.console), seconds, every=0.05
        )

    def until_restarted(self, sign: str, seconds: float) -> None:
        """Wait until the console says `sign` a second time; fail at once where the page says why not."""

        def is_restarted() -> bool:
            if self.console.count(sign) > 1:
                return True
            with suppress(NoAnswer, Wrong):  # it may be about to restart
                progress = self.page_in.get("/api/updates", 10)["progress"] or {}
                assert progress.get("state") not in ("refused", "failed"), progress
            return False

        self.until("it restarts", is_restarted, seconds, every=2)

    def tail(self) -> str:
        return self.console[-3000:]

    def complaints(self) -> list[str]:
        """Lines of the console that should not be there."""
        return [line for line in self.console.splitlines() if any(each in line for each in FAILURES)]

    @property
    def slot(self) -> str:
        """The slot that the boot loader has chosen last."""
        found = re.findall(r"slot ([AB]) of", self.console)
        return str(found[-1]) if found else ""

    def qmp(self, command: str, **arguments: object) -> Any:
        """Ask QEMU."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(10)
            line.connect(str(self._qmp_path))
            with line.makefile("rw") as talk:
                talk.readline()
                for each in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
                    talk.write(json.dumps(each) + "\n")
                    talk.flush()
                    while "return" not in (said := json.loads(talk.readline())):
                        assert "error" not in said, said
        return said["return"]

    def written(self) -> int:
        """Octets that the guest has written since the start."""
        return int(sum(each["stats"]["wr_bytes"] for each in self.qmp("query-blockstats")))

    def processor(self) -> float:
        """Seconds of processor that QEMU has used."""
        assert self._process is not None
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    # --- what can be seen from inside, where there is a probe

    def until_probe(self, seconds: float = PAGE_SECONDS) -> float:
        return self.until_said("@@ready", seconds)

    def ask(self, command: str, seconds: float = 90.0, *, check: bool = True) -> str:
        """What a command of root's prints."""
        for _ in range(3):
            try:
                said, code = self._ask(command, seconds)
            except probe.Broken:
                continue
            assert not check or code == 0, f"{command}: exit code {code}: {said}"
            return said
        raise AssertionError(f"the console is too noisy for {command}")

    def failed(self) -> str:
        """What systemd says of units that have failed; empty where none has."""
        names = self.ask("systemctl list-units --failed --no-legend --plain").split("\n")
        units = " ".join(name.split()[0] for name in names if name)
        status = "systemctl status --no-pager --full --lines=20"
        return f"{units}\n{self.ask(f'{status} {units}', check=False)}" if units else ""

    def _ask(self, command: str, seconds: float) -> tuple[str, int]:
        if "@@ready" not in self.console:
            self.until_probe()
        self._asked += 1
        number, start = self._asked, len(self.console)
        assert self._process is not None
        assert self._process.stdin is not None
        os.write(self._process.stdin.fileno(), probe.question(number, command))
        deadline = time.monotonic() + seconds
        while (found := probe.answer(number, self.console[start:])) is None:
            assert self.is_on, f"QEMU ended at {command}"
            assert time.monotonic() < deadline, f"no answer to {command}\n{self.tail()}"
            time.sleep(0.05)
        return found


def boot_files(disk: Disk, into: Path, *names: str) -> list[Path]:
    """Files of the boot partition, for a board whose firmware QEMU does not have."""
    assert BOOT == 1
    for name in names:
        (into / name).write_bytes(disk.boot_read(name))
    return [into / name for name in names]
