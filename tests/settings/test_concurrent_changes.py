"""The settings are changed by several processes at a time, and no change is lost to another."""

import asyncio
import contextlib
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import Popen

import pytest

from appliance.settings import schema
from appliance.settings.schema import Config, Home
from appliance.web.settings_store import SettingsStore
from tests import children

APPENDS = """
import sys
from dataclasses import replace
from pathlib import Path
from appliance.settings import schema
from appliance.settings.paths import Home

def more(now):
    return replace(now, discovery=replace(now.discovery, exclusions=(*now.discovery.exclusions, sys.argv[2])))

for _ in range(10):
    schema.change(Home(Path(sys.argv[1])), more)
"""


@pytest.fixture
def plug(home: Path) -> Home:
    plug = Home(home)
    plug.create()
    return plug


def named(site: str) -> Callable[[Config], Config]:
    return lambda now: replace(now, plug=replace(now.plug, site=site))


def knocks(child: Popen[str], path: Path) -> bool:
    """Waits until a process has opened a file, or has ended."""
    while child.poll() is None:
        with contextlib.suppress(OSError):
            if any(each.exists() and each.samefile(path) for each in Path(f"/proc/{child.pid}/fd").iterdir()):
                return True
    return False


def test_processes_wait_for_one_another(plug: Home) -> None:
    with contextlib.ExitStack() as stack:
        started = [
            stack.enter_context(children.running([sys.executable, "-c", APPENDS, str(plug.folder), name]))
            for name in ("one", "two")
        ]
        assert [child.wait(30) for child in started] == [0, 0]
    assert sorted(schema.load(plug).discovery.exclusions) == ["one"] * 10 + ["two"] * 10


@pytest.mark.parametrize(
    ("typed", "done"),
    [
        (("import-printers", "LIST"), lambda now: len(now.discovery.entries) == 1),
        (
            ("wizard", "--schedule-only", "--yes", "--query-every", "2h"),
            lambda now: now.schedule.query_every == "2h",
        ),
        (("traps", "--enable"), lambda now: now.traps.enabled),
    ],
)
def test_a_command_keeps_what_the_page_saves_meanwhile(
    plug: Home, tmp_path: Path, typed: tuple[str, ...], done: Callable[[Config], bool]
) -> None:
    (tmp_path / "list.csv").write_text("10.0.0.1\n")
    arguments = [str(tmp_path / "list.csv") if each == "LIST" else each for each in typed]
    with contextlib.ExitStack() as stack:
        with schema.changing(plug):
            before = schema.load(plug)
            command = children.printmonitor(*arguments, state=plug.folder)
            child = stack.enter_context(children.running(command, stdout=-1))
            assert knocks(child, plug.changing)
            schema.save(plug, named("Zug")(before))
        assert child.wait(30) == 0
    now = schema.load(plug)
    assert (now.plug.site, done(now)) == ("Zug", True)


async def test_the_page_keeps_what_a_command_saves_meanwhile(plug: Home) -> None:
    page = SettingsStore(plug)
    assert page.current.plug.site == ""
    with schema.changing(plug):
        before = schema.load(plug)
        changing = asyncio.create_task(page.update(named("Zug")))
        await asyncio.wait({changing}, timeout=0.1)
        schema.save(plug, replace(before, traps=replace(before.traps, enabled=True)))
    changed = await changing
    assert (changed.plug.site, changed.traps.enabled) == ("Zug", True)
