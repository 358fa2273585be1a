"""Updates: installed from the page, tried, kept or taken back, from either slot; and what is refused."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.image import bundles
from tests.image.bundles import Bundles, without_init, without_page
from tests.image.conftest import Plugs
from tests.image.disk import Disk, missing
from tests.image.machine import Machine, UserNetwork
from tests.image.page import Page

INSTALL_SECONDS = 600.0
TRIAL_SECONDS = (
    60  # in the update that is never well, so that the test need not wait for five minutes, thrice
)
FALLING_SECONDS = 600.0

pytestmark = [pytest.mark.qemu, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def made(workshop: Path, probed: Disk) -> Bundles:
    if absent := missing("rauc", "mksquashfs"):
        pytest.skip(f"not installed: {', '.join(absent)}; see requirements/tools.py")
    if not bundles.VENDOR.key.exists():
        pytest.skip(f"no {bundles.VENDOR.key}")
    return Bundles(workshop / "bundles", probed)


@pytest.fixture(scope="module")
def plug(probed: Disk, user_network: UserNetwork, plugs: Plugs) -> Machine:
    machine = plugs(probed, user_network)
    machine.start()
    machine.until_page()
    machine.page.first_login()
    marked_good(machine)
    return machine


def marked_good(plug: Machine) -> None:
    """The health check was content."""
    plug.until(
        "the slot is marked good",
        lambda: f"BOOT_{plug.slot}_LEFT=3" in plug.ask("fw_printenv", check=False),
        240,
        every=2,
    )


def state(plug: Machine) -> Any:
    return plug.page_in.get("/api/updates")


def order(page: Page, bundle: Path, **more: object) -> Any:
    """Upload it, and have it installed; gives how far the one before it had come."""
    before = page.get("/api/updates")["progress"]
    kind = {"Content-Type": "application/octet-stream"}
    status, said = page.ask("PUT", "/api/updates/bundle", bundle.read_bytes(), kind, 300)
    assert status == 200, said
    page.post("/api/updates/install", {"source": "upload", "when": "now", **more})
    return before


def ended(plug: Machine, before: Any) -> Any:
    """How the installation ended, not the one before it."""

    def is_over(updates: Any) -> bool:
        progress = updates["progress"]
        return progress not in (None, before) and progress["state"] in ("refused", "failed", "installed")

    found = plug.page_in.until("the installation ends", "/api/updates", is_over, INSTALL_SECONDS)
    return found["progress"]


def came_of(plug: Machine, version: str) -> Any:
    """What came of the update to a version."""
    return plug.page_in.until(
        f"what came of {version}",
        "/api/updates",
        lambda updates: (updates["outcome"] or {}).get("to_version") == version,
        240,
    )["outcome"]


def restarted(plug: Machine, tries: int = 1, seconds: float = FALLING_SECONDS) -> None:
    """It has restarted by itself so many times, and its page is there again."""
    plug.until(f"{tries} starts", lambda: len(starts(plug)) >= tries, seconds)
    plug.until_page()


def starts(plug: Machine) -> list[str]:
    """The slots that the boot loader has tried since the power came."""
    return re.findall(r"slot ([AB]) of", plug.console)


REFUSED: dict[str, tuple[Callable[[Bundles, Path], Path], str]] = {
    "of another provider": (
        lambda made, folder: made.small("foreign", "99.0.0", signer=bundles.stranger(folder)),
        "not signed by this Plug's provider",
    ),
    "older": (lambda made, _: made.small("older", "0.0.1"), "older"),
    "for another device": (
        lambda made, _: made.small("other", "99.0.0", device="toaster"),
        "another device",
    ),
    "changed on the way": (lambda made, _: changed(made.small("changed", "99.0.1")), "changed|damaged"),
    "no update at all": (lambda _, folder: rubbish(folder / "rubbish.raucb"), "no update|damaged"),
}


def changed(bundle: Path) -> Path:
    data = bytearray(bundle.read_bytes())
    data[-700] ^= 0xFF  # in the signature
    bundle.write_bytes(data)
    return bundle


def rubbish(path: Path) -> Path:
    path.write_bytes(b"hello " * 50_000)
    return path


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(plug: Machine, made: Bundles, workshop: Path, what: str) -> None:
    make, said = REFUSED[what]
    before = plug.ask("fw_printenv")
    progress = ended(plug, order(plug.page_in, make(made, workshop)))
    assert progress["state"] == "refused", progress
    assert re.search(said, progress["text"]), progress
    assert plug.ask("fw_printenv") == before


def test_an_update_is_installed_tried_and_kept(
    plug: Machine, made: Bundles, figure: Callable[[str, str], None]
) -> None:
    bundle = made.full("good", "1.0.0")
    before = state(plug)
    begun = time.monotonic()
    order(plug.page_in, bundle)
    restarted(plug, 2, INSTALL_SECONDS)
    figure(
        "update by upload, from the order to the page of the new slot", f"{time.monotonic() - begun:.0f} s"
    )
    assert plug.slot == "B"
    marked_good(plug)
    assert came_of(plug, "1.0.0")["came"] == "updated"
    after = state(plug)
    assert after["version"] == "1.0.0"
    assert (after["slots"]["booted"], after["slots"]["on_trial"]) == ("B", False)
    assert before["slots"]["booted"] == "A"
    assert plug.ask("fw_printenv").splitlines().count("BOOT_ORDER=B A") == 1


def fail_to_boot(plug: Machine, times: int) -> None:
    """The power goes before anything could mark the slot good."""
    for _ in range(times):
        plug.cut()
        plug.start()
        plug.until_said("Starting kernel")
    plug.cut()


def test_three_failed_boots_lead_from_b_back_to_a_and_on_again(plug: Machine) -> None:
    for here, there in (("B", "A"), ("A", "B"), ("B", "A")):
        set_order(plug, f"{here} {there}")
        fail_to_boot(plug, 3)
        plug.start()
        plug.until_page()
        assert plug.slot == there
        marked_good(plug)


def set_order(plug: Machine, slots: str) -> None:
    """Both slots have been good, and this order was chosen."""
    plug.cut()
    with plug.offline() as disk:
        disk.set_slots(BOOT_ORDER=slots, BOOT_A_LEFT="3", BOOT_B_LEFT="3")


def test_an_update_that_does_not_boot_is_taken_back(plug: Machine, made: Bundles) -> None:
    here = plug.slot
    order(plug.page_in, made.full("no-init", "2.0.0", without_init))
    restarted(plug, 5)
    assert starts(plug)[-4:] == [*("B" if here == "A" else "A") * 3, here]
    marked_good(plug)
    assert came_of(plug, "2.0.0")["came"] == "fell back"


def test_an_update_whose_page_never_answers_is_taken_back(plug: Machine, made: Bundles) -> None:
    def unwell(files: Any) -> None:
        without_page(files)
        impatient(files)

    here = plug.slot
    before = len(starts(plug))
    order(plug.page_in, made.full("unwell", "3.0.0", unwell))
    plug.until("it was tried three times", lambda: starts(plug)[before + 3 :], 1200)
    plug.until_page()
    assert starts(plug)[-1] == here
    marked_good(plug)
    came = came_of(plug, "3.0.0")
    assert came["came"] == "fell back"
    assert "printmonitor-web" in came["why"]


def impatient(files: Any) -> None:
    """A minute is enough to see that it does not get well."""
    path = "/usr/lib/python3/dist-packages/appliance/privileged/health_check.py"
    text = files.read(path).decode()
    shorter = re.sub(r"(?m)^TRIAL_TIMEOUT_S = .*$", f"TRIAL_TIMEOUT_S = {TRIAL_SECONDS}.0", text)
    assert shorter != text
    folder, _, name = path.rpartition("/")
    for compiled in files.names(f"{folder}/__pycache__"):
        if compiled.startswith(name.removesuffix("py")):
            files.remove(f"{folder}/__pycache__/{compiled}")
    files.write(path, shorter)
