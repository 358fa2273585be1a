"""What the page may ask of root: each request is checked as if an attacker had written it, then answered.

The services run without any privilege; whoever takes one of them over owns the folder of requests, so
nothing in there is trusted: not the names, not what kind of file it is, not what it says. What can be asked
for is a closed table of verbs, each with the units that it may be asked of.
"""

import contextlib
import json
import os
import re
import stat
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from appliance.domain.messages import Message, add_message_fields
from appliance.host import unit_status
from appliance.privileged import job_files
from appliance.settings import network

MAX_REQUEST_BYTES = 4_096  # of a request
MAX_REQUESTS_PER_START = 32  # requests; the path unit comes again for the rest
MAX_ANSWERS = 100
COMMAND_TIMEOUT_S = 90.0  # a service has 15 to stop

POLLER_UNIT, TRAPS_UNIT, WEB_UNIT = (f"printmonitor-{name}.service" for name in ("poller", "traps", "web"))
ALL_UNITS_TARGET = "printmonitor.target"
# A socket would start its service again with the next datagram.
SOCKET_UNITS = {TRAPS_UNIT: ("printmonitor-traps.socket",)}


class RunCommand(Protocol):
    """Runs a command and gives what it prints; raises Failed."""

    def __call__(self, *command: str) -> str: ...


class RequestRejectedError(Exception):
    """The request is not what it should be; the text says why."""


class OperationFailedError(Exception):
    """The request was all right, doing it was not; the text says why."""


@dataclass(frozen=True, slots=True)
class RequestVerb:
    """What is done with the order; which units may be named, and which further texts have to be there.

    Whoever does it checks the further texts, and raises Refused.
    """

    handle: Callable[[RunCommand, Mapping[str, str]], None]
    allowed_units: Collection[str] = ()
    text_keys: Collection[str] = ()


def read_unit_states(run: RunCommand, *units: str) -> dict[str, str]:
    """Return the ActiveState of those units that are loaded. Raises OperationFailedError."""
    output = run("systemctl", "show", "--property=Id,LoadState,ActiveState", *units)
    states = {status.unit: status.state for status in unit_status.parse_units(output) if status.loaded}
    return {unit: states[unit] for unit in units if unit in states}


def is_unit_active(run: RunCommand, unit: str) -> bool:
    try:
        run("systemctl", "is-active", "--quiet", unit)
    except OperationFailedError:
        return False
    return True


def _start_unit(run: RunCommand, request: Mapping[str, str]) -> None:
    unit = request["unit"]
    with contextlib.suppress(OperationFailedError):
        run("systemctl", "reset-failed", *SOCKET_UNITS.get(unit, ()), unit)
    run("systemctl", "start", *SOCKET_UNITS.get(unit, ()), unit)


def _stop_unit(run: RunCommand, request: Mapping[str, str]) -> None:
    unit = request["unit"]
    run("systemctl", "stop", *SOCKET_UNITS.get(unit, ()), unit)


def _restart_unit(run: RunCommand, request: Mapping[str, str]) -> None:
    unit = request["unit"]
    with contextlib.suppress(OperationFailedError):
        run("systemctl", "reset-failed", unit)
    run("systemctl", "--no-block", "restart", unit)  # whoever asked may be part of it


def _reboot_system(run: RunCommand, _request: Mapping[str, str]) -> None:
    run("systemctl", "--no-block", "reboot")


def _start_factory_reset(run: RunCommand, _request: Mapping[str, str]) -> None:
    run("systemctl", "--no-block", "start", "printmonitor-factory-reset.service")


def _apply_settings(run: RunCommand, _request: Mapping[str, str]) -> None:
    run("systemctl", "--no-block", "restart", "printmonitor-apply.service")


def start_update(
    run: RunCommand,
    request: Mapping[str, str],
    folder: Path = job_files.CHECKED_REQUESTS_DIR,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Let an update be installed: see `rauc`, which looks at the bundle itself. Raises Refused, Failed."""
    for key, form in UPDATE_PATTERNS.items():
        if not re.fullmatch(form, request[key]):
            raise RequestRejectedError(f"{key} is not as it should be")
    remaining_s = UPDATE_UNIT_TIMEOUT_S
    while run("systemctl", "show", "--property=ActiveState", "--value", UPDATE_UNIT).strip() == "activating":
        if remaining_s <= 0:
            raise RequestRejectedError(Message("update.already_running"))
        sleep(1.0)
        remaining_s -= 1.0
    job_files.store_checked_request("update", {key: request[key] for key in UPDATE_PATTERNS}, folder)
    run("systemctl", "--no-block", "start", UPDATE_UNIT)


UPDATE_UNIT = "printmonitor-update.service"
UPDATE_UNIT_TIMEOUT_S = 30.0  # it also runs for some seconds without a request, to report the slots
UPDATE_PATTERNS = {
    "source": r"upload|https?://[!-~]{1,1000}",
    "fetch": "yes|no",  # whether it has to be fetched before it is inspected, or RAUC can stream it
    "older": "yes|no",  # whether an older version may be installed, or the same one again
    "reboot": "yes|no",  # at once, or whenever somebody asks for it
    "action": r"[0-9A-Za-z_-]{0,64}",  # the fleet server's number
}


def start_network_change(
    run: RunCommand, request: Mapping[str, str], folder: Path = job_files.CHECKED_REQUESTS_DIR
) -> None:
    """Let new network settings be tried: see `network_trial`. Raises Refused, Failed."""
    if not re.fullmatch("[0-9a-f]{16}", request["trial"]):
        raise RequestRejectedError("trial is not as it should be")
    try:
        network.parse_network(json.loads(request["settings"]))
    except (ValueError, RecursionError) as error:
        raise RequestRejectedError(f"settings cannot be used: {error}") from error
    job_files.store_checked_request(
        "network", {"settings": request["settings"], "trial": request["trial"]}, folder
    )
    run("systemctl", "--no-block", "restart", "printmonitor-network-trial.service")


def _apply_network(run: RunCommand, _request: Mapping[str, str]) -> None:
    run("systemctl", "--no-block", "restart", "printmonitor-network.service")


# Everything that can be asked for. The page cannot be stopped: nobody could start it again.
VERBS: Mapping[str, RequestVerb] = {
    "start": RequestVerb(_start_unit, (POLLER_UNIT, TRAPS_UNIT)),
    "stop": RequestVerb(_stop_unit, (POLLER_UNIT, TRAPS_UNIT)),
    "restart": RequestVerb(_restart_unit, (POLLER_UNIT, TRAPS_UNIT, WEB_UNIT, ALL_UNITS_TARGET)),
    "reboot": RequestVerb(_reboot_system),
    "factory-reset": RequestVerb(_start_factory_reset),
    "apply": RequestVerb(_apply_settings),  # makes the sockets and the trap receiver what the settings say
    "update": RequestVerb(start_update, text_keys=tuple(UPDATE_PATTERNS)),
    "network-try": RequestVerb(start_network_change, text_keys=("settings", "trial")),
    "network": RequestVerb(_apply_network),  # makes the network what the settings say, which ends a trial
}


def process_requests(
    folder: Path, owners: Collection[int], run: RunCommand, verbs: Mapping[str, RequestVerb] = VERBS
) -> int:
    """Do what is asked for in `folder`/requests by one of these users; gives how many requests there were.

    Every request goes away, whatever it is, or the path unit would come for it again and again.
    """
    with contextlib.ExitStack() as stack:
        requests = stack.enter_context(_open_dir(folder / "requests", owners))
        names = sorted(name for name in os.listdir(requests) if name.endswith(".json"))[
            :MAX_REQUESTS_PER_START
        ]
        answers = stack.enter_context(open_answers_dir(folder))
        for name in names:
            state, text = _process_request(requests, name, owners, run, verbs)
            _write_answer(answers, name, state, text)
        _prune_answers(answers)
    return len(names)


def run_command(*command: str) -> str:
    """What a command prints. Raises Failed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OperationFailedError(f"{command[0]}: {error}") from error
    if done.returncode:
        raise OperationFailedError(f"{' '.join(command)}: {done.stderr.strip()[:500] or 'failed'}")
    return done.stdout


def _process_request(
    requests_fd: int, name: str, owners: Collection[int], run: RunCommand, verbs: Mapping[str, RequestVerb]
) -> tuple[str, str]:
    try:
        data = _read_request(requests_fd, name, owners)
    except RequestRejectedError as why:
        return "refused", str(why)
    finally:
        _remove_request(requests_fd, name)
    try:
        verb, order = _parse_request(data, verbs)
        verb.handle(run, order)
    except RequestRejectedError as why:
        return "refused", str(why)
    except OperationFailedError as why:
        return "failed", str(why)
    return "done", ""


def _read_request(requests_fd: int, name: str, owners: Collection[int]) -> bytes:
    """The bytes of a plain, private, small file of one of the owners. Raises Refused."""
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=requests_fd)
    except OSError as error:
        raise RequestRejectedError(f"cannot be opened: {error.strerror}") from error
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            raise RequestRejectedError("is no plain file")
        if found.st_uid not in owners or stat.S_IMODE(found.st_mode) & 0o022:
            raise RequestRejectedError("belongs to somebody else, or others may write it")
        data = os.read(file, MAX_REQUEST_BYTES + 1)
    finally:
        os.close(file)
    if len(data) > MAX_REQUEST_BYTES:
        raise RequestRejectedError("is too large")
    return data


def _parse_request(data: bytes, verbs: Mapping[str, RequestVerb]) -> tuple[RequestVerb, Mapping[str, str]]:
    try:
        order = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise RequestRejectedError("is no JSON") from error
    if not isinstance(order, dict) or not all(isinstance(value, str) for value in order.values()):
        raise RequestRejectedError("is no object of texts")
    verb = verbs.get(order.get("do", ""))
    if verb is None:
        raise RequestRejectedError("asks for something that there is not")
    if set(order) != {"do", *(["unit"] if verb.allowed_units else []), *verb.text_keys}:
        raise RequestRejectedError("says more or less than it should")
    if verb.allowed_units and order["unit"] not in verb.allowed_units:
        raise RequestRejectedError("names a unit of which this cannot be asked")
    return verb, order


def _remove_request(requests_fd: int, name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        try:
            os.unlink(name, dir_fd=requests_fd)
        except (IsADirectoryError, PermissionError):  # a folder: out of the path unit's sight
            os.rename(name, f".refused-{time.time_ns()}", src_dir_fd=requests_fd, dst_dir_fd=requests_fd)


@contextlib.contextmanager
def _open_dir(folder: Path, owners: Collection[int]) -> Iterator[int]:
    """A folder itself, never what a link leads to. Raises Refused."""
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise RequestRejectedError(f"{folder}: {error.strerror}") from error
    try:
        if os.fstat(opened).st_uid not in owners:
            raise RequestRejectedError(f"{folder} belongs to somebody else")
        yield opened
    finally:
        os.close(opened)


@contextlib.contextmanager
def open_answers_dir(parent: Path) -> Iterator[int]:
    """The folder of answers, which is ours alone: made anew if somebody put another one there."""
    path = parent / "answers"
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o755)
    with _open_dir(path, {os.geteuid()}) as opened:
        os.fchmod(opened, 0o755)
        yield opened


def _write_answer(answers_fd: int, name: str, state: str, text: str) -> None:
    if len(name) > 100 or not name.removesuffix(".json").isalnum():
        return  # nobody waits for the answer to a name like that
    write_answer_file(
        answers_fd,
        name,
        json.dumps(add_message_fields({"state": state, "text": text, "at": int(time.time())})),
    )


def write_answer_file(answers_fd: int, name: str, text: str) -> None:
    """A file in the folder of answers, whole, for everybody to read."""
    draft = f".{name}"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(draft, dir_fd=answers_fd)
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644, dir_fd=answers_fd)
    with os.fdopen(file, "w") as opened:
        os.fchmod(file, 0o644)
        opened.write(text)
    os.rename(draft, name, src_dir_fd=answers_fd, dst_dir_fd=answers_fd)


def read_answer_file(answers_fd: int, name: str) -> str:
    """What such a file says; nothing where there is none. Raises OSError."""
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=answers_fd)
    except FileNotFoundError:
        return ""
    with os.fdopen(file) as opened:
        return opened.read()


def _prune_answers(answers_fd: int) -> None:
    names = [name for name in os.listdir(answers_fd) if re.fullmatch(r"[0-9a-f]{16}\.json", name)]
    names.sort(key=lambda name: os.stat(name, dir_fd=answers_fd, follow_symlinks=False).st_mtime_ns)
    for name in names[:-MAX_ANSWERS]:
        os.unlink(name, dir_fd=answers_fd)
