"""Imports point down from layer to layer, and every library has one home."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "appliance"

# From the bottom up: a module may import from lower layers and from its own package.
LAYERS = (
    {"", "domain"},
    {"host", "net"},
    {"mib", "discovery", "storage", "licensing"},
    {"snmp", "vendors", "ews", "settings"},
    {"privileged", "collector", "delivery"},
    {"jobs", "provisioning", "updates"},
    {"poller", "trap_receiver", "web"},
    {"cli"},
    {"__main__"},
)

HOMES = {
    "aiosnmp": ("snmp",),
    "tomli_w": ("settings.schema",),
    "pyzipper": ("delivery.archive",),
    "aiosmtplib": ("delivery.smtp_sender",),
    "zeroconf": ("discovery.mdns",),
    "aiohttp": ("web", "delivery.https_sender", "ews", "updates.http_client"),
}


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the package by its name without `appliance.`; a package is named as its folder."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        found[name] = ast.parse(path.read_text(), str(path))
    return found


def imports(importer: str, tree: ast.Module, known: set[str]) -> Iterator[str]:
    """The full names of all modules that a module imports, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = ["appliance", *importer.split(".")][: -node.level] if node.level else []
            module = ".".join([*start, *([node.module] if node.module else [])])
            inner = [f"{module}.{alias.name}" for alias in node.names]
            yield from (name if name.removeprefix("appliance.") in known else module for name in inner)


def package(module: str) -> str:
    return module.partition(".")[0]


def layer(module: str) -> int:
    return next(number for number, names in enumerate(LAYERS) if package(module) in names)


def wrong_arrow(module: str, imported: str) -> str | None:
    """Return why a module may not import another one, or None."""
    ours, theirs = package(module), package(imported)
    if ours == theirs or imported == "":
        return None
    if layer(module) <= layer(imported):
        return f"{module} imports upwards: {imported}"
    return None


def wrong_home(module: str, library: str) -> str | None:
    """Why a module may not import a library, or None."""
    if library in sys.stdlib_module_names or library == "_typeshed":  # names for the type checker alone
        return None
    homes = HOMES.get(library)
    if homes is None:
        return f"{module} imports {library}, which has no home in tests/test_layers.py"
    if any(module == home or module.startswith(f"{home}.") for home in homes):
        return None
    return f"{module} imports {library}, whose home is {' and '.join(homes)}"


def complaints(trees: dict[str, ast.Module]) -> list[str]:
    found = []
    for module, tree in trees.items():
        for name in imports(module, tree, set(trees)):
            if name == "appliance" or name.startswith("appliance."):
                found.append(wrong_arrow(module, name.removeprefix("appliance").removeprefix(".")))
            else:
                found.append(wrong_home(module, name.partition(".")[0]))
    return sorted({each for each in found if each})


def test_every_package_has_its_layer() -> None:
    placed = {name for names in LAYERS for name in names}
    assert {package(module) for module in modules()} <= placed


def test_imports_point_down_and_libraries_stay_at_home() -> None:
    assert complaints(modules()) == []


@pytest.mark.parametrize(
    ("module", "source", "complaint"),
    [
        (
            "domain.model",
            "from appliance.settings import schema",
            "domain.model imports upwards: settings.schema",
        ),
        ("storage.jobs", "import appliance.poller.service", "storage.jobs imports upwards: poller.service"),
        ("collector.poll", "from appliance.delivery import outbox", "imports upwards: delivery.outbox"),
        (
            "jobs.runs",
            "def f():\n    from appliance.poller.service import serve",
            "jobs.runs imports upwards: poller.service",
        ),
        (
            "poller.service",
            "import aiosnmp.message",
            "poller.service imports aiosnmp, whose home is snmp",
        ),
        ("web.service", "import requests", "requests, which has no home"),
        ("collector.poll", "from ..delivery import outbox", "imports upwards: delivery.outbox"),
        ("delivery.outbox", "from appliance.storage import database", None),
        ("snmp.client", "from aiosnmp import asn1", None),
        ("delivery.dispatcher", "from appliance.settings.schema import Config", None),
    ],
)
def test_a_wrong_import_is_noticed(module: str, source: str, complaint: str | None) -> None:
    trees = {name: ast.parse("") for name in modules()} | {module: ast.parse(source)}
    found = complaints(trees)
    assert found == [] if complaint is None else complaint in found[0]
