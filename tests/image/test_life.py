"""What happens in a Plug's life: set up by a file, set back, its data lost, its files torn."""

import re
from collections.abc import Callable

import pytest

from tests.image.conftest import Plugs
from tests.image.disk import DATA, Disk
from tests.image.machine import Machine, UserNetwork
from tests.image.page import FACTORY, PASSWORD, Page
from tests.image.test_power import sound

SECRET = "a secret of the site"
FILE = f"""\
[plug]
name = "reception"
site = "Reception, ground floor"
language = "de"

[web]
password = "{PASSWORD}"

[[discovery.entries]]
addresses = "192.0.2.1-192.0.2.20"
community_read = "{SECRET}"

[schedule]
query_every = "6h"
"""
SETTINGS = b"[plug\nname = \x00\xff torn"
DATABASE = b"SQLite format 3\x00" + b"\xa5" * 60_000
MISTAKES = FILE.replace('"6h"', '"whenever"') + '\n[nonsense]\nkey = "value"\n'

pytestmark = [pytest.mark.qemu, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def plug(probed: Disk, user_network: UserNetwork, plugs: Plugs) -> Machine:
    """Off; `test_set_up_by_a_file` starts it."""
    return plugs(probed, user_network, mac="52:54:00:00:00:01")


def on_card(plug: Machine, change: Callable[[Disk], object]) -> None:
    """Somebody has the card in another computer."""
    plug.cut()
    with plug.offline() as disk:
        disk.mend(DATA)
        change(disk)


def test_set_up_by_a_file(plug: Machine) -> None:
    on_card(plug, lambda disk: disk.boot_write("printmonitor.toml", FILE.encode()))
    plug.start()
    plug.until_page()
    page = plug.page
    page.log_in(PASSWORD)
    system = page.get("/api/system")
    assert (system["name"], system["site"]) == ("reception", "Reception, ground floor")
    assert plug.ask("cat /proc/sys/kernel/hostname").strip() == "reception"
    discovery = page.get("/api/discovery")
    assert [each["addresses"] for each in discovery["entries"]] == ["192.0.2.1-192.0.2.20"]
    assert discovery["query_every"] == "6h"
    sound(plug)
    plug.cut()
    with plug.offline() as disk:
        assert not [name for name in disk.boot_files() if "toml" in name]
        everything = disk.path.read_bytes()[: disk.partition(2).start]
        assert SECRET.encode() not in everything, "the removed file can still be read on the card"


def test_set_up_by_a_file_with_mistakes(probed: Disk, user_network: UserNetwork, plugs: Plugs) -> None:
    """Also: another card, another name."""
    other = plugs(probed, user_network, mac="52:54:00:00:00:02")
    with other.offline() as disk:
        disk.boot_write("printmonitor.toml", MISTAKES.encode())
    other.start()
    other.until_page()
    other.page.first_login()
    name = other.page_in.get("/api/system")["name"]
    assert re.fullmatch("printmonitor-[0-9a-f]{6}", name)
    other.power_off()
    with other.offline() as disk:
        (told,) = [each for each in disk.boot_files() if "problems" in each]
        said = disk.boot_read(told).decode()
        assert "schedule.query_every" in said
        assert "nonsense" in said
        assert SECRET not in said


def test_factory_reset_by_a_file(plug: Machine) -> None:
    on_card(plug, lambda disk: disk.boot_write("factory-reset", b""))
    plug.start()
    plug.until_page()
    as_new(plug)
    plug.cut()
    with plug.offline() as disk:
        assert "factory-reset" not in disk.boot_files()
    plug.start()
    plug.until_page()
    plug.page.log_in(PASSWORD)


def as_new(plug: Machine, *, repaired: bool = False) -> None:
    """The factory password, its own name, no entries; gets a new password."""
    plug.page.first_login()
    page = plug.page_in
    system = page.get("/api/system")
    assert re.fullmatch("printmonitor-[0-9a-f]{6}", system["name"])
    assert page.get("/api/discovery")["entries"] == []
    assert page.get("/api/licence")["state"] == "none"
    sound(plug, repaired=repaired)


@pytest.mark.parametrize("boot", ["rw", "ro"])
def test_factory_reset_from_the_page(plug: Machine, boot: str) -> None:
    """Also where the wish cannot be left on the boot partition."""
    plug.ask(f"mount -o remount,{boot} /boot/firmware")
    page, before = plug.page_in, plug.console.count("U-Boot 20")
    page.patch("/api/system", {"site": "To be forgotten"})
    page.post("/api/system/factory-reset", {"name": page.get("/api/system")["name"]})
    plug.until("it goes down", lambda: plug.console.count("U-Boot 20") > before, 120)
    plug.until_page()
    as_new(plug)


def test_a_destroyed_data_partition_is_made_anew(plug: Machine) -> None:
    name = plug.page_in.get("/api/system")["name"]
    on_card(plug, lambda disk: disk.damage(DATA, 64 << 20))
    plug.start()
    plug.until_page()
    as_new(plug, repaired=True)
    assert plug.page_in.get("/api/system")["name"] == name
    events = plug.page_in.get("/api/events")["events"]
    assert any(each["kind"] == "data lost" for each in events), events


def test_torn_files_do_not_keep_it_from_starting(plug: Machine) -> None:
    """The state of the slots, the settings and the database, all at once."""
    plug.page_in.patch("/api/system", {"site": "The last good one"})
    plug.page_in.patch("/api/system", {"site": "The newest"})

    def tear(disk: Disk) -> None:
        disk.boot_write("slots.env", b"\xff" * 0x2000)
        files = disk.files(DATA)
        owner = files.owner("/printmonitor")
        for name, data in (("settings.toml", SETTINGS), ("printmonitor.db", DATABASE)):
            files.write(f"/printmonitor/{name}", data, 0o600, owner=owner)
        for tail in ("-wal", "-shm"):
            if files.exists(f"/printmonitor/printmonitor.db{tail}"):
                files.remove(f"/printmonitor/printmonitor.db{tail}")

    on_card(plug, tear)
    plug.start()
    plug.until_page()
    assert plug.slot == "A"
    plug.page.log_in(PASSWORD)  # the last good settings have the login
    assert plug.page_in.get("/api/system")["settings_problems"]
    assert plug.page_in.get("/api/overview")["counts"]["ok"] == 0
    plug.until(
        "slots.env is whole again", lambda: "BOOT_ORDER" in plug.ask("fw_printenv", check=False), 120, every=2
    )


def test_nobody_knows_the_factory_password_any_more(plug: Machine) -> None:
    with pytest.raises(Exception, match="401"):
        Page(plug.page.host, plug.page.port).log_in(FACTORY)
