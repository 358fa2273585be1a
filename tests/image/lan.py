"""A LAN in a box: a bridge in a network namespace of this process, from which nothing leads out.

On it: a DHCP server, the Plug (a tap), printers and a provider's servers at addresses of their own in this
process, and a laptop in a namespace of its own.
"""

import asyncio
import ctypes
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tests import children
from tests.image.disk import missing, tool
from tests.image.page import Page

BRIDGE, PROVIDER, NETWORK = "lan0", "10.77.0.1", "10.77.0.0/16"
PRINTERS, FIRST_PRINTER = "10.77.1.0/24", "10.77.1.1"
LAPTOP = "10.77.0.2"
TOOLS = ("ip", "dnsmasq", "unshare", "nsenter")
NEW_NETWORK = 0x40000000  # CLONE_NEWNET
T = TypeVar("T")


class NotHere(Exception):
    """Such a LAN cannot be made here; the text says why."""


class Lan:
    """The network of a `Machine`, and of all fakes of this process."""

    def __init__(self, folder: Path, dhcp: "subprocess.Popen[bytes]") -> None:
        self.folder, self._dhcp = folder, dhcp
        self._taps: dict[str, str] = {}
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def plug_in(self, mac: str) -> list[str]:
        if mac not in self._taps:
            name = f"tap{len(self._taps)}"
            ip("tuntap", "add", "dev", name, "mode", "tap")
            ip("link", "set", name, "master", BRIDGE, "up")
            self._taps[mac] = name
        return ["-netdev", f"tap,id=net,ifname={self._taps[mac]},script=no,downscript=no"]

    def page(self, mac: str) -> Page:
        return Page(self.address(mac) or "10.77.255.254")

    def address(self, mac: str) -> str:
        """What the DHCP server gave; empty before."""
        leases = self.folder / "leases"
        text = leases.read_text() if leases.exists() else ""
        found = re.findall(rf"^\d+ {mac} (\S+)", text, re.MULTILINE)
        return found[-1] if found else ""

    def host_name(self, mac: str) -> str:
        """The name that the Plug told the DHCP server."""
        found = re.findall(rf"^\d+ {mac} \S+ (\S+)", (self.folder / "leases").read_text(), re.MULTILINE)
        return found[-1] if found else ""

    def off(self) -> None:
        """The DHCP server ends; the namespace goes with this process."""
        self._dhcp.terminate()
        self._dhcp.wait()

    # --- fakes live in a loop of their own: the tests wait, they do not

    def do(self, work: Coroutine[Any, Any, T], seconds: float = 60.0) -> T:
        """Run something of the fakes."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    @contextmanager
    def serving(self, fake: AbstractAsyncContextManager[T]) -> Iterator[T]:
        """A fake for the length of the block."""
        running = self.do(fake.__aenter__())
        try:
            yield running
        finally:
            self.do(fake.__aexit__(None, None, None))


class Laptop:
    """A computer on the same LAN."""

    def __init__(self) -> None:
        self._holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo; exec sleep infinity"],
            stdout=subprocess.PIPE,
            preexec_fn=children.end_with_parent,  # noqa: PLW1509  two system calls, no lock is taken
        )
        assert self._holder.stdout is not None
        self._holder.stdout.readline()
        self.enter = ("nsenter", f"--net=/proc/{self._holder.pid}/ns/net")
        ip("link", "add", "laptop", "type", "veth", "peer", "name", "eth0", "netns", str(self._holder.pid))
        ip("link", "set", "laptop", "master", BRIDGE, "up")
        for words in ("link set lo up", "link set eth0 up", f"addr add {LAPTOP}/16 dev eth0"):
            tool(*self.enter, "ip", *words.split())
        tool(*self.enter, "ip", "route", "add", "default", "via", PROVIDER)

    def do(self, *command: str, seconds: float = 60.0) -> str:
        done = subprocess.run(
            [*self.enter, *command],
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            cwd=children.ROOT,
            env=children.environment(),
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def off(self) -> None:
        self._holder.kill()
        self._holder.communicate()  # which closes its pipe, too


def ip(*words: str) -> None:
    tool("ip", *words)


_there: list[Lan] = []


def make(folder: Path) -> Lan:
    """Take this process (this thread, and those that it starts) onto a LAN of its own. Raises NotHere."""
    if _there:
        return _there[0]
    if os.geteuid() != 0:
        raise NotHere("only root can make a LAN of namespaces")
    if absent := missing(*TOOLS):
        raise NotHere(f"not installed: {', '.join(absent)}; see requirements/tools.py")
    if not Path("/dev/net/tun").exists():
        raise NotHere("there is no /dev/net/tun")
    if ctypes.CDLL(None, use_errno=True).unshare(NEW_NETWORK) != 0:
        raise NotHere(f"network namespaces are not allowed here: {os.strerror(ctypes.get_errno())}")
    ip("link", "set", "lo", "up")
    ip("link", "add", BRIDGE, "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
    ip("addr", "add", f"{PROVIDER}/16", "dev", BRIDGE)
    ip("addr", "add", "fd77::1/64", "dev", BRIDGE, "nodad")
    ip("link", "set", BRIDGE, "up")
    ip("route", "add", "local", PRINTERS, "dev", "lo")  # each of these addresses is here, and answers ARP
    lan = Lan(folder, _serve_addresses(folder))
    _there.append(lan)
    return lan


def _serve_addresses(folder: Path) -> "subprocess.Popen[bytes]":
    """DHCP, router advertisements, a few names under .test."""
    command = [
        shutil.which("dnsmasq") or "",
        *(
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--no-resolv",
            "--no-hosts",
            "--user=root",
            "--group=root",
        ),
        *(f"--interface={BRIDGE}", "--bind-interfaces", f"--pid-file={folder / 'dnsmasq.pid'}"),
        *("--dhcp-range=10.77.9.1,10.77.9.200,255.255.0.0,1h", "--dhcp-authoritative"),
        *("--dhcp-option=option:router,10.77.0.1", "--dhcp-rapid-commit", "--no-ping"),
        *(
            "--enable-ra",
            "--dhcp-range=fd77::,ra-only,64,1h",
            f"--log-facility={folder / 'dnsmasq.log'}",
            "--log-dhcp",
        ),
        *(f"--address=/provider.test/{PROVIDER}", f"--dhcp-leasefile={folder / 'leases'}"),
    ]
    server = subprocess.Popen(command, preexec_fn=children.end_with_parent)  # noqa: PLW1509  as above
    time.sleep(0.3)
    if server.poll() is not None:
        raise NotHere(f"dnsmasq does not start: exit code {server.returncode}")
    return server
