"""Ports and the trap receiver become what the settings say: done as root, because systemd holds the sockets.

The settings file belongs to the services, so nothing in it is trusted here but four values, each checked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.privileged import untrusted_settings
from appliance.privileged.request_handler import Run
from appliance.privileged.systemctl import is_active
from appliance.privileged.untrusted_settings import table

DROP_IN = "ports.conf"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the settings want of systemd."""

    traps_enabled: bool = False
    traps_port: int = 162
    web_port: int = 80
    tls_port: int = 443
    mdns: bool = True


@dataclass(frozen=True, slots=True)
class _Socket:
    unit: str
    listen: str  # its key
    port: int
    usual: int  # what the unit file says itself


def wanted(state: Path) -> Wanted:
    """What settings.toml says, else the last good settings, else the defaults."""
    return _wanted(next(untrusted_settings.settings(state), {}))


def apply(state: Path, drop_ins: Path, run: Run) -> None:
    """Tell systemd; what is right already stays as it is. Raises Failed, OSError.

    Never waits for a start: the sockets are started after the unit that this runs in.
    """
    want = wanted(state)
    traps = _Socket("printmonitor-traps.socket", "ListenDatagram", want.traps_port, 162)
    page = (
        _Socket("printmonitor-web.socket", "ListenStream", want.web_port, 80),
        _Socket("printmonitor-web-tls.socket", "ListenStream", want.tls_port, 443),
    )
    page_moved = sum(_put(drop_ins, each) for each in page) > 0  # each of them
    traps_moved = _put(drop_ins, traps)
    if page_moved or traps_moved:
        run("systemctl", "daemon-reload")
    if page_moved and is_active(run, "printmonitor-web.socket"):
        run("systemctl", "stop", "printmonitor-web.service")  # or systemd would not let go of its sockets
        run("systemctl", "--no-block", "restart", *(each.unit for each in page))
        run("systemctl", "--no-block", "start", "printmonitor-web.service")
    receiver = ("printmonitor-traps.socket", "printmonitor-traps.service")
    if not want.traps_enabled or traps_moved:
        run("systemctl", "stop", *receiver)
    if want.traps_enabled:
        run("systemctl", "--no-block", "start", *receiver)


def _wanted(data: Mapping[str, object]) -> Wanted:
    traps, web = table(data, "traps"), table(data, "web")
    usual = Wanted()
    web_port, tls_port = _port(web, "port", usual.web_port), _port(web, "tls_port", usual.tls_port)
    if web_port == tls_port:
        web_port, tls_port = usual.web_port, usual.tls_port
    return Wanted(
        traps_enabled=traps.get("enabled") is True,
        traps_port=_port(traps, "port", usual.traps_port),
        web_port=web_port,
        tls_port=tls_port,
        mdns=table(data, "plug").get("mdns") is not False,
    )


def _port(table: Mapping[str, object], key: str, usual: int) -> int:
    found = table.get(key, usual)
    return found if type(found) is int and 0 < found < 65_536 else usual


def _put(drop_ins: Path, wanted: _Socket) -> bool:
    """Write the drop-in of a socket, or remove it; tells whether that changed anything."""
    path = drop_ins / f"{wanted.unit}.d" / DROP_IN
    before = path.read_text() if path.exists() else ""
    after = f"[Socket]\n{wanted.listen}=\n{wanted.listen}={wanted.port}\n"
    if wanted.port == wanted.usual:
        after = ""
    if before == after:
        return False
    if after:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        path.write_text(after)
    else:
        path.unlink()
    return True
