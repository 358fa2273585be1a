"""What tests of the image share: the image itself, machines that boot copies of it, a LAN, and figures.

`make test-image` runs them; a plain `make test` does not. Each is labelled by what it needs.
"""

import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.children import ROOT
from tests.image import lan as lans
from tests.image import probe
from tests.image.disk import ROOT_A, ROOT_B, Disk, missing, unpacked
from tests.image.machine import U_BOOT, VIRT, Board, Machine, Network, UserNetwork

TOOLS = ("qemu-system-aarch64", "qemu-img", "debugfs", "e2fsck", "mcopy", "mtype", "mdir", "mdel", "xz")
BUSY, LOOK_SECONDS = 25.0, 3.0  # per cent of all cores, so long: then figures say nothing about the image
ORDER = (
    *(
        "test_boot",
        "test_contents",
        "test_inside",
        "test_lan",
        "test_updates",
        "test_streaming",
        "test_power",
    ),
    *("test_life", "test_load", "test_network", "test_fleet", "test_raspberry", "test_reproducible"),
)
_figures: list[str] = []
_spent: list[tuple[float, str]] = []

Plugs = Callable[..., Machine]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What says most comes first: continuous integration may have no time for the last."""
    here = Path(__file__).parent
    places = {here / f"{name}.py": place for place, name in enumerate(ORDER)}
    items.sort(key=lambda item: places.get(item.path, -1))
    for item in items:
        if here in item.path.parents and item.path.name != "test_build.py":
            item.add_marker("image")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Continuous integration has its limit: what cannot begin in time is skipped, and said."""
    until = float(os.environ.get("PRINTMONITOR_IMAGE_UNTIL", "inf"))
    if item.get_closest_marker("image") and time.time() > until:
        pytest.skip("the time for all tests is used up (PRINTMONITOR_IMAGE_UNTIL)")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    begun = time.monotonic()
    result = yield
    if item.get_closest_marker("image"):
        _spent.append((time.monotonic() - begun, item.name))
    return result


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """What went wrong is shown at once: all of it takes the better part of an hour."""
    if report.failed and "tests/image/" in report.nodeid:
        print(f"\n{report.longreprtext}\n{report.capstdout}", file=sys.__stderr__, flush=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _figures:
        terminalreporter.section("measured")
        for line in _figures:
            terminalreporter.write_line(line)
    if _spent:
        terminalreporter.section("where the time went")
        for seconds, name in sorted(_spent, reverse=True)[:15]:
            terminalreporter.write_line(f"{seconds:7.1f} s  {name}")
        terminalreporter.write_line(f"{sum(each for each, _ in _spent):7.1f} s  all of the image's")


@pytest.fixture(scope="session")
def figure() -> Callable[[str, str], None]:
    """Notes something measured; shown at the end, and kept in build/image-figures.txt."""

    def note(what: str, measured: str) -> None:
        _figures.append(f"{what}: {measured}")
        into = ROOT / "build" / "image-figures.txt"
        into.parent.mkdir(exist_ok=True)
        into.write_text("\n".join(_figures) + "\n")

    return note


@pytest.fixture(scope="session")
def quiet() -> bool:
    """Whether nobody else keeps this computer busy while the tests begin."""
    return psutil.cpu_percent(LOOK_SECONDS) < BUSY


@pytest.fixture(scope="session")
def workshop() -> Iterator[Path]:
    """A folder for images, on a file system that knows holes."""
    parent = ROOT / "build"
    parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="test-image-", dir=parent) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def image() -> Path:
    """The image that was built: PRINTMONITOR_IMAGE, or the newest in dist/."""
    if absent := missing(*TOOLS):
        pytest.skip(f"not installed: {', '.join(absent)}; see requirements/tools.py")
    if not U_BOOT.exists():
        pytest.skip(f"no {U_BOOT}; see requirements/tools.py")
    named = os.environ.get("PRINTMONITOR_IMAGE")
    found = [Path(named)] if named else sorted((ROOT / "dist").glob("*.img.xz"), key=os.path.getmtime)
    if not found:
        pytest.skip("there is no image in dist/: make image")
    return found[-1]


@pytest.fixture(scope="session")
def released(image: Path, workshop: Path) -> Disk:
    """The image as it is, on a card. Never written to."""
    disk = Disk(unpacked(image, workshop / "unpacked.img")).copy(workshop / "released.img")
    disk.grow()
    return disk


@pytest.fixture(scope="session")
def probed(released: Disk, workshop: Path) -> Disk:
    """A copy with a probe in it. Never written to."""
    disk = released.copy(workshop / "probed.img")
    full = [slot for slot in (ROOT_A, ROOT_B) if disk.files(slot).exists("/usr/lib/systemd")]
    probe.inject(disk, *full)
    return disk


@pytest.fixture(scope="session")
def lan(workshop: Path) -> Iterator[lans.Lan]:
    """The LAN in a box; whoever takes it is skipped where there cannot be one."""
    try:
        made = lans.make(workshop)
    except lans.NotHere as why:
        pytest.skip(str(why))
    yield made
    made.off()


@pytest.fixture(scope="session")
def user_network() -> UserNetwork:
    return UserNetwork()


@pytest.fixture(scope="module")
def plugs(workshop: Path, request: pytest.FixtureRequest) -> Iterator[Plugs]:
    """Makes machines, which are switched off at the end of the module; what a failing one said is shown."""
    made: list[Machine] = []
    failed = request.session.testsfailed

    def make(disk: Disk, network: Network, *, board: Board = VIRT, mac: str = "") -> Machine:
        folder = Path(tempfile.mkdtemp(prefix="machine-", dir=workshop))
        made.append(Machine(disk, folder, network, board=board, mac=mac))
        return made[-1]

    yield make
    for machine in made:
        machine.cut()
        _keep_log(machine, request, failed=request.session.testsfailed > failed)


def _keep_log(machine: Machine, request: pytest.FixtureRequest, *, failed: bool) -> None:
    """Consoles of modules that failed stay in build/, for whoever looks into it."""
    log = machine.folder / "console.log"
    if failed and log.exists():
        name = re.sub(r"\W+", "-", str(request.node.name))
        log.rename(ROOT / "build" / f"console-{name}-{machine.folder.name}.log")
