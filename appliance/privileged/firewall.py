"""The firewall of the image lets in what the settings want, and nothing else."""

import contextlib
from pathlib import Path

from appliance.privileged import job_files
from appliance.privileged.request_handler import Failed, Run
from appliance.privileged.socket_ports import Wanted

UNIT = Path("/usr/lib/systemd/system/printmonitor-firewall.service")  # of the image alone
FILE = "ports.nft"
MDNS = 5353  # RFC 6762


def apply(want: Wanted, run: Run, folder: Path = job_files.FOLDER, unit: Path = UNIT) -> None:
    """Leave the ports for the unit that may change the firewall, and start that. Raises OSError."""
    if not unit.exists():
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / FILE).write_text(rules(want))
    with contextlib.suppress(Failed):  # its own log says why
        run("systemctl", "--no-block", "restart", unit.name)


def rules(want: Wanted) -> str:
    """For nft(8), which does all of it or nothing."""
    udp = [*([MDNS] if want.mdns else []), *([want.traps_port] if want.traps_enabled else [])]
    return _set("tcp_ports", [want.web_port, want.tls_port]) + _set("udp_ports", udp)


def _set(name: str, ports: list[int]) -> str:
    elements = ", ".join(str(port) for port in sorted(set(ports)))
    added = f"add element inet printmonitor {name} {{ {elements} }}\n" if ports else ""
    return f"flush set inet printmonitor {name}\n{added}"
