"""The Plug's services as systemd sees them; what is to be done to them is asked for by a file."""

import asyncio
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from appliance.host import atomic_file

SYSTEMD = Path("run/systemd/system")  # sd_booted(3)
UNITS = {name: f"printmonitor-{name}.service" for name in ("poller", "traps", "web")}
SECONDS = 5.0  # systemctl answers in milliseconds, journalctl on a worn card in a second or two
PROPERTIES = "Id,LoadState,ActiveState,SubState,ActiveEnterTimestamp,MemoryCurrent,NRestarts"
MOST_TEXT = 2_000  # characters of one log line
MOST_ANSWER = 4_096  # octets


class NotAnswered(Exception):
    """A command is missing or fails; the text is one clear line."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What `systemctl show` says; None where it says nothing."""

    unit: str
    loaded: bool
    state: str  # active inactive failed activating deactivating
    detail: str  # systemd's SubState
    since: datetime | None
    memory: int | None  # bytes
    restarts: int | None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the log."""

    at: datetime
    priority: int  # syslog's: 0 to 7
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request."""

    state: str  # done refused failed
    text: str


def is_booted(root: Path = Path("/")) -> bool:
    """Whether systemd runs this machine."""
    return (root / SYSTEMD).is_dir()


async def show() -> dict[str, Unit]:
    """The services by their short names. Raises NotAnswered."""
    if not is_booted():
        raise NotAnswered("The services are not run by systemd here.")
    said = await _run("systemctl", "show", "--timestamp=utc", f"--property={PROPERTIES}", *UNITS.values())
    found = {unit.unit: unit for unit in shown(said)}
    return {name: found[unit] for name, unit in UNITS.items() if unit in found}


def shown(said: str) -> Iterator[Unit]:
    """Units from what `systemctl show` printed."""
    for block in said.split("\n\n"):
        told = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        yield Unit(
            unit=told.get("Id", ""),
            loaded=told.get("LoadState") == "loaded",
            state=told.get("ActiveState", ""),
            detail=told.get("SubState", ""),
            since=_moment(told.get("ActiveEnterTimestamp", "")),
            memory=_number(told.get("MemoryCurrent", "")),
            restarts=_number(told.get("NRestarts", "")),
        )


async def log_lines(unit: str, most: int) -> list[Line]:
    """The last lines of a unit's log, the oldest first. Raises NotAnswered."""
    arguments = ("--unit", unit, "--lines", str(most), "--output", "json", "--no-pager", "--quiet")
    return list(logged(await _run("journalctl", *arguments)))


def logged(said: str) -> Iterator[Line]:
    """Lines from what `journalctl --output json` printed; those that make no sense are left out."""
    for line in said.splitlines():
        try:
            entry = json.loads(line)
            at = datetime.fromtimestamp(int(entry["__REALTIME_TIMESTAMP"]) / 1e6, UTC)
            yield Line(at, int(entry.get("PRIORITY", "6")) & 7, _text(entry.get("MESSAGE"))[:MOST_TEXT])
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError):
            continue


def request(run: Path, order: Mapping[str, object]) -> str:
    """Write down what a privileged unit shall do; gives the request's id.

    The path unit that watches the folder starts the oneshot that checks and does it: see `requests`.
    """
    folder = run / "requests"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = secrets.token_hex(8)
    atomic_file.write(folder / f"{name}.json", json.dumps(dict(order)).encode())
    return name


def answer(run: Path, request_id: str) -> Answer | None:
    """What became of a request; None as long as nothing has."""
    if not re.fullmatch("[0-9a-f]{16}", request_id):
        return None
    try:
        with (run / "answers" / f"{request_id}.json").open("rb") as file:
            said = json.loads(file.read(MOST_ANSWER))
        return Answer(str(said["state"]), str(said["text"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _text(message: object) -> str:
    if isinstance(message, list):  # bytes that are no text
        return bytes(each for each in message if isinstance(each, int) and 0 <= each < 256).decode(
            "utf-8", "replace"
        )
    return "" if message is None else str(message)


def _moment(text: str) -> datetime | None:
    found = re.search(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC", text)
    return datetime.fromisoformat(f"{found[1]}T{found[2]}+00:00") if found else None


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 16 else None  # 2^64-1 means that nobody counts


async def _run(*command: str) -> str:
    """What a command prints. Raises NotAnswered."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        raise NotAnswered(f"{command[0]} is not installed.") from error
    try:
        async with asyncio.timeout(SECONDS):
            out, _ = await process.communicate()
    except TimeoutError as error:
        process.kill()
        await process.wait()
        raise NotAnswered(f"{command[0]} does not answer.") from error
    if process.returncode:
        raise NotAnswered(f"{command[0]} fails.")
    return out.decode("utf-8", "replace")
