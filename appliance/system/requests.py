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

from appliance.system import network, orders

MOST_OCTETS = 4_096  # of a request
MOST_AT_ONCE = 32  # requests; the path unit comes again for the rest
MOST_ANSWERS = 100
SECONDS = 90.0  # a service has 15 to stop

POLLER, TRAPS, WEB = (f"printmonitor-{name}.service" for name in ("poller", "traps", "web"))
ALL = "printmonitor.target"
# A socket would start its service again with the next datagram.
SOCKETS = {TRAPS: ("printmonitor-traps.socket",)}


class Run(Protocol):
    """Runs a command and gives what it prints; raises Failed."""

    def __call__(self, *command: str) -> str: ...


class Refused(Exception):
    """The request is not what it should be; the text says why."""


class Failed(Exception):
    """The request was all right, doing it was not; the text says why."""


@dataclass(frozen=True, slots=True)
class Verb:
    """What is done with the order; which units may be named, and which further texts have to be there.

    Whoever does it checks the further texts, and raises Refused.
    """

    do: Callable[[Run, Mapping[str, str]], None]
    units: Collection[str] = ()
    texts: Collection[str] = ()


def _start(run: Run, order: Mapping[str, str]) -> None:
    unit = order["unit"]
    with contextlib.suppress(Failed):
        run("systemctl", "reset-failed", *SOCKETS.get(unit, ()), unit)
    run("systemctl", "start", *SOCKETS.get(unit, ()), unit)


def _stop(run: Run, order: Mapping[str, str]) -> None:
    unit = order["unit"]
    run("systemctl", "stop", *SOCKETS.get(unit, ()), unit)


def _restart(run: Run, order: Mapping[str, str]) -> None:
    unit = order["unit"]
    with contextlib.suppress(Failed):
        run("systemctl", "reset-failed", unit)
    run("systemctl", "--no-block", "restart", unit)  # whoever asked may be part of it


def _reboot(run: Run, _order: Mapping[str, str]) -> None:
    run("systemctl", "--no-block", "reboot")


def _factory_reset(run: Run, _order: Mapping[str, str]) -> None:
    run("systemctl", "--no-block", "start", "printmonitor-factory-reset.service")


def _apply(run: Run, _order: Mapping[str, str]) -> None:
    run("systemctl", "--no-block", "restart", "printmonitor-apply.service")


def update(
    run: Run,
    order: Mapping[str, str],
    folder: Path = orders.FOLDER,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Let an update be installed: see `rauc`, which looks at the bundle itself. Raises Refused, Failed."""
    for key, form in UPDATE.items():
        if not re.fullmatch(form, order[key]):
            raise Refused(f"{key} is not as it should be")
    deadline = UPDATER_TIMEOUT_S
    while run("systemctl", "show", "--property=ActiveState", "--value", UPDATER).strip() == "activating":
        if deadline <= 0:
            raise Refused("another update is being installed")
        sleep(1.0)
        deadline -= 1.0
    orders.put("update", {key: order[key] for key in UPDATE}, folder)
    run("systemctl", "--no-block", "start", UPDATER)


UPDATER = "printmonitor-update.service"
UPDATER_TIMEOUT_S = 30.0  # it also runs without an order, for some seconds: to tell what is in the slots
UPDATE = {
    "source": r"upload|https?://[!-~]{1,1000}",
    "fetch": "yes|no",  # whether it has to be fetched before it can be looked at, or RAUC can stream it
    "older": "yes|no",  # whether an older version may be installed, or the same one again
    "reboot": "yes|no",  # at once, or whenever somebody asks for it
    "action": r"[0-9A-Za-z_-]{0,64}",  # the fleet server's number
}


def try_network(run: Run, order: Mapping[str, str], folder: Path = orders.FOLDER) -> None:
    """Let new network settings be tried: see `network_trial`. Raises Refused, Failed."""
    if not re.fullmatch("[0-9a-f]{16}", order["trial"]):
        raise Refused("trial is not as it should be")
    try:
        network.taken(json.loads(order["settings"]))
    except (ValueError, RecursionError) as error:
        raise Refused(f"settings cannot be used: {error}") from error
    orders.put("network", {"settings": order["settings"], "trial": order["trial"]}, folder)
    run("systemctl", "--no-block", "restart", "printmonitor-network-trial.service")


def _network(run: Run, _order: Mapping[str, str]) -> None:
    run("systemctl", "--no-block", "restart", "printmonitor-network.service")


# Everything that can be asked for. The page cannot be stopped: nobody could start it again.
VERBS: Mapping[str, Verb] = {
    "start": Verb(_start, (POLLER, TRAPS)),
    "stop": Verb(_stop, (POLLER, TRAPS)),
    "restart": Verb(_restart, (POLLER, TRAPS, WEB, ALL)),
    "reboot": Verb(_reboot),
    "factory-reset": Verb(_factory_reset),
    "apply": Verb(_apply),  # makes the sockets and the trap receiver what the settings say
    "update": Verb(update, texts=tuple(UPDATE)),
    "network-try": Verb(try_network, texts=("settings", "trial")),
    "network": Verb(_network),  # makes the network what the settings say, which ends a trial
}


def work_off(folder: Path, owners: Collection[int], run: Run, verbs: Mapping[str, Verb] = VERBS) -> int:
    """Do what is asked for in `folder`/requests by one of these users; gives how many requests there were.

    Every request goes away, whatever it is, or the path unit would come for it again and again.
    """
    with contextlib.ExitStack() as stack:
        requests = stack.enter_context(_opened(folder / "requests", owners))
        names = sorted(name for name in os.listdir(requests) if name.endswith(".json"))[:MOST_AT_ONCE]
        answers = stack.enter_context(opened_answers(folder))
        for name in names:
            state, text = _one(requests, name, owners, run, verbs)
            _answer(answers, name, state, text)
        _prune(answers)
    return len(names)


def run(*command: str) -> str:
    """What a command prints. Raises Failed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(f"{command[0]}: {error}") from error
    if done.returncode:
        raise Failed(f"{' '.join(command)}: {done.stderr.strip()[:500] or 'failed'}")
    return done.stdout


def _one(
    requests: int, name: str, owners: Collection[int], run: Run, verbs: Mapping[str, Verb]
) -> tuple[str, str]:
    try:
        data = _read(requests, name, owners)
    except Refused as why:
        return "refused", str(why)
    finally:
        _remove(requests, name)
    try:
        verb, order = _checked(data, verbs)
        verb.do(run, order)
    except Refused as why:
        return "refused", str(why)
    except Failed as why:
        return "failed", str(why)
    return "done", ""


def _read(requests: int, name: str, owners: Collection[int]) -> bytes:
    """The bytes of a plain, private, small file of one of the owners. Raises Refused."""
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=requests)
    except OSError as error:
        raise Refused(f"cannot be opened: {error.strerror}") from error
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            raise Refused("is no plain file")
        if found.st_uid not in owners or stat.S_IMODE(found.st_mode) & 0o022:
            raise Refused("belongs to somebody else, or others may write it")
        data = os.read(file, MOST_OCTETS + 1)
    finally:
        os.close(file)
    if len(data) > MOST_OCTETS:
        raise Refused("is too large")
    return data


def _checked(data: bytes, verbs: Mapping[str, Verb]) -> tuple[Verb, Mapping[str, str]]:
    try:
        order = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Refused("is no JSON") from error
    if not isinstance(order, dict) or not all(isinstance(value, str) for value in order.values()):
        raise Refused("is no object of texts")
    verb = verbs.get(order.get("do", ""))
    if verb is None:
        raise Refused("asks for something that there is not")
    if set(order) != {"do", *(["unit"] if verb.units else []), *verb.texts}:
        raise Refused("says more or less than it should")
    if verb.units and order["unit"] not in verb.units:
        raise Refused("names a unit of which this cannot be asked")
    return verb, order


def _remove(requests: int, name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        try:
            os.unlink(name, dir_fd=requests)
        except (IsADirectoryError, PermissionError):  # a folder: out of the path unit's sight
            os.rename(name, f".refused-{time.time_ns()}", src_dir_fd=requests, dst_dir_fd=requests)


@contextlib.contextmanager
def _opened(folder: Path, owners: Collection[int]) -> Iterator[int]:
    """A folder itself, never what a link leads to. Raises Refused."""
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise Refused(f"{folder}: {error.strerror}") from error
    try:
        if os.fstat(opened).st_uid not in owners:
            raise Refused(f"{folder} belongs to somebody else")
        yield opened
    finally:
        os.close(opened)


@contextlib.contextmanager
def opened_answers(folder: Path) -> Iterator[int]:
    """The folder of answers, which is ours alone: made anew if somebody put another one there."""
    path = folder / "answers"
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o755)
    with _opened(path, {os.geteuid()}) as opened:
        os.fchmod(opened, 0o755)
        yield opened


def _answer(answers: int, name: str, state: str, text: str) -> None:
    if len(name) > 100 or not name.removesuffix(".json").isalnum():
        return  # nobody waits for the answer to a name like that
    put(answers, name, json.dumps({"state": state, "text": text, "at": int(time.time())}))


def put(answers: int, name: str, text: str) -> None:
    """A file in the folder of answers, whole, for everybody to read."""
    draft = f".{name}"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(draft, dir_fd=answers)
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644, dir_fd=answers)
    with os.fdopen(file, "w") as opened:
        os.fchmod(file, 0o644)
        opened.write(text)
    os.rename(draft, name, src_dir_fd=answers, dst_dir_fd=answers)


def got(answers: int, name: str) -> str:
    """What such a file says; nothing where there is none. Raises OSError."""
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=answers)
    except FileNotFoundError:
        return ""
    with os.fdopen(file) as opened:
        return opened.read()


def _prune(answers: int) -> None:
    names = [name for name in os.listdir(answers) if re.fullmatch(r"[0-9a-f]{16}\.json", name)]
    names.sort(key=lambda name: os.stat(name, dir_fd=answers, follow_symlinks=False).st_mtime_ns)
    for name in names[:-MOST_ANSWERS]:
        os.unlink(name, dir_fd=answers)
