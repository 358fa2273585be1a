"""The Plug's services as systemd sees them; what is to be done to them is asked for by a file."""

import asyncio
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from appliance.domain.messages import SUFFIX, Message, from_json
from appliance.host import atomic_file

SYSTEMD_RUNTIME_DIR = Path("run/systemd/system")  # sd_booted(3)
SERVICE_UNITS = {name: f"printmonitor-{name}.service" for name in ("poller", "traps", "web")}
COMMAND_TIMEOUT_S = 5.0  # systemctl answers in milliseconds, journalctl on a worn card in a second or two
UNIT_PROPERTIES = "Id,LoadState,ActiveState,SubState,ActiveEnterTimestamp,MemoryCurrent,NRestarts"
MAX_LOG_TEXT_CHARS = 2_000  # characters of one log line
MAX_ANSWER_BYTES = 4_096  # octets


class UnitQueryError(Exception):
    """A command is missing or fails; the text is one clear line."""


@dataclass(frozen=True, slots=True)
class UnitStatus:
    """What `systemctl show` says; None where it says nothing."""

    unit: str
    loaded: bool
    state: str  # active inactive failed activating deactivating
    detail: str  # systemd's SubState
    since: datetime | None
    memory: int | None  # bytes
    restarts: int | None


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of the log."""

    at: datetime
    priority: int  # syslog's: 0 to 7
    text: str


@dataclass(frozen=True, slots=True)
class RequestAnswer:
    """What became of a request."""

    state: str  # done refused failed
    text: str


def is_systemd_running(root: Path = Path("/")) -> bool:
    """Whether systemd runs this machine."""
    return (root / SYSTEMD_RUNTIME_DIR).is_dir()


async def query_units() -> dict[str, UnitStatus]:
    """The services by their short names. Raises NotAnswered."""
    if not is_systemd_running():
        raise UnitQueryError(Message("services.no_systemd"))
    said = await _run_command(
        "systemctl", "show", "--timestamp=utc", f"--property={UNIT_PROPERTIES}", *SERVICE_UNITS.values()
    )
    found = {unit.unit: unit for unit in parse_units(said)}
    return {name: found[unit] for name, unit in SERVICE_UNITS.items() if unit in found}


def parse_units(output: str) -> Iterator[UnitStatus]:
    """Units from what `systemctl show` printed."""
    for block in output.split("\n\n"):
        told = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        yield UnitStatus(
            unit=told.get("Id", ""),
            loaded=told.get("LoadState") == "loaded",
            state=told.get("ActiveState", ""),
            detail=told.get("SubState", ""),
            since=_parse_timestamp(told.get("ActiveEnterTimestamp", "")),
            memory=_parse_number(told.get("MemoryCurrent", "")),
            restarts=_parse_number(told.get("NRestarts", "")),
        )


async def query_log_lines(unit: str, max_lines: int) -> list[LogLine]:
    """The last lines of a unit's log, the oldest first. Raises NotAnswered."""
    arguments = ("--unit", unit, "--lines", str(max_lines), "--output", "json", "--no-pager", "--quiet")
    return list(parse_log_lines(await _run_command("journalctl", *arguments)))


def parse_log_lines(output: str) -> Iterator[LogLine]:
    """Lines from what `journalctl --output json` printed; those that make no sense are left out."""
    for line in output.splitlines():
        try:
            entry = json.loads(line)
            at = datetime.fromtimestamp(int(entry["__REALTIME_TIMESTAMP"]) / 1e6, UTC)
            yield LogLine(
                at,
                int(entry.get("PRIORITY", "6")) & 7,
                _decode_message(entry.get("MESSAGE"))[:MAX_LOG_TEXT_CHARS],
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError):
            continue


def submit_request(run: Path, request: Mapping[str, object]) -> str:
    """Write down what a privileged unit shall do; gives the request's id.

    The path unit that watches the folder starts the oneshot that checks and does it: see `requests`.
    """
    folder = run / "requests"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = secrets.token_hex(8)
    atomic_file.write(folder / f"{name}.json", json.dumps(dict(request)).encode())
    return name


def read_answer(run: Path, request_id: str) -> RequestAnswer | None:
    """What became of a request; None as long as nothing has."""
    if not re.fullmatch("[0-9a-f]{16}", request_id):
        return None
    try:
        with (run / "answers" / f"{request_id}.json").open("rb") as file:
            said = json.loads(file.read(MAX_ANSWER_BYTES))
        return RequestAnswer(str(said["state"]), from_json(str(said["text"]), said.get(f"text{SUFFIX}")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _decode_message(message: object) -> str:
    if isinstance(message, list):  # bytes that are no text
        return bytes(each for each in message if isinstance(each, int) and 0 <= each < 256).decode(
            "utf-8", "replace"
        )
    return "" if message is None else str(message)


def _parse_timestamp(text: str) -> datetime | None:
    found = re.search(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC", text)
    return datetime.fromisoformat(f"{found[1]}T{found[2]}+00:00") if found else None


def _parse_number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 16 else None  # 2^64-1 means that nobody counts


async def _run_command(*command: str) -> str:
    """What a command prints. Raises NotAnswered."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        raise UnitQueryError(Message("services.not_installed", name=command[0])) from error
    try:
        async with asyncio.timeout(COMMAND_TIMEOUT_S):
            out, _ = await process.communicate()
    except TimeoutError as error:
        process.kill()
        await process.wait()
        raise UnitQueryError(Message("services.no_answer", name=command[0])) from error
    if process.returncode:
        raise UnitQueryError(Message("services.command_fails", name=command[0]))
    return out.decode("utf-8", "replace")
