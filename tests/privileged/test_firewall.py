"""The firewall of the image, and what the settings make of it; nft itself says whether it is right."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from appliance.privileged import firewall
from appliance.privileged.request_handler import Failed
from appliance.privileged.socket_ports import Wanted
from tests.children import ROOT

TABLE = ROOT / "rootfs-overlay/etc/nftables.conf"
NFT = shutil.which("nft", path=f"{os.environ['PATH']}:/usr/sbin")


@pytest.mark.parametrize(
    ("wanted", "tcp", "udp"),
    [
        (Wanted(), [80, 443], [5353]),
        (Wanted(traps_enabled=True), [80, 443], [162, 5353]),
        (Wanted(True, 1162, 8080, 8443, mdns=False), [8080, 8443], [1162]),
        (Wanted(mdns=False), [80, 443], []),
    ],
)
def test_the_ports_of_the_settings_are_open_and_no_others(
    tmp_path: Path, wanted: Wanted, tcp: list[int], udp: list[int]
) -> None:
    if NFT is None or os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("needs root, nft (package nftables) and unshare")
    ports = tmp_path / "ports.nft"
    ports.write_text(firewall.rules(wanted))
    script = f"{NFT} -f {TABLE} && {NFT} -f {ports} && {NFT} -f {ports} && {NFT} -j list ruleset"
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", script], capture_output=True, text=True, check=False
    )
    if "Operation not permitted" in done.stderr:
        pytest.skip("no network namespaces here")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["nftables"]
    sets = {each["set"]["name"]: sorted(each["set"].get("elem", [])) for each in found if "set" in each}
    assert sets == {"tcp_ports": tcp, "udp_ports": udp}
    policies = {each["chain"]["name"]: each["chain"]["policy"] for each in found if "chain" in each}
    assert policies == {"input": "drop", "forward": "drop"}


def test_the_unit_is_told_where_there_is_one(tmp_path: Path) -> None:
    told: list[str] = []

    def run(*command: str) -> str:
        told.append(" ".join(command))
        raise Failed("it is told nevertheless")

    unit = tmp_path / "printmonitor-firewall.service"
    firewall.apply(Wanted(), run, tmp_path / "orders", unit)
    assert told == []
    unit.touch()
    firewall.apply(Wanted(), run, tmp_path / "orders", unit)
    assert told == ["systemctl --no-block restart printmonitor-firewall.service"]
    assert "80, 443" in (tmp_path / "orders" / "ports.nft").read_text()
