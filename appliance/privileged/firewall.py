"""The firewall of the image lets in what the settings want, and nothing else."""

import contextlib
from pathlib import Path

from appliance.privileged import job_files
from appliance.privileged.request_handler import OperationFailedError, RunCommand
from appliance.privileged.socket_ports import DesiredPorts

FIREWALL_UNIT = Path("/usr/lib/systemd/system/printmonitor-firewall.service")  # of the image alone
NFT_FILENAME = "ports.nft"
MDNS_PORT = 5353  # RFC 6762


def apply_firewall(
    ports: DesiredPorts,
    run: RunCommand,
    folder: Path = job_files.CHECKED_REQUESTS_DIR,
    unit: Path = FIREWALL_UNIT,
) -> None:
    """Leave the ports for the unit that may change the firewall, and start that. Raises OSError."""
    if not unit.exists():
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / NFT_FILENAME).write_text(render_nft_rules(ports))
    with contextlib.suppress(OperationFailedError):  # its own log says why
        run("systemctl", "--no-block", "restart", unit.name)


def render_nft_rules(ports: DesiredPorts) -> str:
    """For nft(8), which does all of it or nothing."""
    udp = [*([MDNS_PORT] if ports.mdns else []), *([ports.traps_port] if ports.traps_enabled else [])]
    return _render_nft_set("tcp_ports", [ports.web_port, ports.tls_port]) + _render_nft_set("udp_ports", udp)


def _render_nft_set(name: str, port_numbers: list[int]) -> str:
    elements = ", ".join(str(port) for port in sorted(set(port_numbers)))
    added = f"add element inet printmonitor {name} {{ {elements} }}\n" if port_numbers else ""
    return f"flush set inet printmonitor {name}\n{added}"
