"""A fleet server rolls a version out: fetched, installed, tried, and done when the Plug is well with it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from tests.fakes.hawkbit import Action, Hawkbit
from tests.image.bundles import Bundles
from tests.image.conftest import Plugs
from tests.image.disk import Disk, missing
from tests.image.lan import PROVIDER, Lan
from tests.image.office import VENDOR, VENDOR_ON_THE_PLUG

DONE_SECONDS = 1200.0

pytestmark = [pytest.mark.qemu, pytest.mark.root, pytest.mark.namespaces, pytest.mark.timeout(2000)]


def test_a_rollout_is_done_when_the_new_version_is_well(
    released: Disk, lan: Lan, plugs: Plugs, workshop: Path, figure: Callable[[str, str], None]
) -> None:
    if absent := missing("rauc", "mksquashfs"):
        pytest.skip(f"not installed: {', '.join(absent)}; see requirements/tools.py")
    bundle = Bundles(workshop / "fleet", released).full("plug", "6.0.0")
    vendor = trustme.CA.from_pem(VENDOR.certificate.read_bytes(), VENDOR.key.read_bytes())
    shown = workshop / "fleet" / "server.pem"
    vendor.issue_cert(PROVIDER).private_key_and_cert_chain_pem.write_to_path(shown)
    machine = plugs(released, lan)
    machine.start()
    machine.until_page(600)
    page = machine.page
    page.first_login()
    page.until("root has told what runs", "/api/updates", lambda each: each["slots"], 240)
    name = page.get("/api/system")["name"]
    with lan.serving(Hawkbit(workshop, controller=name, host=PROVIDER, shown=shown)) as server:
        action = server.assign(Action("17", bundle.read_bytes(), version="6.0.0"))
        hawkbit = {"url": server.url, "token": "s3cret"}
        begun = machine.seconds()
        page.patch("/api/updates", {"ca_file": VENDOR_ON_THE_PLUG, "hawkbit": hawkbit})
        machine.until("the action is closed", lambda: not action.is_active, DONE_SECONDS)
        figure("rollout by hawkBit, from the settings to the end", f"{machine.seconds() - begun:.0f} s")
        assert action.state == "finished", action.feedback
        assert action.feedback[0] == ("proceeding", "none", "fetches version 6.0.0")
        assert action.feedback[-1] == ("closed", "success", "version 6.0.0 runs, and is well")
        assert server.problems == []
        assert (server.attributes["name"], server.attributes["slot"]) == (name, "A")
    assert machine.slot == "B"
    page = machine.page_in
    updates = page.until("the bundle has gone", "/api/updates", lambda each: each["bundle"] is None)
    assert (updates["version"], updates["outcome"]["came"]) == ("6.0.0", "updated")
    page.until(
        "an event",
        "/api/events",
        lambda each: any(event["text"].endswith("to 6.0.0") for event in each["events"]),
    )
