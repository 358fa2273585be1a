"""The command as people type it, in this process or in one of its own."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance import __main__
from appliance.storage import database, jobs
from tests import children
from tests.fakes.cloud import Cloud
from tests.fakes.models import MODELS

KEY = "0123456789abcdef"
PLUG = "plug-4f2a91"
MODEL, OTHER_MODEL, THIRD_MODEL = list(MODELS)[:3]
CONTROLS = {chr(code) for code in [*range(10), *range(11, 32), *range(127, 160)]}


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line on standard error that a mistake is worth."""
        assert "Traceback" not in self.err
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        return lines[0]


Here = Callable[..., Ended]


def typist(capsys: pytest.CaptureFixture[str]) -> Here:
    """Types commands in this process: for those that ask nobody."""

    def type_in(*arguments: str, state: Path | None = None, program: str = "printmonitor") -> Ended:
        try:
            code = __main__.main([*(["--state", str(state)] if state else []), *arguments], program)
        except SystemExit as ended:
            code = int(str(ended.code))
        return Ended(code, *capsys.readouterr())

    return type_in


async def run(*arguments: str, state: Path | None = None, function: str = "run") -> Ended:
    """A command in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", f"from appliance.__main__ import {function}; {function}()"),
        *(["--state", str(state)] if state else []),
        *arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=children.ROOT,
        env=children.environment({"COLUMNS": "80"}),
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


def settings(state: Path, text: str) -> None:
    state.mkdir(mode=0o700, exist_ok=True)
    (state / "settings.toml").write_text(text)


def plugged(state: Path, port: int, addresses: str, cloud: Cloud) -> None:
    """Settings of a Plug that can do its whole work."""
    settings(
        state,
        f"""
        plug.name = "{PLUG}"
        transmission.mode = "https"
        transmission.key = "{KEY}"
        transmission.https.url = "{cloud.url}"
        transmission.https.ca_file = "{cloud.ca_file}"
        [[discovery.entries]]
        addresses = "{addresses}"
        port = {port}
        """,
    )
    cloud.issue_client(state / "tls", PLUG)


def printers_in(path: Path) -> int:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            return int(db.execute("SELECT count(*) FROM printers").fetchone()[0])
    except sqlite3.Error:  # not made yet
        return 0


def states(state: Path) -> list[str]:
    """Of all jobs, the newest last."""
    with closing(database.open_database(state / "printmonitor.db")) as db:
        return [job.state for job in reversed(jobs.list_recent(db))]


async def until(true: Callable[[], bool]) -> None:
    """Something that another process does has happened."""
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110  a process gives no event
            await asyncio.sleep(0.05)
