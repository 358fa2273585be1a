"""Imports point down from floor to floor, and every library has one home."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "appliance"

# From the ground up; a module may import from the floors below its own, and from its own station. `config`
# stands above the stations because it checks what a discovery entry says; none of them knows the settings.
FLOORS = (
    {"", "home", "model", "licence", "system", "clock", "schedule", "https", "wording"},
    {"discovery", "reading", "store"},
    {"settings_rules"},
    {"config"},
    {"delivery", "importing", "updates"},
    {"runs"},
    {"polling", "trapping", "web"},  # the services, none of which knows another one
    {"commands"},
    {"__main__"},
)
STATIONS = {"discovery", "reading", "store", "delivery"}
EXCEPTIONS = {("delivery.outbox", "store.database")}
# Within one floor, what stands on top of what.
STEPS = {
    ("system", "model"),
    ("licence", "system"),
}

HOMES = {
    "aiosnmp": ("reading.snmp",),
    "tomli_w": ("config",),
    "pyzipper": ("delivery.parcel",),
    "aiosmtplib": ("delivery.mail",),
    "zeroconf": ("discovery.mdns",),
    "aiohttp": ("web", "delivery.upload", "reading.pages", "updates.client"),
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


def station(module: str) -> str:
    return module.partition(".")[0]


def floor(module: str) -> int:
    return next(number for number, names in enumerate(FLOORS) if station(module) in names)


def wrong_arrow(module: str, imported: str) -> str | None:
    """Why a module may not import another one, or None."""
    ours, theirs = station(module), station(imported)
    if ours == theirs or imported == "" or (ours, theirs) in STEPS:
        return None
    if ours in STATIONS and theirs in STATIONS and (module, imported) not in EXCEPTIONS:
        return f"{module} imports another station: {imported}"
    if floor(module) <= floor(imported):
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


def test_every_module_has_its_floor() -> None:
    placed = {name for names in FLOORS for name in names}
    assert {station(module) for module in modules()} <= placed


def test_imports_point_down_and_libraries_stay_at_home() -> None:
    assert complaints(modules()) == []


@pytest.mark.parametrize(
    ("module", "source", "complaint"),
    [
        ("model", "from appliance import config", "model imports upwards: config"),
        (
            "store.printers",
            "import appliance.polling.poller",
            "store.printers imports upwards: polling.poller",
        ),
        (
            "reading.ask",
            "from appliance.store import jobs",
            "reading.ask imports another station: store.jobs",
        ),
        ("delivery.upload", "from appliance.store.database import open", "another station: store.database"),
        ("delivery.outbox", "from appliance.store import printers", "another station: store.printers"),
        (
            "runs.rounds",
            "def f():\n    from appliance.polling.poller import serve",
            "runs.rounds imports upwards: polling.poller",
        ),
        (
            "polling.poller",
            "import aiosnmp.message",
            "polling.poller imports aiosnmp, whose home is reading.snmp",
        ),
        ("web.app", "import requests", "requests, which has no home"),
        ("reading.ask", "from ..store import jobs", "reading.ask imports another station: store.jobs"),
        ("delivery.outbox", "from appliance.store import database", None),
        ("reading.snmp.session", "from aiosnmp import asn1", None),
        (
            "delivery.deliver",
            "from appliance.config import Config\nfrom appliance.model import Printer",
            None,
        ),
    ],
)
def test_a_wrong_import_is_noticed(module: str, source: str, complaint: str | None) -> None:
    trees = {name: ast.parse("") for name in modules()} | {module: ast.parse(source)}
    found = complaints(trees)
    assert found == [] if complaint is None else complaint in found[0]
