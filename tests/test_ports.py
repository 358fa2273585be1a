"""The README's table of ports says what settings, code and units say, and no print port is in any of them."""

import ast
import re
from dataclasses import asdict
from pathlib import Path

import pytest

from appliance.domain.model import DiscoveryEntry, Target
from appliance.settings import schema
from tests.children import ROOT
from tests.test_never_print_ports import HIGH, LOW

README = (ROOT / "README.md").read_text()
SECTION = README.partition("\n### Ports\n")[2].partition("\n### ")[0]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")] for line in SECTION.splitlines() if line[:1] == "|"
]
PRINT_PORTS = {*LOW, *HIGH}
MANUAL = ["SNMP", "CPCA", "HTTP", "HTTPS", "WEB UI HTTP", "SMTP", "WebSocket", "SNMP Traps"]


def documented() -> dict[str, int]:
    """Ports by the setting that says them."""
    found = {}
    for port, _, _, _, setting in ROWS[2:]:
        number = re.search(r"\d+", port)
        for key in re.findall(r"`([a-z_.]+port)`", setting):
            assert number
            found[key] = int(number[0])
    return found


def test_the_settings_ports_are_those_of_the_table() -> None:
    entry, settings = DiscoveryEntry(""), schema.Config()
    ports = {"discovery.entries.port": entry.port}
    for table, record in schema.as_data(settings).items():
        ports |= flat(table, record)
    assert documented() == ports
    assert Target("").port == entry.port


def flat(path: str, record: object) -> dict[str, int]:
    found: dict[str, int] = {}
    for key, value in record.items() if isinstance(record, dict) else ():
        if key.endswith("port") and isinstance(value, int):
            found[f"{path}.{key}"] = value
        found |= flat(f"{path}.{key}", value)
    return found


def test_every_line_of_the_manual_is_there() -> None:
    assert list(dict.fromkeys(row[1] for row in ROWS[2:] if row[1])) == MANUAL


def numbers_of(tree: ast.Module) -> set[int]:
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {value for value in constants if isinstance(value, int) and not isinstance(value, bool)}


@pytest.mark.parametrize("path", sorted((ROOT / "appliance").rglob("*.py")), ids=lambda path: path.name)
def test_no_print_port_is_in_the_code(path: Path) -> None:
    assert numbers_of(ast.parse(path.read_text())) & PRINT_PORTS == set()


@pytest.mark.parametrize("path", sorted((ROOT / "systemd").glob("*.socket")), ids=lambda path: path.name)
def test_units_listen_where_the_table_says(path: Path) -> None:
    (port,) = re.findall(r"^Listen(?:Datagram|Stream)=(\d+)$", path.read_text(), re.MULTILINE)
    settings = schema.Config()
    assert int(port) in {settings.traps.port, settings.web.port, settings.web.tls_port}


def test_what_is_never_touched_is_named() -> None:
    never = SECTION.partition("\nNever")[2]
    assert {int(number) for number in re.findall(r"\d+", never)} == {*LOW, HIGH[0], HIGH[-1]}
    assert not PRINT_PORTS & {int(number) for row in ROWS[2:] for number in re.findall(r"\d+", row[0])}


def test_the_keys_of_the_table_are_settings(tmp_path: Path) -> None:
    lines = [f"{key} = {2000 + number}" for number, key in enumerate(documented()) if "entries" not in key]
    home = schema.Home(tmp_path)
    home.settings.write_text("\n".join(lines))
    set_ports = flat("", asdict(schema.load(home)))
    assert sum(port >= 2000 for port in set_ports.values()) == len(lines)
