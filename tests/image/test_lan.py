"""A LAN in a box: the Plug does its whole job, from being found to being updated, before a laptop's eyes."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import Playwright, expect, sync_playwright

from appliance.delivery import archive
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.image import office
from tests.image.bundles import Bundles
from tests.image.conftest import Plugs
from tests.image.disk import Disk, missing
from tests.image.lan import FIRST_PRINTER, Lan, Laptop
from tests.image.machine import Machine
from tests.image.office import KEY, Provider, last_printer
from tests.image.page import PASSWORD

PRINTERS = 12
PATIENCE = 60_000  # milliseconds; the Plug is emulated
MDNS_SECONDS = 60.0

pytestmark = [pytest.mark.qemu, pytest.mark.root, pytest.mark.namespaces, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def provider(lan: Lan, workshop: Path) -> Iterator[Provider]:
    with office.printers(lan, PRINTERS), office.provider(lan, workshop / "whole") as running:
        yield running


@pytest.fixture(scope="module")
def plug(released: Disk, lan: Lan, plugs: Plugs, provider: Provider) -> Machine:
    machine = plugs(released, lan)
    machine.start()
    return machine


@pytest.fixture(scope="module")
def laptop(lan: Lan) -> Iterator[Laptop]:
    made = Laptop()
    yield made
    made.off()


@pytest.fixture(scope="module")
def found(plug: Machine, laptop: Laptop, lan: Lan, figure: Callable[[str, str], None]) -> dict[str, object]:
    """What `printmonitor plugs` says on the laptop."""
    plug.until_page()
    listed: list[dict[str, object]] = []

    def is_found() -> bool:
        said = laptop.do(".venv/bin/python", "-m", "appliance", "plugs", "--json", "--timeout", "4")
        listed[:] = json.loads(said)["plugs"]
        return bool(listed)

    seconds = plug.until("it is found by mDNS", is_found, MDNS_SECONDS)
    figure("found by mDNS from a laptop, after the power came", f"{seconds:.0f} s at most")
    return listed[0]


@pytest.fixture(scope="module")
def tab(laptop: Laptop, found: dict[str, object], plug: Machine, lan: Lan, workshop: Path) -> Iterator[Tab]:
    """A browser on the laptop, which opens the Plug by its name."""
    if not CHROMIUM.exists():
        pytest.skip(f"no {CHROMIUM}: apt-get install chromium")
    wrapper = workshop / "chromium"
    wrapper.write_text(f'#!/bin/sh\nexec {" ".join(laptop.enter)} {CHROMIUM} "$@"\n')
    wrapper.chmod(0o755)
    host = f"{found['name']}.local"
    resolve = f"--host-resolver-rules=MAP {host} {lan.address(plug.mac)}"  # Debian's Chromium asks no mDNS

    def opened(playwright: Playwright) -> Tab:
        browser = playwright.chromium.launch(executable_path=wrapper, args=[*ARGUMENTS, resolve])
        context = browser.new_context(base_url=f"http://{host}", locale="en-GB", reduced_motion="reduce")
        context.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        return context.new_page()

    with sync_playwright() as playwright:
        yield opened(playwright)


def go(tab: Tab, path: str) -> None:
    tab.goto(path)
    tab.wait_for_selector("body[data-ready]")


def test_it_is_found_by_mdns(found: dict[str, object], plug: Machine, lan: Lan) -> None:
    assert re.fullmatch(r"printmonitor-[0-9a-f]{6}", str(found["name"]))
    assert found["url"] == f"http://{lan.address(plug.mac)}/"
    assert found["name"] == lan.host_name(plug.mac)


def test_somebody_logs_in_and_is_asked_for_a_new_password(tab: Tab) -> None:
    tab.goto("/")
    tab.wait_for_url("**/login*")
    tab.fill("[name=username]", "admin")
    tab.fill("[name=password]", "printmonitor")
    tab.press("[name=password]", "Enter")
    tab.wait_for_url("**/password*")
    for field, text in (("current", "printmonitor"), ("new", PASSWORD), ("again", PASSWORD)):
        tab.fill(f"[name={field}]", text)
    tab.press("[name=again]", "Enter")
    tab.wait_for_url("**/guide*")
    tab.wait_for_selector("body[data-ready]")
    tab.get_by_role("button", name="Leave the first steps").click()
    tab.wait_for_url("**/")


def test_the_licence_comes_by_file(tab: Tab, provider: Provider) -> None:
    go(tab, "/system")
    with tab.expect_download() as started:
        tab.get_by_role("button", name="Download the request").click()
    asked = Path(started.value.path()).read_bytes()
    licence = {"name": "licence.pem", "mimeType": "", "buffer": provider.licence(asked).encode()}
    tab.locator("#licence-file").set_input_files(licence)  # type: ignore[arg-type]
    tab.get_by_role("button", name="Install", exact=True).click()
    expect(tab.locator("#licence-facts")).to_contain_text("Muster AG")


def test_it_discovers(tab: Tab) -> None:
    go(tab, "/discovery")
    tab.get_by_role("button", name="Add", exact=True).click()
    dialog = tab.get_by_role("dialog")
    dialog.get_by_label("Addresses").fill(f"{FIRST_PRINTER}-{last_printer(PRINTERS)}")
    dialog.get_by_role("button", name="Save").click()
    expect(tab.locator("#entries tbody tr")).to_have_count(1)
    tab.get_by_role("button", name="Look for printers now").click()
    expect(tab.locator("#result")).to_contain_text("addresses", timeout=2 * PATIENCE)
    go(tab, "/printers")
    expect(tab.locator("tbody tr")).to_have_count(PRINTERS)


def test_it_delivers_to_the_cloud(plug: Machine, provider: Provider) -> None:
    page = plug.page
    page.log_in()
    https = {"mode": "https", "https": {"ca_file": office.VENDOR_ON_THE_PLUG}}
    page.patch("/api/transmission", https)
    tested = page.post("/api/transmission/test", seconds=120)
    assert tested["ok"], tested
    before = len(provider.cloud.arrivals)
    page.run("query")
    plug.until("a parcel", lambda: len(provider.cloud.arrivals) > before, 60)
    arrival = provider.cloud.arrivals[-1]
    assert arrival.client == page.get("/api/licence")["plug_id"]
    _, xml = archive.unpack(arrival.body, KEY)
    assert xml.count(b"<Printers>") == PRINTERS


def test_it_delivers_by_mail(plug: Machine, provider: Provider) -> None:
    provider.write_to(plug.page_in)
    plug.page_in.run("query")
    plug.until("a mail", lambda: provider.mail.messages, 60)
    message = provider.mail.messages[-1]
    (attachment,) = message.iter_attachments()
    _, xml = archive.unpack(attachment.get_content(), KEY)
    assert xml.count(b"<Printers>") == PRINTERS


def test_it_takes_a_trap_and_reads_the_printer(plug: Machine, lan: Lan) -> None:
    if shutil.which("snmptrap") is None:
        pytest.skip("no snmptrap: apt-get install snmp")
    page, host = plug.page_in, lan.address(plug.mac)
    page.patch("/api/traps", {"enabled": True})
    page.until("the receiver runs", "/api/traps", lambda traps: traps["state"] == "running")
    command = ["snmptrap", "-v2c", "-c", "public", f"--clientaddr={FIRST_PRINTER}", host, ""]

    def arrived(traps: dict[str, list[dict[str, object]]]) -> bool:
        subprocess.run([*command, "1.3.6.1.6.3.1.1.5.2"], check=True)
        return any(each["printer"] for each in traps["traps"])

    traps = page.until("the trap", "/api/traps", arrived, 60)["traps"]
    assert {each["sender"] for each in traps} == {FIRST_PRINTER}


def test_it_is_updated_from_a_web_server(
    plug: Machine, lan: Lan, released: Disk, workshop: Path, figure: Callable[[str, str], None]
) -> None:
    if absent := missing("rauc", "mksquashfs"):
        pytest.skip(f"not installed: {', '.join(absent)}; see requirements/tools.py")
    bundle = Bundles(workshop / "shelf", released).full("plug", "5.0.0")
    page = plug.page_in
    licence = page.get("/api/licence")
    with office.web_server(lan, bundle.parent) as address:
        begun = plug.seconds()
        order = {"source": "url", "url": f"{address}/{bundle.name}", "when": "now"}
        page.post("/api/updates/install", order)
        plug.until_restarted("Starting kernel", 600)
    plug.until_page()
    figure("update by URL, from the order to the page of the new slot", f"{plug.seconds() - begun:.0f} s")
    assert plug.slot == "B"
    after = plug.page_in.until("what came of it", "/api/updates", lambda each: each["outcome"], 240)
    assert (after["outcome"]["came"], after["version"]) == ("updated", "5.0.0")
    assert len(plug.page_in.get("/api/printers")["printers"]) == PRINTERS
    assert plug.page_in.get("/api/licence") == licence
    assert plug.complaints() == []
