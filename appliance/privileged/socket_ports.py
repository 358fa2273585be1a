"""Ports and the trap receiver become what the settings say: done as root, because systemd holds the sockets.

The settings file belongs to the services, so nothing in it is trusted here but four values, each checked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.privileged import untrusted_settings
from appliance.privileged.request_handler import RunCommand, is_unit_active
from appliance.privileged.untrusted_settings import get_table

DROP_IN_FILENAME = "ports.conf"


@dataclass(frozen=True, slots=True)
class DesiredPorts:
    """What the settings want of systemd."""

    traps_enabled: bool = False
    traps_port: int = 162
    web_port: int = 80
    tls_port: int = 443
    mdns: bool = True


@dataclass(frozen=True, slots=True)
class _SocketUnit:
    unit: str
    listen_key: str  # its key
    port: int
    default_port: int  # what the unit file says itself


def read_desired_ports(state: Path) -> DesiredPorts:
    """What settings.toml says, else the last good settings, else the defaults."""
    return _parse_desired_ports(next(untrusted_settings.iter_settings(state), {}))


def apply_socket_ports(state: Path, drop_ins: Path, run: RunCommand) -> None:
    """Tell systemd; what is right already stays as it is. Raises Failed, OSError.

    Never waits for a start: the sockets are started after the unit that this runs in.
    """
    want = read_desired_ports(state)
    traps = _SocketUnit("printmonitor-traps.socket", "ListenDatagram", want.traps_port, 162)
    page = (
        _SocketUnit("printmonitor-web.socket", "ListenStream", want.web_port, 80),
        _SocketUnit("printmonitor-web-tls.socket", "ListenStream", want.tls_port, 443),
    )
    page_moved = sum(_write_drop_in(drop_ins, each) for each in page) > 0  # each of them
    traps_moved = _write_drop_in(drop_ins, traps)
    if page_moved or traps_moved:
        run("systemctl", "daemon-reload")
    if page_moved and is_unit_active(run, "printmonitor-web.socket"):
        run("systemctl", "stop", "printmonitor-web.service")  # or systemd would not let go of its sockets
        run("systemctl", "--no-block", "restart", *(each.unit for each in page))
        run("systemctl", "--no-block", "start", "printmonitor-web.service")
    receiver = ("printmonitor-traps.socket", "printmonitor-traps.service")
    if not want.traps_enabled or traps_moved:
        run("systemctl", "stop", *receiver)
    if want.traps_enabled:
        run("systemctl", "--no-block", "start", *receiver)


def _parse_desired_ports(data: Mapping[str, object]) -> DesiredPorts:
    traps, web = get_table(data, "traps"), get_table(data, "web")
    usual = DesiredPorts()
    web_port, tls_port = (
        _port_or_default(web, "port", usual.web_port),
        _port_or_default(web, "tls_port", usual.tls_port),
    )
    if web_port == tls_port:
        web_port, tls_port = usual.web_port, usual.tls_port
    return DesiredPorts(
        traps_enabled=traps.get("enabled") is True,
        traps_port=_port_or_default(traps, "port", usual.traps_port),
        web_port=web_port,
        tls_port=tls_port,
        mdns=get_table(data, "plug").get("mdns") is not False,
    )


def _port_or_default(table: Mapping[str, object], key: str, default: int) -> int:
    found = table.get(key, default)
    return found if type(found) is int and 0 < found < 65_536 else default


def _write_drop_in(drop_ins: Path, socket_unit: _SocketUnit) -> bool:
    """Write the drop-in of a socket, or remove it; tells whether that changed anything."""
    path = drop_ins / f"{socket_unit.unit}.d" / DROP_IN_FILENAME
    before = path.read_text() if path.exists() else ""
    after = f"[Socket]\n{socket_unit.listen_key}=\n{socket_unit.listen_key}={socket_unit.port}\n"
    if socket_unit.port == socket_unit.default_port:
        after = ""
    if before == after:
        return False
    if after:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        path.write_text(after)
    else:
        path.unlink()
    return True
