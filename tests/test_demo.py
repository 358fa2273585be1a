"""`make demo` does what it promises, and leaves nothing behind."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import psutil
import pytest

from tests import children

PROMISED = (
    "Serial number",
    "Lowest supply",
    "bytes on the wire",
    "What arrived at the cloud, opened with the key",
    '<?xml version="1.0"',
    "<CounterTotalDevices>",
    "The page is at http://127.0.0.1:",
    "(admin / printmonitor)",
)


@asynccontextmanager
async def demo(folder: Path, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.demo", *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=children.ROOT,
        env=children.environment({"COLUMNS": "80", "TMPDIR": str(folder)}),
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def read_until(process: asyncio.subprocess.Process, end: str | None) -> str:
    assert process.stdout is not None
    seen = ""
    async for line in process.stdout:
        seen += line.decode()
        if end is not None and end in seen:
            break
    return seen


@pytest.mark.parametrize("kind", ["once", "until Ctrl-C"])
async def test_demo(kind: str, tmp_path: Path) -> None:
    async with demo(tmp_path, *(["--once"] if kind == "once" else [])) as process:
        seen = await read_until(process, None if kind == "once" else "(admin / printmonitor)\n")
        assert all(promised in seen for promised in PROMISED), seen
        assert seen.count("\n127.20.0.") > 20
        assert max(map(len, seen.partition("Found")[2].partition("\n\n")[0].splitlines())) <= 80
        if kind == "once":
            assert await process.wait() == 0
            assert not any(os.scandir(tmp_path))
            return
        family = psutil.Process(process.pid).children(recursive=True)
        assert len(family) == 3, family  # the LAN, the poller, the page
        await log_in(seen.partition("The page is at ")[2].split()[0])
        heard_at = {
            each.laddr.ip for child in family for each in child.net_connections() if each.status == "LISTEN"
        }
        assert heard_at == {"127.0.0.1"}  # nobody else in the LAN is to see a demo
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        assert "Traceback" not in await read_until(process, None)
        assert await process.wait() == 0
        assert [each for each in family if each.is_running()] == []


async def log_in(address: str) -> None:
    """As somebody who tries the demo does: the factory password leads to its change."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        form = {"username": "admin", "password": "printmonitor"}
        headers = {"Origin": address}
        async with session.post(
            f"{address}/login", data=form, headers=headers, allow_redirects=False
        ) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/password#")


PARENT = """
import sys, time
from tests import children
print(children.start([sys.executable, "-c", "import time; time.sleep(60)"]).pid, flush=True)
time.sleep(60)
"""


def test_child_does_not_outlive_a_parent_that_is_killed() -> None:
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=children.ROOT) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        assert child.is_running()
        parent.kill()
    _, alive = psutil.wait_procs([child], timeout=5)
    assert alive == []
